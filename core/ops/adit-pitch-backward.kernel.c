/* core/ops/adit-pitch-backward.kernel.c - SPDX-License-Identifier: MIT */
#include "adit-kernel.h"

/* A thin layer backwards: LANES rows at a time go from the gradient of its output to that of its
 * input through registers, and leave what they add to the gradients of weights and bias there. */

/* Layers as wide as this have room for all sums in registers, or nearly. */
#define MAX_WIDTH 4

/**
 * Backward: delta = y > 0 ? dy (+ addend) : 0; its products with x, its sum over the rows, and dx,
 * its product with the transpose of w, [@x_features][@features].
 * @addend, @delta, @dx: (nullable); dx may lie where anything that is read does
 */
typedef struct {
    gsize rows, pitch, features, x_features;
    const real *y, *dy, *addend, *x, *w;
    real *delta, *dx, *weights, *bias;
    gboolean accumulate;
} Backward;

/* A vector of delta, @some numbers from @at on, and 0 behind them. */
ADIT_ALWAYS_INLINE vector
let_through(const Backward *t, gsize at, gsize some, gboolean adds)
{
    vector dy = vector_load_some(t->dy + at, some);
    bit_vector open = (bit_vector) (vector_load_some(t->y + at, some) > (vector){0});

    if (adds)
        dy += vector_load_some(t->addend + at, some);
    return (vector) ((bit_vector) dy & open);
}

/* Sums are those of the single kernels (adit-pitch.kernel.c): of ADIT_PITCHED_ROWS rows together,
 * their vectors in order, then each vector's numbers by halves; and these in order. */

/* ---- a layer of few features, as many before as behind it ---- */

#define N_SUMS(width)  ((width) * ((width) + 1))
#define MAX_SUMS       N_SUMS(MAX_WIDTH)
#define SUM_VECTORS(n) (((n) + LANES - 1) / LANES)
#define ROOM_OF_SUMS   ((MAX_SUMS + 2 * LANES - 1) / LANES * LANES)

/* LANES rows, @some of which there are, from @at on: to @sum go weights', then the bias's. */
ADIT_ALWAYS_INLINE void
narrow_rows(const Backward *t, vector *sum, const vector *w, gsize at, gsize some, gboolean adds,
            gboolean multiplies, const gsize n)
{
    gsize pitch = t->pitch;
    vector delta[MAX_WIDTH], x[MAX_WIDTH];

#pragma GCC unroll 4
    for (gsize j = 0; j < n; j++) {
        delta[j] = let_through(t, j * pitch + at, some, adds);
        x[j] = vector_load_some(t->x + j * pitch + at, some);
        sum[n * n + j] += delta[j];
    }
#pragma GCC unroll 4
    for (gsize i = 0; i < n; i++) {
        vector product = {0};

#pragma GCC unroll 4
        for (gsize j = 0; j < n; j++) {
            sum[i * n + j] = VECTOR_FMA(x[i], delta[j], sum[i * n + j]);
            product = VECTOR_FMA(w[i * n + j], delta[j], product);
        }
        vector_store((multiplies ? t->dx : t->delta) + i * pitch + at,
                     multiplies ? product : delta[i]);
    }
}

/* Joins the sums' numbers and adds them to the results, or they become them. */
ADIT_ALWAYS_INLINE void
narrow_finish(const Backward *t, vector *sum, gboolean accumulate, const gsize n)
{
    real numbers[ROOM_OF_SUMS] __attribute__((aligned(64)));

#pragma GCC unroll 12
    for (gsize i = 0; i < SUM_VECTORS(N_SUMS(n)); i++)
        vector_store(numbers + i * LANES, vector_sums(sum + i * LANES));
    for (gsize i = 0; i < n * n; i++)
        t->weights[i] = accumulate ? numbers[i] + t->weights[i] : numbers[i];
    for (gsize j = 0; j < n; j++)
        t->bias[j] = accumulate ? numbers[n * n + j] + t->bias[j] : numbers[n * n + j];
}

/* @n features on both sides. It is a constant at every call, and so is whether there is an addend
 * and whether delta goes to memory or on to dx. */
ADIT_ALWAYS_INLINE void
run_narrow(const Backward *given, gboolean adds, gboolean multiplies, const gsize n)
{
    const Backward t = *given;
    vector w[MAX_WIDTH * MAX_WIDTH];

#pragma GCC unroll 16
    for (gsize i = 0; i < n * n; i++)
        w[i] = multiplies ? vector_fill(t.w[i]) : (vector){0};
    for (gsize first = 0; first < t.rows; first += ADIT_PITCHED_ROWS) {
        gsize end = MIN(first + ADIT_PITCHED_ROWS, t.rows), at = first;
        vector sum[ROOM_OF_SUMS] = {0};

        for (; at + LANES <= end; at += LANES)
            narrow_rows(&t, sum, w, at, LANES, adds, multiplies, n);
        if (at < end)
            narrow_rows(&t, sum, w, at, end - at, adds, multiplies, n);
        narrow_finish(&t, sum, t.accumulate || first > 0, n);
    }
}

typedef void (*RunNarrow)(const Backward *t);

#define NARROW(n)                                                                                  \
    static void narrow_##n(const Backward *t)                                                      \
    {                                                                                              \
        if (t->addend != NULL && t->dx != NULL)                                                    \
            run_narrow(t, TRUE, TRUE, n);                                                          \
        else if (t->dx != NULL)                                                                    \
            run_narrow(t, FALSE, TRUE, n);                                                         \
        else if (t->addend != NULL)                                                                \
            run_narrow(t, TRUE, FALSE, n);                                                         \
        else                                                                                       \
            run_narrow(t, FALSE, FALSE, n);                                                        \
    }
NARROW(1)
NARROW(2)
NARROW(3)
NARROW(4)

/* ---- any layer ---- */

/* The line of delta that begins at @line, of @rows rows, goes to memory; returns what its sum is to
 * be joined of. */
ADIT_ALWAYS_INLINE vector
delta_line(const Backward *t, gsize line, gsize rows, gboolean adds)
{
    vector sum = {0}, delta;
    gsize at = line, end = line + rows;

    for (; at + LANES <= end; at += LANES) {
        delta = let_through(t, at, LANES, adds);
        vector_store(t->delta + at, delta);
        sum += delta;
    }
    if (at < end) {
        delta = let_through(t, at, end - at, adds);
        vector_store(t->delta + at, delta);
        sum += delta;
    }
    return sum;
}

/* Joins what @sums of @n features from @j on hold, and adds them to the bias's gradient, unless
 * rows from @first on are the first: or they become it. */
ADIT_ALWAYS_INLINE void
join_bias(const Backward *t, vector *sums, gsize j, gsize n, gsize first)
{
    vector sum = vector_sums(sums);

    if (t->accumulate || first > 0)
        sum += vector_load_some(t->bias + j, n);
    vector_store_some(t->bias + j, sum, n);
}

/* Delta to memory and its sum over the rows to the bias. */
ADIT_ALWAYS_INLINE void
run_delta(const Backward *given, gboolean adds)
{
    const Backward t = *given;

    for (gsize first = 0; first < t.rows; first += ADIT_PITCHED_ROWS) {
        gsize rows = MIN(ADIT_PITCHED_ROWS, t.rows - first);

        for (gsize j = 0; j < t.features; j += LANES) {
            gsize some = MIN(LANES, t.features - j);
            vector sums[LANES] = {0};

            for (gsize k = 0; k < some; k++)
                sums[k] = delta_line(&t, (j + k) * t.pitch + first, rows, adds);
            join_bias(&t, sums, j, some, first);
        }
    }
}

/* The same, and the first features of dx while delta is at hand: as many at once, for as many
 * vectors of rows, as there are registers for. */
#if defined __AVX512F__ || defined __aarch64__
#define MAX_FEATURES    6
#define MAX_VECTORS     4
#define EACH_FEATURE(f) f(1) f(2) f(3) f(4) f(5) f(6)
#else
#define MAX_FEATURES    4
#define MAX_VECTORS     2
#define EACH_FEATURE(f) f(1) f(2) f(3) f(4)
#endif
/* Layers this wide have room for what is to be joined for the bias. */
#define MAX_OPEN 32

/* @v vectors of rows from @at on, the last of them of @some rows. */
ADIT_ALWAYS_INLINE void
open_tile(const Backward *t, gsize at, gsize some, vector *sums, gboolean adds, const gsize m,
          const gsize v)
{
    vector dx[MAX_FEATURES][MAX_VECTORS] = {0};

    for (gsize k = 0; k < t->features; k++) {
        gsize line = k * t->pitch + at;
        vector delta[MAX_VECTORS], sum = sums[k];

#pragma GCC unroll 4
        for (gsize j = 0; j < v; j++, line += LANES) {
            delta[j] = let_through(t, line, some, adds);
            vector_store(t->delta + line, delta[j]);
            sum += delta[j];
        }
        sums[k] = sum;
#pragma GCC unroll 6
        for (gsize i = 0; i < m; i++) {
            vector w = vector_fill(t->w[i * t->features + k]);

#pragma GCC unroll 4
            for (gsize j = 0; j < v; j++)
                dx[i][j] = VECTOR_FMA(w, delta[j], dx[i][j]);
        }
    }
#pragma GCC unroll 6
    for (gsize i = 0; i < m; i++) {
#pragma GCC unroll 4
        for (gsize j = 0; j < v; j++)
            vector_store(t->dx + i * t->pitch + at + j * LANES, dx[i][j]);
    }
}

ADIT_ALWAYS_INLINE void
run_open(const Backward *given, gboolean adds, const gsize m)
{
    const Backward t = *given;

    for (gsize first = 0; first < t.rows; first += ADIT_PITCHED_ROWS) {
        gsize end = MIN(first + ADIT_PITCHED_ROWS, t.rows), at = first;
        vector sums[MAX_OPEN];

        for (gsize k = 0; k < (t.features + LANES - 1) / LANES * LANES; k++)
            sums[k] = (vector){0};
        for (; at + MAX_VECTORS * LANES <= end; at += MAX_VECTORS * LANES)
            open_tile(&t, at, LANES, sums, adds, m, MAX_VECTORS);
        for (; at + LANES <= end; at += LANES)
            open_tile(&t, at, LANES, sums, adds, m, 1);
        if (at < end)
            open_tile(&t, at, end - at, sums, adds, m, 1);
        for (gsize j = 0; j < t.features; j += LANES)
            join_bias(&t, sums + j, j, MIN(LANES, t.features - j), first);
    }
}

typedef void (*RunOpen)(const Backward *t);

#define OPEN(m)                                                                                    \
    static void open_##m(const Backward *t)                                                        \
    {                                                                                              \
        if (t->addend != NULL)                                                                     \
            run_open(t, TRUE, m);                                                                  \
        else                                                                                       \
            run_open(t, FALSE, m);                                                                 \
    }
#define OPEN_ENTRY(m) [m] = open_##m,
EACH_FEATURE(OPEN)

/* Whether dx lies where x does, which the weights' gradients are still to read. */
static gboolean
covers_x(const Backward *t)
{
    gsize length = t->x_features * t->pitch;

    return t->dx < t->x + length && t->x < t->dx + length;
}

/* Delta and what goes with it; returns how many features of dx that are. */
static gsize
open(const Backward *t)
{
    static const RunOpen run[MAX_FEATURES + 1] = {EACH_FEATURE(OPEN_ENTRY)};
    gsize tiles = (t->x_features + MAX_FEATURES - 1) / MAX_FEATURES;
    gsize m = (t->x_features + tiles - 1) / tiles;

    if (t->dx != NULL && t->features <= MAX_OPEN && !covers_x(t)) {
        run[m](t);
        return m;
    }
    if (t->addend != NULL)
        run_delta(t, TRUE);
    else
        run_delta(t, FALSE);
    return 0;
}

/* The products of delta, each as by itself. */
static void
run_any(const Backward *t, const AditKernelCall *call)
{
    static const AditMatmulAttributes transposed = {.transpose_b = TRUE};
    AditKernelCall next = *call;
    gsize done = open(t);

    next.n_inputs = 2;
    next.inputs[0] = call->inputs[1];
    next.inputs[1] = (AditView){t->delta, TRUE, call->inputs[0].shape, t->features};
    next.output = call->inputs[call->n_inputs];
    ADIT_KERNEL(pitched_matmul_rows)(&next);
    if (t->dx == NULL || done == t->x_features)
        return;
    next.attributes = &transposed;
    next.inputs[0] = next.inputs[1];
    next.inputs[1] = call->inputs[2];
    next.inputs[1].data = (real *) call->inputs[2].data + done * t->features;
    next.inputs[1].shape.size[0] -= done;
    next.output = call->output;
    next.output.data = (real *) call->output.data + done * t->pitch;
    next.output.count -= done;
    ADIT_KERNEL(pitched_matmul)(&next, FALSE);
}

static void
run(Backward *t, const AditKernelCall *call)
{
    static const RunNarrow narrow[MAX_WIDTH + 1] = {NULL, narrow_1, narrow_2, narrow_3, narrow_4};

    if (t->features == t->x_features && t->features <= MAX_WIDTH) {
        narrow[t->features](t);
        return;
    }
    if (t->delta == NULL)
        t->delta = adit_scratch_get(t->features * t->pitch * sizeof(real));
    run_any(t, call);
}

/* The gradient of the output is input @dy; an addend may follow it. */
ADIT_ALWAYS_INLINE Backward
backward_init(const AditKernelCall *call, guint dy)
{
    const AditView *results = &call->inputs[call->n_inputs];

    return (Backward){.rows = call->rows,
                      .pitch = call->pitch,
                      .features = call->inputs[0].count,
                      .x_features = call->inputs[1].count,
                      .y = call->inputs[0].data,
                      .dy = call->inputs[dy].data,
                      .addend = call->n_inputs > dy + 1 ? call->inputs[dy + 1].data : NULL,
                      .x = call->inputs[1].data,
                      .weights = results[0].data,
                      .bias = results[1].data,
                      .accumulate = call->accumulate};
}

void
ADIT_KERNEL(pitched_relu_backward)(const AditKernelCall *call)
{
    Backward backward = backward_init(call, 2);

    backward.delta = call->output.data;
    run(&backward, call);
}

/* Inputs: y, x, weights, dy and perhaps an addend, all with rows but the weights; results: dx, and
 * over rows the gradients of weights and bias. */
void
ADIT_KERNEL(relu_backward_matmul)(const AditKernelCall *call)
{
    Backward backward = backward_init(call, 3);

    backward.w = call->inputs[2].data;
    backward.dx = call->output.data;
    run(&backward, call);
}
