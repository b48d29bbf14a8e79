/* core/ops/adit-product.h - SPDX-License-Identifier: MIT */

/* The matrix product that kernels are made of (adit-matmul.kernel.c). */

#pragma once

#include "adit-kernel.h"

/**
 * Product: out[m][j] = sum over k of a[m * a_line + k * a_step] b[k * b_step + j], and what is done
 * to it before it is stored.
 * @readable: numbers of b, from its first on, that may be read
 * @addend: (nullable): is added, from line to line @addend_step numbers on
 * @further: (nullable): like the result, is added after that
 * @collect, @total: (nullable): the result is added to the former, as it lies, and that left in the
 * latter
 * @accumulate: the sums go on from what the result holds; only across a's lines
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

/* The product with a's lines, a_step 1, or across them, a_line 1. */
void ADIT_KERNEL(multiply)(const Product *product, gboolean across);

/* LANES lines of @from, @step apart, as columns: @lines of them are there, of @columns numbers, the
 * others are 0. @width: numbers of each line of @to that are written; LANES or @lines. */
ADIT_ALWAYS_INLINE void
transpose_block(const real *from, gsize step, gsize lines, gsize columns, real *to, gsize to_step,
                gsize width)
{
    vector block[LANES];

#pragma GCC unroll 16
    for (gsize i = 0; i < LANES; i++)
        block[i] = i < lines ? vector_load_some(from + i * step, columns) : (vector){0};
    vector_transpose(block);
#pragma GCC unroll 16
    for (gsize i = 0; i < LANES; i++) {
        if (i < columns)
            vector_store_some(to + i * to_step, block[i], width);
    }
}
