/* core/run/adit-safetensors-header.c - SPDX-License-Identifier: MIT */
#include "adit-safetensors-header.h"

#define MAX_TENSORS 1000000

/* Reads @text from front to end; the first failure sets @error and every reader returns FALSE. */
typedef struct {
    const char *path;
    const char *text;
    gsize length;
    gsize at;
    GError **error;
} Cursor;

static gboolean fail_at(const Cursor *cursor, gsize at, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static gboolean
fail_at(const Cursor *cursor, gsize at, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list arguments;

    va_start(arguments, format);
    message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(cursor->error, ADIT_ERROR, ADIT_ERROR_DAMAGED,
                "%s: header byte %" G_GSIZE_FORMAT ": %s", cursor->path, at, message);
    return FALSE;
}

static gboolean
fail_expected(const Cursor *cursor, const char *expected)
{
    guchar got;

    if (cursor->at >= cursor->length)
        return fail_at(cursor, cursor->at, "expected %s, got the end of the header", expected);
    got = (guchar) cursor->text[cursor->at];
    if (g_ascii_isprint((char) got))
        return fail_at(cursor, cursor->at, "expected %s, got '%c'", expected, got);
    return fail_at(cursor, cursor->at, "expected %s, got byte 0x%02x", expected, got);
}

static void
skip_blanks(Cursor *cursor)
{
    while (cursor->at < cursor->length && strchr(" \t\r\n", cursor->text[cursor->at]) != NULL &&
           cursor->text[cursor->at] != '\0')
        cursor->at++;
}

/* Whether @character comes next; if so it is taken. */
static gboolean
accept(Cursor *cursor, char character)
{
    skip_blanks(cursor);
    if (cursor->at >= cursor->length || cursor->text[cursor->at] != character)
        return FALSE;
    cursor->at++;
    return TRUE;
}

static gboolean
expect(Cursor *cursor, char character)
{
    char expected[] = {'\'', character, '\'', '\0'};

    return accept(cursor, character) || fail_expected(cursor, expected);
}

/* After an element: more follow (TRUE in @more) or the list is closed. */
static gboolean
expect_more(Cursor *cursor, char closing, gboolean *more)
{
    char expected[] = {'\'', ',', '\'', ' ', 'o', 'r', ' ', '\'', closing, '\'', '\0'};

    *more = accept(cursor, ',');
    return *more || accept(cursor, closing) || fail_expected(cursor, expected);
}

static gboolean
read_hex(Cursor *cursor, guint *unit)
{
    *unit = 0;
    for (guint i = 0; i < 4; i++) {
        int digit =
            cursor->at < cursor->length ? g_ascii_xdigit_value(cursor->text[cursor->at]) : -1;

        if (digit < 0)
            return fail_expected(cursor, "four hexadecimal digits after '\\u'");
        *unit = *unit * 16 + (guint) digit;
        cursor->at++;
    }
    return TRUE;
}

/* What follows "\u": one code unit, or two that make a character beyond the 16-bit plane. */
static gboolean
read_unicode(Cursor *cursor, GString *into)
{
    gsize at = cursor->at;
    guint unit, low;

    if (!read_hex(cursor, &unit))
        return FALSE;
    if (unit == 0 || (unit >= 0xdc00 && unit < 0xe000))
        return fail_at(cursor, at, "expected a character, got \\u%04x", unit);
    if (unit >= 0xd800 && unit < 0xdc00) {
        if (cursor->length - cursor->at < 2 || cursor->text[cursor->at] != '\\' ||
            cursor->text[cursor->at + 1] != 'u')
            return fail_expected(cursor, "the second half of a surrogate pair");
        cursor->at += 2;
        if (!read_hex(cursor, &low))
            return FALSE;
        if (low < 0xdc00 || low >= 0xe000)
            return fail_at(cursor, at, "expected a surrogate pair, got \\u%04x\\u%04x", unit, low);
        unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    }
    g_string_append_unichar(into, unit);
    return TRUE;
}

static gboolean
read_escape(Cursor *cursor, GString *into)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    const char *found;
    char letter;

    if (cursor->at >= cursor->length)
        return fail_expected(cursor, "an escaped character");
    letter = cursor->text[cursor->at];
    found = letter != '\0' ? strchr(letters, letter) : NULL;
    if (found == NULL && letter != 'u')
        return fail_expected(cursor, "an escaped character");
    cursor->at++;
    if (letter == 'u')
        return read_unicode(cursor, into);
    g_string_append_c(into, meanings[found - letters]);
    return TRUE;
}

static gboolean
read_string(Cursor *cursor, const char *expected, char **string)
{
    g_autoptr(GString) into = g_string_new(NULL);
    gsize begin;

    if (!accept(cursor, '"'))
        return fail_expected(cursor, expected);
    begin = cursor->at;
    while (cursor->at < cursor->length && cursor->text[cursor->at] != '"') {
        char character = cursor->text[cursor->at];

        if ((guchar) character < 0x20)
            return fail_expected(cursor, "a character of a text");
        cursor->at++;
        if (character != '\\')
            g_string_append_c(into, character);
        else if (!read_escape(cursor, into))
            return FALSE;
    }
    if (cursor->at >= cursor->length)
        return fail_expected(cursor, "'\"'");
    cursor->at++;
    if (!g_utf8_validate_len(into->str, into->len, NULL))
        return fail_at(cursor, begin, "expected UTF-8, got other bytes");
    *string = g_strdup(into->str);
    return TRUE;
}

static gboolean
read_integer(Cursor *cursor, guint64 *value)
{
    gsize begin;

    skip_blanks(cursor);
    begin = cursor->at;
    *value = 0;
    while (cursor->at < cursor->length && g_ascii_isdigit(cursor->text[cursor->at])) {
        guint64 digit = (guint64) (cursor->text[cursor->at] - '0');

        if (!g_uint64_checked_mul(value, *value, 10) || !g_uint64_checked_add(value, *value, digit))
            return fail_at(cursor, begin, "expected a number below 2^64, got a larger one");
        cursor->at++;
    }
    if (cursor->at == begin)
        return fail_expected(cursor, "a whole number, not negative");
    if (cursor->text[begin] == '0' && cursor->at - begin > 1)
        return fail_at(cursor, begin, "expected a number without leading zeros");
    if (cursor->at < cursor->length && strchr(".eE", cursor->text[cursor->at]) != NULL &&
        cursor->text[cursor->at] != '\0')
        return fail_expected(cursor, "a whole number");
    return TRUE;
}

/* [1, 2, ...], at most @max numbers. */
static gboolean
read_integers(Cursor *cursor, guint max, guint64 *values, guint *count)
{
    gboolean more;

    *count = 0;
    if (!expect(cursor, '['))
        return FALSE;
    more = !accept(cursor, ']');
    while (more) {
        if (*count == max)
            return fail_at(cursor, cursor->at, "expected at most %u numbers, got more", max);
        if (!read_integer(cursor, &values[(*count)++]) || !expect_more(cursor, ']', &more))
            return FALSE;
    }
    return TRUE;
}

static gboolean
read_dtype(Cursor *cursor, AditSafetensorsEntry *entry)
{
    g_autofree char *name = NULL;
    gsize at = cursor->at;

    if (!read_string(cursor, "the name of a dtype", &name))
        return FALSE;
    return adit_dtype_from_name(name, &entry->dtype) ||
           fail_at(cursor, at, "tensor '%s': expected dtype F32, F64, U8 or I64, got '%s'",
                   entry->name, name);
}

static gboolean
read_shape(Cursor *cursor, AditSafetensorsEntry *entry)
{
    guint64 sizes[ADIT_MAX_RANK];

    if (!read_integers(cursor, ADIT_MAX_RANK, sizes, &entry->shape.rank))
        return FALSE;
    for (guint i = 0; i < entry->shape.rank; i++)
        entry->shape.size[i] = sizes[i];
    return TRUE;
}

static gboolean
read_offsets(Cursor *cursor, AditSafetensorsEntry *entry)
{
    guint64 offsets[2];
    gsize at = cursor->at;
    guint count;

    if (!read_integers(cursor, 2, offsets, &count))
        return FALSE;
    if (count != 2)
        return fail_at(cursor, at, "tensor '%s': expected 2 data_offsets, got %u", entry->name,
                       count);
    entry->begin = offsets[0];
    entry->end = offsets[1];
    return TRUE;
}

/* {"dtype": ..., "shape": ..., "data_offsets": ...} in any order */
static gboolean
read_entry(Cursor *cursor, AditSafetensorsEntry *entry)
{
    static const char *const keys[] = {"dtype", "shape", "data_offsets", NULL};
    static gboolean (*const readers[])(Cursor *, AditSafetensorsEntry *) = {read_dtype, read_shape,
                                                                            read_offsets};
    gboolean seen[3] = {FALSE};

    if (!expect(cursor, '{'))
        return FALSE;
    for (gboolean more = TRUE; more;) {
        g_autofree char *key = NULL;
        gsize at = cursor->at;
        guint which = 0;

        if (!read_string(cursor, "'dtype', 'shape' or 'data_offsets'", &key))
            return FALSE;
        while (keys[which] != NULL && !g_str_equal(keys[which], key))
            which++;
        if (keys[which] == NULL)
            return fail_at(cursor, at, "tensor '%s': unknown key '%s'", entry->name, key);
        if (seen[which])
            return fail_at(cursor, at, "tensor '%s': key '%s' is there twice", entry->name, key);
        seen[which] = TRUE;
        if (!expect(cursor, ':') || !readers[which](cursor, entry) ||
            !expect_more(cursor, '}', &more))
            return FALSE;
    }
    for (guint i = 0; i < G_N_ELEMENTS(seen); i++) {
        if (!seen[i])
            return fail_at(cursor, cursor->at, "tensor '%s' has no '%s'", entry->name, keys[i]);
    }
    return TRUE;
}

/* {"key": "value", ...} */
static gboolean
read_texts(Cursor *cursor, AditTensorList *tensors)
{
    gboolean more;

    if (!expect(cursor, '{'))
        return FALSE;
    more = !accept(cursor, '}');
    while (more) {
        g_autofree char *key = NULL;
        g_autofree char *value = NULL;
        gsize at = cursor->at;

        if (!read_string(cursor, "a key of '__metadata__'", &key))
            return FALSE;
        if (adit_tensor_list_get_text(tensors, key) != NULL)
            return fail_at(cursor, at, "'__metadata__' has '%s' twice", key);
        if (!expect(cursor, ':') || !read_string(cursor, "a text in '__metadata__'", &value) ||
            !expect_more(cursor, '}', &more))
            return FALSE;
        adit_tensor_list_set_text(tensors, key, value);
    }
    return TRUE;
}

static gboolean
read_member(Cursor *cursor, AditTensorList *tensors, GPtrArray *entries, GHashTable *names)
{
    g_autoptr(AditSafetensorsEntry) entry = g_new0(AditSafetensorsEntry, 1);
    gsize at = cursor->at;

    if (!read_string(cursor, "the name of a tensor", &entry->name))
        return FALSE;
    if (g_hash_table_contains(names, entry->name))
        return fail_at(cursor, at, "'%s' is there twice", entry->name);
    if (entries->len == MAX_TENSORS)
        return fail_at(cursor, at, "expected at most %d tensors, got more", MAX_TENSORS);
    g_hash_table_add(names, g_strdup(entry->name));
    if (!expect(cursor, ':'))
        return FALSE;
    if (g_str_equal(entry->name, "__metadata__"))
        return read_texts(cursor, tensors);
    if (!read_entry(cursor, entry))
        return FALSE;
    g_ptr_array_add(entries, g_steal_pointer(&entry));
    return TRUE;
}

void
adit_safetensors_entry_free(AditSafetensorsEntry *self)
{
    g_free(self->name);
    g_free(self);
}

GPtrArray *
adit_safetensors_header_parse(const char *path, const char *text, gsize length,
                              AditTensorList *tensors, GError **error)
{
    Cursor cursor = {.path = path, .text = text, .length = length, .error = error};
    g_autoptr(GPtrArray) entries =
        g_ptr_array_new_with_free_func((GDestroyNotify) adit_safetensors_entry_free);
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    gboolean more;

    /* the format wants '{' as the first byte: no blanks before it */
    if (length == 0 || text[0] != '{') {
        fail_expected(&cursor, "'{'");
        return NULL;
    }
    cursor.at = 1;
    more = !accept(&cursor, '}');
    while (more) {
        if (!read_member(&cursor, tensors, entries, names) || !expect_more(&cursor, '}', &more))
            return NULL;
    }
    skip_blanks(&cursor);
    if (cursor.at < length) {
        fail_expected(&cursor, "spaces");
        return NULL;
    }
    return g_steal_pointer(&entries);
}
