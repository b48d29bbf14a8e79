/* core/probe/adit-capture.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-probe.h>

#include "adit-network.h"

G_BEGIN_DECLS

/* Samples that come at a time. */
#define ADIT_CAPTURE_SAMPLES 256

/**
 * AditCaptureItem: what is captured of a graph.
 * @address: for messages
 * @tensor: of the root graph, the axes of loops first (adit_tensor_unroll())
 * @shape: of one instance, without those
 * @instance: which iteration of all loops
 */
typedef struct {
    const char *address;
    AditTensor *tensor;
    AditShape shape;
    guint instance;
} AditCaptureItem;

/**
 * AditCaptureFunc:
 * @first: number of the first sample that came
 * @values: @samples of them of each item, one behind the other
 */
typedef void (*AditCaptureFunc)(gsize first, gsize samples, float *const *values,
                                gpointer user_data);

/**
 * adit_capture:
 * @graph: the network's, or a copy of it that was added to
 * @items: (array length=n_items): of @graph
 * @samples: of the split, from the first on
 *
 * The values of the items, from one pass over the samples. Samples come in the same pieces on every
 * device and whatever else is captured. Fails with ADIT_ERROR_MEMORY.
 */
gboolean adit_capture(AditNetwork *network, AditGraph *graph, const AditCaptureItem *items,
                      guint n_items, const AditSplit *split, gsize samples, AditCaptureFunc func,
                      gpointer user_data, GError **error);

G_END_DECLS
