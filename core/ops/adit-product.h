/* core/ops/adit-product.h - SPDX-License-Identifier: MIT */

/* What the kernels of matrix products share: a tile of the result that stays in registers. */

#pragma once

#include "adit-lanes.h"

/* Both products keep a tile of the result in registers: some lines of one to three vectors, as many
 * as leave room for the vectors of b. An element is the sum of its products in order, each added by
 * one fused multiply-add, whatever tile it lies in. */
#define MAX_VECTORS 3
#define MAX_LINES   16

/**
 * Product: out[m][j] = sum over k of a[m * a_line + k * a_step] b[k * b_step + j], and what is done
 * to it before it is stored.
 * @readable: numbers of b, from its first on, that may be read
 * @addend: (nullable): is added, from line to line @addend_step numbers on
 * @further: (nullable): like the result, is added after that
 * @collect, @total: (nullable): the result is added to the former, as it lies, and that left in the
 * latter
 * @accumulate: the sums go on from what the result holds
 */
typedef struct {
    gsize lines, columns, depth;
    const real *a;
    gsize a_line, a_step;
    const real *b;
    gsize b_step, readable;
    real *out;
    const real *addend;
    gsize addend_step;
    const real *further;
    const real *collect;
    real *total;
    gboolean relu;
    gboolean accumulate;
} Product;

typedef vector Tile[MAX_LINES][MAX_VECTORS];

ADIT_ALWAYS_INLINE void
begin(Tile sum, const real *out, gsize step, gsize last, const gsize m, const gsize v)
{
#pragma GCC unroll 16
    for (gsize i = 0; i < m; i++, out += step) {
#pragma GCC unroll 3
        for (gsize j = 0; j < v; j++)
            sum[i][j] = vector_load_some(out + j * LANES, j + 1 < v ? LANES : last);
    }
}

ADIT_ALWAYS_INLINE void
finish(Tile sum, real *out, gsize step, gsize last, const gsize m, const gsize v)
{
#pragma GCC unroll 16
    for (gsize i = 0; i < m; i++, out += step) {
#pragma GCC unroll 3
        for (gsize j = 0; j < v; j++)
            vector_store_some(out + j * LANES, sum[i][j], j + 1 < v ? LANES : last);
        KEEP(out);
    }
}

/* f(v, m) for every number of lines up to some. */
#define ALL_4(f, v)  f(v, 1) f(v, 2) f(v, 3) f(v, 4)
#define ALL_6(f, v)  ALL_4(f, v) f(v, 5) f(v, 6)
#define ALL_8(f, v)  ALL_6(f, v) f(v, 7) f(v, 8)
#define ALL_12(f, v) ALL_8(f, v) f(v, 9) f(v, 10) f(v, 11) f(v, 12)
#define ALL_16(f, v) ALL_12(f, v) f(v, 13) f(v, 14) f(v, 15) f(v, 16)

/* The product with a's lines, a_step 1, or across them, a_line 1. */
void ADIT_KERNEL(multiply)(const Product *t, gboolean across);

/* The former, of few lines of b of one vector. FALSE: nothing is done, it is another product. */
gboolean ADIT_KERNEL(multiply_held)(const Product *t);
