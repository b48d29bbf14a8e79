/* core/device/adit-verdicts.c - SPDX-License-Identifier: MIT */
#include "adit-verdicts.h"

#include <gio/gio.h>

#include "adit-file.h"
#include "adit-json.h"
#include "adit-kernels.h"

#define SHADERS "/org/adit/shaders"
/* Far more than there are kernels. */
#define MAX_BYTES ((gsize) 256 << 10)

struct _AditVerdicts {
    char *device;
    char *driver;
    const char *build;
    gboolean full;
    GHashTable *forms; /* name -> AditKernelForm */
};

static const char *const form_names[] = {
    [ADIT_FORM_SUBGROUP] = "subgroup",
    [ADIT_FORM_OPTIMISED] = "optimised",
    [ADIT_FORM_PLAIN] = "plain",
    [ADIT_FORM_NONE] = "none",
};

const char *
adit_kernel_form_get_name(AditKernelForm form)
{
    return form_names[form];
}

static gboolean
find_form(const char *name, AditKernelForm *form)
{
    for (guint i = 0; name != NULL && i < G_N_ELEMENTS(form_names); i++) {
        if (g_str_equal(form_names[i], name)) {
            *form = (AditKernelForm) i;
            return TRUE;
        }
    }
    return FALSE;
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return g_strcmp0(*(const char *const *) a, *(const char *const *) b);
}

/* Every shader's name and text. */
static void
add_shaders(GChecksum *sum)
{
    g_auto(GStrv) names = g_resources_enumerate_children(SHADERS, 0, NULL);
    guint n = names != NULL ? g_strv_length(names) : 0;

    if (n > 0)
        qsort(names, n, sizeof *names, compare_names);
    for (guint i = 0; i < n; i++) {
        g_autofree char *path = g_strconcat(SHADERS "/", names[i], NULL);
        g_autoptr(GBytes) bytes = g_resources_lookup_data(path, 0, NULL);

        if (bytes == NULL)
            continue;
        g_checksum_update(sum, (const guchar *) names[i], (gssize) strlen(names[i]) + 1);
        g_checksum_update(sum, g_bytes_get_data(bytes, NULL), (gssize) g_bytes_get_size(bytes));
    }
}

/* As all caches. */
static gboolean
is_kept(void)
{
    return g_strcmp0(g_getenv("ADIT_CACHE"), "0") != 0;
}

/* Whether kernels are joined at run time: without, nothing is known of those that are. */
static gboolean
can_fuse(void)
{
#ifdef ADIT_HAVE_SHADERC
    return adit_may_fuse();
#else
    return FALSE;
#endif
}

/* The version, and what the shaders are: a build between two versions has others. */
const char *
adit_verdicts_get_build(void)
{
    static char *build;

    if (g_once_init_enter(&build)) {
        g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

        add_shaders(sum);
        g_once_init_leave(&build,
                          g_strdup_printf("%s-%.16s%s", ADIT_VERSION, g_checksum_get_string(sum),
                                          can_fuse() ? "" : "-unfused"));
    }
    return build;
}

AditVerdicts *
adit_verdicts_new(const char *device, const char *driver)
{
    AditVerdicts *self = g_new0(AditVerdicts, 1);

    self->device = g_strdup(device);
    self->driver = g_strdup(driver);
    self->build = adit_verdicts_get_build();
    self->forms = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return self;
}

void
adit_verdicts_free(AditVerdicts *self)
{
    g_free(self->device);
    g_free(self->driver);
    g_hash_table_unref(self->forms);
    g_free(self);
}

gboolean
adit_verdicts_is_full(const AditVerdicts *self)
{
    return self->full;
}

void
adit_verdicts_set_full(AditVerdicts *self, gboolean full)
{
    self->full = full;
}

gboolean
adit_verdicts_lookup(const AditVerdicts *self, const char *kernel, AditKernelForm *form)
{
    gpointer value;

    if (!g_hash_table_lookup_extended(self->forms, kernel, NULL, &value))
        return FALSE;
    *form = (AditKernelForm) GPOINTER_TO_UINT(value);
    return TRUE;
}

void
adit_verdicts_set(AditVerdicts *self, const char *kernel, AditKernelForm form)
{
    g_hash_table_insert(self->forms, g_strdup(kernel), GUINT_TO_POINTER(form));
}

GPtrArray *
adit_verdicts_list(const AditVerdicts *self)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, self->forms);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        g_ptr_array_add(names, g_strdup(key));
    g_ptr_array_sort(names, compare_names);
    return names;
}

void
adit_verdicts_keep_worse(AditVerdicts *self, const AditVerdicts *other)
{
    GHashTableIter iter;
    gpointer key, value;

    self->full = self->full || other->full;
    g_hash_table_iter_init(&iter, other->forms);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        AditKernelForm form = (AditKernelForm) GPOINTER_TO_UINT(value), mine;

        if (!adit_verdicts_lookup(self, key, &mine) || form > mine)
            adit_verdicts_set(self, key, form);
    }
}

/* ---- the file ---- */

/* @text as a part of a file's name. */
static char *
make_name(const char *text)
{
    char *name = g_strdup(text);

    for (char *c = name; *c != '\0'; c++) {
        if (!g_ascii_isalnum(*c) && *c != '-' && *c != '.')
            *c = '_';
    }
    return name;
}

char *
adit_verdicts_get_path(const AditVerdicts *self)
{
    g_autofree char *device = make_name(self->device);
    g_autofree char *driver = make_name(self->driver);
    g_autofree char *file = g_strdup_printf("%.64s_%.64s_%s.json", device, driver, self->build);

    return g_build_filename(g_get_user_cache_dir(), "adit", "selftest", file, NULL);
}

/* SHA-256 over everything the file says. */
static char *
make_checksum(const AditVerdicts *self)
{
    g_autoptr(GPtrArray) names = adit_verdicts_list(self);
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_append_printf(text, "%s\n%s\n%s\n%d\n", self->device, self->driver, self->build,
                           self->full);
    for (guint i = 0; i < names->len; i++) {
        AditKernelForm form = ADIT_FORM_NONE;

        adit_verdicts_lookup(self, names->pdata[i], &form);
        g_string_append_printf(text, "%s %s\n", (const char *) names->pdata[i], form_names[form]);
    }
    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, text->str, (gssize) text->len);
}

static JsonObject *
to_json(const AditVerdicts *self)
{
    JsonObject *object = json_object_new(), *kernels = json_object_new();
    g_autoptr(GPtrArray) names = adit_verdicts_list(self);
    g_autofree char *checksum = make_checksum(self);

    for (guint i = 0; i < names->len; i++) {
        AditKernelForm form = ADIT_FORM_NONE;

        adit_verdicts_lookup(self, names->pdata[i], &form);
        json_object_set_string_member(kernels, names->pdata[i], form_names[form]);
    }
    json_object_set_string_member(object, "device", self->device);
    json_object_set_string_member(object, "driver", self->driver);
    json_object_set_string_member(object, "build", self->build);
    json_object_set_boolean_member(object, "full", self->full);
    json_object_set_object_member(object, "kernels", kernels);
    json_object_set_string_member(object, "sha256", checksum);
    return object;
}

gboolean
adit_verdicts_save(const AditVerdicts *self, GError **error)
{
    g_autoptr(JsonObject) object = to_json(self);
    g_autofree char *path = adit_verdicts_get_path(self);
    g_autofree char *folder = g_path_get_dirname(path);

    return !is_kept() ||
           (adit_folder_create(folder, error) && adit_json_write(path, object, error));
}

/* FALSE: a form that there is not. */
static gboolean
take_kernels(AditVerdicts *self, JsonObject *kernels)
{
    g_autoptr(GList) names = json_object_get_members(kernels);

    for (const GList *each = names; each != NULL; each = each->next) {
        AditKernelForm form;

        if (!find_form(adit_json_get_text(kernels, each->data), &form))
            return FALSE;
        adit_verdicts_set(self, each->data, form);
    }
    return TRUE;
}

/* FALSE: it is missing or no boolean. */
static gboolean
take_flag(JsonObject *object, const char *key, gboolean *value)
{
    JsonNode *node = json_object_get_member(object, key);

    if (node == NULL || !JSON_NODE_HOLDS_VALUE(node) ||
        json_node_get_value_type(node) != G_TYPE_BOOLEAN)
        return FALSE;
    *value = json_node_get_boolean(node);
    return TRUE;
}

/* Whether @object is of this device, driver and build, and whole. */
static gboolean
take_json(AditVerdicts *self, JsonObject *object)
{
    JsonObject *kernels = adit_json_get_object(object, "kernels");

    if (g_strcmp0(adit_json_get_text(object, "device"), self->device) != 0 ||
        g_strcmp0(adit_json_get_text(object, "driver"), self->driver) != 0 ||
        g_strcmp0(adit_json_get_text(object, "build"), self->build) != 0 || kernels == NULL ||
        !take_kernels(self, kernels) || !take_flag(object, "full", &self->full))
        return FALSE;
    g_autofree char *checksum = make_checksum(self);

    return g_strcmp0(adit_json_get_text(object, "sha256"), checksum) == 0;
}

AditVerdicts *
adit_verdicts_load(const char *device, const char *driver)
{
    g_autoptr(AditVerdicts) self = adit_verdicts_new(device, driver);
    g_autofree char *path = adit_verdicts_get_path(self);
    g_autofree char *text = NULL;
    gsize length;
    g_autoptr(JsonObject) object = NULL;

    if (is_kept() && adit_file_read(path, MAX_BYTES, &text, &length, NULL))
        object = adit_json_parse(path, text, length, NULL);
    return object != NULL && take_json(self, object) ? g_steal_pointer(&self) : NULL;
}
