/* core/ops/adit-extrema.h - SPDX-License-Identifier: MIT */

/* The largest and the smallest of some numbers, and the number of the first that it is, in kernels.
 * NaN is both. */

#pragma once

#include "adit-kernel.h"

/* Whether @a takes the place of @b, which comes before it. */
ADIT_ALWAYS_INLINE gboolean
is_above(real a, real b)
{
    return !(a <= b) && b == b;
}

ADIT_ALWAYS_INLINE gboolean
is_below(real a, real b)
{
    return !(a >= b) && b == b;
}

/**
 * Extrema: of LANES rows of numbers, side by side.
 */
typedef struct {
    vector largest, largest_at;
    vector smallest, smallest_at;
} Extrema;

/* BEST becomes X where it is beyond it: where `BEST OPERATOR X` does not hold, or, in words of the
 * instruction set, where PREDICATE does. */
#if defined __AVX512F__ && !defined ADIT_REAL_DOUBLE
#define VECTOR_TAKE(best, best_at, x, at, operator, predicate)                                     \
    {                                                                                              \
        __mmask16 ordered_ = _mm512_cmp_ps_mask((__m512) (best), (__m512) (best), _CMP_ORD_Q);     \
        __mmask16 beyond_ =                                                                        \
            _mm512_mask_cmp_ps_mask(ordered_, (__m512) (x), (__m512) (best), predicate);           \
        best = (vector) _mm512_mask_mov_ps((__m512) (best), beyond_, (__m512) (x));                \
        best_at = (vector) _mm512_mask_mov_ps((__m512) (best_at), beyond_, (__m512) (at));         \
    }
#define IS_ABOVE _CMP_NLE_UQ
#define IS_BELOW _CMP_NGE_UQ
#else
#define VECTOR_TAKE(best, best_at, x, at, operator, predicate)                                     \
    {                                                                                              \
        bit_vector beyond_ = ~(bit_vector) ((x) operator(best)) & (bit_vector) ((best) == (best)); \
        best = (vector) (((bit_vector) (x) &beyond_) | ((bit_vector) (best) & ~beyond_));          \
        best_at = (vector) (((bit_vector) (at) &beyond_) | ((bit_vector) (best_at) & ~beyond_));   \
    }
#endif

ADIT_ALWAYS_INLINE Extrema
extrema_begin(vector upper, vector lower, gsize number)
{
    vector at = vector_fill((real) number);

    return (Extrema){upper, at, lower, at};
}

/* Numbers @at of the rows; the largest may be of @upper, the smallest of @lower. */
ADIT_ALWAYS_INLINE void
extrema_take_at(Extrema *self, vector upper, vector lower, vector at){
    VECTOR_TAKE(self->largest, self->largest_at, upper, at, <=, IS_ABOVE)
        VECTOR_TAKE(self->smallest, self->smallest_at, lower, at, >=, IS_BELOW)}

ADIT_ALWAYS_INLINE void extrema_take(Extrema *self, vector upper, vector lower, gsize number)
{
    extrema_take_at(self, upper, lower, vector_fill((real) number));
}

ADIT_ALWAYS_INLINE Extrema
extrema_load(const real *from, gsize part, gsize n)
{
    return (Extrema){vector_load_some(from, n), vector_load_some(from + part, n),
                     vector_load_some(from + 2 * part, n), vector_load_some(from + 3 * part, n)};
}

/* Parts are @part apart. */
ADIT_ALWAYS_INLINE void
extrema_store(const Extrema *self, real *to, gsize part, gsize n)
{
    vector_store_some(to, self->largest, n);
    vector_store_some(to + part, self->largest_at, n);
    vector_store_some(to + 2 * part, self->smallest, n);
    vector_store_some(to + 3 * part, self->smallest_at, n);
}

/* The same, each of the first @n numbers of a part to a place of its own. */
ADIT_ALWAYS_INLINE void
extrema_store_apart(const Extrema *self, real *const *to, gsize part, gsize n)
{
    real numbers[4 * LANES] __attribute__((aligned(64)));

    extrema_store(self, numbers, LANES, LANES);
    for (gsize l = 0; l < n; l++) {
        for (gsize p = 0; p < 4; p++)
            to[l][p * part] = numbers[p * LANES + l];
    }
}
