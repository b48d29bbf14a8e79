/* core/report/adit-probe-pictures.c - SPDX-License-Identifier: MIT */
#include "adit-probe-pictures.h"

#include "adit-probe-rows.h"
#include "adit-series.h"

#include <math.h>
#include <string.h>

#define FEW_ADDRESSES 12 /* that are no blocks: bars */

static const char *const nothing[] = {NULL};
static const char *const runs[] = {"run", NULL};

/* A table being drawn. */
typedef struct {
    const AditReportWriter *writer;
    const char *name;
    const AditFrame *table;
    AditProbeRows *last; /* of the last measurement */
} Probe;

/* Columns of one thing, a line for each: "accuracy" of train and test. */
typedef struct {
    char *name;
    GPtrArray *columns;
    GPtrArray *labels;
} Group;

static void
group_free(gpointer data)
{
    Group *self = data;

    g_free(self->name);
    g_ptr_array_unref(self->columns);
    g_ptr_array_unref(self->labels);
    g_free(self);
}

/* ---- columns ---- */

static char *
get_spread_name(const char *column)
{
    return g_strconcat(column, "-std", NULL);
}

/* A deviation of another column is its band. */
static gboolean
is_spread(const AditFrame *table, const char *column)
{
    g_autofree char *of = g_strndup(column, strlen(column) - MIN(strlen(column), strlen("-std")));

    return g_str_has_suffix(column, "-std") && adit_frame_has(table, of, NULL);
}

/* Behind "train-", "validation-", "test-"; @column itself without. */
static const char *
skip_split(const char *column)
{
    static const char *const splits[] = {"train-", "validation-", "test-"};

    for (guint i = 0; i < G_N_ELEMENTS(splits); i++) {
        if (g_str_has_prefix(column, splits[i]))
            return column + strlen(splits[i]);
    }
    return column;
}

static Group *
find_group(GPtrArray *groups, const char *name)
{
    Group *group;

    for (guint i = 0; i < groups->len; i++) {
        group = g_ptr_array_index(groups, i);
        if (g_str_equal(group->name, name))
            return group;
    }
    group = g_new0(Group, 1);
    group->name = g_strdup(name);
    group->columns = g_ptr_array_new();
    group->labels = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(groups, group);
    return group;
}

/* Beside "train-accuracy" the column "accuracy" is of the split that the table is of. */
static void
name_own_split(const Probe *self, Group *group)
{
    guint column = 0;

    if (group->labels->len < 2 || !adit_frame_has(self->table, "split", &column))
        return;
    for (guint i = 0; i < group->labels->len; i++) {
        const char *split =
            adit_frame_get_text(self->table, adit_frame_count_rows(self->table) - 1, column);

        if (*(const char *) group->labels->pdata[i] == '\0') {
            g_free(group->labels->pdata[i]);
            group->labels->pdata[i] = g_strdup(split);
        }
    }
}

/* (element-type Group) */
static GPtrArray *
list_groups(const Probe *self)
{
    GPtrArray *groups = g_ptr_array_new_with_free_func(group_free);

    for (guint i = 0; i < self->last->numbers->len; i++) {
        const char *column = g_ptr_array_index(self->last->numbers, i);
        const char *rest = skip_split(column);
        Group *group;

        if (is_spread(self->table, column))
            continue;
        group = find_group(groups, rest);
        g_ptr_array_add(group->columns, (gpointer) column);
        g_ptr_array_add(group->labels, rest > column
                                           ? g_strndup(column, (gsize) (rest - column) - 1)
                                           : g_strdup(""));
    }
    for (guint i = 0; i < groups->len; i++) {
        Group *group = g_ptr_array_index(groups, i);

        name_own_split(self, group);
        g_ptr_array_add(group->columns, NULL);
        g_ptr_array_add(group->labels, NULL);
    }
    return groups;
}

/* ---- along the addresses ---- */

/* Adds column number @value of @group from all rows. */
static gboolean
add_column(AditSeries *series, const AditProbeRows *rows, const char *column, guint value,
           GError **error)
{
    const AditFrame *frame = rows->results->frame;
    g_autofree char *spread_name = get_spread_name(column);
    guint from = 0, spread_column = 0;
    gboolean has_spread = adit_frame_has(frame, spread_name, &spread_column);

    if (!adit_frame_find(frame, column, &from, error))
        return FALSE;
    for (guint row = 0; row < adit_frame_count_rows(frame); row++) {
        double y = NAN, spread = NAN;

        if (adit_frame_is_empty(frame, row, from))
            continue;
        if (!adit_frame_get_number(frame, row, from, &y, error) ||
            (has_spread && !adit_frame_get_number(frame, row, spread_column, &spread, error)))
            return FALSE;
        adit_series_add(series, row, value, g_array_index(rows->x, double, row), y, spread);
    }
    return TRUE;
}

/* What @rows has of @group, as @kind. */
static gboolean
write_series(const Probe *self, const AditProbeRows *rows, const Group *group, const char *kind,
             GError **error)
{
    g_autofree char *stem = g_strdup_printf("%s-%s", self->name, group->name);
    g_autofree char *name = adit_report_make_name(kind, stem);
    g_autofree char *script = g_strconcat(kind, ".gp", NULL);
    AditStudyReport report = {.kind = ADIT_STUDY_CURVES,
                              .name = name,
                              .x = (char *) rows->x_label,
                              .values = (GStrv) group->columns->pdata,
                              .pages = (char **) nothing,
                              .over = (char **) runs};
    g_autoptr(AditSeries) series =
        adit_series_new(rows->results, &report, rows->has_lines ? "line" : NULL, error);

    if (series == NULL)
        return FALSE;
    adit_series_set_names(series, group->name, (const char *const *) group->labels->pdata);
    if (rows->ticks != NULL)
        adit_series_set_ticks(series, g_ptr_array_ref(rows->ticks));
    if (rows->borders->len > 0)
        adit_series_set_marked(series, rows->borders, "shaded: border layers");
    for (guint i = 0; group->columns->pdata[i] != NULL; i++) {
        if (!add_column(series, rows, group->columns->pdata[i], i, error))
            return FALSE;
    }
    return adit_series_write(series, self->writer, script, error);
}

/* ---- maps ---- */

/* @column of @rows, a cell for each pair of @x and @y, columns of the frame. @page: (nullable): a
 * third, whose values have a panel each */
static gboolean
write_map(const Probe *self, const AditProbeRows *rows, const char *column, const char *x,
          const char *y, const char *page, GError **error)
{
    g_autoptr(GPtrArray) pages = g_ptr_array_new();
    const char *const values[] = {column, NULL};
    g_autofree char *stem = g_strdup_printf("%s-%s", self->name, column);
    g_autofree char *name = adit_report_make_name("heat-map", stem);
    AditStudyReport report = {.kind = ADIT_STUDY_HEAT_MAP,
                              .name = name,
                              .x = (char *) x,
                              .y = (char *) y,
                              .values = (char **) values,
                              .over = (char **) runs};
    AditReportWriter writer = *self->writer;

    if (rows->has_lines)
        g_ptr_array_add(pages, (gpointer) "line");
    if (page != NULL)
        g_ptr_array_add(pages, (gpointer) page);
    g_ptr_array_add(pages, NULL);
    report.pages = (GStrv) pages->pdata;
    writer.results = rows->results;
    writer.is_narrow = page == NULL && rows->n_addresses <= FEW_ADDRESSES;
    return adit_report_write_heat_map(&writer, &report, error);
}

static gboolean
write_maps(const Probe *self, const AditProbeRows *rows, const char *x, const char *y,
           const char *page, GError **error)
{
    for (guint i = rows->n_keys; i < rows->numbers->len; i++) {
        const char *column = g_ptr_array_index(rows->numbers, i);

        if (!is_spread(self->table, column) && !write_map(self, rows, column, x, y, page, error))
            return FALSE;
    }
    return TRUE;
}

/* Several rows of each address: numbers of a spectrum go up beside the addresses; of two keys, as
 * in a confusion matrix, a few addresses have a panel each. */
static gboolean
write_keyed(const Probe *self, GError **error)
{
    g_autoptr(AditProbeRows) sample = NULL;
    const char *key = g_ptr_array_index(self->last->numbers, 0);

    if (self->last->n_keys == 1)
        return write_maps(self, self->last, self->last->x_label, key, NULL, error);
    sample = adit_probe_rows_new(self->table, ADIT_PROBE_SAMPLE);
    return write_maps(self, sample, g_ptr_array_index(sample->numbers, 1), key, sample->x_label,
                      error);
}

/* ---- all ---- */

static gboolean
write_curves(const Probe *self, const AditProbeRows *rows, GError **error)
{
    g_autoptr(GPtrArray) groups = list_groups(self);
    gboolean is_few = g_str_equal(rows->x_label, "address") && rows->ticks->len <= FEW_ADDRESSES;

    for (guint i = 0; i < groups->len; i++) {
        if (!write_series(self, rows, g_ptr_array_index(groups, i), is_few ? "bars" : "curves",
                          error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
write_probe(const Probe *self, GError **error)
{
    const AditProbeRows *last = self->last;
    g_autoptr(AditProbeRows) all = NULL;

    if (last->is_paired)
        return write_maps(self, last, "address", "against", NULL, error);
    if (last->is_repeated)
        return TRUE;
    if (last->n_keys > 0)
        return write_keyed(self, error);
    all = adit_probe_rows_new(self->table, ADIT_PROBE_ALL);
    if (last->n_addresses > 1 && !write_curves(self, last, error))
        return FALSE;
    if (all->n_times < 2 || all->has_lines)
        return TRUE;
    if (last->n_addresses > 1)
        return write_maps(self, all, all->x_label, "when", NULL, error);
    return write_curves(self, all, error);
}

gboolean
adit_probe_pictures_write(const AditReportWriter *writer, const char *name, const AditFrame *table,
                          GError **error)
{
    g_autoptr(AditProbeRows) last = adit_probe_rows_new(table, ADIT_PROBE_LAST);
    Probe self = {.writer = writer, .name = name, .table = table, .last = last};

    if (adit_frame_count_rows(table) == 0 || last->numbers->len == 0)
        return TRUE;
    return write_probe(&self, error);
}
