/* core/data/adit-standardization.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-array.h>

#include "adit-settings.h"

G_BEGIN_DECLS

/**
 * AditStandardization: x -> (x - mean) / scale, for what belongs together: one element of an input,
 * or one channel.
 * @count: how many there are; 0: nothing is done
 * @inner: element i belongs to (i / inner) % count
 * @mean: (array length=count)
 * @scale: (array length=count): the standard deviation (biased: divided by the number of values); 1
 * for a constant
 */
typedef struct {
    gsize count;
    gsize inner;
    double *mean;
    double *scale;
} AditStandardization;

void adit_standardization_clear(AditStandardization *self);
void adit_standardization_copy(const AditStandardization *self, AditStandardization *copy);

/* What belongs together in an input of @shape. A channel is the first axis of rank 3 and more
 * (channels x height x width), the last of rank 2 (tokens x width), else an element. */
void adit_standardization_init(AditStandardization *self, AditStandardize how,
                               const AditShape *shape);
/* Measures @array over its rows @index, in float64, row after row. */
void adit_standardization_measure(AditStandardization *self, const AditArray *array,
                                  const gint32 *index, gsize rows);
/* @array as F32, standardised. ADIT_ERROR_DAMAGED: "WHAT [16, 4] is 1e+300, beyond float32". */
AditArray *adit_standardization_apply(const AditStandardization *self, AditArray *array,
                                      const char *what, GError **error);

G_END_DECLS
