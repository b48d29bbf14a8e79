/* core/adit/adit-similarity.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-probe.h>

G_BEGIN_DECLS

/*
 * How alike two sets of features of the same samples are, by the Hilbert-Schmidt independence
 * criterion of kernels of them, in float64 (Kornblith, Norouzi, Lee and Hinton, "Similarity of
 * neural network representations revisited", ICML 2019).
 */

/**
 * AditHsicEstimator: n samples, Gram matrices K and L; H takes the means of rows and columns away.
 * @ADIT_HSIC_BIASED: tr(K H L H) / (n - 1)^2 (Gretton et al. 2005)
 * @ADIT_HSIC_DEBIASED: that without bias (Song et al. 2012, "Feature selection via dependence
 *   maximization", equation 5); it may be negative
 * @ADIT_HSIC_MINIBATCH: the mean of the latter over batches in order (Nguyen, Raghu and Kornblith,
 *   ICLR 2021); what is left over behind whole batches is not looked at
 */
typedef enum {
    ADIT_HSIC_BIASED,
    ADIT_HSIC_DEBIASED,
    ADIT_HSIC_MINIBATCH,
} AditHsicEstimator;

/**
 * AditHsic: how features are compared.
 * @rbf: the kernel is exp(-d^2 / (2 s^2)), s being @bandwidth times the median distance d of two
 *   samples, of a batch where there are batches; else it is the scalar product
 * @batch: samples of a batch
 */
typedef struct {
    AditHsicEstimator estimator;
    gboolean rbf;
    double bandwidth;
    gsize batch;
} AditHsic;

/* Numbers that adit_hsic_prepare() works out of an address: AditProbeClass.count. */
gsize adit_hsic_count(const AditHsic *self, const AditFeatures *features);
/* AditProbeClass.prepare */
void adit_hsic_prepare(const AditHsic *self, const AditFeatures *features, double *prepared);
/* Why features of so many samples have no such measure; NULL: they have. */
const char *adit_hsic_refuse(const AditHsic *self, gsize samples);
/* The criterion of two addresses, both prepared; @a may be @b. */
double adit_hsic_measure(const AditHsic *self, const AditFeatures *a, const AditFeatures *b);
/* That of an address with itself, which preparing it has given. */
double adit_hsic_get_own(const AditFeatures *features);

G_END_DECLS
