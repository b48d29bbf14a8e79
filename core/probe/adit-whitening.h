/* core/probe/adit-whitening.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-algebra.h>

G_BEGIN_DECLS

/**
 * AditWhitening: the inverse of a covariance, by its Cholesky factor.
 */
typedef struct _AditWhitening AditWhitening;

/**
 * adit_whitening_new:
 * @samples: less their mean
 * @scale: what each feature is multiplied by
 * @variances: of the features so scaled, over all samples
 * @ridge: is added to the variances; above 0
 *
 * Of as many of the samples, spread over all, as tell the covariance well enough to walk by it.
 */
AditWhitening *adit_whitening_new(const AditSamples *samples, const double *scale,
                                  const double *variances, double ridge);
void adit_whitening_free(AditWhitening *self);

/* Multiplies @n vectors, element i of vector c at [i * n + c], by the inverse. */
void adit_whitening_apply(const AditWhitening *self, double *vectors, gsize n);

G_END_DECLS
