/* core/report/adit-exit-picture.c - SPDX-License-Identifier: MIT */
#include "adit-exit-picture.h"

#include "adit-series.h"

#include <math.h>

gboolean
adit_exit_picture_write(const AditReportWriter *writer, const AditFrame *curve, GError **error)
{
    static const char *const nothing[] = {NULL};
    static const char *const values[] = {"accuracy", NULL};
    AditStudyReport report = {.kind = ADIT_STUDY_CURVES,
                              .name = (char *) "curves-exits",
                              .x = (char *) "cost",
                              .values = (char **) values,
                              .pages = (char **) nothing,
                              .over = (char **) nothing};
    g_autoptr(AditSeries) series = adit_series_new(writer->results, &report, NULL, error);
    guint x = 0, y = 0;

    if (series == NULL || !adit_frame_find(curve, report.x, &x, error) ||
        !adit_frame_find(curve, values[0], &y, error))
        return FALSE;
    adit_series_set_names(series, values[0], (const char *const[]){"", NULL});
    for (guint i = 0; i < adit_frame_count_rows(curve); i++) {
        double cost = 0, accuracy = 0;

        if (!adit_frame_get_number(curve, i, x, &cost, error) ||
            !adit_frame_get_number(curve, i, y, &accuracy, error))
            return FALSE;
        adit_series_add(series, 0, 0, cost, accuracy, NAN);
    }
    return adit_series_write(series, writer, "curves.gp", error);
}
