/* core/adit/adit-aggregator.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-component.h>

G_BEGIN_DECLS

/**
 * AditAggregator: how a sequence is wired: a fold over two tensors. *feed* is what the next block
 * sees, *collect* what the head would see if the sequence ended here: exit k is collect after step
 * k.
 */
#define ADIT_TYPE_AGGREGATOR (adit_aggregator_get_type())
G_DECLARE_DERIVABLE_TYPE(AditAggregator, adit_aggregator, ADIT, AGGREGATOR, AditComponent)

/**
 * AditFold: the state of the fold.
 * @feed: what the next block is fed
 * @collect: (nullable): what leaves the sequence; NULL: nothing yet
 * @count: number of items of the sequence
 * @each: (nullable): a tensor without rows whose first axis has @count elements, set by begin()
 * when every step needs a value of its own
 * @item: (nullable): in step(), the current item's part of @each, set by the sequence
 * @name: (nullable): in step(), what the current item is called in messages, set by the sequence
 * @skips: in step(), whether the item carries a skip of its own, set by the sequence
 * @normalized: in step(), whether the item's output comes out of a normalisation, set by the
 * sequence
 */
typedef struct {
    AditTensor *feed;
    AditTensor *collect;
    guint count;
    AditTensor *each;
    AditTensor *item;
    const char *name;
    gboolean skips;
    gboolean normalized;
} AditFold;

/**
 * AditAggregatorClass:
 * @begin: sets @fold from the sequence's input; by default feed and collect are the input
 * @step: moves @fold on by the output @y of the block that was fed feed
 * @skips: blocks of such a sequence carry a skip of their own (what GloNet's section 4 warns of)
 *
 * Both are called on the thread that builds the graph, step() once for a whole loop. They keep
 * nothing.
 */
struct _AditAggregatorClass {
    AditComponentClass parent_class;

    void (*begin)(AditAggregator *self, AditGraph *graph, AditTensor *x, AditFold *fold);
    void (*step)(AditAggregator *self, AditGraph *graph, AditTensor *y, AditFold *fold);
    gboolean skips;

    gpointer padding[6];
};

/* The shared parameters of all aggregators: `input` (false unless the class says otherwise by
 * adit_component_class_set_default), `adapt`, `adapt-space`, `adapt-to` (LANGUAGE 2.4). Every leaf
 * class has them. */

/* Whether the sequence's input counts as an output. */
gboolean adit_aggregator_counts_input(AditAggregator *self);
/* Makes @fold's collect and @y one shape by the adapters and replaces both; shapes that differ
 * under `none` fail the graph. Equal shapes, and a collect of NULL, pass untouched. */
void adit_aggregator_adapt(AditAggregator *self, AditGraph *graph, AditFold *fold, AditTensor **y);
/* The same for the resolution alone: channels may differ. */
void adit_aggregator_adapt_space(AditAggregator *self, AditGraph *graph, AditFold *fold,
                                 AditTensor **y);

#define ADIT_DEFINE_AGGREGATOR(TypeName, type_name, CAST)                                          \
    ADIT_DEFINE_COMPONENT(TypeName, type_name, CAST, ADIT_TYPE_AGGREGATOR)

G_END_DECLS
