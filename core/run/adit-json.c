/* core/run/adit-json.c - SPDX-License-Identifier: MIT */
#include "adit-json.h"

#include "adit-file.h"

#include <math.h>

#define MAX_BYTES ((gsize) 16 << 20)
#define MAX_DEPTH 32

/* json-glib parses by recursion and accepts more than JSON; this walks the text once and finds the
 * first byte that is too deep or cannot stand outside a text: its offset, or -1. */
static gssize
find_refused(const char *text, gsize length)
{
    gboolean inside = FALSE;
    guint depth = 0;

    for (gsize i = 0; i < length; i++) {
        char character = text[i];

        if (inside) {
            if (character == '\\')
                i++;
            inside = character != '"';
            continue;
        }
        if (character == '\0' ||
            strchr(" \t\r\n{}[]:,\"+-.0123456789Eaeflnrstu", character) == NULL)
            return (gssize) i;
        if (character == '"')
            inside = TRUE;
        else if ((character == '{' || character == '[') && ++depth > MAX_DEPTH)
            return (gssize) i;
        else if ((character == '}' || character == ']') && depth > 0)
            depth--;
    }
    return -1;
}

JsonObject *
adit_json_parse(const char *name, const char *text, gsize length, GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) reason = NULL;
    gssize refused = find_refused(text, length);
    JsonNode *root;

    if (refused >= 0) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED,
                    "%s: byte %" G_GSSIZE_FORMAT ": expected JSON at most %d deep, got '%c'", name,
                    refused, MAX_DEPTH, g_ascii_isprint(text[refused]) ? text[refused] : '?');
        return NULL;
    }
    if (length > G_MAXINT || !g_utf8_validate_len(text, length, NULL)) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED, "%s: expected UTF-8, got other bytes",
                    name);
        return NULL;
    }
    if (!json_parser_load_from_data(parser, text, (gssize) length, &reason)) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED, "%s: %s", name, reason->message);
        return NULL;
    }
    root = json_parser_get_root(parser);
    if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root)) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED, "%s: expected a JSON object, got %s",
                    name, root != NULL ? json_node_type_name(root) : "nothing");
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

    if (special != NULL)
        json_object_set_string_member(object, key, special);
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

gboolean
adit_json_node_get_double(JsonNode *node, double *value)
{
    GType type = node != NULL && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node) : 0;
    const char *text;

    if (type == G_TYPE_DOUBLE || type == G_TYPE_INT64) {
        *value = json_node_get_double(node);
        return TRUE;
    }
    text = type == G_TYPE_STRING ? json_node_get_string(node) : "";
    if (g_str_equal(text, "NaN"))
        *value = (double) NAN;
    else if (g_str_equal(text, "Infinity"))
        *value = (double) INFINITY;
    else if (g_str_equal(text, "-Infinity"))
        *value = (double) -INFINITY;
    else
        return FALSE;
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
