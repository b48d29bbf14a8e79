/* core/report/adit-report-private.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-document.h"
#include "adit-page.h"
#include "adit-results.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/**
 * AditReportWriter: what the kinds of a report write with.
 * @folder: where the files go
 * @plots: folder of the scripts that draw
 * @gnuplot: (nullable): the program; NULL: no pictures
 * @formats: (nullable): of pictures: "svg"; NULL: "svg png"
 * @is_narrow: pictures are as wide as a column of a page, not as a page
 * @page: (nullable): gets what is written as well
 */
typedef struct {
    const AditResults *results;
    char *folder;
    char *plots;
    char *gnuplot;
    const char *formats;
    gboolean is_narrow;
    AditPage *page;
} AditReportWriter;

/* Sets folder, plots and gnuplot, and makes the folder: @folder/report. */
gboolean adit_report_writer_init(AditReportWriter *self, const char *folder, GError **error);
void adit_report_writer_clear(AditReportWriter *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AditReportWriter, adit_report_writer_clear)
/* Takes away what an earlier call wrote there. */
gboolean adit_report_clear_made(const char *folder, GError **error);

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
/* Writes @text to NAME.md, and into the page. */
gboolean adit_report_write_document(const AditReportWriter *self, const char *name,
                                    const AditDocument *text, GError **error);
/* (transfer full) (nullable): "seed": what @report averages over; NULL if nothing */
char *adit_report_describe_over(const AditStudyReport *report);
/* (transfer full): "layout image, cases baseline", and the value where the report has several: what
 * stands above a panel */
char *adit_report_get_panel_label(const AditStudyReport *report, const AditLevels *pages,
                                  guint page, guint value);
/* (transfer full): "51 points: 48 done, 2 failed, 1 pending" */
char *adit_report_describe_state(const AditResults *results);
/* (transfer full) (nullable): a command as a shell reads it, on one line. @words: (nullable) */
char *adit_report_join_command(JsonArray *words);
/* (transfer full): "curves-test.loss": of texts of others what is safe in a file's name; texts that
 * differ have names that differ */
char *adit_report_make_name(const char *kind, const char *text);
/* (transfer full): "best.test.mse, last.test.mse" */
char *adit_report_join(const char *const *texts);

G_END_DECLS
