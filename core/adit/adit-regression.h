/* core/adit/adit-regression.h - SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * Multinomial logistic regression: the class of a sample from a linear map of its features. Like
 * adit-algebra.h it computes in the calling thread alone, in an order that follows from sizes.
 */

/**
 * AditLabelled: samples and their classes.
 * @values: @samples rows of @width numbers
 * @classes: the number of each sample's class, below @n_classes
 */
typedef struct {
    const float *values;
    const float *classes;
    gsize samples;
    gsize width;
    guint n_classes;
} AditLabelled;

/* (transfer full): the classes in a random order, the same for equal numbers of samples: what can
 * be learnt of them is learnt by heart. */
float *adit_labelled_shuffle(const AditLabelled *self);

/**
 * AditSolver:
 * @ADIT_SOLVER_LBFGS: until it has converged (Liu and Nocedal 1989)
 * @ADIT_SOLVER_SAGA: passes of single samples in random order (Defazio, Bach and Lacoste-Julien
 *   2014) with scikit-learn's step, stopped as there when a pass changes no weight much
 */
typedef enum {
    ADIT_SOLVER_LBFGS,
    ADIT_SOLVER_SAGA,
} AditSolver;

/**
 * AditRegressionSetup: what is minimised is the sum of the samples' cross-entropies plus half the
 * sum of the squared weights over @c; intercepts are free.
 * @standardize: features are given mean 0 and variance 1 first; those that are constant count for
 *   nothing
 * @passes: over the samples, at most
 * @tolerance: LBFGS: of the largest derivative, of the mean over the samples; SAGA: of the largest
 *   change of a weight, in the largest weight
 */
typedef struct {
    AditSolver solver;
    gboolean standardize;
    double c;
    guint passes;
    double tolerance;
} AditRegressionSetup;

/**
 * AditRegression: a fitted map.
 * @weights: width lines of @n_classes numbers, on features less @mean and times @scale; then a line
 *   of intercepts
 * @loss: mean cross-entropy of what it was fitted to, without the weights' term
 * @passes: over the samples
 * @residue: of what @tolerance is about, in the end
 */
typedef struct {
    double *weights;
    double *mean;
    double *scale;
    gsize width;
    guint n_classes;
    double loss;
    guint passes;
    double residue;
    gboolean has_converged;
} AditRegression;

AditRegression *adit_regression_fit(const AditRegressionSetup *setup, const AditLabelled *data);
void adit_regression_free(AditRegression *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditRegression, adit_regression_free)

/* How many of the samples of each class are taken for each: a line a class. Returns the share that
 * is right. */
double adit_regression_count(const AditRegression *self, const AditLabelled *data,
                             guint64 *confusion);

G_END_DECLS
