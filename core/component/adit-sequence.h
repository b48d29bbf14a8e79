/* core/component/adit-sequence.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-aggregator.h>
#include <adit/adit-block.h>

G_BEGIN_DECLS

/**
 * AditItem: what stands in a sequence: one block, or a repeat of several items.
 * @block: the block, or NULL for a repeat
 * @name: (nullable): its `name`
 * @type: what it is called in an address: component or part ("dense", "residual-v2"), "sequence"
 * @other_types: (nullable): what it is as well. A part (or `sequence`) that is one reference *is*
 * that block: the parts in between, and the component
 * @times: how often a repeat adds its @items (may be 0)
 * @items: (nullable) (element-type AditItem): of a repeat
 * @tied: all instances of a repeat share one set of weights
 */
typedef struct {
    AditBlock *block;
    char *name;
    char *type;
    GStrv other_types;
    guint times;
    GPtrArray *items;
    gboolean tied;
} AditItem;

AditItem *adit_item_new(AditBlock *block, const char *name, const char *type);
/* Finds the item under @types too; NULL: none. */
void adit_item_set_other_types(AditItem *self, const char *const *types);
AditItem *adit_item_new_repeat(guint times, gboolean tied);
void adit_item_free(AditItem *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditItem, adit_item_free)

/**
 * AditSequence: a block made of blocks and an aggregator: a section of the model, a `sequence`, a
 * part.
 *
 * Its items are counted from 1 after repeats are unrolled; instances of equal shape run as one
 * loop.
 */
#define ADIT_TYPE_SEQUENCE (adit_sequence_get_type())
G_DECLARE_FINAL_TYPE(AditSequence, adit_sequence, ADIT, SEQUENCE, AditBlock)

/* @aggregator: (transfer none) */
AditSequence *adit_sequence_new(AditAggregator *aggregator);
/* @item: (transfer full) */
void adit_sequence_add(AditSequence *self, AditItem *item);
AditAggregator *adit_sequence_get_aggregator(AditSequence *self);
/* (element-type AditItem), repeats not unrolled. */
const GPtrArray *adit_sequence_get_items(AditSequence *self);
/* Number of items, repeats unrolled. */
guint adit_sequence_count(AditSequence *self);

G_END_DECLS
