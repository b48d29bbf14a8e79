/* tests/core/probe/known-values.c - SPDX-License-Identifier: MIT */
#include "known-values.h"

JsonObject *
read_known_values(void)
{
    g_autofree char *path =
        g_test_build_filename(G_TEST_DIST, "fixtures", "probes", "known-values.json", NULL);
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) error = NULL;

    g_assert_true(json_parser_load_from_file(parser, path, &error));
    g_assert_no_error(error);
    return json_object_ref(json_node_get_object(json_parser_get_root(parser)));
}

static void
append(GArray *values, JsonNode *node)
{
    if (JSON_NODE_HOLDS_ARRAY(node)) {
        JsonArray *array = json_node_get_array(node);

        for (guint i = 0; i < json_array_get_length(array); i++)
            append(values, json_array_get_element(array, i));
        return;
    }
    float value = (float) json_node_get_double(node);

    g_array_append_val(values, value);
}

float *
read_floats(JsonArray *rows, gsize *n)
{
    GArray *values = g_array_new(FALSE, FALSE, sizeof(float));

    *n = json_array_get_length(rows);
    for (guint i = 0; i < *n; i++)
        append(values, json_array_get_element(rows, i));
    return (float *) (gpointer) g_array_free(values, FALSE);
}
