/* core/component/adit-cut.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-selection.h"

G_BEGIN_DECLS

/**
 * AditCut: where a network is taken apart when a part of it is trained. Given to a graph before the
 * network is built; outlives it.
 * @frozen: (nullable): address of the item with which what is frozen ends
 * @end: (nullable): address of the item with which what is trained ends: no loop goes on behind it
 * @alone: no exit is in a loop
 * @settled: what is frozen is built as in evaluation
 * @fed: what crosses from the frozen part comes in as inputs "kept.1", "kept.2", ...; else it is
 *   what the part gives, without its gradient
 * @detached: (nullable) (element-type utf8): a set of addresses of items that no gradient comes
 *   back to from behind
 * @feedback: heads of exits hand back through others with fixed weights
 * @noise: standard deviation of what is added to what they read
 * @crossing: (element-type AditTensor): what crosses, as the frozen part gives it: [] before
 * @n_frozen: tensors of the graph with which the frozen part ends; 0 before
 */
struct _AditCut {
    const char *frozen;
    const char *end;
    gboolean alone;
    gboolean settled;
    gboolean fed;
    GHashTable *detached;
    gboolean feedback;
    double noise;
    GPtrArray *crossing;
    guint n_frozen;
};

void adit_cut_init(AditCut *self);
void adit_cut_clear(AditCut *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AditCut, adit_cut_clear)

/* Before the network is built in @graph. */
void adit_graph_set_cut(AditGraph *graph, AditCut *cut);
/* Before stem and trunk are built: from here on is the frozen part, if there is one. */
void adit_graph_begin_cut(AditGraph *graph);
/* Whether a cut is behind item @number of what is being built, or inside it: no loop has items on
 * both sides. */
AditGrasp adit_graph_cuts(const AditGraph *graph, guint number);
/* At the end of item @number of what is being built, or of the item being built (0): what leaves
 * it, as the part behind a cut sees it. The same tensor twice stays one. @collect: (nullable) */
void adit_graph_cross(AditGraph *graph, guint number, AditTensor **feed, AditTensor **collect);
/* The same behind its taps: an exit trains the item, what comes next does not. */
void adit_graph_detach(AditGraph *graph, AditTensor **feed, AditTensor **collect);
/* Whether a parameter of a network that was built lies in the frozen part. */
gboolean adit_graph_has_frozen(const AditGraph *graph, const AditTensor *parameter);

G_END_DECLS
