/* core/data/adit-loader.c - SPDX-License-Identifier: MIT */
#include "adit-loader.h"
#include "adit-archive.h"
#include "adit-decompressor.h"
#include "adit-digest.h"
#include "adit-file.h"
#include "adit-philox.h"

#include <glib/gstdio.h>
#include <string.h>

#define BUFFER_SIZE 65536

struct _AditLoader {
    char *data_folder;  /* canonical */
    GPtrArray *digests; /* one for each file opened */
    GPtrArray *names;   /* that streams borrow */
    AditRandom random;
    guint threads; /* 0: one a processor */
};

static GQuark
adit_loader_name_quark(void)
{
    return g_quark_from_static_string("adit-loader-name");
}

AditLoader *
adit_loader_new(const char *data_folder, guint64 seed)
{
    AditLoader *self = g_new0(AditLoader, 1);

    if (data_folder != NULL)
        self->data_folder = g_canonicalize_filename(data_folder, NULL);
    self->digests = g_ptr_array_new_with_free_func((GDestroyNotify) adit_digest_unref);
    self->names = g_ptr_array_new_with_free_func(g_free);
    adit_random_init(&self->random, seed, "data");
    return self;
}

void
adit_loader_free(AditLoader *self)
{
    g_free(self->data_folder);
    g_ptr_array_unref(self->digests);
    g_ptr_array_unref(self->names);
    g_free(self);
}

void
adit_loader_set_threads(AditLoader *self, guint threads)
{
    self->threads = threads;
}

guint
adit_loader_count_threads(AditLoader *self)
{
    return self->threads > 0 ? self->threads : g_get_num_processors();
}

/* The part of @path below the data folder, or NULL. */
static const char *
adit_loader_find_tail(AditLoader *self, const char *canonical)
{
    gsize length = self->data_folder != NULL ? strlen(self->data_folder) : 0;

    if (length == 0 || strncmp(canonical, self->data_folder, length) != 0)
        return NULL;
    if (self->data_folder[length - 1] == '/')
        return canonical + length;
    return canonical[length] == '/' ? canonical + length + 1 : NULL;
}

char *
adit_loader_show_path(AditLoader *self, const char *path)
{
    g_autofree char *canonical = g_canonicalize_filename(path, NULL);
    const char *tail = adit_loader_find_tail(self, canonical);

    return tail != NULL ? g_strconcat("$data/", tail, NULL) : g_filename_display_name(path);
}

char *
adit_loader_explain(const char *message, const char *data_folder)
{
    g_autofree char *canonical =
        data_folder != NULL ? g_canonicalize_filename(data_folder, NULL) : NULL;
    g_autofree char *shown = canonical != NULL ? g_filename_display_name(canonical) : NULL;

    if (shown == NULL || strstr(message, "$data") == NULL)
        return g_strdup(message);
    return g_strdup_printf("%s; $data is %s (ADIT_DATA or --data)", message, shown);
}

/* (transfer full) (nullable): @path or what stands for it. */
static char *
adit_loader_find(const char *path)
{
    static const char *const suffixes[] = {"", ".gz", ".xz"};

    for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *full = g_strconcat(path, suffixes[i], NULL);

        if (g_file_test(full, G_FILE_TEST_EXISTS))
            return g_steal_pointer(&full);
    }
    return NULL;
}

gboolean
adit_loader_exists(AditLoader *self, const char *path)
{
    g_autofree char *full = adit_loader_find(path);

    return full != NULL;
}

static void
adit_loader_set_missing(AditLoader *self, const char *path, GError **error)
{
    g_autofree char *shown = adit_loader_show_path(self, path);

    g_set_error(error, ADIT_ERROR, ADIT_ERROR_NOT_FOUND, "no file '%s'%s", shown,
                self->data_folder == NULL ? "; $data is ADIT_DATA or --data" : "");
}

/* @name, kept as long as the loader. */
static const char *
adit_loader_keep_name(AditLoader *self, const char *name)
{
    char *copy = g_strdup(name);

    g_ptr_array_add(self->names, copy);
    return copy;
}

/* (transfer none) (nullable): the digest of a file that is opened for the first time. */
static AditDigest *
adit_loader_add_digest(AditLoader *self, const char *path, const char *name)
{
    for (guint i = 0; i < self->digests->len; i++)
        if (g_str_equal(((AditDigest *) g_ptr_array_index(self->digests, i))->path, path))
            return NULL;
    g_ptr_array_add(self->digests, adit_digest_new(path, name));
    return g_ptr_array_index(self->digests, self->digests->len - 1);
}

AditDigest *
adit_loader_add_folder(AditLoader *self, const char *path)
{
    g_autofree char *name = adit_loader_show_path(self, path);
    AditDigest *digest = adit_loader_add_digest(self, path, name);

    if (digest == NULL)
        return NULL;
    digest->is_folder = TRUE;
    return adit_digest_ref(digest);
}

/* Opens the bytes of @path as they are. @name: what messages call it; @digest: (out) (nullable):
 * where its bytes go, NULL if the file has one */
static GFileInputStream *
adit_loader_open_file(AditLoader *self, const char *path, const char **name, AditDigest **digest,
                      GError **error)
{
    g_autofree char *full = adit_loader_find(path);
    g_autofree char *shown = NULL;
    g_autoptr(GFile) file = NULL;
    g_autoptr(GFileInputStream) stream = NULL;
    g_autoptr(GError) failure = NULL;
    GStatBuf status;

    if (full == NULL) {
        adit_loader_set_missing(self, path, error);
        return NULL;
    }
    shown = adit_loader_show_path(self, full);
    *name = adit_loader_keep_name(self, shown);
    if (g_stat(full, &status) == 0 && !S_ISREG(status.st_mode)) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_NOT_FOUND, "'%s' is %s, expected a file", *name,
                    S_ISDIR(status.st_mode) ? "a folder" : "not a regular file");
        return NULL;
    }
    file = adit_file_get(full);
    stream = g_file_read(file, NULL, &failure);
    if (stream == NULL)
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_NOT_FOUND, "cannot read '%s': %s", *name,
                    failure->message);
    else
        *digest = adit_loader_add_digest(self, full, *name);
    return g_steal_pointer(&stream);
}

static GInputStream *
adit_loader_name_stream(GInputStream *stream, const char *name)
{
    g_object_set_qdata(G_OBJECT(stream), adit_loader_name_quark(), (gpointer) name);
    return stream;
}

GInputStream *
adit_loader_open(AditLoader *self, const char *path, GError **error)
{
    const char *name = NULL;
    AditDigest *digest = NULL;
    g_autoptr(GFileInputStream) file = adit_loader_open_file(self, path, &name, &digest, error);
    g_autoptr(GInputStream) counted = NULL;
    g_autoptr(GInputStream) buffered = NULL;
    g_autoptr(AditDecompressor) decompressor = NULL;
    g_autoptr(GError) failure = NULL;
    const void *start = NULL;
    gsize size = 0;

    if (file == NULL)
        return NULL;
    counted = digest != NULL ? adit_digest_stream_new(G_INPUT_STREAM(file), digest)
                             : g_object_ref(G_INPUT_STREAM(file));
    buffered = g_buffered_input_stream_new_sized(counted, BUFFER_SIZE);
    adit_loader_name_stream(buffered, name);
    if (g_buffered_input_stream_fill(G_BUFFERED_INPUT_STREAM(buffered), -1, NULL, &failure) < 0) {
        adit_loader_propagate(self, buffered, g_steal_pointer(&failure), error);
        return NULL;
    }
    start = g_buffered_input_stream_peek_buffer(G_BUFFERED_INPUT_STREAM(buffered), &size);
    if (adit_packing_guess(start, size) == ADIT_PACKING_NONE)
        return g_steal_pointer(&buffered);
    decompressor = adit_decompressor_new(adit_packing_guess(start, size), name);
    return adit_loader_name_stream(
        g_converter_input_stream_new(buffered, G_CONVERTER(decompressor)), name);
}

GInputStream *
adit_loader_open_member(AditLoader *self, const char *path, const char *member, GError **error)
{
    const char *name = NULL;
    AditDigest *digest = NULL;
    g_autoptr(GFileInputStream) file = adit_loader_open_file(self, path, &name, &digest, error);
    g_autoptr(GBytes) bytes = NULL;
    g_autofree char *full = NULL;

    if (file == NULL)
        return NULL;
    bytes = adit_archive_read_member(G_INPUT_STREAM(file), name, member, error);
    if (bytes == NULL)
        return NULL;
    full = g_strconcat(name, ":", member, NULL);
    return adit_loader_name_stream(g_memory_input_stream_new_from_bytes(bytes),
                                   adit_loader_keep_name(self, full));
}

const char *
adit_loader_get_name(AditLoader *self, GInputStream *stream)
{
    const char *name = g_object_get_qdata(G_OBJECT(stream), adit_loader_name_quark());

    return name != NULL ? name : "data";
}

void
adit_loader_propagate(AditLoader *self, GInputStream *stream, GError *failure, GError **error)
{
    g_autoptr(GError) owned = failure;

    if (failure->domain == ADIT_ERROR)
        g_propagate_error(error, g_steal_pointer(&owned));
    else
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_NOT_FOUND, "cannot read '%s': %s",
                    adit_loader_get_name(self, stream), failure->message);
}

gboolean
adit_loader_read_some(AditLoader *self, GInputStream *stream, void *buffer, gsize size, gsize *got,
                      GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (g_input_stream_read_all(stream, buffer, size, got, NULL, &failure))
        return TRUE;
    adit_loader_propagate(self, stream, g_steal_pointer(&failure), error);
    return FALSE;
}

gboolean
adit_loader_read(AditLoader *self, GInputStream *stream, void *buffer, gsize size, const char *what,
                 GError **error)
{
    gsize got = 0;

    if (!adit_loader_read_some(self, stream, buffer, size, &got, error))
        return FALSE;
    if (got == size)
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED,
                "%s: truncated: got %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " bytes of %s",
                adit_loader_get_name(self, stream), got, size, what);
    return FALSE;
}

gboolean
adit_loader_read_end(AditLoader *self, GInputStream *stream, const char *what, GError **error)
{
    g_autoptr(GError) failure = NULL;
    guint8 byte = 0;
    gssize got = g_input_stream_read(stream, &byte, 1, NULL, &failure);

    if (got < 0)
        adit_loader_propagate(self, stream, g_steal_pointer(&failure), error);
    else if (got > 0)
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED, "%s: trailing bytes behind %s",
                    adit_loader_get_name(self, stream), what);
    return got == 0;
}

AditRandom *
adit_loader_get_random(AditLoader *self)
{
    return &self->random;
}

GStrv
adit_loader_list_files(AditLoader *self, GError **error)
{
    g_autoptr(GStrvBuilder) files = g_strv_builder_new();

    for (guint i = 0; i < self->digests->len; i++) {
        AditDigest *digest = g_ptr_array_index(self->digests, i);
        const char *hex = adit_digest_finish(digest, error);
        g_autofree char *line = NULL;

        if (hex == NULL)
            return NULL;
        line = g_strconcat(hex, "  ", digest->name, NULL);
        g_strv_builder_add(files, line);
    }
    return g_strv_builder_end(files);
}
