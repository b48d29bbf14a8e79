/* core/ops/adit-moments.kernel.c - SPDX-License-Identifier: MIT */
#include "adit-channels.h"

/* Channels lie along the middle of [lines, size, inner], lines over all rows. */

ADIT_ALWAYS_INLINE gsize
count_lines(const AditKernelCall *call, const AditChannelAttributes *channels)
{
    return call->rows * call->inputs[0].count / (channels->size * channels->inner);
}

/* The sum of a channel's lines, each summed by itself, in order: TERM(at) of the number of an
 * element and `j`, that of its channel. */
#define CHANNELS_SUM(lines, channels, out, term)                                                   \
    do {                                                                                           \
        gsize size_ = (channels)->size, inner_ = (channels)->inner;                                \
        for (gsize j = 0; j < size_; j++) {                                                        \
            real total_ = 0;                                                                       \
            for (gsize r = 0; r < (lines); r++)                                                    \
                total_ += LANES_SUM(inner_, term((r * size_ + j) * inner_ + i));                   \
            (out)[j] = total_;                                                                     \
        }                                                                                          \
    } while (0)

/* The sums over lines of the squares of x - mean, of @n columns from @x on. */
ADIT_ALWAYS_INLINE vector
squares_sum(gsize lines, gsize step, const real *x, vector mean, gsize n)
{
    vector sum = {0}, away[4];
    gsize r = 0;

    for (; r + 4 <= lines; r += 4) {
#pragma GCC unroll 4
        for (gsize i = 0; i < 4; i++, x += step)
            away[i] = vector_load_some(x, n) - mean;
        sum = lines_product(away, away, sum, 4);
    }
    for (; r < lines; r++, x += step) {
        away[0] = vector_load_some(x, n) - mean;
        sum = lines_product(away, away, sum, 1);
    }
    return sum;
}

/* The sum of the @n columns from @x on, or of the squares of their distance from @mean. */
ADIT_ALWAYS_INLINE vector
block_sum(gsize lines, gsize step, const real *x, const real *mean, gsize n)
{
    return mean == NULL ? lines_sum(lines, step, x, (vector){0}, n)
                        : squares_sum(lines, step, x, vector_load_some(mean, n), n);
}

/* The same of all lines, block by block. */
ADIT_ALWAYS_INLINE vector
blocks_sum(gsize lines, gsize block, gsize step, const real *x, const real *mean, gsize n)
{
    Total total = {0};

    if (block >= lines)
        return block_sum(lines, step, x, mean, n);
    for (gsize r = 0; r < lines; r += block)
        total_add(&total, block_sum(MIN(block, lines - r), step, x + r * step, mean, n));
    return total.sum + total.lost;
}

/* Of @size columns; @mean: (nullable): as above */
static void
sum_columns(gsize lines, gsize block, gsize size, const real *x, const real *mean, real *out)
{
    for (gsize j = 0; j < size; j += LANES) {
        gsize n = MIN(LANES, size - j);
        const real *middle = mean != NULL ? mean + j : NULL;

        vector_store_some(out + j,
                          n == LANES ? blocks_sum(lines, block, size, x + j, middle, LANES)
                                     : blocks_sum(lines, block, size, x + j, middle, n),
                          n);
    }
}

/* Mean and variance of the slice. */
void
ADIT_KERNEL(moments)(const AditKernelCall *call)
{
    const AditChannelAttributes *channels = call->attributes;
    gsize size = channels->size, lines = count_lines(call, channels);
    gsize block = count_block(call, channels, lines);
    real count = (real) (lines * channels->inner);
    const real *x = call->inputs[0].data;
    real *mean = call->output.data, *variance = mean + size;

#define VALUE(at)  x[at]
#define SQUARE(at) (x[at] - mean[j]) * (x[at] - mean[j])
    if (channels->inner == 1)
        sum_columns(lines, block, size, x, NULL, mean);
    else
        CHANNELS_SUM(lines, channels, mean, VALUE);
    for (gsize j = 0; j < size; j++)
        mean[j] /= count;
    if (channels->inner == 1)
        sum_columns(lines, block, size, x, mean, variance);
    else
        CHANNELS_SUM(lines, channels, variance, SQUARE);
    for (gsize j = 0; j < size; j++)
        variance[j] /= count;
#undef VALUE
#undef SQUARE
}

/* Chan, Golub and LeVeque 1979, equation 1.5, for variances: slices weigh as their rows do. */
void
ADIT_KERNEL(combine_moments)(const AditKernelCall *call)
{
    const real *part = call->inputs[0].data;
    gsize size = call->output.count / 2;
    real *mean = call->output.data, *variance = mean + size;

    memcpy(mean, part, 2 * size * sizeof(real));
    for (guint s = 1; s < call->rows; s++) {
        gsize before = adit_slice_begin(call->batch_rows, s);
        gsize after = adit_slice_begin(call->batch_rows, s + 1);
        real weight = (real) (after - before) / (real) after;
        const real *other = part + s * 2 * size;

        for (gsize j = 0; j < size; j++) {
            real delta = other[j] - mean[j];

            variance[j] +=
                weight * (other[size + j] - variance[j]) + weight * (K(1) - weight) * delta * delta;
            mean[j] += weight * delta;
        }
    }
}

/* @n columns from @j on of lines @first to @end - 1. */
ADIT_ALWAYS_INLINE void
map_columns(const Map *map, gsize size, gsize first, gsize end, gsize j, gsize n)
{
    Map t = *map; /* stores cannot change it */
    vector centre = vector_load_some(t.centre + j, n), factor = vector_load_some(t.factor + j, n);
    vector shift = vector_load_some(t.shift + j, n);

    for (gsize r = first; r < end; r++)
        map_some(&t, r * size + j, centre, factor, shift, n);
}

/* Narrow lines by columns, so that what is the same for all of them stays in registers. */
static void
map_lines(const Map *t, gsize lines, gsize size)
{
    gsize together = size <= 4 * LANES ? lines : 1;

    for (gsize r = 0; r < lines; r += together) {
        gsize j = 0;

        for (; j + LANES <= size; j += LANES)
            map_columns(t, size, r, r + together, j, LANES);
        if (j < size)
            map_columns(t, size, r, r + together, j, size - j);
    }
}

static void
map(const AditKernelCall *call, const AditChannelAttributes *channels, const Map *map)
{
    gsize size = channels->size, inner = channels->inner;
    gsize lines = call->rows * call->output.count / (size * inner);
    Map t = *map;

    if (inner == 1) {
        map_lines(map, lines, size);
        return;
    }
    for (gsize r = 0; r < lines * size; r++) {
        vector centre = vector_fill(t.centre[r % size]), factor = vector_fill(t.factor[r % size]);
        vector shift = vector_fill(t.shift[r % size]);

        for (gsize i = 0; i < inner; i += LANES)
            map_some(&t, r * inner + i, centre, factor, shift, MIN(LANES, inner - i));
    }
}

/* Inputs: x, moments, dy = (d mean, d variance), and perhaps an addend. */
void
ADIT_KERNEL(moments_gradient)(const AditKernelCall *call)
{
    const AditChannelAttributes *channels = call->attributes;
    gsize size = channels->size;
    real n = (real) (call->batch_rows * (call->inputs[0].count / size));
    const real *dy = call->inputs[2].data;
    real *factor = adit_scratch_get(2 * size * sizeof(real)), *shift = factor + size;

    for (gsize j = 0; j < size; j++) {
        shift[j] = dy[j] / n;
        factor[j] = K(2) * dy[size + j] / n;
    }
    map(call, channels,
        &(Map){.x = call->inputs[0].data,
               .centre = call->inputs[1].data,
               .factor = factor,
               .shift = shift,
               .addend = call->n_inputs > 3 ? call->inputs[3].data : NULL,
               .out = call->output.data});
}

static void
normalize(const AditKernelCall *call, gboolean relu)
{
    const AditChannelAttributes *channels = call->attributes;
    gsize size = channels->size;
    const real *mean = call->inputs[1].data, *scale = call->inputs[2].data;
    real *factor = adit_scratch_get(size * sizeof(real));

    for (gsize j = 0; j < size; j++)
        factor[j] = scale[j] * inverse_deviation(mean[size + j], channels);
    map(call, channels,
        &(Map){.x = call->inputs[0].data,
               .centre = mean,
               .factor = factor,
               .shift = call->inputs[3].data,
               .out = call->output.data,
               .relu = relu});
}

/* Inputs: x, moments, scale, shift. */
void
ADIT_KERNEL(normalize)(const AditKernelCall *call)
{
    normalize(call, FALSE);
}

void
ADIT_KERNEL(normalize_relu)(const AditKernelCall *call)
{
    normalize(call, TRUE);
}

/* @n columns from @j on of lines @first to @end - 1; their sums are left in @plain and @weighted.
 */
ADIT_ALWAYS_INLINE void
backward_block(const Backward *t, gsize first, gsize end, gsize j, gsize n, vector *plain,
               vector *weighted)
{
    vector mean = vector_load_some(t->mean + j, n);
    vector factor = t->out != NULL ? vector_load_some(t->factor + j, n) : (vector){0};
    gsize r = first;

    *plain = *weighted = (vector){0};
    for (; r + 4 <= end; r += 4) {
        gsize at = r * t->size + j;
        vector dy[4];

#pragma GCC unroll 4
        for (gsize i = 0; i < 4; i++)
            dy[i] = let_through(t, at + i * t->size, n);
        backward_lines(t, dy, at, plain, weighted, mean, factor, n, 4);
    }
    for (; r < end; r++) {
        vector dy = let_through(t, r * t->size + j, n);

        backward_lines(t, &dy, r * t->size + j, plain, weighted, mean, factor, n, 1);
    }
}

/* @n columns from @j on. */
ADIT_ALWAYS_INLINE void
backward_columns(const Backward *backward, gsize j, gsize n)
{
    Backward t = *backward; /* stores cannot change it */
    Total all_plain = {0}, all_weighted = {0};
    vector plain = {0}, weighted = {0};

    for (gsize r = 0; r < t.lines; r += t.block) {
        backward_block(&t, r, MIN(r + t.block, t.lines), j, n, &plain, &weighted);
        if (t.block >= t.lines)
            break;
        total_add(&all_plain, plain);
        total_add(&all_weighted, weighted);
    }
    if (t.block < t.lines) {
        plain = all_plain.sum + all_plain.lost;
        weighted = all_weighted.sum + all_weighted.lost;
    }
    vector_store_some(t.plain + j, plain, n);
    vector_store_some(t.weighted + j, weighted, n);
}

static void
run_backward(const Backward *t)
{
    gsize j = 0;

    for (; j + LANES <= t->size; j += LANES)
        backward_columns(t, j, LANES);
    if (j < t->size)
        backward_columns(t, j, t->size - j);
}

/* The same of images: @t->out holds what counts of dy, if not NULL. */
static void
sum_images(const Backward *t, const AditChannelAttributes *channels)
{
    const real *x = t->x, *mean = t->mean, *dy = t->out != NULL ? t->out : t->dy;

#define PLAIN(at)    dy[at]
#define WEIGHTED(at) dy[at] * (x[at] - mean[j])
    CHANNELS_SUM(t->lines, channels, t->plain, PLAIN);
    CHANNELS_SUM(t->lines, channels, t->weighted, WEIGHTED);
#undef PLAIN
#undef WEIGHTED
}

/* Inputs: x, dy, moments. */
void
ADIT_KERNEL(normalize_sums)(const AditKernelCall *call)
{
    const AditChannelAttributes *channels = call->attributes;
    real *plain = call->output.data;
    Backward backward = {.lines = count_lines(call, channels),
                         .size = channels->size,
                         .x = call->inputs[0].data,
                         .dy = call->inputs[1].data,
                         .mean = call->inputs[2].data,
                         .plain = plain,
                         .weighted = plain + channels->size};

    backward.block = count_block(call, channels, backward.lines);
    if (channels->inner == 1)
        run_backward(&backward);
    else
        sum_images(&backward, channels);
    scale_sums(&backward, channels);
}

/* Inputs: the sums above, moments, scale. */
void
ADIT_KERNEL(normalize_moments_gradient)(const AditKernelCall *call)
{
    const AditChannelAttributes *channels = call->attributes;
    gsize size = channels->size;
    const real *sums = call->inputs[0].data, *moments = call->inputs[1].data;
    const real *scale = call->inputs[2].data;
    real *out = call->output.data;

    for (gsize j = 0; j < size; j++) {
        real inverse = inverse_deviation(moments[size + j], channels);

        out[j] = -scale[j] * inverse * sums[j];
        out[size + j] = K(-0.5) * scale[j] * inverse * inverse * sums[size + j];
    }
}

/* The factor of each channel and as many zeros. */
static real *
make_factors(const real *moments, const real *scale, const AditChannelAttributes *channels)
{
    gsize size = channels->size;
    real *factor = adit_scratch_get(2 * size * sizeof(real));

    for (gsize j = 0; j < size; j++) {
        factor[j] = scale[j] * inverse_deviation(moments[size + j], channels);
        factor[size + j] = 0;
    }
    return factor;
}

static void
map_gradient(const AditKernelCall *call, const real *dy, const real *factor, const real *addend)
{
    const AditChannelAttributes *channels = call->attributes;
    const real *zero = factor + channels->size;

    map(call, channels,
        &(Map){.x = dy,
               .centre = zero,
               .factor = factor,
               .shift = zero,
               .addend = addend,
               .out = call->output.data});
}

/* Inputs: dy, moments, scale. */
void
ADIT_KERNEL(normalize_gradient)(const AditKernelCall *call)
{
    const real *factor = make_factors(call->inputs[1].data, call->inputs[2].data, call->attributes);

    map_gradient(call, call->inputs[0].data, factor, NULL);
}

/* Through a rectifier and what it rectifies: inputs: y, dy, x, moments, scale, and perhaps an
 * addend; results: the gradient by x as far as the moments stay, plus the addend, and the sums that
 * normalize-sums gives. */
void
ADIT_KERNEL(normalize_backward)(const AditKernelCall *call)
{
    const AditChannelAttributes *channels = call->attributes;
    real *plain = call->inputs[call->n_inputs].data;
    Backward backward = {.lines =
                             call->rows * call->output.count / (channels->size * channels->inner),
                         .size = channels->size,
                         .y = call->inputs[0].data,
                         .dy = call->inputs[1].data,
                         .x = call->inputs[2].data,
                         .mean = call->inputs[3].data,
                         .addend = call->n_inputs > 5 ? call->inputs[5].data : NULL,
                         .plain = plain,
                         .weighted = plain + channels->size,
                         .out = call->output.data};

    backward.block = count_block(call, channels, backward.lines);
    backward.factor = make_factors(backward.mean, call->inputs[4].data, channels);
    if (channels->inner == 1) {
        run_backward(&backward);
    } else {
        gsize count = call_count(call);

        for (gsize at = 0; at < count; at += LANES) {
            gsize n = MIN(LANES, count - at);

            vector_store_some(backward.out + at, let_through(&backward, at, n), n);
        }
        sum_images(&backward, channels);
        map_gradient(call, backward.out, backward.factor, backward.addend);
    }
    scale_sums(&backward, channels);
}
