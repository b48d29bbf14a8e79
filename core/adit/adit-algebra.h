/* core/adit/adit-algebra.h - SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * Algebra in float64, for probes. All of it computes in the calling thread alone, in an order that
 * follows from sizes, so that the same numbers give the same bits whatever threads there are.
 * Matrices lie row after row.
 */

/**
 * AditSamples: the matrix X of numbers that some samples gave, less a constant for each column.
 * @values: @rows times @width
 * @mean: (nullable): @width numbers; NULL: nothing is taken away
 */
typedef struct {
    const float *values;
    gsize rows;
    gsize width;
    const double *mean;
} AditSamples;

/* The means of the columns of @values, whatever @mean is. */
void adit_samples_measure_mean(const AditSamples *self, double *mean);
/**
 * adit_samples_multiply:
 * @out: a's width times b's
 * @accumulate: adds to what is there
 *
 * A'B, which for A = B and less the means is n times the covariance. @a and @b have equal rows.
 */
void adit_samples_multiply(const AditSamples *a, const AditSamples *b, double *out,
                           gboolean accumulate);
/* The Gram matrix X X': rows times rows. */
void adit_samples_get_gram(const AditSamples *self, double *gram);
/* The squared Frobenius norm of A'B, without having that in memory. */
double adit_samples_get_cross_norm(const AditSamples *a, const AditSamples *b);

/* Whether matrices can be decomposed here; else ADIT_ERROR_INVALID: for AditComponentClass.check of
 * what will do so. */
gboolean adit_matrix_check(GError **error);
/**
 * adit_matrix_decompose:
 * @matrix: symmetric, n times n; overwritten: by the eigenvectors, one a row in the order of
 *   @values, if they are wanted
 * @values: (out caller-allocates): n eigenvalues, the largest first
 *
 * Fails with ADIT_ERROR_INVALID where adit_matrix_check() does, or the matrix holds a number that
 * is not finite.
 */
gboolean adit_matrix_decompose(double *matrix, gsize n, double *values, gboolean want_vectors,
                               GError **error);
/**
 * adit_matrix_decompose_singular:
 * @matrix: rows times columns; overwritten
 * @values: (out caller-allocates): the k = min(rows, columns) singular values, the largest first
 * @left: (nullable): rows times k, a left singular vector a column
 * @right: (nullable): k times columns, a right one a row
 *
 * matrix = left diag(values) right. Both or none of @left and @right. Fails as
 * adit_matrix_decompose().
 */
gboolean adit_matrix_decompose_singular(double *matrix, gsize rows, gsize columns, double *values,
                                        double *left, double *right, GError **error);

/* ---- the library behind it ---- */

#define ADIT_ALGEBRA_VERSION 1

/**
 * AditAlgebra: decompositions by a library. A module algebra/NAME.so in a plugin folder (of several
 * the first by name) exports `const AditAlgebra adit_algebra`; it is opened when one is asked for.
 * @version: ADIT_ALGEBRA_VERSION
 * @decompose, @decompose_singular: as above, in the calling thread alone; values of the former the
 *   smallest first. FALSE: they did not converge
 */
typedef struct {
    guint version;
    gboolean (*decompose)(double *matrix, gsize n, double *values, gboolean want_vectors);
    gboolean (*decompose_singular)(double *matrix, gsize rows, gsize columns, double *values,
                                   double *left, double *right);
} AditAlgebra;

G_END_DECLS
