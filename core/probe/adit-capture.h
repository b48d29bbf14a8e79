/* core/probe/adit-capture.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-probe.h>

#include "adit-network.h"
#include "adit-selection.h"

G_BEGIN_DECLS

/**
 * AditCapture: the features of some addresses for the first samples of a split, from one pass over
 * it.
 * @features: (element-type AditFeatures): one for each pick, in their order
 */
typedef struct {
    GArray *features;
} AditCapture;

/**
 * adit_capture_new:
 * @graph: the network's, or a copy of it that was added to
 * @picks: (array length=n_picks): of @graph; borrowed
 *
 * Fails with ADIT_ERROR_MEMORY.
 */
AditCapture *adit_capture_new(AditNetwork *network, AditGraph *graph, const AditPick *picks,
                              guint n_picks, const AditSplit *split, gsize samples, GError **error);
void adit_capture_free(AditCapture *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditCapture, adit_capture_free)

/* Elements of one sample at a pick. */
gsize adit_pick_count(const AditPick *pick);

G_END_DECLS
