/* core/report/adit-exit-picture.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-report-private.h"

G_BEGIN_DECLS

/**
 * adit_exit_picture_write:
 * @table: of a run's folder of exits: curve.csv, truncation.csv
 * @x, @values: columns of it
 * @labels: as many as there are values; "" for one that needs none
 *
 * Draws the values, all in one panel.
 */
gboolean adit_exit_picture_write(const AditReportWriter *writer, const AditFrame *table,
                                 const char *name, const char *x, const char *const *values,
                                 const char *const *labels, GError **error);

G_END_DECLS
