/* core/report/adit-exit-picture.c - SPDX-License-Identifier: MIT */
#include "adit-exit-picture.h"

#include "adit-series.h"

#include <math.h>

static gboolean
add_column(AditSeries *series, const AditFrame *table, guint x, const char *value, guint index,
           GError **error)
{
    guint y = 0;

    if (!adit_frame_find(table, value, &y, error))
        return FALSE;
    for (guint i = 0; i < adit_frame_count_rows(table); i++) {
        double at = 0, number = 0;

        if (!adit_frame_get_number(table, i, x, &at, error) ||
            !adit_frame_get_number(table, i, y, &number, error))
            return FALSE;
        adit_series_add(series, 0, index, at, number, NAN);
    }
    return TRUE;
}

gboolean
adit_exit_picture_write(const AditReportWriter *writer, const AditFrame *table, const char *name,
                        const char *x, const char *const *values, const char *const *labels,
                        GError **error)
{
    static const char *const nothing[] = {NULL};
    AditStudyReport report = {.kind = ADIT_STUDY_CURVES,
                              .name = (char *) name,
                              .x = (char *) x,
                              .values = (char **) values,
                              .pages = (char **) nothing,
                              .over = (char **) nothing};
    g_autoptr(AditSeries) series = adit_series_new(writer->results, &report, NULL, error);
    guint column = 0;

    if (series == NULL || !adit_frame_find(table, x, &column, error))
        return FALSE;
    adit_series_set_names(series, values[0], labels);
    for (guint i = 0; values[i] != NULL; i++) {
        if (!add_column(series, table, column, values[i], i, error))
            return FALSE;
    }
    return adit_series_write(series, writer, "curves.gp", error);
}
