/* plugins/algebra/lapack.c - SPDX-License-Identifier: MIT */
#include <adit/adit-algebra.h>

#include <gmodule.h>
#include <lapacke.h>

/* Where LAPACK is OpenBLAS's, this is there. */
extern void openblas_set_num_threads(int n) __attribute__((weak));

/* The threads are ours: one decomposition in each. */
static void
stay_alone(void)
{
    if (openblas_set_num_threads != NULL)
        openblas_set_num_threads(1);
}

/* A symmetric matrix is its own transpose, so that LAPACK's columns are vectors row by row. */
static gboolean
decompose(double *matrix, gsize n, double *values, gboolean want_vectors)
{
    stay_alone();
    return LAPACKE_dsyevd(LAPACK_COL_MAJOR, want_vectors ? 'V' : 'N', 'U', (lapack_int) n, matrix,
                          (lapack_int) n, values) == 0;
}

/* By columns our matrix is its transpose, right' diag(values) left'. */
static gboolean
decompose_singular(double *matrix, gsize rows, gsize columns, double *values, double *left,
                   double *right)
{
    lapack_int m = (lapack_int) columns, n = (lapack_int) rows, k = MIN(m, n);
    double nothing = 0;

    stay_alone();
    return LAPACKE_dgesdd(LAPACK_COL_MAJOR, left != NULL ? 'S' : 'N', m, n, matrix, m, values,
                          left != NULL ? right : &nothing, m, left != NULL ? left : &nothing,
                          left != NULL ? k : 1) == 0;
}

G_MODULE_EXPORT extern const AditAlgebra adit_algebra;
const AditAlgebra adit_algebra = {
    .version = ADIT_ALGEBRA_VERSION,
    .decompose = decompose,
    .decompose_singular = decompose_singular,
};
