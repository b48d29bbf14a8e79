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
 * Writes the files of each element into @folder/report, from files alone, and report/index.md,
 * which links them:
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

G_END_DECLS
