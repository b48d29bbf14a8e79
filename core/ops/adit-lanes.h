/* core/ops/adit-lanes.h - SPDX-License-Identifier: MIT */

/* Sums and extrema in kernels, in orders that depend on sizes alone. */

#pragma once

#include "adit-kernel.h"

/* Neighbours are summed in this many lanes, number i into lane i % SUM_LANES, and the lanes by
 * halves: the same for every instruction set. */
#define SUM_LANES 16

ADIT_ALWAYS_INLINE real
lanes_join(real *lane)
{
    for (gsize half = SUM_LANES / 2; half > 0; half /= 2) {
        for (gsize i = 0; i < half; i++)
            lane[i] += lane[i + half];
    }
    return lane[0];
}

/* The sum of TERM, an expression in `i`, for i from 0 to N - 1. */
#define LANES_SUM(n, term)                                                                         \
    ({                                                                                             \
        real lane_[SUM_LANES] = {0};                                                               \
        gsize n_ = (n), base_ = 0;                                                                 \
        for (; base_ + SUM_LANES <= n_; base_ += SUM_LANES) {                                      \
            for (gsize l_ = 0; l_ < SUM_LANES; l_++) {                                             \
                gsize i = base_ + l_;                                                              \
                lane_[l_] += (term);                                                               \
            }                                                                                      \
        }                                                                                          \
        for (gsize i = base_; i < n_; i++)                                                         \
            lane_[i - base_] += (term);                                                            \
        lanes_join(lane_);                                                                         \
    })

ADIT_ALWAYS_INLINE real
lanes_sum(gsize n, const real *x)
{
    return LANES_SUM(n, x[i]);
}

/* The sum of four lines' vectors, by halves. */
ADIT_ALWAYS_INLINE vector
four_lines_sum(const real *x, gsize step, gsize n)
{
    return (vector_load_some(x, n) + vector_load_some(x + step, n)) +
           (vector_load_some(x + 2 * step, n) + vector_load_some(x + 3 * step, n));
}

/* @sum and the first @n numbers of @lines lines, @step apart: four lines together, by halves, and
 * these in order. */
ADIT_ALWAYS_INLINE vector
lines_sum(gsize lines, gsize step, const real *x, vector sum, gsize n)
{
    gsize r = 0;

    for (; r + 4 <= lines; r += 4, x += 4 * step)
        sum += four_lines_sum(x, step, n);
    for (; r < lines; r++, x += step)
        sum += vector_load_some(x, n);
    return sum;
}

/* The sums of @lines lines of @count numbers each, @step apart, as above. @accumulate: they go on
 * from what @out holds; so do panels of multiples of four lines. */
ADIT_ALWAYS_INLINE void
columns_sum(gsize lines, gsize step, gsize count, const real *x, real *out, gboolean accumulate)
{
    for (gsize j = 0; j < count; j += LANES) {
        gsize n = MIN(LANES, count - j);
        vector sum = accumulate ? vector_load_some(out + j, n) : (vector){0};

        sum = n == LANES ? lines_sum(lines, step, x + j, sum, LANES)
                         : lines_sum(lines, step, x + j, sum, n);
        vector_store_some(out + j, sum, n);
    }
}

/* NaN wins. */
ADIT_ALWAYS_INLINE real
max_of(real a, real b)
{
    return a > b || a != a ? a : b;
}

ADIT_ALWAYS_INLINE real
min_of(real a, real b)
{
    return a < b || a != a ? a : b;
}
