/* core/data/adit-archive.c - SPDX-License-Identifier: MIT */
#include "adit-archive.h"

#include <string.h>
#include <zlib.h>

#define END_SIZE      22
#define END_SIGNATURE 0x06054b50
#define ENTRY_SIZE    46
#define LOCAL_SIZE    30
/* the end record may have a comment of 65535 bytes behind it */
#define TAIL_SIZE (END_SIZE + 65535)

#define EXPANSION_FREE   (64 * 1024 * 1024)
#define EXPANSION_FACTOR 100

typedef struct {
    GInputStream *stream;
    const char *name;
    guint64 size;
} AditArchive;

typedef struct {
    guint flags;
    guint method;
    guint32 crc;
    guint32 packed;
    guint32 size;
    guint32 offset;
} AditEntry;

static guint16
get16(const guint8 *bytes)
{
    return (guint16) (bytes[0] | bytes[1] << 8);
}

static guint32
get32(const guint8 *bytes)
{
    return get16(bytes) | (guint32) get16(bytes + 2) << 16;
}

G_GNUC_PRINTF(3, 4)
static gpointer
adit_archive_fail(const AditArchive *self, GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED, "%s: %s", self->name, text);
    return NULL;
}

static gpointer
adit_archive_fail_memory(const AditArchive *self, const char *what, GError **error)
{
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_MEMORY, "%s: %s does not fit into memory", self->name,
                what);
    return NULL;
}

/* (transfer full) (nullable): @size bytes at @offset; both are held against the file's size before
 * memory is asked for. */
static guint8 *
adit_archive_read(const AditArchive *self, guint64 offset, guint64 size, const char *what,
                  GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autofree guint8 *bytes = NULL;
    gsize got = 0;

    if (offset > self->size || size > self->size - offset)
        return adit_archive_fail(
            self, error, "truncated: %s ends at byte %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT,
            what, offset + size, self->size);
    bytes = g_try_malloc(MAX(size, 1));
    if (bytes == NULL)
        return adit_archive_fail_memory(self, what, error);
    if (!g_seekable_seek(G_SEEKABLE(self->stream), (goffset) offset, G_SEEK_SET, NULL, &failure) ||
        !g_input_stream_read_all(self->stream, bytes, size, &got, NULL, &failure))
        return adit_archive_fail(self, error, "cannot read %s: %s", what, failure->message);
    if (got < size)
        return adit_archive_fail(
            self, error, "truncated: got %" G_GSIZE_FORMAT " of %" G_GUINT64_FORMAT " bytes of %s",
            got, size, what);
    return g_steal_pointer(&bytes);
}

/* The central directory and its size, found from the end. */
static guint8 *
adit_archive_read_directory(const AditArchive *self, guint *entries, gsize *size, GError **error)
{
    guint64 tail_size = MIN(self->size, TAIL_SIZE);
    g_autofree guint8 *tail =
        adit_archive_read(self, self->size - tail_size, tail_size, "the archive", error);

    if (tail == NULL)
        return NULL;
    for (guint64 i = tail_size; i >= END_SIZE; i--) {
        const guint8 *end = tail + i - END_SIZE;
        guint32 offset = 0;

        if (get32(end) != END_SIGNATURE)
            continue;
        *entries = get16(end + 10);
        *size = get32(end + 12);
        offset = get32(end + 16);
        if (*entries == G_MAXUINT16 || *size == G_MAXUINT32 || offset == G_MAXUINT32)
            return adit_archive_fail(self, error, "zip64 archives are not read");
        return adit_archive_read(self, offset, *size, "the directory", error);
    }
    return adit_archive_fail(self, error, "not a zip archive, or its end is missing");
}

/* Finds @member in the directory; lists what there is if it is not there. */
static gboolean
adit_archive_find(const AditArchive *self, const char *member, AditEntry *entry, GError **error)
{
    guint entries = 0;
    gsize size = 0;
    gsize at = 0;
    g_autofree guint8 *directory = adit_archive_read_directory(self, &entries, &size, error);
    g_autoptr(GString) names = g_string_new(NULL);

    if (directory == NULL)
        return FALSE;
    for (guint i = 0; i < entries; i++) {
        const guint8 *bytes = directory + at;
        gsize length = 0;
        gsize whole = 0;

        if (size - at >= ENTRY_SIZE && get32(bytes) == 0x02014b50) {
            length = get16(bytes + 28);
            whole = ENTRY_SIZE + length + get16(bytes + 30) + get16(bytes + 32);
        }
        if (whole == 0 || whole > size - at)
            return adit_archive_fail(self, error, "damaged directory") != NULL;
        if (length == strlen(member) && memcmp(bytes + ENTRY_SIZE, member, length) == 0) {
            *entry = (AditEntry){.flags = get16(bytes + 8),
                                 .method = get16(bytes + 10),
                                 .crc = get32(bytes + 16),
                                 .packed = get32(bytes + 20),
                                 .size = get32(bytes + 24),
                                 .offset = get32(bytes + 42)};
            return TRUE;
        }
        if (names->len < 200) {
            g_autofree char *text =
                g_utf8_make_valid((const char *) bytes + ENTRY_SIZE, (gssize) length);
            g_string_append_printf(names, "%s%s", i == 0 ? "" : ", ", text);
        }
        at += whole;
    }
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID, "no member '%s' in %s; members: %s", member,
                self->name, names->str);
    return FALSE;
}

/* (transfer full) (nullable): @entry unpacked. */
static guint8 *
adit_archive_inflate(const AditArchive *self, const AditEntry *entry, guint8 *packed,
                     const char *member, GError **error)
{
    z_stream inflater = {.next_in = packed, .avail_in = entry->packed};
    g_autofree guint8 *bytes = NULL;
    int status = Z_MEM_ERROR;

    if (entry->size > EXPANSION_FREE && entry->size / EXPANSION_FACTOR > entry->packed)
        return adit_archive_fail(self, error, "member '%s' expands to more than 100 times its size",
                                 member);
    bytes = g_try_malloc(MAX(entry->size, 1));
    if (bytes != NULL && inflateInit2(&inflater, -MAX_WBITS) == Z_OK) {
        inflater.next_out = bytes;
        inflater.avail_out = entry->size;
        status = inflate(&inflater, Z_FINISH);
        inflateEnd(&inflater);
    }
    if (status == Z_MEM_ERROR)
        return adit_archive_fail_memory(self, member, error);
    if (status != Z_STREAM_END || inflater.total_out != entry->size)
        return adit_archive_fail(self, error, "member '%s' is damaged", member);
    return g_steal_pointer(&bytes);
}

/* (transfer full) (nullable): the bytes of @entry, as they should be. */
static guint8 *
adit_archive_unpack(const AditArchive *self, const AditEntry *entry, const char *member,
                    GError **error)
{
    g_autofree guint8 *local = NULL;
    g_autofree guint8 *packed = NULL;
    guint64 offset = (guint64) entry->offset + LOCAL_SIZE;

    if (entry->packed == G_MAXUINT32 || entry->size == G_MAXUINT32 || entry->offset == G_MAXUINT32)
        return adit_archive_fail(self, error, "member '%s': zip64 archives are not read", member);
    if ((entry->flags & 1) != 0)
        return adit_archive_fail(self, error, "member '%s' is encrypted", member);
    if (entry->method != 0 && entry->method != Z_DEFLATED)
        return adit_archive_fail(self, error,
                                 "member '%s': compression method %u, expected 0 (stored) or 8 "
                                 "(deflated)",
                                 member, entry->method);
    local = adit_archive_read(self, entry->offset, LOCAL_SIZE, "a member's header", error);
    if (local == NULL)
        return NULL;
    if (get32(local) != 0x04034b50)
        return adit_archive_fail(self, error, "member '%s' is damaged", member);
    offset += get16(local + 26) + get16(local + 28);
    packed = adit_archive_read(self, offset, entry->packed, "a member", error);
    if (packed == NULL)
        return NULL;
    if (entry->method == Z_DEFLATED)
        return adit_archive_inflate(self, entry, packed, member, error);
    if (entry->packed != entry->size)
        return adit_archive_fail(self, error, "member '%s' is damaged", member);
    return g_steal_pointer(&packed);
}

GBytes *
adit_archive_read_member(GInputStream *stream, const char *name, const char *member, GError **error)
{
    AditArchive self = {.stream = stream, .name = name};
    AditEntry entry = {0};
    g_autofree guint8 *bytes = NULL;

    if (!g_seekable_seek(G_SEEKABLE(stream), 0, G_SEEK_END, NULL, error))
        return NULL;
    self.size = (guint64) g_seekable_tell(G_SEEKABLE(stream));
    if (!adit_archive_find(&self, member, &entry, error))
        return NULL;
    bytes = adit_archive_unpack(&self, &entry, member, error);
    if (bytes == NULL)
        return NULL;
    if (crc32_z(crc32(0, NULL, 0), bytes, entry.size) != entry.crc)
        return adit_archive_fail(&self, error, "member '%s': wrong checksum", member);
    return g_bytes_new_take(g_steal_pointer(&bytes), entry.size);
}
