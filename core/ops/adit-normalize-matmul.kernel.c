/* core/ops/adit-normalize-matmul.kernel.c - SPDX-License-Identifier: MIT */
#include "adit-channels.h"

/* A layer behind a normalisation over the batch and a rectifier, forwards and backwards. Where a
 * row is one vector, what lies between the operations stays in registers; else they run one after
 * the other. Either way each does the arithmetic that it does by itself. */

/* Whether a row of what is normalised is a line of channels, and no more than a vector, as is one
 * of the product with @other numbers. */
ADIT_ALWAYS_INLINE gboolean
is_narrow(const AditChannelAttributes *channels, gsize count, gsize other)
{
    return channels->inner == 1 && channels->size == count && count <= LANES && other <= LANES;
}

/* Sums of products of @m lines of @a, @depth numbers each, with lines of @b: an element is the sum
 * of its products in order, each added by one fused multiply-add, as in any product. */
ADIT_ALWAYS_INLINE void
multiply_lines(const real *a, const vector *b, vector *sum, gsize depth, const gsize m)
{
#pragma GCC unroll 4
    for (gsize i = 0; i < m; i++)
        sum[i] = (vector){0};
#pragma GCC unroll 16
    for (gsize k = 0; k < depth; k++) {
#pragma GCC unroll 4
        for (gsize i = 0; i < m; i++)
            sum[i] = VECTOR_FMA(vector_fill(a[i * depth + k]), b[k], sum[i]);
    }
}

ADIT_ALWAYS_INLINE void
load_lines(const real *from, gsize lines, gsize columns, vector *to)
{
#pragma GCC unroll 16
    for (gsize k = 0; k < lines; k++)
        to[k] = vector_load_some(from + k * columns, columns);
}

/* Rows of what a deep network keeps that are fetched ahead: it lies beyond the second cache. */
#define ROWS_AHEAD 32

/* Four rows of @count numbers that will be read or written, ahead of @row. */
ADIT_ALWAYS_INLINE void
fetch_ahead(const real *from, gsize row, gsize count)
{
#pragma GCC unroll 4
    for (gsize i = 0; i < 4; i++)
        __builtin_prefetch(from + (row + ROWS_AHEAD + i) * count);
}

/* ---- forwards ---- */

/**
 * Layer: out = relu((x - centre) factor + shift) b + bias (+ further), of rows of @depth numbers.
 * @further: (nullable)
 */
typedef struct {
    gsize rows;
    const real *x, *b, *bias, *further;
    vector centre, factor, shift;
    real *out;
} Layer;

/* @n rectified rows from @row on, where a product finds them. */
ADIT_ALWAYS_INLINE void
normalize_lines(const Layer *t, gsize row, gsize depth, real *to, const gsize n)
{
#pragma GCC unroll 4
    for (gsize i = 0; i < n; i++) {
        vector x = vector_load_some(t->x + (row + i) * depth, depth);

        vector_store(to + i * depth, vector_relu((x - t->centre) * t->factor + t->shift));
    }
}

ADIT_ALWAYS_INLINE void
layer_lines(const Layer *t, const real *a, const vector *b, vector bias, gsize row, gsize depth,
            gsize columns, const gsize n)
{
    vector sum[4];

    multiply_lines(a, b, sum, depth, n);
#pragma GCC unroll 4
    for (gsize i = 0; i < n; i++) {
        gsize at = (row + i) * columns;

        sum[i] += bias;
        if (t->further != NULL)
            sum[i] += vector_load_some(t->further + at, columns);
        vector_store_some(t->out + at, sum[i], columns);
    }
}

/* Rows by fours, which are normalised while the four before are multiplied. @depth and @columns are
 * constants at the call that matters. */
ADIT_ALWAYS_INLINE void
run_layer(const Layer *given, gsize depth, gsize columns)
{
    const Layer t = *given; /* stores cannot change it */
    real lines[2][5 * LANES] __attribute__((aligned(64)));
    vector b[LANES], bias = vector_load_some(t.bias, columns);
    gsize row = 0;

    load_lines(t.b, depth, columns, b);
    if (t.rows >= 4)
        normalize_lines(&t, 0, depth, lines[0], 4);
    for (; row + 8 <= t.rows; row += 4) {
        fetch_ahead(t.out, row, columns);
        normalize_lines(&t, row + 4, depth, lines[row / 4 % 2 ^ 1], 4);
        layer_lines(&t, lines[row / 4 % 2], b, bias, row, depth, columns, 4);
    }
    if (row + 4 <= t.rows) {
        layer_lines(&t, lines[row / 4 % 2], b, bias, row, depth, columns, 4);
        row += 4;
    }
    for (; row < t.rows; row++) {
        normalize_lines(&t, row, depth, lines[0], 1);
        layer_lines(&t, lines[0], b, bias, row, depth, columns, 1);
    }
}

/* What the single kernels are called with: @n of the inputs from @first on. */
ADIT_ALWAYS_INLINE AditKernelCall
part_of(const AditKernelCall *call, guint first, guint n, const void *attributes)
{
    AditKernelCall part = *call;

    part.attributes = attributes;
    part.n_inputs = n;
    memcpy(part.inputs, call->inputs + first, n * sizeof *part.inputs);
    return part;
}

static const AditMatmulAttributes plain = {.transpose_b = FALSE};

/* Inputs: x, moments, scale, shift, weights, bias, and perhaps a further addend, with rows.
 * Results: the layer's, and memory for what is multiplied, which may be left as it was. */
void
ADIT_KERNEL(normalize_relu_matmul_add)(const AditKernelCall *call)
{
    const AditChannelAttributes *channels = call->attributes;
    const AditView *in = call->inputs;
    gsize depth = in[0].count, columns = call->output.count;

    if (!is_narrow(channels, depth, columns)) {
        AditKernelCall part = part_of(call, 0, 4, channels);

        part.output = in[call->n_inputs];
        ADIT_KERNEL(normalize_relu)(&part);
        part = part_of(call, 3, call->n_inputs - 3, &plain);
        part.inputs[0] = in[call->n_inputs];
        ADIT_KERNEL(matmul_add)(&part);
        return;
    }
    Layer layer = {.rows = call->rows,
                   .x = in[0].data,
                   .b = in[4].data,
                   .bias = in[5].data,
                   .further = call->n_inputs > 6 ? in[6].data : NULL,
                   .centre = vector_load_some(in[1].data, depth),
                   .factor = channel_factors(in[1].data, in[2].data, channels),
                   .shift = vector_load_some(in[3].data, depth),
                   .out = call->output.data};

    if (depth == LANES && columns == LANES)
        run_layer(&layer, LANES, LANES);
    else
        run_layer(&layer, depth, columns);
}

/* ---- gradients of weights and bias ---- */

/**
 * Weights: the products with @delta of what a layer was fed, normalised and rectified @lines, and
 * the sum of delta over the rows.
 * @layer: what the lines are made of
 */
typedef struct {
    Layer layer;
    const real *delta;
    real *lines, *weights, *bias;
    gboolean accumulate;
} Weights;

/* As matmul-rows-sum does: four rows' delta by halves, or one. */
ADIT_ALWAYS_INLINE void
add_rows(const real *lines, const real *from, vector *sum, vector *bias, gsize columns,
         const gsize n)
{
    vector delta[4];

#pragma GCC unroll 4
    for (gsize i = 0; i < n; i++)
        delta[i] = vector_load_some(from + i * columns, columns);
    *bias += n == 4 ? (delta[0] + delta[1]) + (delta[2] + delta[3]) : delta[0];
#pragma GCC unroll 4
    for (gsize i = 0; i < n; i++) {
#pragma GCC unroll 16
        for (gsize k = 0; k < LANES; k++)
            sum[k] = VECTOR_FMA(vector_fill(lines[i * LANES + k]), delta[i], sum[k]);
    }
}

/* Lines of a whole vector, four of them normalised while the four before are multiplied. @columns
 * is a constant at the call that matters. */
ADIT_ALWAYS_INLINE void
run_weights(const Weights *given, gsize columns)
{
    const Weights t = *given; /* stores cannot change it */
    vector sum[LANES], bias = t.accumulate ? vector_load_some(t.bias, columns) : (vector){0};
    gsize row = 0, rows = t.layer.rows;

#pragma GCC unroll 16
    for (gsize k = 0; k < LANES; k++)
        sum[k] = t.accumulate ? vector_load_some(t.weights + k * columns, columns) : (vector){0};
    if (rows >= 4)
        normalize_lines(&t.layer, 0, LANES, t.lines, 4);
    for (; row + 4 <= rows; row += 4) {
        fetch_ahead(t.layer.x, row, LANES);
        if (row + 8 <= rows)
            normalize_lines(&t.layer, row + 4, LANES, t.lines + (row + 4) * LANES, 4);
        add_rows(t.lines + row * LANES, t.delta + row * columns, sum, &bias, columns, 4);
    }
    for (; row < rows; row++) {
        normalize_lines(&t.layer, row, LANES, t.lines + row * LANES, 1);
        add_rows(t.lines + row * LANES, t.delta + row * columns, sum, &bias, columns, 1);
    }
#pragma GCC unroll 16
    for (gsize k = 0; k < LANES; k++)
        vector_store_some(t.weights + k * columns, sum[k], columns);
    vector_store_some(t.bias, bias, columns);
}

/* Inputs: x, moments, scale, shift, and the gradient by the result of the layer that is fed with x,
 * normalised and rectified; results: that, and over rows the gradients of weights and bias. */
void
ADIT_KERNEL(normalize_relu_matmul_rows_sum)(const AditKernelCall *call)
{
    const AditChannelAttributes *channels = call->attributes;
    const AditView *in = call->inputs, *results = call->inputs + call->n_inputs;
    gsize depth = in[0].count, columns = in[4].count;

    if (!is_narrow(channels, depth, columns) || depth != LANES) {
        AditKernelCall part = part_of(call, 0, 4, channels);

        ADIT_KERNEL(normalize_relu)(&part);
        part = part_of(call, 3, 3, NULL);
        part.n_inputs = 2;
        part.inputs[0] = call->output;
        part.inputs[2] = results[1];
        part.output = results[0];
        ADIT_KERNEL(matmul_rows_sum)(&part);
        return;
    }
    Weights weights = {.layer = {.rows = call->rows,
                                 .x = in[0].data,
                                 .centre = vector_load_some(in[1].data, depth),
                                 .factor = channel_factors(in[1].data, in[2].data, channels),
                                 .shift = vector_load_some(in[3].data, depth)},
                       .delta = in[4].data,
                       .lines = call->output.data,
                       .weights = results[0].data,
                       .bias = results[1].data,
                       .accumulate = call->accumulate};

    if (columns == LANES)
        run_weights(&weights, LANES);
    else
        run_weights(&weights, columns);
}

/* ---- backwards ---- */

/* As backward_columns(): the gradient by the lines is their product with @b. */
ADIT_ALWAYS_INLINE void
product_lines(const Backward *t, const real *a, const vector *b, gsize row, vector *sums,
              vector mean, vector factor, gsize depth, gsize columns, const gsize n)
{
    vector dy[4];

    multiply_lines(a + row * depth, b, dy, depth, n);
#pragma GCC unroll 4
    for (gsize i = 0; i < n; i++)
        dy[i] = let_pass(dy[i], vector_load_some(t->y + (row + i) * columns, columns));
    backward_lines(t, dy, row * columns, &sums[0], &sums[1], mean, factor, columns, n);
}

ADIT_ALWAYS_INLINE void
run_product(const Backward *given, const real *a, const real *weights, gsize depth, gsize columns)
{
    Backward t = *given; /* stores cannot change it */
    vector b[LANES], sums[2] = {{0}, {0}}, mean = vector_load_some(t.mean, columns);
    vector factor = vector_load_some(t.factor, columns);
    gsize row = 0;

    t.size = columns;
    load_lines(weights, depth, columns, b);
    for (; row + 4 <= t.lines; row += 4)
        product_lines(&t, a, b, row, sums, mean, factor, depth, columns, 4);
    for (; row < t.lines; row++)
        product_lines(&t, a, b, row, sums, mean, factor, depth, columns, 1);
    vector_store_some(t.plain, sums[0], columns);
    vector_store_some(t.weighted, sums[1], columns);
}

/* Through a layer, the rectifier before it and what that rectifies: inputs: the rectifier's y, the
 * gradient by the layer's result, the transpose of its weights, x, moments, scale, and perhaps an
 * addend; results: those of normalize-backward. */
void
ADIT_KERNEL(matmul_normalize_backward)(const AditKernelCall *call)
{
    const AditChannelAttributes *channels = call->attributes;
    const AditView *in = call->inputs;
    gsize depth = in[1].count, columns = call->output.count;
    real *sums = in[call->n_inputs].data, factors[LANES];

    if (!is_narrow(channels, columns, depth)) {
        AditKernelCall part = part_of(call, 1, 2, &plain);

        ADIT_KERNEL(matmul)(&part);
        part = part_of(call, 1, call->n_inputs, channels);
        part.n_inputs--;
        part.inputs[0] = in[0];
        part.inputs[1] = call->output;
        ADIT_KERNEL(normalize_backward)(&part);
        return;
    }
    Backward backward = {.lines = call->rows,
                         .size = columns,
                         .y = in[0].data,
                         .x = in[3].data,
                         .mean = in[4].data,
                         .factor = factors,
                         .addend = call->n_inputs > 6 ? in[6].data : NULL,
                         .plain = sums,
                         .weighted = sums + columns,
                         .out = call->output.data};

    vector_store_some(factors, channel_factors(in[4].data, in[5].data, channels), columns);
    if (depth == LANES && columns == LANES)
        run_product(&backward, in[1].data, in[2].data, LANES, LANES);
    else
        run_product(&backward, in[1].data, in[2].data, depth, columns);
    scale_sums(&backward, channels);
}
