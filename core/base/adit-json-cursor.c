/* core/base/adit-json-cursor.c - SPDX-License-Identifier: MIT */
#include "adit-json-cursor.h"

gboolean
adit_json_cursor_fail(const AditJsonCursor *cursor, gsize at, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list arguments;

    va_start(arguments, format);
    message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(cursor->error, ADIT_ERROR, ADIT_ERROR_DAMAGED, "%s: %s %" G_GSIZE_FORMAT ": %s",
                cursor->name, cursor->unit, at, message);
    return FALSE;
}

gboolean
adit_json_cursor_fail_expected(const AditJsonCursor *cursor, const char *expected)
{
    guchar got;

    if (cursor->at >= cursor->length)
        return adit_json_cursor_fail(cursor, cursor->at, "expected %s, got the end", expected);
    got = (guchar) cursor->text[cursor->at];
    if (g_ascii_isprint((char) got))
        return adit_json_cursor_fail(cursor, cursor->at, "expected %s, got '%c'", expected, got);
    return adit_json_cursor_fail(cursor, cursor->at, "expected %s, got byte 0x%02x", expected, got);
}

void
adit_json_cursor_skip_blanks(AditJsonCursor *cursor)
{
    while (cursor->at < cursor->length && strchr(" \t\r\n", cursor->text[cursor->at]) != NULL &&
           cursor->text[cursor->at] != '\0')
        cursor->at++;
}

/* Whether @character comes next; if so it is taken. */
gboolean
adit_json_cursor_accept(AditJsonCursor *cursor, char character)
{
    adit_json_cursor_skip_blanks(cursor);
    if (cursor->at >= cursor->length || cursor->text[cursor->at] != character)
        return FALSE;
    cursor->at++;
    return TRUE;
}

gboolean
adit_json_cursor_expect(AditJsonCursor *cursor, char character)
{
    char expected[] = {'\'', character, '\'', '\0'};

    return adit_json_cursor_accept(cursor, character) ||
           adit_json_cursor_fail_expected(cursor, expected);
}

/* After an element: more follow (TRUE in @more) or the list is closed. */
gboolean
adit_json_cursor_expect_more(AditJsonCursor *cursor, char closing, gboolean *more)
{
    char expected[] = {'\'', ',', '\'', ' ', 'o', 'r', ' ', '\'', closing, '\'', '\0'};

    *more = adit_json_cursor_accept(cursor, ',');
    return *more || adit_json_cursor_accept(cursor, closing) ||
           adit_json_cursor_fail_expected(cursor, expected);
}

static gboolean
read_hex(AditJsonCursor *cursor, guint *unit)
{
    *unit = 0;
    for (guint i = 0; i < 4; i++) {
        int digit =
            cursor->at < cursor->length ? g_ascii_xdigit_value(cursor->text[cursor->at]) : -1;

        if (digit < 0)
            return adit_json_cursor_fail_expected(cursor, "four hexadecimal digits after '\\u'");
        *unit = *unit * 16 + (guint) digit;
        cursor->at++;
    }
    return TRUE;
}

/* What follows "\u": one code unit, or two that make a character beyond the 16-bit plane. */
static gboolean
read_unicode(AditJsonCursor *cursor, GString *into)
{
    gsize at = cursor->at;
    guint unit, low;

    if (!read_hex(cursor, &unit))
        return FALSE;
    if (unit == 0 || (unit >= 0xdc00 && unit < 0xe000))
        return adit_json_cursor_fail(cursor, at, "expected a character, got \\u%04x", unit);
    if (unit >= 0xd800 && unit < 0xdc00) {
        if (cursor->length - cursor->at < 2 || cursor->text[cursor->at] != '\\' ||
            cursor->text[cursor->at + 1] != 'u')
            return adit_json_cursor_fail_expected(cursor, "the second half of a surrogate pair");
        cursor->at += 2;
        if (!read_hex(cursor, &low))
            return FALSE;
        if (low < 0xdc00 || low >= 0xe000)
            return adit_json_cursor_fail(
                cursor, at, "expected a surrogate pair, got \\u%04x\\u%04x", unit, low);
        unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    }
    g_string_append_unichar(into, unit);
    return TRUE;
}

static gboolean
read_escape(AditJsonCursor *cursor, GString *into)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    const char *found;
    char letter;

    if (cursor->at >= cursor->length)
        return adit_json_cursor_fail_expected(cursor, "an escaped character");
    letter = cursor->text[cursor->at];
    found = letter != '\0' ? strchr(letters, letter) : NULL;
    if (found == NULL && letter != 'u')
        return adit_json_cursor_fail_expected(cursor, "an escaped character");
    cursor->at++;
    if (letter == 'u')
        return read_unicode(cursor, into);
    g_string_append_c(into, meanings[found - letters]);
    return TRUE;
}

gboolean
adit_json_cursor_read_text(AditJsonCursor *cursor, const char *expected, char **string)
{
    g_autoptr(GString) into = g_string_new(NULL);
    gsize begin;

    if (!adit_json_cursor_accept(cursor, '"'))
        return adit_json_cursor_fail_expected(cursor, expected);
    begin = cursor->at;
    while (cursor->at < cursor->length && cursor->text[cursor->at] != '"') {
        char character = cursor->text[cursor->at];

        if ((guchar) character < 0x20)
            return adit_json_cursor_fail_expected(cursor, "a character of a text");
        cursor->at++;
        if (character != '\\')
            g_string_append_c(into, character);
        else if (!read_escape(cursor, into))
            return FALSE;
    }
    if (cursor->at >= cursor->length)
        return adit_json_cursor_fail_expected(cursor, "'\"'");
    cursor->at++;
    if (!g_utf8_validate_len(into->str, into->len, NULL))
        return adit_json_cursor_fail(cursor, begin, "expected UTF-8, got other bytes");
    *string = g_strdup(into->str);
    return TRUE;
}

gboolean
adit_json_cursor_read_integer(AditJsonCursor *cursor, guint64 *value)
{
    gsize begin;

    adit_json_cursor_skip_blanks(cursor);
    begin = cursor->at;
    *value = 0;
    while (cursor->at < cursor->length && g_ascii_isdigit(cursor->text[cursor->at])) {
        guint64 digit = (guint64) (cursor->text[cursor->at] - '0');

        if (!g_uint64_checked_mul(value, *value, 10) || !g_uint64_checked_add(value, *value, digit))
            return adit_json_cursor_fail(cursor, begin,
                                         "expected a number below 2^64, got a larger one");
        cursor->at++;
    }
    if (cursor->at == begin)
        return adit_json_cursor_fail_expected(cursor, "a whole number, not negative");
    if (cursor->text[begin] == '0' && cursor->at - begin > 1)
        return adit_json_cursor_fail(cursor, begin, "expected a number without leading zeros");
    if (cursor->at < cursor->length && strchr(".eE", cursor->text[cursor->at]) != NULL &&
        cursor->text[cursor->at] != '\0')
        return adit_json_cursor_fail_expected(cursor, "a whole number");
    return TRUE;
}
