/* core/report/adit-report-scatter.c - SPDX-License-Identifier: MIT */
#include "adit-report-private.h"

#include "adit-series.h"

/* A point for each point of the study, `over` averaged away in both directions; `lines` or `by`
 * gives it its colour. */
gboolean
adit_report_write_scatter(const AditReportWriter *self, const AditStudyReport *report,
                          GError **error)
{
    char *const y[] = {report->y, NULL};
    AditStudyReport plain = *report;
    g_autoptr(AditSeries) series = NULL;

    if (report->y != NULL)
        plain.values = (char **) y;
    series = adit_series_new(self->results, &plain,
                             report->lines != NULL ? report->lines : report->by, error);
    return series != NULL && adit_series_add_columns(series, error) &&
           adit_series_write(series, self, "scatter.gp", error);
}
