/* core/report/adit-exit-picture.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-report-private.h"

G_BEGIN_DECLS

/* Draws what a run's exits come to as their threshold gets loose, accuracy over mean cost. @curve:
 * exits/curve.csv of the run (core/infer/adit-calibration.h) */
gboolean adit_exit_picture_write(const AditReportWriter *writer, const AditFrame *curve,
                                 GError **error);

G_END_DECLS
