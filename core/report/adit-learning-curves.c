/* core/report/adit-learning-curves.c - SPDX-License-Identifier: MIT */
#include "adit-learning-curves.h"

#include "adit-run-record.h"
#include "adit-series.h"

#include <math.h>
#include <string.h>

/* Columns of metrics that one picture shows. */
typedef struct {
    char *name;
    GPtrArray *columns; /* names: "train.loss", "test.loss" */
    GPtrArray *labels;  /* "train", "test" */
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
    group->columns = g_ptr_array_new_with_free_func(g_free);
    group->labels = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(groups, group);
    return group;
}

/* @is_split: splits of one figure go together */
static void
add_column(GPtrArray *groups, const char *column, gboolean is_split)
{
    const char *dot = is_split ? strrchr(column, '.') : NULL;
    Group *group = find_group(groups, dot != NULL ? dot + 1 : column);

    if (g_ptr_array_find_with_equal_func(group->columns, column, g_str_equal, NULL))
        return;
    g_ptr_array_add(group->columns, g_strdup(column));
    g_ptr_array_add(group->labels,
                    dot != NULL ? g_strndup(column, (gsize) (dot - column)) : g_strdup(""));
}

static GPtrArray *
list_groups(const GPtrArray *runs, gboolean is_split)
{
    GPtrArray *groups = g_ptr_array_new_with_free_func(group_free);

    for (guint i = 0; i < runs->len; i++) {
        const AditRunRecord *run = g_ptr_array_index(runs, i);
        guint n = run->metrics != NULL ? adit_frame_count_columns(run->metrics) : 0;

        for (guint column = 0; column < n; column++) {
            if (adit_run_record_is_figure(run, column))
                add_column(groups, adit_frame_get_column(run->metrics, column), is_split);
        }
    }
    return groups;
}

/* What run @row has of @column, over @x. */
static gboolean
add_run(AditSeries *series, const AditRunRecord *run, guint row, guint value, const char *column,
        const char *x, GError **error)
{
    guint from = 0, to = 0;

    if (run->metrics == NULL || !adit_frame_has(run->metrics, column, &to) ||
        !adit_frame_has(run->metrics, x, &from))
        return TRUE;
    for (guint i = 0; i < adit_frame_count_rows(run->metrics); i++) {
        double at = 0, y = 0;

        if (adit_frame_is_empty(run->metrics, i, to))
            continue;
        if (!adit_frame_get_number(run->metrics, i, from, &at, error) ||
            !adit_frame_get_number(run->metrics, i, to, &y, error))
            return FALSE;
        adit_series_add(series, row, value, at, y, NAN);
    }
    return TRUE;
}

static gboolean
write_group(const AditReportWriter *writer, const GPtrArray *runs, Group *group, const char *lines,
            const char *x, GError **error)
{
    const char *const nothing[] = {NULL};
    const char *const seed[] = {"seed", NULL};
    g_autofree char *name = adit_report_make_name("curves", group->name);
    AditStudyReport report = {.kind = ADIT_STUDY_CURVES,
                              .name = name,
                              .x = (char *) x,
                              .pages = (char **) nothing,
                              .over = (char **) (lines != NULL ? seed : nothing)};
    g_autoptr(AditSeries) series = NULL;

    g_ptr_array_add(group->columns, NULL);
    g_ptr_array_add(group->labels, NULL);
    report.values = (GStrv) group->columns->pdata;
    series = adit_series_new(writer->results, &report, lines, error);
    if (series == NULL)
        return FALSE;
    adit_series_set_names(series, group->name, (const char *const *) group->labels->pdata);
    for (guint value = 0; report.values[value] != NULL; value++) {
        for (guint row = 0; row < runs->len; row++) {
            if (!add_run(series, g_ptr_array_index(runs, row), row, value, report.values[value], x,
                         error))
                return FALSE;
        }
    }
    return adit_series_write(series, writer, "curves.gp", error);
}

gboolean
adit_learning_curves_write(const AditReportWriter *writer, const GPtrArray *runs, const char *lines,
                           GError **error)
{
    g_autoptr(GPtrArray) groups = list_groups(runs, lines == NULL);
    const char *x = "epoch";

    /* epochs of several stages count from 1 each: then all go by steps */
    for (guint i = 0; i < runs->len; i++) {
        const AditRunRecord *run = g_ptr_array_index(runs, i);

        if (run->metrics != NULL && g_str_equal(adit_run_record_get_x(run), "step"))
            x = "step";
    }
    for (guint i = 0; i < groups->len; i++) {
        if (!write_group(writer, runs, g_ptr_array_index(groups, i), lines, x, error))
            return FALSE;
    }
    return TRUE;
}
