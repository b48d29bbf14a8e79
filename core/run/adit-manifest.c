/* core/run/adit-manifest.c - SPDX-License-Identifier: MIT */
#include "adit-manifest.h"

#include "adit-json.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <sys/stat.h>

#define FORMAT    "adit-checkpoint"
#define VERSION   1
#define MAX_FILES 64

static void
free_file(AditManifestFile *file)
{
    g_free(file->name);
    g_free(file->sha256);
    g_free(file);
}

AditManifest *
adit_manifest_new(void)
{
    AditManifest *self = g_new0(AditManifest, 1);

    self->files = g_ptr_array_new_with_free_func((GDestroyNotify) free_file);
    return self;
}

void
adit_manifest_free(AditManifest *self)
{
    g_ptr_array_unref(self->files);
    g_free(self);
}

void
adit_manifest_add(AditManifest *self, const char *name, guint64 size, const char *sha256)
{
    AditManifestFile *file = g_new0(AditManifestFile, 1);

    file->name = g_strdup(name);
    file->size = size;
    file->sha256 = g_strdup(sha256);
    g_ptr_array_add(self->files, file);
}

const AditManifestFile *
adit_manifest_find(const AditManifest *self, const char *name)
{
    for (guint i = 0; i < self->files->len; i++) {
        const AditManifestFile *file = g_ptr_array_index(self->files, i);

        if (g_str_equal(file->name, name))
            return file;
    }
    return NULL;
}

char *
adit_manifest_to_text(const AditManifest *self)
{
    g_autoptr(JsonObject) object = json_object_new();
    JsonArray *files = json_array_new();

    json_object_set_string_member(object, "format", FORMAT);
    json_object_set_int_member(object, "version", VERSION);
    adit_json_set_unsigned(object, "step", self->step);
    adit_json_set_double(object, "score", self->score);
    json_object_set_boolean_member(object, "finite", self->finite);
    json_object_set_array_member(object, "files", files);
    for (guint i = 0; i < self->files->len; i++) {
        const AditManifestFile *file = g_ptr_array_index(self->files, i);
        JsonObject *entry = json_object_new();

        json_object_set_string_member(entry, "name", file->name);
        adit_json_set_unsigned(entry, "size", file->size);
        json_object_set_string_member(entry, "sha256", file->sha256);
        json_array_add_object_element(files, entry);
    }
    return adit_json_to_text(object);
}

static gboolean
fail(GError **error, const char *path, const char *what)
{
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED, "%s: expected %s", path, what);
    return FALSE;
}

static gboolean
read_head(AditManifest *self, JsonObject *object, const char *path, GError **error)
{
    const char *format = adit_json_get_text(object, "format");
    guint64 version = 0;

    if (format == NULL || !g_str_equal(format, FORMAT))
        return fail(error, path, "the format '" FORMAT "'");
    if (!adit_json_get_unsigned(object, "version", &version) || version != VERSION) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED,
                    "%s: expected version %d, got %" G_GUINT64_FORMAT, path, VERSION, version);
        return FALSE;
    }
    if (!adit_json_get_unsigned(object, "step", &self->step))
        return fail(error, path, "a number 'step'");
    if (!adit_json_get_double(object, "score", &self->score))
        return fail(error, path, "a number 'score'");
    self->finite = json_object_get_boolean_member_with_default(object, "finite", FALSE);
    return TRUE;
}

static gboolean
read_file(AditManifest *self, JsonNode *node, const char *path, GError **error)
{
    JsonObject *entry = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    const char *name = entry != NULL ? adit_json_get_text(entry, "name") : NULL;
    const char *sha256 = entry != NULL ? adit_json_get_text(entry, "sha256") : NULL;
    guint64 size;

    if (name == NULL || sha256 == NULL || !adit_json_get_unsigned(entry, "size", &size))
        return fail(error, path, "'name', 'size' and 'sha256' of every file");
    /* a name from a file is never a path */
    if (*name == '\0' || *name == '.' || strchr(name, '/') != NULL ||
        adit_manifest_find(self, name) != NULL)
        return fail(error, path, "plain names of files, each once");
    adit_manifest_add(self, name, size, sha256);
    return TRUE;
}

AditManifest *
adit_manifest_read(const char *folder, GError **error)
{
    g_autofree char *path = g_build_filename(folder, ADIT_MANIFEST_NAME, NULL);
    g_autoptr(AditManifest) self = adit_manifest_new();
    g_autoptr(JsonObject) object = adit_json_read(path, error);
    JsonArray *files = object != NULL ? adit_json_get_array(object, "files") : NULL;

    if (object == NULL || !read_head(self, object, path, error))
        return NULL;
    if (files == NULL || json_array_get_length(files) > MAX_FILES) {
        fail(error, path, "a list 'files'");
        return NULL;
    }
    for (guint i = 0; i < json_array_get_length(files); i++) {
        if (!read_file(self, json_array_get_element(files, i), path, error))
            return NULL;
    }
    return g_steal_pointer(&self);
}

gboolean
adit_manifest_check_sizes(const AditManifest *self, const char *folder, GError **error)
{
    for (guint i = 0; i < self->files->len; i++) {
        const AditManifestFile *file = g_ptr_array_index(self->files, i);
        g_autofree char *path = g_build_filename(folder, file->name, NULL);
        GStatBuf status;

        if (g_stat(path, &status) < 0) {
            g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED, "cannot read %s: %s", path,
                        g_strerror(errno));
            return FALSE;
        }
        if ((guint64) status.st_size != file->size) {
            g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED,
                        "%s: expected %" G_GUINT64_FORMAT " bytes, got %" G_GUINT64_FORMAT, path,
                        file->size, (guint64) status.st_size);
            return FALSE;
        }
    }
    return TRUE;
}

gboolean
adit_manifest_check_hash(const AditManifestFile *file, const char *path, const char *sha256,
                         GError **error)
{
    if (g_str_equal(file->sha256, sha256))
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED, "%s: expected SHA-256 %s, got %s", path,
                file->sha256, sha256);
    return FALSE;
}
