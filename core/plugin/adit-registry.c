/* core/plugin/adit-registry.c - SPDX-License-Identifier: MIT */
#include "adit-registry.h"

#include <string.h>

#include "adit-installation.h"
#include "adit-module.h"

#define SUFFIX ".so"

/**
 * Entry: a module found by its file's name.
 * @stem: "acme-swish" of block-acme-swish.so
 * @opened: whether @plugin holds more than path and kind
 */
typedef struct {
    AditPlugin plugin;
    char *stem;
    gboolean opened;
} Entry;

struct _AditRegistry {
    GRecMutex lock;
    GPtrArray *entries;  /* Entry, in the order of the search path, names sorted within a folder */
    GHashTable *by_file; /* "block-dense" -> Entry */
    GPtrArray *plugins;  /* AditPlugin of the opened entries */
    GHashTable *ops;     /* name -> AditOp */
};

static const char *const kinds[] = {
    "block",   "aggregator", "loss",     "regularizer", "policy",      "probe",
    "dataset", "optimizer",  "schedule", "strategy",    "initializer", NULL,
};

const char *const *
adit_registry_list_kinds(void)
{
    return kinds;
}

/* 0: no such kind. */
GType
adit_kind_get_type(const char *kind)
{
    const GType types[] = {
        ADIT_TYPE_BLOCK,    ADIT_TYPE_AGGREGATOR, ADIT_TYPE_LOSS,        ADIT_TYPE_REGULARIZER,
        ADIT_TYPE_POLICY,   ADIT_TYPE_PROBE,      ADIT_TYPE_DATASET,     ADIT_TYPE_OPTIMIZER,
        ADIT_TYPE_SCHEDULE, ADIT_TYPE_STRATEGY,   ADIT_TYPE_INITIALIZER,
    };
    G_STATIC_ASSERT(G_N_ELEMENTS(types) + 1 == G_N_ELEMENTS(kinds));

    for (guint i = 0; kinds[i] != NULL; i++) {
        if (strcmp(kinds[i], kind) == 0)
            return types[i];
    }
    return 0;
}

static void
entry_free(gpointer data)
{
    Entry *self = data;

    g_free(self->plugin.path);
    g_free(self->plugin.kind);
    g_free(self->plugin.name);
    g_free(self->plugin.version);
    g_free(self->plugin.licence);
    g_free(self->plugin.reason);
    g_free(self->stem);
    g_free(self);
}

/* Scanning. */

static const char *
find_kind(const char *file)
{
    for (guint i = 0; kinds[i] != NULL; i++) {
        gsize length = strlen(kinds[i]);
        if (strncmp(file, kinds[i], length) == 0 && file[length] == '-' && file[length + 1] != '\0')
            return kinds[i];
    }
    return NULL;
}

static void
add_file(AditRegistry *self, const char *folder, const char *file)
{
    if (!g_str_has_suffix(file, SUFFIX))
        return;

    g_autofree char *key = g_strndup(file, strlen(file) - strlen(SUFFIX));
    const char *kind = find_kind(key);
    if (kind == NULL || g_hash_table_contains(self->by_file, key))
        return;

    Entry *entry = g_new0(Entry, 1);
    entry->plugin.path = g_build_filename(folder, file, NULL);
    entry->plugin.kind = g_strdup(kind);
    entry->stem = g_strdup(key + strlen(kind) + 1);
    g_ptr_array_add(self->entries, entry);
    g_hash_table_insert(self->by_file, g_steal_pointer(&key), entry);
}

static int
compare_texts(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* A folder that is not there holds no plugins. */
static void
scan(AditRegistry *self, const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    const char *file;

    while (dir != NULL && (file = g_dir_read_name(dir)) != NULL)
        g_ptr_array_add(files, g_strdup(file));
    g_ptr_array_sort(files, compare_texts);
    for (guint i = 0; i < files->len; i++)
        add_file(self, folder, files->pdata[i]);
}

AditRegistry *
adit_registry_new(const char *const *folders)
{
    AditRegistry *self = g_new0(AditRegistry, 1);

    g_rec_mutex_init(&self->lock);
    self->entries = g_ptr_array_new_with_free_func(entry_free);
    self->by_file = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->plugins = g_ptr_array_new();
    self->ops = g_hash_table_new(g_str_hash, g_str_equal);
    for (; *folders != NULL; folders++)
        scan(self, *folders);
    return self;
}

void
adit_registry_free(AditRegistry *self)
{
    g_rec_mutex_clear(&self->lock);
    g_hash_table_unref(self->ops);
    g_ptr_array_unref(self->plugins);
    g_hash_table_unref(self->by_file);
    g_ptr_array_unref(self->entries);
    g_free(self);
}

static AditRegistry *
make_default(void)
{
    g_auto(GStrv) folders = adit_installation_list_plugins();

    return adit_registry_new((const char *const *) folders);
}

AditRegistry *
adit_registry_get(void)
{
    static AditRegistry *registry = NULL;

    if (g_once_init_enter(&registry))
        g_once_init_leave(&registry, make_default());
    return registry;
}

/* Opening. */

/* A vendor's name stands in its file with a hyphen: acme:swish in block-acme-swish.so. */
static gboolean
name_fits_stem(const char *name, const char *stem)
{
    g_autofree char *plain = g_strdelimit(g_strdup(name), ":", '-');

    return strcmp(plain, stem) == 0;
}

static char *
check_ops(AditRegistry *self, const AditPluginDescriptor *descriptor)
{
    for (const AditOp *const *op = descriptor->ops; op != NULL && *op != NULL; op++) {
        if (g_hash_table_contains(self->ops, (*op)->name))
            return g_strdup_printf("operation '%s' exists already", (*op)->name);
    }
    return NULL;
}

static void
add_ops(AditRegistry *self, const AditPluginDescriptor *descriptor)
{
    for (const AditOp *const *op = descriptor->ops; op != NULL && *op != NULL; op++)
        g_hash_table_insert(self->ops, (gpointer) (*op)->name, (gpointer) *op);
}

static void
read_descriptor(AditRegistry *self, Entry *entry, const AditPluginDescriptor *descriptor)
{
    AditPlugin *plugin = &entry->plugin;

    plugin->version = g_strdup(descriptor->version);
    plugin->licence = g_strdup(descriptor->licence);
    if (!name_fits_stem(descriptor->name, entry->stem)) {
        plugin->reason =
            g_strdup_printf("it holds '%s', its file says '%s'", descriptor->name, entry->stem);
        return;
    }
    g_free(plugin->name);
    plugin->name = g_strdup(descriptor->name);
    plugin->reason = check_ops(self, descriptor);
    if (plugin->reason != NULL)
        return;
    plugin->type = adit_module_register(descriptor, plugin->path, adit_kind_get_type(plugin->kind),
                                        &plugin->reason);
    if (plugin->type != 0)
        add_ops(self, descriptor);
}

static void
ensure_opened(AditRegistry *self, Entry *entry)
{
    if (entry->opened)
        return;
    entry->opened = TRUE;
    entry->plugin.name = g_strdup(entry->stem);
    g_ptr_array_add(self->plugins, &entry->plugin);

    const AditPluginDescriptor *descriptor =
        adit_module_open(entry->plugin.path, &entry->plugin.reason);
    if (descriptor != NULL)
        read_descriptor(self, entry, descriptor);
    if (entry->plugin.reason != NULL)
        g_info("plugin %s is broken (%s)", entry->plugin.path, entry->plugin.reason);
}

GType
adit_registry_find(AditRegistry *self, const char *kind, const char *name, GError **error)
{
    G_GNUC_UNUSED g_autoptr(GRecMutexLocker) locker = g_rec_mutex_locker_new(&self->lock);
    g_autofree char *stem = g_strdelimit(g_strdup(name), ":", '-');
    g_autofree char *file = g_strdup_printf("%s-%s", kind, stem);
    Entry *entry = g_hash_table_lookup(self->by_file, file);

    if (entry == NULL)
        return 0;
    ensure_opened(self, entry);
    if (entry->plugin.reason != NULL) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_PLUGIN,
                    "plugin %s" SUFFIX " is broken (%s); adit inspect --broken", file,
                    entry->plugin.reason);
        return 0;
    }
    return strcmp(entry->plugin.name, name) == 0 ? entry->plugin.type : 0;
}

const char **
adit_registry_list(AditRegistry *self, const char *kind, guint *n)
{
    G_GNUC_UNUSED g_autoptr(GRecMutexLocker) locker = g_rec_mutex_locker_new(&self->lock);
    GPtrArray *names = g_ptr_array_new();

    for (guint i = 0; i < self->entries->len; i++) {
        Entry *entry = self->entries->pdata[i];
        if (strcmp(entry->plugin.kind, kind) != 0)
            continue;
        ensure_opened(self, entry);
        if (entry->plugin.reason == NULL)
            g_ptr_array_add(names, entry->plugin.name);
    }
    g_ptr_array_sort(names, compare_texts);
    if (n != NULL)
        *n = names->len;
    g_ptr_array_add(names, NULL);
    return (const char **) g_ptr_array_free(names, FALSE);
}

const GPtrArray *
adit_registry_load_all(AditRegistry *self)
{
    G_GNUC_UNUSED g_autoptr(GRecMutexLocker) locker = g_rec_mutex_locker_new(&self->lock);

    for (guint i = 0; i < self->entries->len; i++)
        ensure_opened(self, self->entries->pdata[i]);
    return self->plugins;
}

const AditOp *
adit_registry_find_op(AditRegistry *self, const char *name)
{
    G_GNUC_UNUSED g_autoptr(GRecMutexLocker) locker = g_rec_mutex_locker_new(&self->lock);

    return g_hash_table_lookup(self->ops, name);
}
