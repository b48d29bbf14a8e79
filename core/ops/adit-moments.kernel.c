/* core/ops/adit-moments.kernel.c - SPDX-License-Identifier: MIT */
#include <tgmath.h>

#include "adit-lanes.h"

/* Channels lie along the middle of [lines, size, inner], lines over all rows. */

ADIT_ALWAYS_INLINE gsize
count_lines(const AditKernelCall *call, const AditChannelAttributes *channels)
{
    return call->rows * call->inputs[0].count / (channels->size * channels->inner);
}

/* The sums over all lines of a term, in order of the lines: TERM(load) as in COLUMNS_SUM, of `at`,
 * the number of an element, and `j`, that of its channel. */
#define CHANNELS_SUM(lines, channels, out, term)                                                   \
    do {                                                                                           \
        gsize size_ = (channels)->size, inner_ = (channels)->inner;                                \
        if (inner_ == 1) {                                                                         \
            COLUMNS_SUM(lines, size_, out, COLUMN_##term);                                         \
        } else {                                                                                   \
            for (gsize j = 0; j < size_; j++) {                                                    \
                real total_ = 0;                                                                   \
                for (gsize r = 0; r < (lines); r++)                                                \
                    total_ += LANES_SUM(inner_, ({                                                 \
                                            gsize at_ = (r * size_ + j) * inner_ + i;              \
                                            term(*, at_);                                          \
                                        }));                                                       \
                (out)[j] = total_;                                                                 \
            }                                                                                      \
        }                                                                                          \
    } while (0)

/* Mean and variance of the slice. */
void
ADIT_KERNEL(moments)(const AditKernelCall *call)
{
    const AditChannelAttributes *channels = call->attributes;
    gsize size = channels->size, lines = count_lines(call, channels);
    real n = (real) (lines * channels->inner);
    const real *x = call->inputs[0].data;
    real *mean = call->output.data, *variance = mean + size;

#define VALUE(load, at)     load(x + at)
#define COLUMN_VALUE(load)  VALUE(load, r *size + j)
#define SQUARE(load, at)    (VALUE(load, at) - load(mean + j)) * (VALUE(load, at) - load(mean + j))
#define COLUMN_SQUARE(load) SQUARE(load, r *size + j)
    CHANNELS_SUM(lines, channels, mean, VALUE);
    for (gsize j = 0; j < size; j++)
        mean[j] /= n;
    CHANNELS_SUM(lines, channels, variance, SQUARE);
    for (gsize j = 0; j < size; j++)
        variance[j] /= n;
#undef VALUE
#undef COLUMN_VALUE
#undef SQUARE
#undef COLUMN_SQUARE
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

/* out = (x - centre) factor + shift, each a number a channel. */
static void
map(const AditKernelCall *call, const real *centre, const real *factor, const real *shift)
{
    const AditChannelAttributes *channels = call->attributes;
    gsize size = channels->size, inner = channels->inner, lines = count_lines(call, channels);
    const real *restrict x = call->inputs[0].data;
    real *restrict out = call->output.data;

    if (inner == 1) {
        for (gsize r = 0; r < lines; r++) {
            for (gsize j = 0; j < size; j++)
                out[r * size + j] = (x[r * size + j] - centre[j]) * factor[j] + shift[j];
        }
        return;
    }
    for (gsize r = 0; r < lines * size; r++) {
        gsize j = r % size;

        for (gsize i = 0; i < inner; i++)
            out[r * inner + i] = (x[r * inner + i] - centre[j]) * factor[j] + shift[j];
    }
}

ADIT_ALWAYS_INLINE real
inverse_deviation(real variance, const AditChannelAttributes *channels)
{
    return K(1) / sqrt(variance + K(channels->epsilon));
}

/* Inputs: x, moments, dy = (d mean, d variance). */
void
ADIT_KERNEL(moments_gradient)(const AditKernelCall *call)
{
    const AditChannelAttributes *channels = call->attributes;
    gsize size = channels->size;
    real n = (real) (call->batch_rows * (call->inputs[0].count / size));
    const real *mean = call->inputs[1].data;
    const real *dy = call->inputs[2].data;
    real *factor = adit_scratch_get(2 * size * sizeof(real)), *shift = factor + size;

    for (gsize j = 0; j < size; j++) {
        shift[j] = dy[j] / n;
        factor[j] = K(2) * dy[size + j] / n;
    }
    map(call, mean, factor, shift);
}

/* Inputs: x, moments, scale, shift. */
void
ADIT_KERNEL(normalize)(const AditKernelCall *call)
{
    const AditChannelAttributes *channels = call->attributes;
    gsize size = channels->size;
    const real *mean = call->inputs[1].data, *scale = call->inputs[2].data;
    real *factor = adit_scratch_get(size * sizeof(real));

    for (gsize j = 0; j < size; j++)
        factor[j] = scale[j] * inverse_deviation(mean[size + j], channels);
    map(call, mean, factor, call->inputs[3].data);
}

/* Inputs: x, dy, moments. */
void
ADIT_KERNEL(normalize_sums)(const AditKernelCall *call)
{
    const AditChannelAttributes *channels = call->attributes;
    gsize size = channels->size, lines = count_lines(call, channels);
    const real *x = call->inputs[0].data, *dy = call->inputs[1].data;
    const real *mean = call->inputs[2].data;
    real *plain = call->output.data, *weighted = plain + size;

#define PLAIN(load, at)       load(dy + at)
#define COLUMN_PLAIN(load)    PLAIN(load, r *size + j)
#define WEIGHTED(load, at)    load(dy + at) * (load(x + at) - load(mean + j))
#define COLUMN_WEIGHTED(load) WEIGHTED(load, r *size + j)
    CHANNELS_SUM(lines, channels, plain, PLAIN);
    CHANNELS_SUM(lines, channels, weighted, WEIGHTED);
    for (gsize j = 0; j < size; j++)
        weighted[j] *= inverse_deviation(mean[size + j], channels);
#undef PLAIN
#undef COLUMN_PLAIN
#undef WEIGHTED
#undef COLUMN_WEIGHTED
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

/* Inputs: dy, moments, scale. */
void
ADIT_KERNEL(normalize_gradient)(const AditKernelCall *call)
{
    const AditChannelAttributes *channels = call->attributes;
    gsize size = channels->size;
    const real *moments = call->inputs[1].data, *scale = call->inputs[2].data;
    real *factor = adit_scratch_get(2 * size * sizeof(real)), *zero = factor + size;

    for (gsize j = 0; j < size; j++) {
        factor[j] = scale[j] * inverse_deviation(moments[size + j], channels);
        zero[j] = 0;
    }
    map(call, zero, factor, zero);
}
