/* tests/core/data/scratch.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit.h>

#include <glib/gstdio.h>
#include <lzma.h>
#include <string.h>
#include <zlib.h>

#include "adit-file.h"

/* A folder for the files of a test, and packers to fill it with. */

typedef struct {
    char *path;
} Scratch;

G_GNUC_UNUSED static void
scratch_init(Scratch *self)
{
    self->path = g_dir_make_tmp("adit-data-XXXXXX", NULL);
    g_assert_nonnull(self->path);
}

G_GNUC_UNUSED static void
scratch_clear(Scratch *self)
{
    g_autoptr(GError) error = NULL;

    adit_folder_remove(self->path, &error);
    g_assert_no_error(error);
    g_free(self->path);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Scratch, scratch_clear)

/* (transfer full): the path of file @name. */
G_GNUC_UNUSED static char *
scratch_write(Scratch *self, const char *name, const void *bytes, gsize size)
{
    char *path = g_build_filename(self->path, name, NULL);
    g_autoptr(GError) error = NULL;

    g_file_set_contents(path, bytes, (gssize) size, &error);
    g_assert_no_error(error);
    return path;
}

G_GNUC_UNUSED static char *
scratch_write_text(Scratch *self, const char *name, const char *text)
{
    return scratch_write(self, name, text, strlen(text));
}

/* @window: 31 for gzip, -15 for the bare stream of a zip archive */
G_GNUC_UNUSED static GByteArray *
pack_zlib(const void *bytes, gsize size, int window)
{
    z_stream stream = {.next_in = (void *) bytes, .avail_in = (uInt) size};
    GByteArray *packed = g_byte_array_new();
    int status = deflateInit2(&stream, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY);

    g_assert_cmpint(status, ==, Z_OK);
    g_byte_array_set_size(packed, (guint) deflateBound(&stream, size) + 64);
    stream.next_out = packed->data;
    stream.avail_out = packed->len;
    status = deflate(&stream, Z_FINISH);
    g_assert_cmpint(status, ==, Z_STREAM_END);
    g_byte_array_set_size(packed, (guint) stream.total_out);
    deflateEnd(&stream);
    return packed;
}

G_GNUC_UNUSED static GByteArray *
pack_gzip(const void *bytes, gsize size)
{
    return pack_zlib(bytes, size, 31);
}

G_GNUC_UNUSED static GByteArray *
pack_xz(const void *bytes, gsize size)
{
    GByteArray *packed = g_byte_array_new();
    size_t length = 0;
    lzma_ret status = LZMA_OK;

    g_byte_array_set_size(packed, (guint) lzma_stream_buffer_bound(size));
    status = lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, bytes, size, packed->data, &length,
                                     packed->len);
    g_assert_cmpint((int) status, ==, LZMA_OK);
    g_byte_array_set_size(packed, (guint) length);
    return packed;
}

G_GNUC_UNUSED static void
append_number(GByteArray *array, guint64 value, guint size)
{
    for (guint i = 0; i < size; i++) {
        guint8 byte = (guint8) (value >> (8 * i));

        g_byte_array_append(array, &byte, 1);
    }
}

/* What local header and directory entry of a zip member share. */
G_GNUC_UNUSED static void
append_member(GByteArray *to, const char *name, gboolean deflated, guint32 crc, gsize packed,
              gsize size)
{
    append_number(to, 20, 2); /* version needed */
    append_number(to, 0, 2);  /* flags */
    append_number(to, deflated ? 8 : 0, 2);
    append_number(to, 0, 4); /* time */
    append_number(to, crc, 4);
    append_number(to, packed, 4);
    append_number(to, size, 4);
    append_number(to, strlen(name), 2);
    append_number(to, 0, 2); /* extra field */
}

/* Writes one member to @archive and its entry to @directory. */
G_GNUC_UNUSED static void
pack_member(GByteArray *archive, GByteArray *directory, const char *name, gboolean deflated,
            const void *bytes, gsize size)
{
    g_autoptr(GByteArray) packed = deflated ? pack_zlib(bytes, size, -15) : g_byte_array_new();
    guint32 crc = (guint32) crc32_z(crc32(0, NULL, 0), bytes, size);
    guint offset = archive->len;

    if (!deflated)
        g_byte_array_append(packed, bytes, (guint) size);
    append_number(archive, 0x04034b50, 4);
    append_member(archive, name, deflated, crc, packed->len, size);
    g_byte_array_append(archive, (const guint8 *) name, (guint) strlen(name));
    g_byte_array_append(archive, packed->data, packed->len);

    append_number(directory, 0x02014b50, 4);
    append_number(directory, 20, 2); /* version made by */
    append_member(directory, name, deflated, crc, packed->len, size);
    for (guint i = 0; i < 5; i++)
        append_number(directory, 0, 2); /* comment, disk, attributes */
    append_number(directory, offset, 4);
    g_byte_array_append(directory, (const guint8 *) name, (guint) strlen(name));
}

/* A zip archive of two members, @a stored and @b deflated. */
G_GNUC_UNUSED static GByteArray *
pack_zip(const char *a, const void *a_bytes, gsize a_size, const char *b, const void *b_bytes,
         gsize b_size)
{
    GByteArray *archive = g_byte_array_new();
    g_autoptr(GByteArray) directory = g_byte_array_new();
    guint offset = 0;

    pack_member(archive, directory, a, FALSE, a_bytes, a_size);
    pack_member(archive, directory, b, TRUE, b_bytes, b_size);
    offset = archive->len;
    g_byte_array_append(archive, directory->data, directory->len);
    append_number(archive, 0x06054b50, 4);
    append_number(archive, 0, 4); /* disks */
    append_number(archive, 2, 2);
    append_number(archive, 2, 2);
    append_number(archive, directory->len, 4);
    append_number(archive, offset, 4);
    append_number(archive, 0, 2); /* comment */
    return archive;
}
