/* core/ops/adit-matmul-backward.kernel.c - SPDX-License-Identifier: MIT */
#include "adit-tile.h"

/* A layer backwards: what its rectifier lets through of the gradient, and the gradients of weights
 * and bias. */

/**
 * Backward: delta = y > 0 ? dy (+ addend) : 0 for @rows rows of @columns numbers; its product with
 * the transpose of x, of @lines numbers a row, and its sum over the rows.
 * @y: (nullable): without, @delta is there and @dy is not
 * @addend: (nullable)
 */
typedef struct {
    gsize rows, columns, lines;
    const real *y, *dy, *addend, *x;
    real *delta, *weights, *bias;
    gboolean accumulate;
} Backward;

/* A vector of delta, @n numbers from @at on; stores it. */
ADIT_ALWAYS_INLINE vector
let_through(const Backward *t, gsize at, gsize n)
{
    vector dy = vector_load_some(t->dy + at, n), delta;
    bit_vector open;

    if (t->addend != NULL)
        dy += vector_load_some(t->addend + at, n);
    open = (bit_vector) (vector_load_some(t->y + at, n) > (vector){0});
    delta = (vector) ((bit_vector) dy & open);
    vector_store_some(t->delta + at, delta, n);
    return delta;
}

/* Adds what @n rows from @row on give, four or one, a constant at every call, to the sums. As
 * columns_sum() does: four rows by halves. */
ADIT_ALWAYS_INLINE void
backward_rows(Tile sum, vector *bias, const Backward *t, gsize row, gsize columns, const gsize n,
              const gsize m, const gboolean gates)
{
    const real *x = t->x + row * m;
    vector delta[4];

#pragma GCC unroll 4
    for (gsize i = 0; i < n; i++)
        delta[i] = gates ? let_through(t, (row + i) * columns, columns)
                         : vector_load_some(t->delta + (row + i) * columns, columns);
    *bias += n == 4 ? (delta[0] + delta[1]) + (delta[2] + delta[3]) : delta[0];
#pragma GCC unroll 4
    for (gsize i = 0; i < n; i++, x += m) {
#pragma GCC unroll 16
        for (gsize k = 0; k < m; k++)
            sum[k][0] = VECTOR_FMA(vector_fill(x[k]), delta[i], sum[k][0]);
    }
}

/* Rows of one vector: delta goes from registers into all sums. @columns, if it is LANES, @m,
 * t->lines, and @gates, whether there is a y, are constants at every call. */
ADIT_ALWAYS_INLINE void
backward_tile(const Backward *t, gsize columns, const gsize m, const gboolean gates)
{
    Tile sum = {0};
    gsize row = 0;
    vector bias = {0};

    if (t->accumulate) {
        begin(sum, t->weights, columns, columns, m, 1);
        bias = vector_load_some(t->bias, columns);
    }
    for (; row + 4 <= t->rows; row += 4)
        backward_rows(sum, &bias, t, row, columns, 4, m, gates);
    for (; row < t->rows; row++)
        backward_rows(sum, &bias, t, row, columns, 1, m, gates);
    finish(sum, t->weights, columns, columns, m, 1);
    vector_store_some(t->bias, bias, columns);
}

typedef void (*RunBackward)(const Backward *t);

#define BACKWARD(v, m)                                                                             \
    static void backward_##m(const Backward *t)                                                    \
    {                                                                                              \
        if (t->columns == LANES && t->y != NULL)                                                   \
            backward_tile(t, LANES, m, TRUE);                                                      \
        else if (t->columns == LANES)                                                              \
            backward_tile(t, LANES, m, FALSE);                                                     \
        else if (t->y != NULL)                                                                     \
            backward_tile(t, t->columns, m, TRUE);                                                 \
        else                                                                                       \
            backward_tile(t, t->columns, m, FALSE);                                                \
    }
#define BACKWARD_ENTRY(v, m) [m] = backward_##m,
#if defined __AVX512F__ || defined __aarch64__
#define BACKWARDS(f) ALL_16(f, 1)
#else
#define BACKWARDS(f) ALL_8(f, 1)
#endif
BACKWARDS(BACKWARD)

/* Any size: first delta, then its sums. */
static void
run_large_backward(const Backward *t)
{
    gsize columns = t->columns;
    Product product = {.lines = t->lines,
                       .columns = columns,
                       .depth = t->rows,
                       .a = t->x,
                       .a_line = 1,
                       .a_step = t->lines,
                       .b = t->delta,
                       .b_step = columns,
                       .readable = t->rows * columns,
                       .out = t->weights,
                       .accumulate = t->accumulate};

    for (gsize at = 0; t->y != NULL && at < t->rows * columns; at += LANES)
        let_through(t, at, MIN(LANES, t->rows * columns - at));
    columns_sum(t->rows, columns, columns, t->delta, t->bias, t->accumulate);
    ADIT_KERNEL(multiply)(&product, TRUE);
}

static void
run_backward(const Backward *t)
{
    static const RunBackward sizes[MAX_LINES + 1] = {BACKWARDS(BACKWARD_ENTRY)};

    if (t->columns <= LANES && t->lines <= MAX_LINES && sizes[t->lines] != NULL)
        sizes[t->lines](t);
    else
        run_large_backward(t);
}

/* Inputs: y, x, dy and perhaps an addend, all with rows; results: delta, and over rows the
 * gradients of weights and bias. */
void
ADIT_KERNEL(relu_backward)(const AditKernelCall *call)
{
    const AditView *results = &call->inputs[call->n_inputs];
    Backward backward = {.rows = call->rows,
                         .columns = call->output.count,
                         .lines = call->inputs[1].count,
                         .y = call->inputs[0].data,
                         .dy = call->inputs[2].data,
                         .addend = call->n_inputs > 3 ? call->inputs[3].data : NULL,
                         .x = call->inputs[1].data,
                         .delta = call->output.data,
                         .weights = results[0].data,
                         .bias = results[1].data,
                         .accumulate = call->accumulate};

    if (call->pitch != 0)
        ADIT_KERNEL(pitched_relu_backward)(call);
    else
        run_backward(&backward);
}

/* Inputs: x and delta, both with rows; results: the gradients of weights and bias. */
void
ADIT_KERNEL(matmul_rows_sum)(const AditKernelCall *call)
{
    run_backward(&(Backward){.rows = call->rows,
                             .columns = call->inputs[1].count,
                             .lines = call->inputs[0].count,
                             .x = call->inputs[0].data,
                             .delta = call->inputs[1].data,
                             .weights = call->output.data,
                             .bias = call->inputs[call->n_inputs].data,
                             .accumulate = call->accumulate});
}
