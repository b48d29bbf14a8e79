/* core/run/adit-metrics.c - SPDX-License-Identifier: MIT */
#include "adit-metrics.h"

#include "adit-file.h"
#include "adit-json.h"
#include "adit-output.h"

#define LINES_NAME "metrics.jsonl"
#define TABLE_NAME "metrics.csv"
#define MAX_TABLE  ((gsize) 1 << 30)

struct _AditMetrics {
    char *run; /* name of the run directory */
    char *table_path;
    AditOutput *lines;
    AditOutput *table;
    GPtrArray *columns; /* names; "step" and "epoch" first; empty before the first row */
};

static guint
get_digits(const AditMetric *metric)
{
    return metric->flags & ADIT_METRIC_DOUBLE ? 17 : 9;
}

/* @text as a JSON string, quotes included. */
static char *
quote(const char *text)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_VALUE);

    json_node_set_string(node, text);
    return json_to_string(node, FALSE);
}

/* A cell of the CSV: quoted only where a reader needs it. */
static void
append_cell(GString *row, const char *text)
{
    g_auto(GStrv) parts = NULL;
    g_autofree char *doubled = NULL;

    if (row->len > 0)
        g_string_append_c(row, ',');
    if (strpbrk(text, ",\"\r\n") == NULL) {
        g_string_append(row, text);
        return;
    }
    parts = g_strsplit(text, "\"", -1);
    doubled = g_strjoinv("\"\"", parts);
    g_string_append_printf(row, "\"%s\"", doubled);
}

/* The cells of the line at @text, up to its newline; @next: (out): the next line. */
static GPtrArray *
split_row(const char *text, const char **next)
{
    GPtrArray *cells = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) cell = g_string_new(NULL);
    gboolean quoted = FALSE;

    for (; *text != '\0' && (quoted || *text != '\n'); text++) {
        if (*text == '"' && quoted && text[1] == '"')
            g_string_append_c(cell, *text++);
        else if (*text == '"')
            quoted = !quoted;
        else if (*text == ',' && !quoted) {
            g_ptr_array_add(cells, g_strdup(cell->str));
            g_string_truncate(cell, 0);
        } else
            g_string_append_c(cell, *text);
    }
    g_ptr_array_add(cells, g_strdup(cell->str));
    *next = *text == '\n' ? text + 1 : text;
    return cells;
}

/* Takes the columns from the header of a table that is there already. */
static gboolean
read_columns(AditMetrics *self, GError **error)
{
    g_autofree char *text = NULL;
    const char *rest;

    if (!adit_file_read(self->table_path, MAX_TABLE, &text, NULL, error))
        return FALSE;
    if (*text == '\0')
        return TRUE;
    g_ptr_array_unref(self->columns);
    self->columns = split_row(text, &rest);
    if (self->columns->len >= 2 && g_str_equal(self->columns->pdata[0], "step") &&
        g_str_equal(self->columns->pdata[1], "epoch"))
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED,
                "%s:1: expected the columns 'step' and 'epoch' first, got '%s'", self->table_path,
                (const char *) self->columns->pdata[0]);
    return FALSE;
}

AditMetrics *
adit_metrics_open(const char *run_folder, GError **error)
{
    g_autoptr(AditMetrics) self = g_new0(AditMetrics, 1);
    g_autofree char *path = g_build_filename(run_folder, LINES_NAME, NULL);
    g_autofree char *canonical = g_canonicalize_filename(run_folder, NULL);

    self->run = g_path_get_basename(canonical);
    self->table_path = g_build_filename(run_folder, TABLE_NAME, NULL);
    self->columns = g_ptr_array_new_with_free_func(g_free);
    self->lines = adit_output_append(path, error);
    if (self->lines == NULL)
        return NULL;
    self->table = adit_output_append(self->table_path, error);
    if (self->table == NULL || !read_columns(self, error))
        return NULL;
    return g_steal_pointer(&self);
}

void
adit_metrics_free(AditMetrics *self)
{
    g_clear_pointer(&self->lines, adit_output_free);
    g_clear_pointer(&self->table, adit_output_free);
    g_ptr_array_unref(self->columns);
    g_free(self->table_path);
    g_free(self->run);
    g_free(self);
}

/* A line begun: {"v":1,"t":...,"run":"..." */
static GString *
begin_line(const AditMetrics *self)
{
    gint64 now = g_get_real_time();
    g_autofree char *run = quote(self->run);
    GString *line = g_string_new(NULL);

    g_string_append_printf(line, "{\"v\":1,\"t\":%" G_GINT64_FORMAT ".%03d,\"run\":%s",
                           now / G_USEC_PER_SEC, (int) (now % G_USEC_PER_SEC / 1000), run);
    return line;
}

gboolean
adit_metrics_write(AditMetrics *self, guint64 step, guint64 epoch, const char *split,
                   const AditMetric *values, guint n_values, GError **error)
{
    g_autoptr(GString) line = begin_line(self);
    const char *separator = "";

    g_string_append_printf(line, ",\"step\":%" G_GUINT64_FORMAT ",\"epoch\":%" G_GUINT64_FORMAT,
                           step, epoch);
    if (split != NULL) {
        g_autofree char *quoted = quote(split);

        g_string_append_printf(line, ",\"split\":%s", quoted);
    }
    g_string_append(line, ",\"values\":{");
    for (guint i = 0; i < n_values; i++) {
        g_autofree char *name = quote(values[i].name);
        g_autofree char *value = adit_json_format_double(values[i].value, get_digits(&values[i]));

        if (values[i].flags & ADIT_METRIC_ABSENT)
            continue;
        g_string_append_printf(line, "%s%s:%s", separator, name, value);
        separator = ",";
    }
    g_string_append(line, "}}\n");
    return adit_output_write_line(self->lines, line->str, line->len, error);
}

static void
fix_columns(AditMetrics *self, const AditMetric *values, guint n_values, GString *header)
{
    g_ptr_array_add(self->columns, g_strdup("step"));
    g_ptr_array_add(self->columns, g_strdup("epoch"));
    for (guint i = 0; i < n_values; i++)
        g_ptr_array_add(self->columns, g_strdup(values[i].name));
    for (guint i = 0; i < self->columns->len; i++)
        append_cell(header, self->columns->pdata[i]);
    g_string_append_c(header, '\n');
}

/* Where in @values the column @name is; -1 if it is not. */
static gint
find_value(const char *name, const AditMetric *values, guint n_values)
{
    for (guint i = 0; i < n_values; i++) {
        if (g_str_equal(values[i].name, name))
            return (gint) i;
    }
    return -1;
}

/* Puts @text in the place of the table. */
static gboolean
replace_table(AditMetrics *self, const GString *text, GError **error)
{
    if (!adit_file_write(self->table_path, text->str, text->len, error))
        return FALSE;
    /* the old descriptor writes into what is gone */
    adit_output_free(self->table);
    self->table = adit_output_append(self->table_path, error);
    return self->table != NULL;
}

/* A later stage has figures of its own: their columns are added, empty in the rows before. */
static gboolean
add_columns(AditMetrics *self, const AditMetric *values, guint n_values, GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr(GString) wide = g_string_new(NULL);
    const char *next;

    if (!adit_file_read(self->table_path, MAX_TABLE, &text, NULL, error))
        return FALSE;
    for (const char *row = text; *row != '\0'; row = next) {
        /* only where it ends */
        g_ptr_array_unref(split_row(row, &next));
        g_autoptr(GString) line = g_string_new_len(row, next - row - 1);

        for (guint i = 0; i < n_values; i++) {
            if (!g_ptr_array_find_with_equal_func(self->columns, values[i].name, g_str_equal, NULL))
                append_cell(line, row == text ? values[i].name : "");
        }
        g_string_append_printf(wide, "%s\n", line->str);
    }
    return replace_table(self, wide, error) && read_columns(self, error);
}

static gboolean
has_columns(const AditMetrics *self, const AditMetric *values, guint n_values)
{
    for (guint i = 0; i < n_values; i++) {
        if (!g_ptr_array_find_with_equal_func(self->columns, values[i].name, g_str_equal, NULL))
            return FALSE;
    }
    return TRUE;
}

static char *
format_cell(const AditMetric *metric)
{
    g_autofree char *text = adit_json_format_double(metric->value, get_digits(metric));

    if (metric->flags & ADIT_METRIC_ABSENT)
        return g_strdup("");
    /* readers of CSV know NaN and Infinity without quotes */
    return *text == '"' ? g_strndup(text + 1, strlen(text) - 2) : g_steal_pointer(&text);
}

gboolean
adit_metrics_write_row(AditMetrics *self, guint64 step, guint64 epoch, const AditMetric *values,
                       guint n_values, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GString) row = g_string_new(NULL);
    gboolean first = self->columns->len == 0;

    if (first)
        fix_columns(self, values, n_values, text);
    if (!has_columns(self, values, n_values) && !add_columns(self, values, n_values, error))
        return FALSE;
    g_string_append_printf(row, "%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT, step, epoch);
    for (guint i = 2; i < self->columns->len; i++) {
        gint which = find_value(self->columns->pdata[i], values, n_values);
        g_autofree char *cell = which >= 0 ? format_cell(&values[which]) : g_strdup("");

        append_cell(row, cell);
    }
    g_string_append_printf(text, "%s\n", row->str);
    if (adit_output_write_line(self->table, text->str, text->len, error))
        return TRUE;
    /* the header went with the row */
    if (first)
        g_ptr_array_set_size(self->columns, 0);
    return FALSE;
}

/* The header and the rows up to @step. */
static GString *
cut_table(const char *text, guint64 step)
{
    GString *kept = g_string_new(NULL);
    const char *next;

    for (const char *row = text; *row != '\0'; row = next) {
        g_autoptr(GPtrArray) cells = split_row(row, &next);
        guint64 at = 0;

        if (row == text ||
            (g_ascii_string_to_unsigned(cells->pdata[0], 10, 0, G_MAXUINT64, &at, NULL) &&
             at <= step))
            g_string_append_len(kept, row, next - row);
    }
    return kept;
}

static gboolean
resume_table(AditMetrics *self, guint64 step, GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr(GString) kept = NULL;

    if (!adit_file_read(self->table_path, MAX_TABLE, &text, NULL, error))
        return FALSE;
    kept = cut_table(text, step);
    if (g_str_equal(kept->str, text))
        return TRUE;
    return replace_table(self, kept, error);
}

gboolean
adit_metrics_resume(AditMetrics *self, guint64 step, GError **error)
{
    g_autoptr(GString) line = begin_line(self);

    g_string_append_printf(line, ",\"event\":\"resume\",\"from_step\":%" G_GUINT64_FORMAT "}\n",
                           step);
    return adit_output_write_line(self->lines, line->str, line->len, error) &&
           resume_table(self, step, error);
}

gboolean
adit_metrics_sync(AditMetrics *self, GError **error)
{
    return adit_output_sync(self->lines, error) && adit_output_sync(self->table, error);
}
