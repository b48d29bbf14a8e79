/* core/report/adit-report.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-error.h>

#include "adit-study.h"

G_BEGIN_DECLS

/**
 * adit_report_write:
 * @folder: a study: sweep.csv and the run directories that it names
 * @reports: (element-type AditStudyReport): what to make of them
 *
 * Writes the files of each element into @folder/report, from files alone, report/index.md, which
 * links them, and the page @folder/report.html, which shows them:
 *
 *     table        NAME.md, NAME.csv
 *     counts       NAME.md, NAME.csv, NAME.gp, NAME.svg, NAME.png
 *     others       NAME.csv, NAME.gp, NAME.svg, NAME.png
 *
 * NAME.csv holds what is shown, one line a number; `gnuplot NAME.gp` in that folder draws the
 * pictures again. Without gnuplot all else is written, and index.md and a message say that the
 * pictures were left out.
 *
 * What an earlier call made goes first, so that nothing there tells of other points. Without
 * elements nothing is written.
 *
 * An element that fails does not hold up the others; the first failure is returned when all were
 * tried. ADIT_ERROR_NOT_FOUND (sweep.csv, a run's files, published figures), ADIT_ERROR_DAMAGED,
 * ADIT_ERROR_INVALID (a column that there is not, points that would be mixed), ADIT_ERROR_OUTPUT,
 * ADIT_ERROR_FAILED (gnuplot); messages say file, line, got and expected.
 */
gboolean adit_report_write(const char *folder, const GPtrArray *reports, GError **error);

/**
 * adit_report_write_page:
 * @folder: a run directory, or a study
 * @png: pictures of a run as PNG too; those of studies always are
 *
 * Writes @folder/report.html, a page that needs nothing but itself, and what it is made of into
 * @folder/report. Of a study the report that its file asked for, as adit_report_write() does.
 * Fails as adit_report_write() does; ADIT_ERROR_NOT_FOUND for a folder that is neither. What is
 * missing or damaged within a run is said in its page.
 */
gboolean adit_report_write_page(const char *folder, gboolean png, GError **error);

G_END_DECLS
