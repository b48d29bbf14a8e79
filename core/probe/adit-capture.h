/* core/probe/adit-capture.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-probe.h>

#include "adit-network.h"
#include "adit-selection.h"

G_BEGIN_DECLS

/* Samples that come at a time. */
#define ADIT_CAPTURE_SAMPLES 256

/**
 * AditCaptureFunc:
 * @first: number of the first sample that came
 * @values: @samples of them of each pick, one behind the other
 */
typedef void (*AditCaptureFunc)(gsize first, gsize samples, float *const *values,
                                gpointer user_data);

/**
 * adit_capture:
 * @graph: the network's, or a copy of it that was added to
 * @picks: (array length=n_picks): of @graph
 * @samples: of the split, from the first on
 *
 * What is at the picks, from one pass over the samples. Samples come in the same pieces on every
 * device and whatever else is captured. Fails with ADIT_ERROR_MEMORY.
 */
gboolean adit_capture(AditNetwork *network, AditGraph *graph, const AditPick *picks, guint n_picks,
                      const AditSplit *split, gsize samples, AditCaptureFunc func,
                      gpointer user_data, GError **error);

/* Elements of one sample at a pick. */
gsize adit_pick_count(const AditPick *pick);

G_END_DECLS
