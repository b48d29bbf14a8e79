/* core/report/adit-report-private.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-results.h"

G_BEGIN_DECLS

/**
 * AditReportWriter: what the kinds of a report write with.
 * @folder: where the files go
 * @plots: folder of the scripts that draw
 * @gnuplot: (nullable): the program; NULL: no pictures
 */
typedef struct {
    const AditResults *results;
    char *folder;
    char *plots;
    char *gnuplot;
} AditReportWriter;

/* One for each kind: writes the files of @report. Errors say place, got and expected. */
gboolean adit_report_write_table(const AditReportWriter *self, const AditStudyReport *report,
                                 GError **error);
gboolean adit_report_write_curves(const AditReportWriter *self, const AditStudyReport *report,
                                  GError **error);
gboolean adit_report_write_scatter(const AditReportWriter *self, const AditStudyReport *report,
                                   GError **error);
gboolean adit_report_write_heat_map(const AditReportWriter *self, const AditStudyReport *report,
                                    GError **error);
gboolean adit_report_write_counts(const AditReportWriter *self, const AditStudyReport *report,
                                  GError **error);

/* Writes @text to NAMEENDING in the folder: ".md". */
gboolean adit_report_write_file(const AditReportWriter *self, const char *name, const char *ending,
                                const GString *text, GError **error);
/* (transfer full) (nullable): "seed": what @report averages over; NULL if nothing */
char *adit_report_describe_over(const AditStudyReport *report);
/* (transfer full): "layout image, cases baseline", and the value where the report has several: what
 * stands above a panel */
char *adit_report_get_panel_label(const AditStudyReport *report, const AditLevels *pages,
                                  guint page, guint value);
/* (transfer full): "best.test.mse, last.test.mse" */
char *adit_report_join(const char *const *texts);

G_END_DECLS
