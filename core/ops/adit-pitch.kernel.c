/* core/ops/adit-pitch.kernel.c - SPDX-License-Identifier: MIT */
#include "adit-kernel.h"

/* Thin layers: operands with rows lie feature by feature, so that a vector's numbers are those of
 * LANES rows and none is lost however few features there are. */

#if defined __AVX512F__ || defined __aarch64__
#define MAX_FEATURES 6
#define MAX_VECTORS  4
#else
#define MAX_FEATURES 4
#define MAX_VECTORS  2
#endif

/**
 * Product: out[j] = sum over k of w[j * w_line + k * w_step] x[k], for every row; of out and x
 * number i begins at i * pitch.
 * @vectors: of a line, that rows fill
 * @addend: (nullable): is added: numbers, or, @addend_rows, lines like out's
 * @collect, @total: (nullable): lines like out's: the result is added to the former, and that left
 * in the latter
 */
typedef struct {
    gsize vectors, pitch, depth;
    const real *w;
    gsize w_line, w_step;
    const real *x;
    real *out;
    const real *addend;
    gboolean addend_rows;
    const real *collect;
    real *total;
    gboolean relu;
} Product;

/* @m features of @v vectors of rows; both are constants at every call. An element is the sum of its
 * products in order, each added by one fused multiply-add. */
ADIT_ALWAYS_INLINE void
product_tile(const Product *t, const real *w, const real *x, const real *addend, real *out,
             const gsize m, const gsize v)
{
    gsize at = (gsize) (out - t->out);
    vector sum[MAX_FEATURES][MAX_VECTORS] = {0};
    gsize pitch = t->pitch, w_line = t->w_line, w_step = t->w_step, three = 3 * w_line;
    const real *fours[2] = {w, w + 4 * w_line};

    KEEP(three);
    for (gsize k = t->depth; k > 0; k--, x += pitch) {
        vector right[MAX_VECTORS];

#pragma GCC unroll 4
        for (gsize j = 0; j < v; j++)
            right[j] = vector_load(x + j * LANES);
#pragma GCC unroll 6
        for (gsize i = 0; i < m; i++) {
            vector left = vector_fill(fours[i / 4][i % 4 == 3 ? three : i % 4 * w_line]);

#pragma GCC unroll 4
            for (gsize j = 0; j < v; j++)
                sum[i][j] = VECTOR_FMA(left, right[j], sum[i][j]);
        }
        fours[0] += w_step;
        fours[1] += w_step;
        KEEP(fours[0]);
        KEEP(fours[1]);
    }
#pragma GCC unroll 6
    for (gsize i = 0; i < m; i++, out += pitch) {
#pragma GCC unroll 4
        for (gsize j = 0; j < v; j++) {
            if (addend != NULL)
                sum[i][j] += t->addend_rows ? vector_load(addend + i * pitch + j * LANES)
                                            : vector_fill(addend[i]);
            if (t->relu)
                sum[i][j] = vector_relu(sum[i][j]);
            vector_store(out + j * LANES, sum[i][j]);
        }
    }
    if (t->total == NULL)
        return;
#pragma GCC unroll 6
    for (gsize i = 0; i < m; i++, at += pitch) {
#pragma GCC unroll 4
        for (gsize j = 0; j < v; j++)
            vector_store(t->total + at + j * LANES,
                         vector_load(t->collect + at + j * LANES) + sum[i][j]);
    }
}

/* @m features from @first on, of all rows. */
ADIT_ALWAYS_INLINE void
product_features(const Product *t, gsize first, const gsize m)
{
    const real *w = t->w + first * t->w_line, *x = t->x, *addend = t->addend;
    gsize addend_step = t->addend_rows ? MAX_VECTORS * LANES : 0, left = t->vectors;
    real *out = t->out + first * t->pitch;

    if (addend != NULL)
        addend += t->addend_rows ? first * t->pitch : first;
    for (; left >= MAX_VECTORS; left -= MAX_VECTORS) {
        product_tile(t, w, x, addend, out, m, MAX_VECTORS);
        x += MAX_VECTORS * LANES;
        out += MAX_VECTORS * LANES;
        if (addend != NULL)
            addend += addend_step;
    }
#if MAX_VECTORS > 2
    if (left == 3)
        product_tile(t, w, x, addend, out, m, 3);
    if (left == 2)
        product_tile(t, w, x, addend, out, m, 2);
#endif
    if (left == 1)
        product_tile(t, w, x, addend, out, m, 1);
}

typedef void (*RunFeatures)(const Product *t, gsize first);

#define FEATURES(m)                                                                                \
    static void product_features_##m(const Product *t, gsize first)                                \
    {                                                                                              \
        product_features(t, first, m);                                                             \
    }
#define FEATURES_ENTRY(m) [m] = product_features_##m,
#if MAX_FEATURES > 4
#define EACH_FEATURES(f) f(1) f(2) f(3) f(4) f(5) f(6)
#else
#define EACH_FEATURES(f) f(1) f(2) f(3) f(4)
#endif
EACH_FEATURES(FEATURES)

/* In tiles as equal as can be: those of few features would wait for each sum. */
static void
multiply(const Product *t, gsize features)
{
    static const RunFeatures run[MAX_FEATURES + 1] = {EACH_FEATURES(FEATURES_ENTRY)};
    guint left = (guint) features, n = (left + MAX_FEATURES - 1) / MAX_FEATURES;

    for (gsize first = 0; left > 0; n--) {
        guint m = n == 1 ? left : (left + n - 1) / n;

        run[m](t, first);
        first += m;
        left -= m;
    }
}

void
ADIT_KERNEL(pitched_matmul)(const AditKernelCall *call, gboolean relu)
{
    const AditMatmulAttributes *attributes = call->attributes;
    const AditShape *b = &call->inputs[1].shape;
    gsize depth = b->size[attributes->transpose_b ? 1 : 0];
    gsize features = b->size[attributes->transpose_b ? 0 : 1];
    const AditView *addend = call->n_inputs > 2 ? &call->inputs[2] : NULL;
    Product product;

    product.vectors = (call->rows + LANES - 1) / LANES;
    product.pitch = call->pitch;
    product.depth = depth;
    product.w = call->inputs[1].data;
    product.w_line = attributes->transpose_b ? depth : 1;
    product.w_step = attributes->transpose_b ? 1 : features;
    product.x = call->inputs[0].data;
    product.out = call->output.data;
    product.addend = addend != NULL ? addend->data : NULL;
    product.addend_rows = addend != NULL && addend->rows;
    product.collect = call->n_inputs > 3 ? call->inputs[3].data : NULL;
    product.total = call->n_inputs > 3 ? call->inputs[4].data : NULL;
    product.relu = relu;
    for (gsize done = 0; done < call->output.count; done += features) {
        multiply(&product, features);
        product.x += depth * call->pitch;
        product.out += features * call->pitch;
        if (product.total != NULL) {
            product.collect += features * call->pitch;
            product.total += features * call->pitch;
        }
        if (addend != NULL && addend->count > features)
            product.addend += addend->rows ? features * call->pitch : features;
    }
}

/* Sums over rows: ADIT_PITCHED_ROWS of them together, their vectors in order and then the vector's
 * numbers by halves; and these in order. So panels of so many rows can go on from one another. */

/* A tile of an outer product has as many sums as a vector has numbers: they are joined together. */
#define TILE_X MIN(LANES, 4)
#define TILE_Y (LANES / TILE_X)

/**
 * Outer: the sum over some rows of x[i] y[j] for each i and j, at out[i * y_features + j].
 * @whole: vectors that rows fill
 * @last: rows of a further one
 * @lines: pairs of x and y whose products are added up
 */
typedef struct {
    gsize pitch, whole, last, lines;
    const real *x, *y;
    gsize x_features, y_features;
    real *out;
    gboolean accumulate;
} Outer;

ADIT_ALWAYS_INLINE void
outer_add(vector *sum, const real *x, const real *y, gsize pitch, gsize some, const gsize m,
          const gsize v)
{
    vector right[TILE_Y];

#pragma GCC unroll 4
    for (gsize j = 0; j < v; j++)
        right[j] = vector_load_some(y + j * pitch, some);
#pragma GCC unroll 4
    for (gsize i = 0; i < m; i++) {
        vector left = vector_load_some(x + i * pitch, some);

#pragma GCC unroll 4
        for (gsize j = 0; j < v; j++)
            sum[i * v + j] = VECTOR_FMA(left, right[j], sum[i * v + j]);
    }
}

/* What a tile's sums are, @v numbers a line, is added to @out or becomes it. */
ADIT_ALWAYS_INLINE void
outer_finish(const Outer *t, real *out, vector sums, const gsize m, const gsize v)
{
    real numbers[LANES] __attribute__((aligned(64)));

    if (t->y_features == v) {
        if (t->accumulate)
            sums += vector_load_some(out, m * v);
        vector_store_some(out, sums, m * v);
        return;
    }
    vector_store(numbers, sums);
#pragma GCC unroll 4
    for (gsize i = 0; i < m; i++, out += t->y_features) {
#pragma GCC unroll 4
        for (gsize j = 0; j < v; j++)
            out[j] = t->accumulate ? numbers[i * v + j] + out[j] : numbers[i * v + j];
    }
}

/* What is to be joined of @m features of x from @i on by @v of y from @j on. */
ADIT_ALWAYS_INLINE void
outer_products(const Outer *t, gsize i, gsize j, vector *sum, const gsize m, const gsize v)
{
    gsize pitch = t->pitch;

    for (gsize line = 0; line < t->lines; line++) {
        const real *x = t->x + (line * t->x_features + i) * pitch;
        const real *y = t->y + (line * t->y_features + j) * pitch;

        for (gsize n = t->whole; n > 0; n--, x += LANES, y += LANES)
            outer_add(sum, x, y, pitch, LANES, m, v);
        if (t->last > 0)
            outer_add(sum, x, y, pitch, t->last, m, v);
    }
}

ADIT_ALWAYS_INLINE void
outer_tile(const Outer *t, gsize i, gsize j, const gsize m, const gsize v)
{
    vector sum[LANES] = {0};

    outer_products(t, i, j, sum, m, v);
    outer_finish(t, t->out + i * t->y_features + j, vector_sums(sum), m, v);
}

typedef void (*RunOuter)(const Outer *t, gsize i, gsize j);

#define OUTER(m, v)                                                                                \
    static void outer_##m##_##v(const Outer *t, gsize i, gsize j)                                  \
    {                                                                                              \
        outer_tile(t, i, j, MIN(m, TILE_X), MIN(v, TILE_Y));                                       \
    }
#define OUTER_ENTRY(m, v)  [m][v] = outer_##m##_##v,
#define EACH_OUTER_Y(f, m) f(m, 1) f(m, 2) f(m, 3) f(m, 4)
#define EACH_OUTER(f)      EACH_OUTER_Y(f, 1) EACH_OUTER_Y(f, 2) EACH_OUTER_Y(f, 3) EACH_OUTER_Y(f, 4)
EACH_OUTER(OUTER)

/* The last feature of x by @n of y; of the results number j goes to @out + j * @step. */
static void
outer_strip(const Outer *t, gsize n, real *out, gsize step)
{
    for (gsize j = 0; j < n; j += LANES) {
        real numbers[LANES] __attribute__((aligned(64)));
        vector sum[LANES] = {0};
        gsize some = MIN(LANES, n - j), k = 0;

        for (; k + TILE_Y <= some; k += TILE_Y)
            outer_products(t, t->x_features - 1, j + k, sum + k, 1, TILE_Y);
        for (; k < some; k++)
            outer_products(t, t->x_features - 1, j + k, sum + k, 1, 1);
        vector_store(numbers, vector_sums(sum));
        for (k = 0; k < some; k++, out += step)
            *out = t->accumulate ? numbers[k] + *out : numbers[k];
    }
}

/* Whether one feature is left over behind tiles of @tile: most of a tile would be empty. */
static gboolean
leaves_one(gsize features, gsize tile)
{
    return tile > 2 && features > 2 * tile && features % tile == 1;
}

/* All pairs of features, in tiles as equal as can be and strips of one. */
static void
outer_run(const Outer *t)
{
    static const RunOuter run[5][5] = {EACH_OUTER(OUTER_ENTRY)};
    guint x_tiled = (guint) t->x_features - leaves_one(t->x_features, TILE_X);
    guint y_tiled = (guint) t->y_features - leaves_one(t->y_features, TILE_Y);
    guint m, v, n_x = (guint) ((x_tiled + TILE_X - 1) / TILE_X);

    for (guint i = 0; i < x_tiled; i += m, n_x--) {
        guint n_y = (guint) ((y_tiled + TILE_Y - 1) / TILE_Y);

        m = (x_tiled - i + n_x - 1) / n_x;
        for (guint j = 0; j < y_tiled; j += v, n_y--) {
            v = (y_tiled - j + n_y - 1) / n_y;
            run[m][v](t, i, j);
        }
    }
    if (x_tiled < t->x_features)
        outer_strip(t, t->y_features, t->out + x_tiled * t->y_features, 1);
    if (y_tiled < t->y_features) {
        Outer swapped = *t;

        swapped.x = t->y;
        swapped.x_features = t->y_features;
        swapped.y = t->x;
        swapped.y_features = t->x_features;
        outer_strip(&swapped, x_tiled, t->out + y_tiled, t->y_features);
    }
}

void
ADIT_KERNEL(pitched_matmul_rows)(const AditKernelCall *call)
{
    const AditView *x = &call->inputs[0];
    Outer outer;

    outer.pitch = call->pitch;
    outer.x_features = call->output.shape.size[0];
    outer.y_features = call->output.shape.size[1];
    outer.lines = x->shape.rank == 1 ? 1 : x->count / outer.x_features;
    outer.x = x->data;
    outer.y = call->inputs[1].data;
    outer.out = call->output.data;
    outer.accumulate = call->accumulate;
    for (gsize r = 0; r < call->rows; r += ADIT_PITCHED_ROWS) {
        gsize rows = MIN(ADIT_PITCHED_ROWS, call->rows - r);

        outer.whole = rows / LANES;
        outer.last = rows % LANES;
        outer_run(&outer);
        outer.x += ADIT_PITCHED_ROWS;
        outer.y += ADIT_PITCHED_ROWS;
        outer.accumulate = TRUE;
    }
}

/* The sum of a line's vectors, in order. */
ADIT_ALWAYS_INLINE vector
line_sum(const real *x, gsize rows)
{
    vector sum = {0};

    for (; rows >= LANES; rows -= LANES, x += LANES)
        sum += vector_load(x);
    return rows > 0 ? sum + vector_load_part(x, rows) : sum;
}

/* The sums of @n vectors, at most LANES; what comes after them is not read. */
ADIT_ALWAYS_INLINE vector
some_sums(const vector *lines, gsize n)
{
    vector copy[LANES];

#pragma GCC unroll 16
    for (gsize i = 0; i < LANES; i++)
        copy[i] = lines[MIN(i, n - 1)];
    return vector_sums(copy);
}

void
ADIT_KERNEL(pitched_rows_sum)(const AditKernelCall *call)
{
    gsize pitch = call->pitch, count = call->output.count;
    real *out = call->output.data;
    vector lines[LANES];

    for (gsize r = 0; r < call->rows; r += ADIT_PITCHED_ROWS) {
        const real *x = (const real *) call->inputs[0].data + r;
        gsize rows = MIN(ADIT_PITCHED_ROWS, call->rows - r);

        for (gsize i = 0; i < count; i += LANES) {
            gsize some = MIN(LANES, count - i);
            vector sum;

            for (gsize k = 0; k < some; k++)
                lines[k] = line_sum(x + (i + k) * pitch, rows);
            sum = some_sums(lines, some);
            if (call->accumulate || r > 0)
                sum += vector_load_some(out + i, some);
            vector_store_some(out + i, sum, some);
        }
    }
}

/* LANES rows by LANES features at a time, through registers. */

void
ADIT_KERNEL(to_pitch)(const AditKernelCall *call)
{
    gsize count = call->output.count, rows = call->rows;
    const real *x = call->inputs[0].data;
    real *out = call->output.data;

    for (gsize r = 0; r < rows; r += LANES) {
        for (gsize i = 0; i < count; i += LANES) {
            gsize some = MIN(LANES, count - i);
            vector block[LANES];

#pragma GCC unroll 16
            for (gsize k = 0; k < LANES; k++)
                block[k] =
                    r + k < rows ? vector_load_some(x + (r + k) * count + i, some) : (vector){0};
            vector_transpose(block);
#pragma GCC unroll 16
            for (gsize k = 0; k < LANES; k++) {
                if (k < some)
                    vector_store(out + (i + k) * call->pitch + r, block[k]);
            }
        }
    }
}

void
ADIT_KERNEL(from_pitch)(const AditKernelCall *call)
{
    gsize count = call->output.count, rows = call->rows;
    const real *x = call->inputs[0].data;
    real *out = call->output.data;

    for (gsize r = 0; r < rows; r += LANES) {
        for (gsize i = 0; i < count; i += LANES) {
            gsize some = MIN(LANES, count - i);
            vector block[LANES];

#pragma GCC unroll 16
            for (gsize k = 0; k < LANES; k++)
                block[k] = k < some ? vector_load(x + (i + k) * call->pitch + r) : (vector){0};
            vector_transpose(block);
#pragma GCC unroll 16
            for (gsize k = 0; k < LANES; k++) {
                if (r + k < rows)
                    vector_store_some(out + (r + k) * count + i, block[k], some);
            }
        }
    }
}
