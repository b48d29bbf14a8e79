/* core/ops/adit-vector-math.h - SPDX-License-Identifier: MIT */

/* Functions of every number of a vector, good to about a unit in the last place. In float64 they
 * are the C library's. */

#pragma once

#include "adit-kernel.h"

/* The greater numbers; of NaN nothing is known, which all that comes of a line with one shows. */
ADIT_ALWAYS_INLINE vector
vector_max(vector a, vector b)
{
    bit_vector greater = (bit_vector) (a > b);

    return (vector) (((bit_vector) a & greater) | ((bit_vector) b & ~greater));
}

#ifdef ADIT_REAL_DOUBLE
ADIT_ALWAYS_INLINE vector
vector_exp(vector x)
{
    for (gsize i = 0; i < LANES; i++)
        x[i] = exp(x[i]);
    return x;
}

ADIT_ALWAYS_INLINE vector
vector_log(vector x)
{
    for (gsize i = 0; i < LANES; i++)
        x[i] = log(x[i]);
    return x;
}
#else
typedef guint32 word_vector __attribute__((vector_size(ADIT_VECTOR_BYTES)));

/* The polynomials are those of Moshier's Cephes library. */
#define VECTOR_POLYNOMIAL(y, x, factors)                                                           \
    _Pragma("GCC unroll 8") for (gsize i_ = 0; i_ < G_N_ELEMENTS(factors); i_++)(y) =              \
        VECTOR_FMA(y, x, vector_fill((factors)[i_]))

/* exp(x) for x <= 0, 0 where it would be denormal: 2^n exp(r) with |r| <= log(2) / 2 after Cody and
 * Waite, "Software manual for the elementary functions", 1980, chapter 6. */
ADIT_ALWAYS_INLINE vector
vector_exp(vector x)
{
    static const float factors[] = {1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f,
                                    1.6666665459e-1f, 5.0000001201e-1f};
    const vector whole = vector_fill(12582912.0f); /* beside it there is no room for a fraction */
    vector n = VECTOR_FMA(x, vector_fill(1.44269504f), whole);
    word_vector power = ((word_vector) n << 23) + 0x3f800000u;
    vector r, y = vector_fill(1.9875691500e-4f);

    n -= whole;
    r = VECTOR_FMA(n, vector_fill(-0.693359375f), x);
    r = VECTOR_FMA(n, vector_fill(2.12194440e-4f), r);
    VECTOR_POLYNOMIAL(y, r, factors);
    y = VECTOR_FMA(y, r * r, r) + 1.0f;
    y *= (vector) power;
    return (vector) ((bit_vector) y & ~(bit_vector) (x < -87.3f));
}

/* log(x) for normal x > 0: n log(2) + log(1 + r), 1 + r between the roots of 1/2 and 2. NaN and
 * infinity give NaN. */
ADIT_ALWAYS_INLINE vector
vector_log(vector x)
{
    static const float factors[] = {-1.1514610310e-1f, 1.1676998740e-1f,  -1.2420140846e-1f,
                                    1.4249322787e-1f,  -1.6668057665e-1f, 2.0000714765e-1f,
                                    -2.4999993993e-1f, 3.3333331174e-1f};
    bit_vector power = ((bit_vector) x - 0x3f3504f3) >> 23;
    vector n = __builtin_convertvector(power, vector), square;
    vector r = (vector) ((bit_vector) x - (power << 23)) - 1.0f, y = vector_fill(7.0376836292e-2f);

    VECTOR_POLYNOMIAL(y, r, factors);
    square = r * r;
    y = y * r * square;
    y = VECTOR_FMA(n, vector_fill(-2.12194440e-4f), y);
    y = VECTOR_FMA(square, vector_fill(-0.5f), y) + r;
    return VECTOR_FMA(n, vector_fill(0.693359375f), y) + (x - x);
}
#endif
