/* core/data/adit-tar.c - SPDX-License-Identifier: MIT */
#include "adit-tar.h"

#include <string.h>

#define BLOCK       512
#define MEMBERS_MAX 1000000
/* of what names a member: paths of more are nobody's */
#define NAME_MAX_SIZE 65536
/* Read at once, so that a size that lies costs no memory. */
#define CHUNK (1024 * 1024)

/* Where fields of a header begin, and how long they are. */
typedef struct {
    guint at;
    guint size;
} Field;
static const Field field_name = {0, 100};
static const Field field_size = {124, 12};
static const Field field_sum = {148, 8};
static const Field field_prefix = {345, 155};
#define FIELD_TYPE  156
#define FIELD_MAGIC 257
#define MAGIC       "ustar"

struct _AditTar {
    AditLoader *loader;
    GInputStream *stream;
    AditTarVisit visit;
    gpointer user_data;
    const char *archive; /* its name */
    guint8 header[BLOCK];
    guint64 size;     /* of the member's contents */
    gboolean is_read; /* whether they have been */
    char *name;       /* (nullable): what an entry before said the next member is called */
    char *member;     /* (nullable): the last one, in messages */
    guint members;    /* so far */
    gboolean at_end;  /* all members have been read, or those that were wanted */
};

static void
adit_tar_clear(AditTar *self)
{
    g_free(self->name);
    g_free(self->member);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AditTar, adit_tar_clear)

G_GNUC_PRINTF(3, 4)
static gpointer
adit_tar_fail(const AditTar *self, GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED, "%s: %s", self->archive, text);
    return NULL;
}

/* Octal digits behind blanks, or, where the first bit is set, a big-endian number (GNU). */
static gboolean
get_number(const guint8 *header, const Field *field, guint64 *value)
{
    const guint8 *bytes = header + field->at;
    guint i = 0;

    *value = 0;
    if (bytes[0] == 0x80) {
        for (i = 1; i < field->size; i++) {
            if (*value >> 55 != 0)
                return FALSE;
            *value = *value << 8 | bytes[i];
        }
        return TRUE;
    }
    while (i < field->size && bytes[i] == ' ')
        i++;
    for (; i < field->size && bytes[i] >= '0' && bytes[i] <= '7'; i++)
        *value = *value * 8 + (bytes[i] - '0');
    return i == field->size || bytes[i] == ' ' || bytes[i] == '\0';
}

/* Of a header's bytes, its own field taken for blanks. */
static guint64
add_up(const guint8 *header)
{
    guint64 sum = 0;

    for (guint i = 0; i < BLOCK; i++) {
        gboolean is_blank = i >= field_sum.at && i < field_sum.at + field_sum.size;

        sum += is_blank ? ' ' : header[i];
    }
    return sum;
}

static gboolean
check_sum(const guint8 *header)
{
    guint64 expected = 0;

    return get_number(header, &field_sum, &expected) && add_up(header) == expected;
}

static gboolean
is_zero(const guint8 *block)
{
    for (guint i = 0; i < BLOCK; i++)
        if (block[i] != 0)
            return FALSE;
    return TRUE;
}

/* What is being read, in messages. */
static const char *
get_member(const AditTar *self)
{
    return self->member != NULL ? self->member : "a member";
}

/* What fills the member's last block. */
static gboolean
adit_tar_skip_filling(AditTar *self, GError **error)
{
    guint8 rest[BLOCK];

    self->is_read = TRUE;
    return self->size % BLOCK == 0 ||
           adit_loader_read(self->loader, self->stream, rest, BLOCK - self->size % BLOCK,
                            get_member(self), error);
}

GBytes *
adit_tar_take_contents(AditTar *self, GError **error)
{
    g_autofree guint8 *bytes = NULL;

    g_return_val_if_fail(!self->is_read, NULL);
    for (guint64 done = 0; done < self->size;) {
        gsize n = MIN(self->size - done, MAX(done, CHUNK));
        guint8 *more = g_try_realloc(bytes, done + n);

        if (more == NULL) {
            g_set_error(error, ADIT_ERROR, ADIT_ERROR_MEMORY,
                        "%s: a member does not fit into memory", self->archive);
            return NULL;
        }
        bytes = more;
        if (!adit_loader_read(self->loader, self->stream, bytes + done, n, get_member(self), error))
            return NULL;
        done += n;
    }
    if (!adit_tar_skip_filling(self, error))
        return NULL;
    return g_bytes_new_take(g_steal_pointer(&bytes), self->size);
}

/* Reads contents that nobody has taken. */
static gboolean
adit_tar_skip_contents(AditTar *self, GError **error)
{
    g_autofree guint8 *bytes = NULL;
    guint64 left = self->size;

    if (self->is_read)
        return TRUE;
    bytes = g_malloc(MIN(left, CHUNK));
    while (left > 0) {
        gsize n = MIN(left, CHUNK);

        if (!adit_loader_read(self->loader, self->stream, bytes, n, get_member(self), error))
            return FALSE;
        left -= n;
    }
    return adit_tar_skip_filling(self, error);
}

/* The contents of an entry that describes the next one, as text. */
static char *
adit_tar_read_text(AditTar *self, GError **error)
{
    g_autoptr(GBytes) bytes = NULL;

    if (self->size > NAME_MAX_SIZE)
        return adit_tar_fail(self, error, "a member's name of more than %d bytes", NAME_MAX_SIZE);
    bytes = adit_tar_take_contents(self, error);
    if (bytes == NULL)
        return NULL;
    /* no data if there are no bytes */
    return self->size > 0 ? g_strndup(g_bytes_get_data(bytes, NULL), self->size) : g_strdup("");
}

/* Records "LENGTH key=value\n"; of the keys only the name concerns us. */
static gboolean
adit_tar_read_extended(AditTar *self, GError **error)
{
    guint64 size = self->size;
    g_autofree char *text = adit_tar_read_text(self, error);

    if (text == NULL)
        return FALSE;
    for (char *record = text; record < text + size;) {
        char *key = NULL;
        guint64 length = g_ascii_strtoull(record, &key, 10);
        guint64 left = (guint64) (text + size - record);
        char *end = record + MIN(length, left);

        if (length > left || key + 1 >= end || *key != ' ' || end[-1] != '\n')
            return adit_tar_fail(self, error, "a damaged pax header") != NULL;
        if (g_str_has_prefix(key + 1, "size="))
            return adit_tar_fail(self, error, "members of more than 8 GiB are not read") != NULL;
        if (g_str_has_prefix(key + 1, "path=")) {
            g_free(self->name);
            self->name = g_strndup(key + 6, (gsize) (end - 1 - (key + 6)));
        }
        record = end;
    }
    return TRUE;
}

/* (transfer full): what the header, or what came before it, calls the member. */
static char *
adit_tar_take_name(AditTar *self)
{
    const char *header = (const char *) self->header;
    g_autofree char *name = g_strndup(header + field_name.at, field_name.size);
    g_autofree char *prefix = NULL;

    if (self->name != NULL)
        return g_steal_pointer(&self->name);
    if (memcmp(header + FIELD_MAGIC, "ustar", 6) != 0 || header[field_prefix.at] == '\0')
        return g_steal_pointer(&name);
    prefix = g_strndup(header + field_prefix.at, field_prefix.size);
    return g_strconcat(prefix, "/", name, NULL);
}

/* (transfer full) (nullable): @name without "." among its parts, "/" behind a folder's; "" for the
 * root. */
static char *
adit_tar_normalize(const AditTar *self, const char *name, gboolean is_folder, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(name, "/", -1);
    g_autoptr(GString) result = g_string_new(NULL);
    g_autofree char *shown = g_utf8_make_valid(name, -1);

    if (name[0] == '/' || name[0] == '\0')
        return adit_tar_fail(self, error, "member '%s': expected a relative name", shown);
    for (guint i = 0; parts[i] != NULL; i++) {
        if (g_str_equal(parts[i], ".."))
            return adit_tar_fail(self, error, "member '%s' leads out of the archive", shown);
        if (parts[i][0] != '\0' && !g_str_equal(parts[i], "."))
            g_string_append_printf(result, "%s%s", result->len > 0 ? "/" : "", parts[i]);
    }
    if (is_folder && result->len > 0)
        g_string_append_c(result, '/');
    return g_string_free(g_steal_pointer(&result), FALSE);
}

/* A file or a folder goes to the visitor. */
static gboolean
adit_tar_visit(AditTar *self, GError **error)
{
    char type = (char) self->header[FIELD_TYPE];
    g_autofree char *given = adit_tar_take_name(self);
    g_autofree char *name = NULL;
    g_autoptr(GError) failure = NULL;

    if (strchr("057", type) == NULL) {
        g_autofree char *shown = g_utf8_make_valid(given, -1);

        return adit_tar_fail(self, error, "member '%s' is %s, expected a file or a folder", shown,
                             strchr("12K", type) != NULL ? "a link" : "of a special kind") != NULL;
    }
    /* before there were folders, they were files whose names end so */
    name = adit_tar_normalize(self, given, type == '5' || g_str_has_suffix(given, "/"), error);
    if (name == NULL)
        return FALSE;
    if (name[0] == '\0')
        return TRUE;
    g_autofree char *shown = g_utf8_make_valid(name, -1);

    g_free(self->member);
    self->member = g_strdup_printf("member '%s'", shown);
    self->at_end = !self->visit(self, name, self->user_data, &failure);
    if (failure == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

/* One entry, whose header has been read. */
static gboolean
adit_tar_read_entry(AditTar *self, GError **error)
{
    char type = (char) self->header[FIELD_TYPE];

    self->is_read = FALSE;
    if (type == 'L') {
        g_free(self->name);
        self->name = adit_tar_read_text(self, error);
        return self->name != NULL;
    }
    if (type == 'x')
        return adit_tar_read_extended(self, error);
    /* 'g' tells of the whole archive: dates, comments */
    if (type != 'g' && !adit_tar_visit(self, error))
        return FALSE;
    return self->at_end || adit_tar_skip_contents(self, error);
}

/* The first block is no header; @got: bytes of it that there are. */
static gboolean
adit_tar_fail_first(const AditTar *self, gsize got, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);

    if (got == 0)
        return adit_tar_fail(self, error, "the file is empty, expected a tar archive") != NULL;
    for (gsize i = 0; i < MIN(got, 4); i++)
        g_string_append_printf(text, " %02x", self->header[i]);
    return adit_tar_fail(self, error,
                         "no tar archive: it begins%s, expected the header of a file or a folder",
                         text->str) != NULL;
}

/* A block is no header, though headers were there before, or it says that it is one. */
static gboolean
adit_tar_fail_damaged(const AditTar *self, GError **error)
{
    guint64 sum = add_up(self->header), expected = 0;
    guint member = self->members + 1;

    if (!get_number(self->header, &field_sum, &expected))
        return adit_tar_fail(self, error,
                             "the header of member %u is damaged: its checksum is no number",
                             member) != NULL;
    if (sum == expected)
        return adit_tar_fail(self, error,
                             "the header of member %u is damaged: its size is no number",
                             member) != NULL;
    return adit_tar_fail(self, error,
                         "the header of member %u is damaged: got a checksum of %" G_GUINT64_FORMAT
                         ", expected %" G_GUINT64_FORMAT,
                         member, sum, expected) != NULL;
}

/* The next header; or what marks the end of all members stands there instead. */
static gboolean
adit_tar_read_header(AditTar *self, GError **error)
{
    gsize got = 0;

    if (!adit_loader_read_some(self->loader, self->stream, self->header, BLOCK, &got, error))
        return FALSE;
    self->at_end = got == BLOCK && is_zero(self->header);
    if (self->at_end)
        return TRUE;
    if (got == BLOCK && check_sum(self->header) &&
        get_number(self->header, &field_size, &self->size))
        return TRUE;
    if (self->members == 0 &&
        (got < BLOCK || memcmp(self->header + FIELD_MAGIC, MAGIC, strlen(MAGIC)) != 0))
        return adit_tar_fail_first(self, got, error);
    if (got < BLOCK)
        return adit_tar_fail(self, error, "truncated: it ends behind member %u", self->members) !=
               NULL;
    return adit_tar_fail_damaged(self, error);
}

/* Whatever stands behind the end: a packed archive's checksum is behind it too. */
static gboolean
adit_tar_skip_rest(AditTar *self, GError **error)
{
    gsize got = BLOCK;

    while (got == BLOCK)
        if (!adit_loader_read_some(self->loader, self->stream, self->header, BLOCK, &got, error))
            return FALSE;
    return TRUE;
}

gboolean
adit_tar_read(AditLoader *loader, GInputStream *stream, AditTarVisit visit, gpointer user_data,
              GError **error)
{
    g_auto(AditTar)
        self = {.loader = loader, .stream = stream, .visit = visit, .user_data = user_data};

    self.archive = adit_loader_get_name(loader, stream);
    while (TRUE) {
        if (!adit_tar_read_header(&self, error))
            return FALSE;
        if (self.at_end)
            return adit_tar_skip_rest(&self, error);
        if (++self.members > MEMBERS_MAX)
            return adit_tar_fail(&self, error, "more than %d members", MEMBERS_MAX) != NULL;
        if (!adit_tar_read_entry(&self, error))
            return FALSE;
        if (self.at_end)
            return TRUE;
    }
}
