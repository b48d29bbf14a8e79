/* core/data/adit-split.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-array.h>

G_BEGIN_DECLS

/* Tensors that cross from a frozen part, at most: what the next block is fed, and what is
 * collected.
 */
#define ADIT_SPLIT_MAX_KEPT 2

/**
 * AditSplit: a part of a data set: rows of arrays, by index.
 * @inputs: F32, or U8 read as value * scale; shared with other splits of the set
 * @targets: (nullable): F32 or U8 values, or I32 class numbers
 * @classes: number of classes; 0 for values
 * @index: @rows row numbers (I32): which row of the arrays each row of the split is
 * @rows: 0: there is no such split
 * @kept: (nullable): what a frozen part of a network gives for each row of the split, in its order;
 *   of several tensors one each. A split of a data set has none
 * @is_streamed: the data set is not to live on the device (`resident: no`)
 */
typedef struct {
    AditArray *inputs;
    AditArray *targets;
    guint classes;
    AditArray *index;
    gsize rows;
    AditArray *kept[ADIT_SPLIT_MAX_KEPT];
    gboolean is_streamed;
} AditSplit;

/* Row of the arrays that row @row of the split is. */
gsize adit_split_get_row(const AditSplit *self, gsize row);

void adit_split_clear(AditSplit *self);

/* Copies the inputs of rows @rows[0..@n-1] of the split (each below self->rows) to @out, one behind
 * the other, scaled. @out holds @n times adit_shape_count(). */
void adit_split_gather_f32(const AditSplit *self, const gsize *rows, gsize n, float *out);
void adit_split_gather_f64(const AditSplit *self, const gsize *rows, gsize n, double *out);
/* The same for the targets; class numbers come as numbers. The split has targets. */
void adit_split_gather_targets_f32(const AditSplit *self, const gsize *rows, gsize n, float *out);
void adit_split_gather_targets_f64(const AditSplit *self, const gsize *rows, gsize n, double *out);

/* Variance of the target values over the split (biased; the mean over the elements of a target):
 * the mean squared error of the best constant. 0 for class numbers and without rows. */
double adit_split_get_target_variance(const AditSplit *self);
/* Share of the commonest class in the split: the accuracy of the best constant. 0 for values and
 * without rows. */
double adit_split_get_commonest_share(const AditSplit *self);

G_END_DECLS
