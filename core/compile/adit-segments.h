/* core/compile/adit-segments.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-graph-private.h"

G_BEGIN_DECLS

/**
 * AditSegmentEnd: what a segment is to give, a value of every row.
 * @tensor: perhaps in a loop's body
 * @instance: which iteration of all loops around it
 */
typedef struct {
    AditTensor *tensor;
    guint instance;
} AditSegmentEnd;

/**
 * AditSegment: a part of a network as a graph of its own, on the same parameters and states.
 * @end: what was asked of it
 * @handed: (element-type AditTensor): what the segments behind it need of it or of those before it
 * @taken: (element-type AditTensor): its inputs: what the segment before has handed on, in the same
 * order; the first segment has the network's own instead
 */
typedef struct {
    AditGraph *graph;
    AditTensor *end;
    GPtrArray *handed;
    GPtrArray *taken;
} AditSegment;

/**
 * adit_graph_cut:
 * @graph: of evaluation, without an error
 * @ends: (array length=n): in the order in which they can be computed
 *
 * Cuts a graph into segments, each of which computes what its end needs and none before it has
 * computed: rows may be left out from one to the next. A loop with an end in it is written out,
 * iteration by iteration; operations on the same inputs are done once.
 *
 * Returns: (transfer full) (element-type AditSegment) (nullable): NULL with ADIT_ERROR_INVALID: a
 * value depends on other rows than its own
 */
GPtrArray *adit_graph_cut(AditGraph *graph, const AditSegmentEnd *ends, guint n, GError **error);

G_END_DECLS
