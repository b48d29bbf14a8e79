/* core/ops/adit-product.h - SPDX-License-Identifier: MIT */

/* The matrix product that kernels are made of. */

#pragma once

#include "adit-kernel.h"

/**
 * Product: out[m][j] = sum over k of a[m * a_line + k * a_step] b[k * b_step + j * b_column], and
 * what is done to it before it is stored.
 * @b_column: 0 is 1; only large products take others
 * @out_line: numbers from one line of the result to the next; 0: @columns; only large products take
 * others, with nothing but the product to store
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
    gsize b_step, b_column, readable;
    real *out;
    gsize out_line;
    const real *addend;
    gsize addend_step;
    const real *further;
    const real *collect;
    real *total;
    gboolean relu;
    gboolean accumulate;
} Product;

/* Whether a product is better off cut into blocks: there is enough to do with what is put together,
 * and lines lie so far apart that as they are they would push each other out of the caches. The
 * same whether b is transposed or not. */
ADIT_ALWAYS_INLINE gboolean
product_is_large(const Product *t)
{
    return t->lines >= 64 && t->columns >= 32 && t->depth >= 64 &&
           MAX(MAX(t->a_line, t->a_step), t->columns) * sizeof(real) >= 4096;
}

/* The product in blocks: of b so much as stays in the second cache, put together as it is read. The
 * same sums in the same order as everywhere else. Takes the thread's further scratch memory. */
void ADIT_KERNEL(large_product)(const Product *t);

/* The product with a's lines, a_step 1, or across them, a_line 1. */
void ADIT_KERNEL(multiply)(const Product *t, gboolean across);

/* The former, of few lines of b of one vector. FALSE: nothing is done, it is another product. */
gboolean ADIT_KERNEL(multiply_held)(const Product *t);

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
