/* core/base/adit-json.c - SPDX-License-Identifier: MIT */
#include "adit-json.h"

#include "adit-file.h"
#include "adit-json-cursor.h"

#include <math.h>

#define MAX_BYTES ((gsize) 16 << 20)
#define MAX_DEPTH 32

/*
 * A reader of our own: json-glib 1.6 takes comments, the last of two equal keys, reads 1e-05 as
 * 1.0000000000000001e-05 and 2^64 as -1, and recurses as deep as the text likes.
 */

static JsonNode *read_value(AditJsonCursor *cursor, guint depth);

static JsonNode *
read_object(AditJsonCursor *cursor, guint depth)
{
    g_autoptr(JsonObject) object = json_object_new();
    JsonNode *node;
    gboolean more = !adit_json_cursor_accept(cursor, '}');

    while (more) {
        g_autofree char *key = NULL;
        gsize at = cursor->at;
        JsonNode *value;

        if (!adit_json_cursor_read_text(cursor, "a key", &key))
            return NULL;
        if (json_object_has_member(object, key)) {
            adit_json_cursor_fail(cursor, at, "'%s' is there twice", key);
            return NULL;
        }
        value = adit_json_cursor_expect(cursor, ':') ? read_value(cursor, depth) : NULL;
        if (value == NULL)
            return NULL;
        json_object_set_member(object, key, value);
        if (!adit_json_cursor_expect_more(cursor, '}', &more))
            return NULL;
    }
    node = json_node_new(JSON_NODE_OBJECT);
    json_node_set_object(node, object);
    return node;
}

static JsonNode *
read_array(AditJsonCursor *cursor, guint depth)
{
    g_autoptr(JsonArray) array = json_array_new();
    JsonNode *node;
    gboolean more = !adit_json_cursor_accept(cursor, ']');

    while (more) {
        JsonNode *value = read_value(cursor, depth);

        if (value == NULL)
            return NULL;
        json_array_add_element(array, value);
        if (!adit_json_cursor_expect_more(cursor, ']', &more))
            return NULL;
    }
    node = json_node_new(JSON_NODE_ARRAY);
    json_node_set_array(node, array);
    return node;
}

static JsonNode *
read_word(AditJsonCursor *cursor)
{
    static const char *const words[] = {"null", "false", "true"};

    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        gsize length = strlen(words[i]);

        if (cursor->length - cursor->at < length ||
            strncmp(cursor->text + cursor->at, words[i], length) != 0)
            continue;
        cursor->at += length;
        return i == 0 ? json_node_new(JSON_NODE_NULL)
                      : json_node_init_boolean(json_node_alloc(), i == 2);
    }
    adit_json_cursor_fail_expected(cursor, "a value");
    return NULL;
}

static gboolean
accept_one(AditJsonCursor *cursor, const char *characters)
{
    char next = cursor->at < cursor->length ? cursor->text[cursor->at] : '\0';

    if (next == '\0' || strchr(characters, next) == NULL)
        return FALSE;
    cursor->at++;
    return TRUE;
}

static gboolean
expect_digits(AditJsonCursor *cursor)
{
    if (!accept_one(cursor, "0123456789"))
        return adit_json_cursor_fail_expected(cursor, "a digit");
    while (accept_one(cursor, "0123456789"))
        continue;
    return TRUE;
}

/* -12.5e-3 */
static gboolean
skip_number(AditJsonCursor *cursor)
{
    accept_one(cursor, "-");
    if (!accept_one(cursor, "0") && !expect_digits(cursor))
        return FALSE;
    if (accept_one(cursor, ".") && !expect_digits(cursor))
        return FALSE;
    if (!accept_one(cursor, "eE"))
        return TRUE;
    accept_one(cursor, "+-");
    return expect_digits(cursor);
}

/* An integer if it is written as one and fits in 64 bits, else the nearest double. */
static JsonNode *
read_number(AditJsonCursor *cursor)
{
    gsize begin = cursor->at;
    g_autofree char *text = NULL;
    gint64 integer;

    if (!skip_number(cursor))
        return NULL;
    text = g_strndup(cursor->text + begin, cursor->at - begin);
    /* -0 as an integer would lose its sign */
    if (!g_str_equal(text, "-0") &&
        g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, &integer, NULL))
        return json_node_init_int(json_node_alloc(), integer);
    return json_node_init_double(json_node_alloc(), g_ascii_strtod(text, NULL));
}

static JsonNode *
read_value(AditJsonCursor *cursor, guint depth)
{
    g_autofree char *text = NULL;
    char next;

    adit_json_cursor_skip_blanks(cursor);
    next = cursor->at < cursor->length ? cursor->text[cursor->at] : '\0';
    if ((next == '{' || next == '[') && depth == MAX_DEPTH) {
        adit_json_cursor_fail(cursor, cursor->at, "expected nesting of at most %d, got more",
                              MAX_DEPTH);
        return NULL;
    }
    if (adit_json_cursor_accept(cursor, '{'))
        return read_object(cursor, depth + 1);
    if (adit_json_cursor_accept(cursor, '['))
        return read_array(cursor, depth + 1);
    if (next == '-' || g_ascii_isdigit(next))
        return read_number(cursor);
    if (next != '"')
        return read_word(cursor);
    if (!adit_json_cursor_read_text(cursor, "a text", &text))
        return NULL;
    return json_node_init_string(json_node_alloc(), text);
}

JsonObject *
adit_json_parse(const char *name, const char *text, gsize length, GError **error)
{
    AditJsonCursor cursor = {
        .name = name, .unit = "byte", .text = text, .length = length, .error = error};
    g_autoptr(JsonNode) root = NULL;

    if (!adit_json_cursor_expect(&cursor, '{'))
        return NULL;
    root = read_object(&cursor, 1);
    if (root == NULL)
        return NULL;
    adit_json_cursor_skip_blanks(&cursor);
    if (cursor.at < length) {
        adit_json_cursor_fail_expected(&cursor, "the end");
        return NULL;
    }
    return json_object_ref(json_node_get_object(root));
}

JsonObject *
adit_json_read(const char *path, GError **error)
{
    g_autofree char *text = NULL;
    gsize length;

    if (!adit_file_read(path, MAX_BYTES, &text, &length, error))
        return NULL;
    return adit_json_parse(path, text, length, error);
}

char *
adit_json_to_text(JsonObject *object)
{
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
    g_autofree char *text = NULL;

    json_node_set_object(root, object);
    text = json_to_string(root, TRUE);
    return g_strconcat(text, "\n", NULL);
}

gboolean
adit_json_write(const char *path, JsonObject *object, GError **error)
{
    g_autofree char *text = adit_json_to_text(object);

    return adit_file_write(path, text, strlen(text), error);
}

static const char *
name_of_special(double value)
{
    if (isnan(value))
        return "NaN";
    if (isinf(value))
        return value > 0 ? "Infinity" : "-Infinity";
    return NULL;
}

void
adit_json_set_double(JsonObject *object, const char *key, double value)
{
    const char *special = name_of_special(value);
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    g_ascii_formatd(text, sizeof(text), "%.17g", value);
    if (special != NULL)
        json_object_set_string_member(object, key, special);
    else if (strchr(text, 'e') != NULL && strchr(text, '.') == NULL)
        /* json-glib 1.6 writes 1e+22 as "1e+22.0" */
        json_object_set_string_member(object, key, text);
    else
        json_object_set_double_member(object, key, value);
}

void
adit_json_set_unsigned(JsonObject *object, const char *key, guint64 value)
{
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, value);

    if (value <= G_MAXINT64)
        json_object_set_int_member(object, key, (gint64) value);
    else
        json_object_set_string_member(object, key, text);
}

/* The number that @text is, all of it. */
static gboolean
parse_double(const char *text, double *value)
{
    char *end = NULL;
    double parsed;

    if (g_str_equal(text, "NaN"))
        parsed = (double) NAN;
    else if (g_str_equal(text, "Infinity"))
        parsed = (double) INFINITY;
    else if (g_str_equal(text, "-Infinity"))
        parsed = (double) -INFINITY;
    else if (*text != '\0' && strspn(text, "+-.0123456789e") == strlen(text))
        parsed = g_ascii_strtod(text, &end);
    else
        return FALSE;
    if (end != NULL && *end != '\0')
        return FALSE;
    *value = parsed;
    return TRUE;
}

gboolean
adit_json_node_get_double(JsonNode *node, double *value)
{
    GType type = node != NULL && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node) : 0;

    if (type == G_TYPE_STRING)
        return parse_double(json_node_get_string(node), value);
    if (type != G_TYPE_DOUBLE && type != G_TYPE_INT64)
        return FALSE;
    *value = json_node_get_double(node);
    return TRUE;
}

gboolean
adit_json_get_double(JsonObject *object, const char *key, double *value)
{
    return adit_json_node_get_double(json_object_get_member(object, key), value);
}

/* The value under @key if it has @type. */
static JsonNode *
get_value(JsonObject *object, const char *key, GType type)
{
    JsonNode *node = json_object_get_member(object, key);

    if (node == NULL || !JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != type)
        return NULL;
    return node;
}

gboolean
adit_json_get_unsigned(JsonObject *object, const char *key, guint64 *value)
{
    JsonNode *number = get_value(object, key, G_TYPE_INT64);
    const char *text = adit_json_get_text(object, key);

    if (number != NULL && json_node_get_int(number) >= 0) {
        *value = (guint64) json_node_get_int(number);
        return TRUE;
    }
    return text != NULL && g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, value, NULL);
}

const char *
adit_json_get_text(JsonObject *object, const char *key)
{
    JsonNode *node = get_value(object, key, G_TYPE_STRING);

    return node != NULL ? json_node_get_string(node) : NULL;
}

JsonObject *
adit_json_get_object(JsonObject *object, const char *key)
{
    JsonNode *node = json_object_get_member(object, key);

    return node != NULL && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

JsonArray *
adit_json_get_array(JsonObject *object, const char *key)
{
    JsonNode *node = json_object_get_member(object, key);

    return node != NULL && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

char *
adit_json_format_double(double value, guint digits)
{
    const char *special = name_of_special(value);
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    char format[8];

    if (special != NULL)
        return g_strdup_printf("\"%s\"", special);
    g_snprintf(format, sizeof(format), "%%.%ug", MIN(digits, 17));
    return g_strdup(g_ascii_formatd(text, sizeof(text), format, value));
}
