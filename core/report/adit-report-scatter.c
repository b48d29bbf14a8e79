/* core/report/adit-report-scatter.c - SPDX-License-Identifier: MIT */
#include "adit-report-private.h"

#include "adit-series.h"

/* A dot for each point of the study, `over` averaged away in both directions. `lines` gives it its
 * colour, or `value`, and then `lines` its shape. Without y the values go upwards. */
gboolean
adit_report_write_scatter(const AditReportWriter *self, const AditStudyReport *report,
                          GError **error)
{
    char *const y[] = {report->y, NULL};
    AditStudyReport plain = *report;
    g_autoptr(AditSeries) series = NULL;

    if (report->y != NULL && g_strv_length(report->values) > 1) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "'scatter' takes one 'value' for the colours beside 'y', got %u",
                    g_strv_length(report->values));
        return FALSE;
    }
    if (report->y != NULL)
        plain.values = (char **) y;
    series = adit_series_new(self->results, &plain, report->lines, error);
    if (series == NULL)
        return FALSE;
    if (report->y != NULL)
        adit_series_set_shade(series, report->values[0]);
    return adit_series_add_columns(series, error) &&
           adit_series_write(series, self, "scatter.gp", error);
}
