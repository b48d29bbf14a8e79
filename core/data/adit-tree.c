/* core/data/adit-tree.c - SPDX-License-Identifier: MIT */
#include <adit/adit-tree.h>

#include "adit-digest.h"
#include "adit-file.h"
#include "adit-loader.h"
#include "adit-tar.h"

#include <string.h>

#define ENTRIES_MAX 1000000
#define DEPTH_MAX   16
/* A folder's file is read whole. */
#define FILE_MAX_SIZE (1024 * 1024 * 1024)

/* @bytes: (nullable): of a file in an archive; @digest: (nullable): of a folder's file, once read
 */
typedef struct {
    char *name;
    GBytes *bytes;
    char *digest;
} AditTreeEntry;

struct _AditTree {
    char *name;         /* in messages */
    char *path;         /* (nullable): of a folder */
    GArray *entries;    /* AditTreeEntry */
    AditDigest *digest; /* (nullable): of a folder: where that of what was read of it goes */
};

static void
adit_tree_entry_clear(gpointer data)
{
    AditTreeEntry *entry = data;

    g_free(entry->name);
    g_clear_pointer(&entry->bytes, g_bytes_unref);
    g_free(entry->digest);
}

/* What sha256sum would print of the files that were read, in the order of their names. */
static void
adit_tree_write_digest(AditTree *self)
{
    for (guint i = 0; i < self->entries->len; i++) {
        const AditTreeEntry *entry = &g_array_index(self->entries, AditTreeEntry, i);
        g_autofree char *line = NULL;

        if (entry->digest == NULL)
            continue;
        line = g_strdup_printf("%s  %s\n", entry->digest, entry->name);
        g_checksum_update(self->digest->checksum, (const guchar *) line, -1);
    }
}

void
adit_tree_free(AditTree *self)
{
    if (self->digest != NULL)
        adit_tree_write_digest(self);
    g_clear_pointer(&self->digest, adit_digest_unref);
    g_free(self->name);
    g_free(self->path);
    g_array_unref(self->entries);
    g_free(self);
}

/* Whether a part of @name begins with a dot. */
static gboolean
is_hidden(const char *name)
{
    return name[0] == '.' || strstr(name, "/.") != NULL;
}

static void
adit_tree_add(AditTree *self, const char *name, GBytes *bytes)
{
    AditTreeEntry entry = {.name = g_strdup(name),
                           .bytes = bytes != NULL ? g_bytes_ref(bytes) : NULL};

    g_array_append_val(self->entries, entry);
}

static gboolean
adit_tree_fail(const AditTree *self, const char *name, const char *reason, GError **error)
{
    g_autofree char *shown = adit_tree_show(self, name);

    g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED, "%s: %s", shown, reason);
    return FALSE;
}

/* An archive that is being read: names there are; the first that is there twice. */
typedef struct {
    AditTree *tree;
    GHashTable *seen;
    char *twice;
} Reading;

/* Folders may be there once, several times or not at all. */
static void
add_folders(Reading *self, const char *name)
{
    for (const char *at = strchr(name, '/'); at != NULL; at = strchr(at + 1, '/')) {
        g_autofree char *folder = g_strndup(name, (gsize) (at + 1 - name));

        if (g_hash_table_contains(self->seen, folder))
            continue;
        adit_tree_add(self->tree, folder, NULL);
        g_hash_table_add(self->seen, g_steal_pointer(&folder));
    }
}

static void
visit_member(const char *name, GBytes *bytes, gpointer user_data)
{
    Reading *self = user_data;

    if (is_hidden(name))
        return;
    add_folders(self, name);
    if (bytes == NULL)
        return;
    adit_tree_add(self->tree, name, bytes);
    if (!g_hash_table_add(self->seen, g_strdup(name)) && self->twice == NULL)
        self->twice = g_strdup(name);
}

static gboolean
adit_tree_read_archive(AditTree *self, AditLoader *loader, const char *path, GError **error)
{
    g_autoptr(GInputStream) stream = adit_loader_open(loader, path, error);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Reading reading = {.tree = self, .seen = seen};
    g_autofree char *twice = NULL;
    gboolean is_read = FALSE;

    if (stream == NULL)
        return FALSE;
    self->name = g_strdup(adit_loader_get_name(loader, stream));
    is_read = adit_tar_read(loader, stream, visit_member, &reading, error);
    twice = reading.twice;
    if (is_read && twice != NULL)
        return adit_tree_fail(self, twice, "it is in the archive twice", error);
    return is_read;
}

/* Adds what is in folder @name ("" or ending with "/"). */
static gboolean
adit_tree_scan(AditTree *self, const char *name, guint depth, GError **error)
{
    g_autofree char *path = g_build_filename(self->path, name, NULL);
    g_autoptr(GError) failure = NULL;
    g_autoptr(GDir) folder = g_dir_open(path, 0, &failure);
    const char *child = NULL;

    if (folder == NULL) {
        g_autofree char *shown = adit_tree_show(self, name);

        g_set_error(error, ADIT_ERROR, ADIT_ERROR_NOT_FOUND, "cannot read folder '%s': %s", shown,
                    failure->message);
        return FALSE;
    }
    if (depth > DEPTH_MAX)
        return adit_tree_fail(self, name, "folders are more than 16 deep", error);
    while ((child = g_dir_read_name(folder)) != NULL) {
        g_autofree char *full = g_build_filename(path, child, NULL);
        gboolean is_folder = g_file_test(full, G_FILE_TEST_IS_DIR);
        g_autofree char *below = g_strconcat(name, child, is_folder ? "/" : NULL, NULL);

        if (is_hidden(child))
            continue;
        if (self->entries->len == ENTRIES_MAX)
            return adit_tree_fail(self, "", "more than 1000000 files", error);
        adit_tree_add(self, below, NULL);
        if (is_folder && !adit_tree_scan(self, below, depth + 1, error))
            return FALSE;
    }
    return TRUE;
}

static gint
compare_entries(gconstpointer a, gconstpointer b)
{
    return strcmp(((const AditTreeEntry *) a)->name, ((const AditTreeEntry *) b)->name);
}

AditTree *
adit_loader_open_tree(AditLoader *loader, const char *path, GError **error)
{
    g_autoptr(AditTree) self = g_new0(AditTree, 1);
    gboolean found = FALSE;

    self->entries = g_array_new(FALSE, FALSE, sizeof(AditTreeEntry));
    g_array_set_clear_func(self->entries, adit_tree_entry_clear);
    if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
        self->path = g_strdup(path);
        self->name = adit_loader_show_path(loader, path);
        self->digest = adit_loader_add_folder(loader, path);
        found = adit_tree_scan(self, "", 0, error);
    } else {
        found = adit_tree_read_archive(self, loader, path, error);
    }
    if (!found)
        return NULL;
    g_array_sort(self->entries, compare_entries);
    return g_steal_pointer(&self);
}

guint
adit_tree_count_entries(const AditTree *self)
{
    return self->entries->len;
}

const char *
adit_tree_get_entry(const AditTree *self, guint entry)
{
    g_return_val_if_fail(entry < self->entries->len, NULL);
    return g_array_index(self->entries, AditTreeEntry, entry).name;
}

char *
adit_tree_show(const AditTree *self, const char *name)
{
    g_autofree char *shown = g_filename_display_name(name);
    gsize length = strlen(shown);

    if (length > 0 && shown[length - 1] == '/')
        shown[length - 1] = '\0';
    if (shown[0] == '\0')
        return g_strdup(self->name);
    return g_strconcat(self->name, self->path != NULL ? "/" : ":", shown, NULL);
}

GBytes *
adit_tree_read(AditTree *self, guint entry, GError **error)
{
    AditTreeEntry *found = &g_array_index(self->entries, AditTreeEntry, entry);
    g_autofree char *path = NULL;
    char *contents = NULL;
    gsize size = 0;

    g_return_val_if_fail(!g_str_has_suffix(found->name, "/"), NULL);

    if (found->bytes != NULL)
        return g_bytes_ref(found->bytes);
    path = g_build_filename(self->path, found->name, NULL);
    if (!adit_file_read(path, FILE_MAX_SIZE, &contents, &size, error))
        return NULL;
    if (found->digest == NULL)
        found->digest =
            g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *) contents, size);
    return g_bytes_new_take(contents, size);
}
