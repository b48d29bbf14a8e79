/* core/ops/adit-matmul.kernel.c - SPDX-License-Identifier: MIT */
#include "adit-kernel.h"

/* Both products keep a tile of the result in registers: up to TILE_ROWS rows of one or, where there
 * are 32 registers, two vectors. An element is the sum of its products in order, each added by one
 * fused multiply-add, whatever tile it lies in. */
#define TILE_ROWS 8
#if defined __AVX512F__ || defined __aarch64__
#define WIDE_TILES 1
#else
#define WIDE_TILES 0
#endif

/**
 * Product: out[m][j] = sum over k of a[m * a_row + k * a_step] b[k * b_step + j].
 */
typedef struct {
    gsize rows, columns, depth;
    const real *a;
    gsize a_row, a_step;
    const real *b;
    gsize b_step;
    real *out;
} Product;

/* The tile of @m x @v vectors at row @row and column @column; @m and @v are constants at every
 * call. */
ADIT_ALWAYS_INLINE void
tile(const Product *t, gsize row, gsize column, const gsize m, const gsize v)
{
    vector sum[TILE_ROWS][2];
    const real *a = t->a + row * t->a_row;
    const real *b = t->b + column;

#pragma GCC unroll 8
    for (gsize i = 0; i < m; i++) {
#pragma GCC unroll 2
        for (gsize j = 0; j < v; j++)
            sum[i][j] = (vector){0};
    }
    for (gsize k = 0; k < t->depth; k++) {
        vector right[2];

#pragma GCC unroll 2
        for (gsize j = 0; j < v; j++)
            right[j] = vector_load(b + k * t->b_step + j * LANES);
#pragma GCC unroll 8
        for (gsize i = 0; i < m; i++) {
            vector left = vector_fill(a[i * t->a_row + k * t->a_step]);

#pragma GCC unroll 2
            for (gsize j = 0; j < v; j++)
                sum[i][j] = VECTOR_FMA(left, right[j], sum[i][j]);
        }
    }
#pragma GCC unroll 8
    for (gsize i = 0; i < m; i++) {
        real *out = t->out + (row + i) * t->columns + column;

#pragma GCC unroll 2
        for (gsize j = 0; j < v; j++) {
            gsize left = t->columns - column - j * LANES;

            if (left >= LANES)
                vector_store(out + j * LANES, sum[i][j]);
            else
                vector_store_part(out + j * LANES, sum[i][j], left);
        }
    }
}

/* All rows of the columns from @column on, @v vectors wide. */
ADIT_ALWAYS_INLINE void
band(const Product *t, gsize column, const gsize v)
{
    gsize row = 0;

    for (; row + TILE_ROWS <= t->rows; row += TILE_ROWS)
        tile(t, row, column, TILE_ROWS, v);
    if (t->rows - row >= 4) {
        tile(t, row, column, 4, v);
        row += 4;
    }
    if (t->rows - row >= 2) {
        tile(t, row, column, 2, v);
        row += 2;
    }
    if (t->rows > row)
        tile(t, row, column, 1, v);
}

static void
band_narrow(const Product *t, gsize column)
{
    band(t, column, 1);
}

#if WIDE_TILES
static void
band_wide(const Product *t, gsize column)
{
    band(t, column, 2);
}
#endif

/* b's rows can be read up to the next full vector. */
static void
multiply(const Product *t)
{
    gsize column = 0;

#if WIDE_TILES
    for (; column + LANES < t->columns; column += 2 * LANES)
        band_wide(t, column);
#endif
    for (; column < t->columns; column += LANES)
        band_narrow(t, column);
}

/* b or its transpose as [k][columns padded to a vector] in scratch memory. */
static real *
pack(const real *b, gsize depth, gsize columns, gsize padded, gboolean transposed)
{
    real *packed = adit_scratch_get(depth * padded * sizeof(real));

    for (gsize k = 0; k < depth; k++) {
        real *restrict to = packed + k * padded;
        const real *restrict from = transposed ? b + k : b + k * columns;
        gsize step = transposed ? depth : 1;

        for (gsize j = 0; j < columns; j++)
            to[j] = from[j * step];
        for (gsize j = columns; j < padded; j++)
            to[j] = 0;
    }
    return packed;
}

void
ADIT_KERNEL(matmul)(const AditKernelCall *call)
{
    const AditMatmulAttributes *attributes = call->attributes;
    const AditShape *a = &call->inputs[0].shape;
    const AditShape *b = &call->inputs[1].shape;
    gsize depth = a->size[a->rank - 1];
    gsize columns = b->size[attributes->transpose_b ? 0 : 1];
    gsize padded = (columns + LANES - 1) / LANES * LANES;
    Product product = {.rows = call_count(call) / columns,
                       .columns = columns,
                       .depth = depth,
                       .a = call->inputs[0].data,
                       .a_row = depth,
                       .a_step = 1,
                       .b = call->inputs[1].data,
                       .b_step = padded,
                       .out = call->output.data};

    if (attributes->transpose_b || padded != columns)
        product.b = pack(product.b, depth, columns, padded, attributes->transpose_b);
    multiply(&product);
}

/* The sum over r of a[r][i] b[r][j]: the product of a's transpose with b. */
void
ADIT_KERNEL(matmul_rows)(const AditKernelCall *call)
{
    gsize rows = call->output.shape.size[0];
    gsize columns = call->output.shape.size[1];
    gsize padded = (columns + LANES - 1) / LANES * LANES;
    const AditView *a = &call->inputs[0];
    gsize depth = (a->rows ? call->rows : 1) * a->count / rows;
    Product product = {.rows = rows,
                       .columns = columns,
                       .depth = depth,
                       .a = a->data,
                       .a_row = 1,
                       .a_step = rows,
                       .b = call->inputs[1].data,
                       .b_step = padded,
                       .out = call->output.data};

    if (padded != columns)
        product.b = pack(product.b, depth, columns, padded, FALSE);
    multiply(&product);
}
