/* core/probe/adit-algebra.c - SPDX-License-Identifier: MIT */
#include <adit/adit-algebra.h>
#include <adit/adit-error.h>

#include <math.h>
#include <string.h>

#include "adit-kernels.h"
#include "adit-library.h"

/* ---- products ---- */

/* Products are made of tiles of so many lines and columns at most, each summed by panels of so many
 * of what is summed over. */
#define TILE  512
#define PANEL 128

/**
 * Factor: one of a product, as a matrix of what is summed over times lines or columns.
 * @transposed: what is summed over are the columns of the samples
 */
typedef struct {
    const AditSamples *samples;
    gboolean transposed;
} Factor;

static gsize
get_depth(const Factor *self)
{
    return self->transposed ? self->samples->width : self->samples->rows;
}

static gsize
get_lines(const Factor *self)
{
    return self->transposed ? self->samples->rows : self->samples->width;
}

static double
get_number(const AditSamples *self, gsize row, gsize column)
{
    double value = (double) self->values[row * self->width + column];

    return self->mean != NULL ? value - self->mean[column] : value;
}

/* Numbers @first .. @first + @n of @depth lines from @begin on, in float64. */
static void
gather(const Factor *self, gsize begin, gsize depth, gsize first, gsize n, double *out)
{
    for (gsize i = 0; i < depth && !self->transposed; i++) {
        for (gsize j = 0; j < n; j++)
            out[i * n + j] = get_number(self->samples, begin + i, first + j);
    }
    for (gsize j = 0; j < n && self->transposed; j++) {
        for (gsize i = 0; i < depth; i++)
            out[i * n + j] = get_number(self->samples, first + j, begin + i);
    }
}

/**
 * Tile: of the product of the transpose of a with b.
 * @lines: first of a's and how many; @columns: of b's
 * @panels: room for a panel of each
 */
typedef struct {
    const Factor *a, *b;
    gsize lines[2];
    gsize columns[2];
    double *panels[2];
} Tile;

/* Writes the tile, n lines of columns. */
static void
multiply_tile(const Tile *self, double *out)
{
    AditKernel kernel = adit_kernel_find("matmul-rows", adit_isa_detect(), TRUE);
    gsize m = self->lines[1], n = self->columns[1], depth = get_depth(self->a);
    AditKernelCall call = {.n_inputs = 2,
                           .inputs = {{self->panels[0], TRUE, ADIT_SHAPE(m), m},
                                      {self->panels[1], TRUE, ADIT_SHAPE(n), n}},
                           .output = {out, FALSE, ADIT_SHAPE(m, n), m * n}};

    for (gsize begin = 0; begin < depth; begin += PANEL) {
        call.rows = MIN(PANEL, depth - begin);
        call.batch_rows = call.rows;
        call.accumulate = begin > 0;
        gather(self->a, begin, call.rows, self->lines[0], m, self->panels[0]);
        gather(self->b, begin, call.rows, self->columns[0], n, self->panels[1]);
        kernel(&call);
    }
}

typedef void (*TileFunc)(const Tile *tile, const double *values, gpointer user_data);

/* @symmetric: a is b: what lies below the diagonal's tiles is left out. */
static void
multiply(const Factor *a, const Factor *b, gboolean symmetric, TileFunc func, gpointer user_data)
{
    gsize m = get_lines(a), n = get_lines(b);
    g_autofree double *panels = g_new(double, 2 * PANEL * TILE);
    g_autofree double *values = g_new(double, TILE *TILE);
    Tile tile = {.a = a, .b = b, .panels = {panels, panels + PANEL * TILE}};

    for (gsize i = 0; i < m; i += TILE) {
        for (gsize j = symmetric ? i : 0; j < n; j += TILE) {
            tile.lines[0] = i;
            tile.lines[1] = MIN(TILE, m - i);
            tile.columns[0] = j;
            tile.columns[1] = MIN(TILE, n - j);
            memset(values, 0, tile.lines[1] * tile.columns[1] * sizeof(double));
            multiply_tile(&tile, values);
            func(&tile, values, user_data);
        }
    }
}

/**
 * Product: where tiles go.
 * @step: numbers of a line
 */
typedef struct {
    double *values;
    gsize step;
    gboolean symmetric;
    gboolean accumulate;
} Product;

static void
put(const Product *self, gsize line, gsize column, double value)
{
    double *at = &self->values[line * self->step + column];

    *at = self->accumulate ? *at + value : value;
}

static void
put_tile(const Tile *tile, const double *values, gpointer user_data)
{
    const Product *product = user_data;
    gsize i0 = tile->lines[0], j0 = tile->columns[0];

    for (gsize i = 0; i < tile->lines[1]; i++) {
        for (gsize j = 0; j < tile->columns[1]; j++) {
            double value = values[i * tile->columns[1] + j];

            put(product, i0 + i, j0 + j, value);
            if (product->symmetric && j0 != i0)
                put(product, j0 + j, i0 + i, value);
        }
    }
}

/**
 * Norm: what tiles add to.
 */
typedef struct {
    gboolean symmetric;
    double sum;
} Norm;

static void
add_tile(const Tile *tile, const double *values, gpointer user_data)
{
    Norm *norm = user_data;
    gsize n = tile->lines[1] * tile->columns[1];
    double sum = 0;

    for (gsize i = 0; i < n; i++)
        sum += values[i] * values[i];
    norm->sum += norm->symmetric && tile->lines[0] != tile->columns[0] ? 2 * sum : sum;
}

static gboolean
are_same(const AditSamples *a, const AditSamples *b)
{
    return a->values == b->values && a->mean == b->mean && a->width == b->width;
}

void
adit_samples_measure_mean(const AditSamples *self, double *mean)
{
    memset(mean, 0, self->width * sizeof(double));
    for (gsize i = 0; i < self->rows; i++) {
        for (gsize j = 0; j < self->width; j++)
            mean[j] += (double) self->values[i * self->width + j];
    }
    for (gsize j = 0; j < self->width; j++)
        mean[j] /= (double) self->rows;
}

void
adit_samples_multiply(const AditSamples *a, const AditSamples *b, double *out, gboolean accumulate)
{
    Factor left = {a, FALSE}, right = {b, FALSE};
    Product product = {out, b->width, are_same(a, b), accumulate};

    multiply(&left, &right, product.symmetric, put_tile, &product);
}

void
adit_samples_get_gram(const AditSamples *self, double *gram)
{
    Factor factor = {self, TRUE};
    Product product = {gram, self->rows, TRUE, FALSE};

    multiply(&factor, &factor, TRUE, put_tile, &product);
}

double
adit_samples_get_cross_norm(const AditSamples *a, const AditSamples *b)
{
    Factor left = {a, FALSE}, right = {b, FALSE};
    Norm norm = {are_same(a, b), 0};

    multiply(&left, &right, norm.symmetric, add_tile, &norm);
    return norm.sum;
}

/* ---- decompositions ---- */

static const AditAlgebra *
find_library(GError **error)
{
    static gsize opened = 0;
    static const AditAlgebra *library = NULL;

    if (g_once_init_enter(&opened)) {
        library = adit_library_find("algebra", "adit_algebra", ADIT_ALGEBRA_VERSION,
                                    "eigenvalues cannot be computed without it");
        g_once_init_leave(&opened, 1);
    }
    if (library == NULL)
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "eigenvalues and singular values need LAPACK, and this build of Adit has none");
    return library;
}

gboolean
adit_matrix_check(GError **error)
{
    return find_library(error) != NULL;
}

/* What is not finite makes some libraries go on for ever. */
static gboolean
check_finite(const double *matrix, gsize n, GError **error)
{
    for (gsize i = 0; i < n; i++) {
        if (isfinite(matrix[i]))
            continue;
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "a matrix to be decomposed must be finite, got %g", matrix[i]);
        return FALSE;
    }
    return TRUE;
}

static gboolean
refuse(GError **error)
{
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "the decomposition of a matrix did not converge");
    return FALSE;
}

static void
swap(double *a, double *b, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        double value = a[i];

        a[i] = b[i];
        b[i] = value;
    }
}

gboolean
adit_matrix_decompose(double *matrix, gsize n, double *values, gboolean want_vectors,
                      GError **error)
{
    const AditAlgebra *library = find_library(error);

    if (library == NULL || !check_finite(matrix, n * n, error))
        return FALSE;
    if (!library->decompose(matrix, n, values, want_vectors))
        return refuse(error);
    for (gsize i = 0; i < n / 2; i++) {
        swap(values + i, values + n - 1 - i, 1);
        if (want_vectors)
            swap(matrix + i * n, matrix + (n - 1 - i) * n, n);
    }
    return TRUE;
}

gboolean
adit_matrix_decompose_singular(double *matrix, gsize rows, gsize columns, double *values,
                               double *left, double *right, GError **error)
{
    const AditAlgebra *library = find_library(error);

    if (library == NULL || !check_finite(matrix, rows * columns, error))
        return FALSE;
    return library->decompose_singular(matrix, rows, columns, values, left, right) || refuse(error);
}
