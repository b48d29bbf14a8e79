/* core/data/adit-tree.c - SPDX-License-Identifier: MIT */
#include <adit/adit-tree.h>

#include "adit-digest.h"
#include "adit-file.h"
#include "adit-loader.h"
#include "adit-tar.h"

#include <string.h>

#define ENTRIES_MAX 1000000
#define DEPTH_MAX   16
#define TOO_DEEP    "folders are more than 16 deep"
/* A folder's file is read whole. */
#define FILE_MAX_SIZE (1024 * 1024 * 1024)

/* @bytes: (nullable): of a file in an archive, once read; @digest: (nullable): of a folder's file,
 * once read */
typedef struct {
    char *name;
    GBytes *bytes;
    char *digest;
} AditTreeEntry;

struct _AditTree {
    AditLoader *loader;
    char *name; /* in messages */
    char *path;
    gboolean is_folder;
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

static gboolean
adit_tree_fail(const AditTree *self, const char *name, const char *reason, GError **error)
{
    g_autofree char *shown = adit_tree_show(self, name);

    g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED, "%s: %s", shown, reason);
    return FALSE;
}

/* @bytes: (transfer full) (nullable) */
static gboolean
adit_tree_add(AditTree *self, const char *name, GBytes *bytes, GError **error)
{
    AditTreeEntry entry = {.name = g_strdup(name), .bytes = bytes};

    g_array_append_val(self->entries, entry);
    if (self->entries->len > ENTRIES_MAX)
        return adit_tree_fail(self, "", "more than 1000000 files and folders", error);
    return TRUE;
}

/* An archive that is being read. */
typedef struct {
    AditTree *tree;
    gboolean names_only;
    GHashTable *seen; /* names there are */
} Reading;

/* The folders that @name is in: each may be there once, several times or not at all. */
static gboolean
add_folders(Reading *self, const char *name, GError **error)
{
    guint depth = 0;

    for (const char *at = strchr(name, '/'); at != NULL; at = strchr(at + 1, '/')) {
        g_autofree char *folder = g_strndup(name, (gsize) (at + 1 - name));

        if (++depth > DEPTH_MAX)
            return adit_tree_fail(self->tree, folder, TOO_DEEP, error);
        if (g_hash_table_contains(self->seen, folder))
            continue;
        if (!adit_tree_add(self->tree, folder, NULL, error))
            return FALSE;
        g_hash_table_add(self->seen, g_steal_pointer(&folder));
    }
    return TRUE;
}

static gboolean
visit_member(AditTar *tar, const char *name, gpointer user_data, GError **error)
{
    Reading *self = user_data;
    GBytes *bytes = NULL;

    if (is_hidden(name))
        return TRUE;
    if (!add_folders(self, name, error))
        return FALSE;
    if (g_str_has_suffix(name, "/"))
        return TRUE;
    if (!g_hash_table_add(self->seen, g_strdup(name)))
        return adit_tree_fail(self->tree, name, "it is in the archive twice", error);
    if (!self->names_only) {
        bytes = adit_tar_take_contents(tar, error);
        if (bytes == NULL)
            return FALSE;
    }
    return adit_tree_add(self->tree, name, bytes, error);
}

static gboolean
adit_tree_read_archive(AditTree *self, gboolean names_only, GError **error)
{
    g_autoptr(GInputStream) stream = adit_loader_open(self->loader, self->path, error);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Reading reading = {.tree = self, .names_only = names_only, .seen = seen};

    if (stream == NULL)
        return FALSE;
    self->name = g_strdup(adit_loader_get_name(self->loader, stream));
    return adit_tar_read(self->loader, stream, visit_member, &reading, error);
}

/* Takes the contents of one file of an archive. */
static gboolean
visit_one(AditTar *tar, const char *name, gpointer user_data, GError **error)
{
    AditTreeEntry *entry = user_data;

    if (!g_str_equal(name, entry->name))
        return TRUE;
    entry->bytes = adit_tar_take_contents(tar, error);
    return FALSE;
}

/* An archive of which only the names are known is gone through again, up to @entry. */
static gboolean
adit_tree_fetch(AditTree *self, AditTreeEntry *entry, GError **error)
{
    g_autoptr(GInputStream) stream = adit_loader_open(self->loader, self->path, error);

    if (stream == NULL || !adit_tar_read(self->loader, stream, visit_one, entry, error))
        return FALSE;
    return entry->bytes != NULL ||
           adit_tree_fail(self, entry->name, "it is no longer in the archive", error);
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
        return adit_tree_fail(self, name, TOO_DEEP, error);
    while ((child = g_dir_read_name(folder)) != NULL) {
        g_autofree char *full = g_build_filename(path, child, NULL);
        gboolean is_folder = g_file_test(full, G_FILE_TEST_IS_DIR);
        g_autofree char *below = g_strconcat(name, child, is_folder ? "/" : NULL, NULL);

        if (is_hidden(child))
            continue;
        if (!adit_tree_add(self, below, NULL, error))
            return FALSE;
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

static AditTree *
open_tree(AditLoader *loader, const char *path, gboolean names_only, GError **error)
{
    g_autoptr(AditTree) self = g_new0(AditTree, 1);
    gboolean found = FALSE;

    self->loader = loader;
    self->path = g_strdup(path);
    self->is_folder = g_file_test(path, G_FILE_TEST_IS_DIR);
    self->entries = g_array_new(FALSE, FALSE, sizeof(AditTreeEntry));
    g_array_set_clear_func(self->entries, adit_tree_entry_clear);
    if (self->is_folder) {
        self->name = adit_loader_show_path(loader, path);
        self->digest = adit_loader_add_folder(loader, path);
        found = adit_tree_scan(self, "", 0, error);
    } else {
        found = adit_tree_read_archive(self, names_only, error);
    }
    if (!found)
        return NULL;
    g_array_sort(self->entries, compare_entries);
    return g_steal_pointer(&self);
}

AditTree *
adit_loader_open_tree(AditLoader *loader, const char *path, GError **error)
{
    return open_tree(loader, path, FALSE, error);
}

AditTree *
adit_loader_list_tree(AditLoader *loader, const char *path, GError **error)
{
    return open_tree(loader, path, TRUE, error);
}

AditLoader *
adit_tree_get_loader(const AditTree *self)
{
    return self->loader;
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
    return g_strconcat(self->name, self->is_folder ? "/" : ":", shown, NULL);
}

GBytes *
adit_tree_read(AditTree *self, guint entry, GError **error)
{
    AditTreeEntry *found = &g_array_index(self->entries, AditTreeEntry, entry);
    g_autofree char *path = NULL;
    char *contents = NULL;
    gsize size = 0;

    g_return_val_if_fail(!g_str_has_suffix(found->name, "/"), NULL);

    if (!self->is_folder && found->bytes == NULL && !adit_tree_fetch(self, found, error))
        return NULL;
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
