/* core/report/adit-report-pages.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-report-private.h"
#include "adit-run-record.h"

G_BEGIN_DECLS

/* The pages report.html, and what they have in common. */

/* Writes @folder/report.html of a run, and its pictures into @folder/report. @png: these as PNG too
 */
gboolean adit_run_page_write(const char *folder, gboolean png, GError **error);

/**
 * adit_study_page_begin:
 *
 * Begins the page of a study; what the elements of its report write then goes into it, a section
 * each (adit_page_begin_section()).
 */
AditPage *adit_study_page_begin(const AditReportWriter *writer);
/* Ends a section. @failure: (nullable): why the element could not be made */
void adit_study_page_end_element(AditPage *page, const AditStudyReport *report,
                                 const GError *failure);
/* Adds the runs and files, and writes @folder/report.html. */
gboolean adit_study_page_end(AditPage *page, const AditReportWriter *writer,
                             const GPtrArray *reports, GError **error);

/* Title, and below it status and facts. @status: (nullable): "completed"; @facts: plain texts,
 * ending with NULL */
void adit_page_add_title(AditPage *self, const char *title, const char *status,
                         const char *const *facts);
/* "✓ completed" in its colour */
void adit_page_append_status(GString *html, const char *status);
/* What a reader should know before the figures. @warnings: (element-type utf8) */
void adit_page_add_warnings(AditPage *self, const GPtrArray *warnings);
/* @members of JSON, without those called as @known says, as names and values. */
void adit_page_add_members(AditPage *self, JsonObject *members, const char *const *known);
/* @text as it is, behind a @summary that opens it. */
void adit_page_add_text(AditPage *self, const char *summary, const char *text);
/* A table behind a summary: @frame, of many rows only as many as one reads. @path: (nullable):
 * where all are, from the page */
void adit_page_add_frame(AditPage *self, const char *summary, const AditFrame *frame,
                         const char *path);
/* What could not be made does not hold up the rest: says why, and returns TRUE; FALSE where it is
 * @error now: nothing can be written. @failure: (transfer full) */
gboolean adit_page_add_failure(AditPage *self, GError *failure, GError **error);
/* Links to those of @paths, ending with NULL, that are in @folder. */
void adit_page_add_files(AditPage *self, const char *folder, const char *const *paths);
/* Writes the page, whole or not at all. @path: of the file */
gboolean adit_page_write(AditPage *self, const AditReportWriter *writer, const char *path,
                         GError **error);
/* "2:03:10 h", "12.3 s"; "not known" of NaN */
char *adit_page_format_seconds(double seconds);
/* (transfer full) (nullable): "2026-11-21 05:04:10 UTC" of what run.json writes; other texts as
 * they are. @time: (nullable) */
char *adit_page_format_time(const char *time);

G_END_DECLS
