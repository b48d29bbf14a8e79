/* core/ops/adit-channels.h - SPDX-License-Identifier: MIT */

/* What kernels that normalise by channels have in common. */

#pragma once

#include <tgmath.h>

#include "adit-lanes.h"

ADIT_ALWAYS_INLINE real
inverse_deviation(real variance, const AditChannelAttributes *channels)
{
    return K(1) / sqrt(variance + K(channels->epsilon));
}

/* What a channel's distance from its mean is multiplied with, of a line that fits into a vector. */
ADIT_ALWAYS_INLINE vector
channel_factors(const real *moments, const real *scale, const AditChannelAttributes *channels)
{
    real factors[LANES] __attribute__((aligned(64))) = {0};

    for (gsize j = 0; j < channels->size; j++)
        factors[j] = scale[j] * inverse_deviation(moments[channels->size + j], channels);
    return vector_load(factors);
}

/* @sum + a[0] b[0] + ... of @n lines: four by halves, or one. */
ADIT_ALWAYS_INLINE vector
lines_product(const vector *a, const vector *b, vector sum, const gsize n)
{
    return sum + (n == 4 ? (a[0] * b[0] + a[1] * b[1]) + (a[2] * b[2] + a[3] * b[3]) : a[0] * b[0]);
}

/**
 * Map: out = (x - centre) factor + shift, each a number a channel.
 * @relu: of which negative numbers become 0
 * @addend: (nullable): like x, is added
 */
typedef struct {
    const real *x, *centre, *factor, *shift, *addend;
    real *out;
    gboolean relu;
} Map;

/* @n numbers from @at on. @out may be @x. */
ADIT_ALWAYS_INLINE void
map_some(const Map *t, gsize at, vector centre, vector factor, vector shift, gsize n)
{
    vector value = (vector_load_some(t->x + at, n) - centre) * factor + shift;

    if (t->relu)
        value = vector_relu(value);
    if (t->addend != NULL)
        value += vector_load_some(t->addend + at, n);
    vector_store_some(t->out + at, value, n);
}

/* Where a row is many lines, an image's pixels, a sum over lines goes on for millions. So many are
 * summed by themselves, and these sums together with what each addition loses. */
#define BLOCK_LINES 64

/* Lines that are summed by themselves: all, where a row is one. */
ADIT_ALWAYS_INLINE gsize
count_block(const AditKernelCall *call, const AditChannelAttributes *channels, gsize lines)
{
    return call->inputs[0].count > channels->size ? BLOCK_LINES : lines;
}

/**
 * Total: the sum of blocks.
 * @lost: what the roundings of @sum left out (Knuth 1998, 4.2.2, theorem B)
 */
typedef struct {
    vector sum, lost;
} Total;

ADIT_ALWAYS_INLINE void
total_add(Total *self, vector part)
{
    vector sum = self->sum + part, added = sum - self->sum;

    self->lost += (self->sum - (sum - added)) + (part - added);
    self->sum = sum;
}

/**
 * Backward: the sums over @lines lines of @size numbers of dy and of dy (x - mean).
 * @block: lines of them that are summed by themselves
 * @y: (nullable): dy counts where it is positive
 * @out: (nullable): is left dy factor, plus @addend (nullable)
 */
typedef struct {
    gsize lines, size, block;
    const real *x, *dy, *mean;
    const real *y, *factor, *addend;
    real *plain, *weighted, *out;
} Backward;

/* @dy where a rectifier left a positive @y, else 0. */
ADIT_ALWAYS_INLINE vector
let_pass(vector dy, vector y)
{
    return (vector) ((bit_vector) dy & (bit_vector) (y > (vector){0}));
}

/* dy of @n numbers from @at on, once it is open what of it counts. */
ADIT_ALWAYS_INLINE vector
let_through(const Backward *t, gsize at, gsize n)
{
    vector dy = vector_load_some(t->dy + at, n);

    return t->y != NULL ? let_pass(dy, vector_load_some(t->y + at, n)) : dy;
}

/* Four lines or one, a constant at every call, of what counts of dy. */
ADIT_ALWAYS_INLINE void
backward_lines(const Backward *t, const vector *dy, gsize at, vector *plain, vector *weighted,
               vector mean, vector factor, gsize columns, const gsize n)
{
    vector away[4];

#pragma GCC unroll 4
    for (gsize i = 0; i < n; i++, at += t->size) {
        away[i] = vector_load_some(t->x + at, columns) - mean;
        if (t->out == NULL)
            continue;
        vector dx = dy[i] * factor + (vector){0}; /* as a map: no -0 */

        if (t->addend != NULL)
            dx += vector_load_some(t->addend + at, columns);
        vector_store_some(t->out + at, dx, columns);
    }
    *plain += n == 4 ? (dy[0] + dy[1]) + (dy[2] + dy[3]) : dy[0];
    *weighted = lines_product(dy, away, *weighted, n);
}

ADIT_ALWAYS_INLINE void
scale_sums(const Backward *t, const AditChannelAttributes *channels)
{
    for (gsize j = 0; j < t->size; j++)
        t->weighted[j] *= inverse_deviation(t->mean[t->size + j], channels);
}
