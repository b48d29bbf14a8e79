/* core/base/adit-json.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-error.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/*
 * JSON files. JSON has neither NaN nor infinities nor, in json-glib, integers above 2^63:
 * those are kept as texts ("NaN", "Infinity", "-Infinity", "18446744073709551615"), so that every
 * number comes back with its bits (a NaN as some NaN).
 */

/**
 * adit_json_parse:
 * @name: for messages: a path, perhaps with a line number
 * @text: (array length=length): one JSON object
 *
 * Accepts RFC 8259 and nothing wider; keys are there once, nesting is at most 32. Numbers are
 * exact: integers of 64 bits as such, others as the nearest double. Fails with ADIT_ERROR_DAMAGED.
 *
 * Returns: (transfer full) (nullable): the object
 */
JsonObject *adit_json_parse(const char *name, const char *text, gsize length, GError **error);
/* Reads a file of at most 16 MiB that holds one object. Also ADIT_ERROR_NOT_FOUND. */
JsonObject *adit_json_read(const char *path, GError **error);
/* @object with line breaks and a newline at the end. */
char *adit_json_to_text(JsonObject *object);
/* Writes @object to @path as adit_file_write() does. */
gboolean adit_json_write(const char *path, JsonObject *object, GError **error);

void adit_json_set_double(JsonObject *object, const char *key, double value);
void adit_json_set_unsigned(JsonObject *object, const char *key, guint64 value);
/* FALSE, leaving @value, if @key is missing or no such number. */
gboolean adit_json_get_double(JsonObject *object, const char *key, double *value);
gboolean adit_json_get_unsigned(JsonObject *object, const char *key, guint64 *value);
/* Returns: (nullable): NULL if @key is missing or not a text; owned by @object */
const char *adit_json_get_text(JsonObject *object, const char *key);
/* Returns: (nullable): NULL if @key is missing or not an object; owned by @object */
JsonObject *adit_json_get_object(JsonObject *object, const char *key);
/* Returns: (nullable): NULL if @key is missing or not an array; owned by @object */
JsonArray *adit_json_get_array(JsonObject *object, const char *key);

/* A finite number with @digits significant digits, or a quoted "NaN", "Infinity", "-Infinity". */
char *adit_json_format_double(double value, guint digits);
/* A number as a metric holds it: a JSON number or one of those three texts. */
gboolean adit_json_node_get_double(JsonNode *node, double *value);

G_END_DECLS
