/* core/infer/adit-overthinking.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-exit-table.h"

G_BEGIN_DECLS

/**
 * AditOverthinking: what rows would have lost or won by leaving earlier (Kaya, Hong, Dumitras,
 * "Shallow-deep networks", ICML 2019, sections 3 and 4). All are shares of the rows.
 * @any: (array length=n): right at this answer or at one before it
 * @first: (array length=n): right at this answer and at none before it
 * @wasteful: right at the end, and at an exit already
 * @destructive: wrong at the end, but right at an exit
 */
typedef struct {
    guint n;
    double *any;
    double *first;
    double wasteful;
    double destructive;
} AditOverthinking;

/* @table: with accuracies as metric */
AditOverthinking *adit_overthinking_new(const AditExitTable *table);
void adit_overthinking_free(AditOverthinking *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditOverthinking, adit_overthinking_free)

/**
 * AditConfusion: confusion scores of rows: the sum over the exits of the distances between their
 * probabilities and those of the last answer.
 * @right, @wrong: means over the rows whose last answer is right, or wrong; NaN: there are none
 */
typedef struct {
    double mean;
    double deviation;
    double right;
    double wrong;
} AditConfusion;

/* @table: with distances */
AditConfusion adit_confusion_measure(const AditExitTable *table);
/* Both means in deviations from the mean of @scale, that of the training split. */
void adit_confusion_standardize(AditConfusion *self, const AditConfusion *scale);

G_END_DECLS
