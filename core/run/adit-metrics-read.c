/* core/run/adit-metrics-read.c - SPDX-License-Identifier: MIT */
#include "adit-file.h"
#include "adit-json.h"
#include "adit-metrics.h"

static void
free_row(AditMetricRow *row)
{
    for (guint i = 0; i < row->values->len; i++)
        g_free((char *) g_array_index(row->values, AditMetric, i).name);
    g_array_unref(row->values);
    g_free(row->split);
    g_free(row);
}

gboolean
adit_metric_row_get(const AditMetricRow *self, const char *name, double *value)
{
    for (guint i = 0; i < self->values->len; i++) {
        const AditMetric *metric = &g_array_index(self->values, AditMetric, i);

        if (g_str_equal(metric->name, name)) {
            *value = metric->value;
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean
add_value(AditMetricRow *row, const char *name, JsonNode *node)
{
    AditMetric metric = {.flags = ADIT_METRIC_DOUBLE};

    if (!adit_json_node_get_double(node, &metric.value))
        return FALSE;
    metric.name = g_strdup(name);
    g_array_append_val(row->values, metric);
    return TRUE;
}

/* A row from "values", or from "name" and "value"; FALSE if the line is none. */
static gboolean
fill_row(AditMetricRow *row, JsonObject *object)
{
    JsonObject *values = adit_json_get_object(object, "values");
    const char *name = adit_json_get_text(object, "name");
    JsonObjectIter iter;
    const char *member;
    JsonNode *node;

    row->split = g_strdup(adit_json_get_text(object, "split"));
    if (!adit_json_get_double(object, "t", &row->time) ||
        !adit_json_get_unsigned(object, "step", &row->step) ||
        !adit_json_get_unsigned(object, "epoch", &row->epoch))
        return FALSE;
    if (values == NULL)
        return name != NULL && add_value(row, name, json_object_get_member(object, "value"));
    json_object_iter_init_ordered(&iter, values);
    while (json_object_iter_next_ordered(&iter, &member, &node)) {
        if (!add_value(row, member, node))
            return FALSE;
    }
    return TRUE;
}

/* Drops the rows above @step; the others keep their order. */
static void
drop_after(GPtrArray *rows, guint64 step)
{
    guint kept = 0;

    for (guint i = 0; i < rows->len; i++) {
        AditMetricRow *row = g_ptr_array_index(rows, i);

        if (row->step > step)
            continue;
        rows->pdata[i] = rows->pdata[kept];
        rows->pdata[kept++] = row;
    }
    g_ptr_array_set_size(rows, (gint) kept);
}

static gboolean
read_line(GPtrArray *rows, const char *place, const char *text, gsize length, GError **error)
{
    g_autoptr(JsonObject) object = adit_json_parse(place, text, length, error);
    AditMetricRow *row;
    guint64 step;

    if (object == NULL)
        return FALSE;
    if (adit_json_get_text(object, "event") != NULL) {
        if (g_str_equal(adit_json_get_text(object, "event"), "resume") &&
            adit_json_get_unsigned(object, "from_step", &step))
            drop_after(rows, step);
        return TRUE;
    }
    row = g_new0(AditMetricRow, 1);
    row->values = g_array_new(FALSE, FALSE, sizeof(AditMetric));
    if (fill_row(row, object)) {
        g_ptr_array_add(rows, row);
        return TRUE;
    }
    free_row(row);
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED,
                "%s: expected 't', 'step', 'epoch' and values, all numbers", place);
    return FALSE;
}

/* @damage: (nullable): what is wrong with a line goes there, and the line is passed over */
static GPtrArray *
read_lines(const char *run_folder, GPtrArray *damage, GError **error)
{
    g_autofree char *path = g_build_filename(run_folder, "metrics.jsonl", NULL);
    g_autofree char *text = NULL;
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func((GDestroyNotify) free_row);
    const char *end;
    guint number = 1;
    gsize length;

    if (!adit_file_read(path, G_MAXSSIZE - 1, &text, &length, error))
        return NULL;
    for (const char *line = text;
         (end = memchr(line, '\n', length - (gsize) (line - text))) != NULL; line = end + 1) {
        g_autofree char *place = g_strdup_printf("%s:%u", path, number++);
        g_autoptr(GError) failure = NULL;

        if (read_line(rows, place, line, (gsize) (end - line), &failure))
            continue;
        if (damage == NULL) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return NULL;
        }
        g_ptr_array_add(damage, g_strdup(failure->message));
    }
    return g_steal_pointer(&rows);
}

GPtrArray *
adit_metrics_read(const char *run_folder, GError **error)
{
    return read_lines(run_folder, NULL, error);
}

GPtrArray *
adit_metrics_read_sound(const char *run_folder, GPtrArray *damage, GError **error)
{
    return read_lines(run_folder, damage, error);
}
