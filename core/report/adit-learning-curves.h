/* core/report/adit-learning-curves.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-report-private.h"

G_BEGIN_DECLS

/**
 * adit_learning_curves_write:
 * @writer: its results have a row for each run
 * @runs: (element-type AditRunRecord)
 * @lines: (nullable): the axis that lines tell apart; the others are averaged over
 *
 * Writes a picture for each figure of the runs' metrics: of one run the splits of "loss" are lines
 * of one picture; of several "test.loss" and "train.loss" have a picture each. A run without a
 * figure is left out of its picture.
 */
gboolean adit_learning_curves_write(const AditReportWriter *writer, const GPtrArray *runs,
                                    const char *lines, GError **error);

G_END_DECLS
