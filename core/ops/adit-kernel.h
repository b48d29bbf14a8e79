/* core/ops/adit-kernel.h - SPDX-License-Identifier: MIT */

/* What kernel files (*.kernel.c) are written in. They are compiled once for every instruction set
 * and precision, with ADIT_VARIANT as in avx2_f32 and, for float64, ADIT_REAL_DOUBLE.
 *
 * A row's result may not depend on the rows computed with it, nor on how many they are: every path
 * of a kernel, whatever its blocking, does the same arithmetic in the same order for an element. */

#pragma once

#include <math.h>
#include <string.h>

#include "adit-attributes.h"
#include "adit-kernels.h"

#if defined __x86_64__ && (defined __AVX2__ || defined __AVX512F__)
#include <immintrin.h>
#elif defined __aarch64__
#include <arm_neon.h>
#endif

#ifdef ADIT_REAL_DOUBLE
typedef double real;
#else
typedef float real;
#endif

/* A constant of the kernel's precision. */
#define K(value) ((real) (value))

#define ADIT_PASTE_2(a, b, c) a##b##_##c
#define ADIT_PASTE(a, b, c)   ADIT_PASTE_2(a, b, c)
#define ADIT_KERNEL(symbol)   ADIT_PASTE(adit_kernel_, symbol, ADIT_VARIANT)

#define ADIT_ALWAYS_INLINE static inline __attribute__((always_inline))

#if defined __AVX512F__
#define ADIT_VECTOR_BYTES 64
#elif defined __AVX2__
#define ADIT_VECTOR_BYTES 32
#else
#define ADIT_VECTOR_BYTES 16
#endif

/* Numbers of a vector. */
#define LANES ((gsize) (ADIT_VECTOR_BYTES / sizeof(real)))

typedef real vector __attribute__((vector_size(ADIT_VECTOR_BYTES)));
typedef real loose_vector
    __attribute__((vector_size(ADIT_VECTOR_BYTES), aligned(sizeof(real)), may_alias));

#ifdef ADIT_REAL_DOUBLE
typedef gint64 bit_vector __attribute__((vector_size(ADIT_VECTOR_BYTES)));
#else
typedef gint32 bit_vector __attribute__((vector_size(ADIT_VECTOR_BYTES)));
#endif

ADIT_ALWAYS_INLINE vector
vector_load(const real *from)
{
    return *(const loose_vector *) from;
}

ADIT_ALWAYS_INLINE void
vector_store(real *to, vector value)
{
    *(loose_vector *) to = value;
}

/* Selects the first @n of a vector's numbers. */
#if defined __AVX512F__
#define VECTOR_MASK(n) ((1u << (n)) - 1)
#elif defined __AVX2__ && defined ADIT_REAL_DOUBLE
#define VECTOR_MASK(n)                                                                             \
    _mm256_cmpgt_epi64(_mm256_set1_epi64x((long long) (n)), _mm256_setr_epi64x(0, 1, 2, 3))
#elif defined __AVX2__
#define VECTOR_MASK(n)                                                                             \
    _mm256_cmpgt_epi32(_mm256_set1_epi32((int) (n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
#endif

/* The first @n of a vector's numbers; 0 after them. No more than they are touched. */
ADIT_ALWAYS_INLINE vector
vector_load_part(const real *from, gsize n)
{
#if defined __AVX512F__ && defined ADIT_REAL_DOUBLE
    return (vector) _mm512_maskz_loadu_pd((__mmask8) VECTOR_MASK(n), from);
#elif defined __AVX512F__
    return (vector) _mm512_maskz_loadu_ps((__mmask16) VECTOR_MASK(n), from);
#elif defined __AVX2__ && defined ADIT_REAL_DOUBLE
    return (vector) _mm256_maskload_pd(from, VECTOR_MASK(n));
#elif defined __AVX2__
    return (vector) _mm256_maskload_ps(from, VECTOR_MASK(n));
#else
    vector value = {0};

    for (gsize i = 0; i < n; i++)
        value[i] = from[i];
    return value;
#endif
}

ADIT_ALWAYS_INLINE void
vector_store_part(real *to, vector value, gsize n)
{
#if defined __AVX512F__ && defined ADIT_REAL_DOUBLE
    _mm512_mask_storeu_pd(to, (__mmask8) VECTOR_MASK(n), (__m512d) value);
#elif defined __AVX512F__
    _mm512_mask_storeu_ps(to, (__mmask16) VECTOR_MASK(n), (__m512) value);
#elif defined __AVX2__ && defined ADIT_REAL_DOUBLE
    _mm256_maskstore_pd(to, VECTOR_MASK(n), (__m256d) value);
#elif defined __AVX2__
    _mm256_maskstore_ps(to, VECTOR_MASK(n), (__m256) value);
#else
    for (gsize i = 0; i < n; i++)
        to[i] = value[i];
#endif
}

/* A whole vector, or part of one. */
ADIT_ALWAYS_INLINE vector
vector_load_some(const real *from, gsize n)
{
    return n == LANES ? vector_load(from) : vector_load_part(from, n);
}

ADIT_ALWAYS_INLINE void
vector_store_some(real *to, vector value, gsize n)
{
    if (n == LANES)
        vector_store(to, value);
    else
        vector_store_part(to, value, n);
}

/* f(d, l) for every lane l, in order. */
#define LANES_2(f, d) f(d, 0), f(d, 1)
#define LANES_4(f, d) LANES_2(f, d), f(d, 2), f(d, 3)
#define LANES_8(f, d) LANES_4(f, d), f(d, 4), f(d, 5), f(d, 6), f(d, 7)
#define LANES_16(f, d)                                                                             \
    LANES_8(f, d), f(d, 8), f(d, 9), f(d, 10), f(d, 11), f(d, 12), f(d, 13), f(d, 14), f(d, 15)
#if defined __AVX512F__ && !defined ADIT_REAL_DOUBLE
#define EACH_LANE LANES_16
#elif defined __AVX512F__ || (defined __AVX2__ && !defined ADIT_REAL_DOUBLE)
#define EACH_LANE LANES_8
#elif defined __AVX2__ || !defined ADIT_REAL_DOUBLE
#define EACH_LANE LANES_4
#else
#define EACH_LANE LANES_2
#endif

#define FILL_LANE(value, l) value

ADIT_ALWAYS_INLINE vector
vector_fill(real value)
{
    return (vector){EACH_LANE(FILL_LANE, value)};
}

/* a b + c, rounded once where the instruction set can. */
#if defined __AVX512F__ && defined ADIT_REAL_DOUBLE
#define VECTOR_FMA(a, b, c) ((vector) _mm512_fmadd_pd((__m512d) (a), (__m512d) (b), (__m512d) (c)))
#elif defined __AVX512F__
#define VECTOR_FMA(a, b, c) ((vector) _mm512_fmadd_ps((__m512) (a), (__m512) (b), (__m512) (c)))
#elif defined __AVX2__ && defined ADIT_REAL_DOUBLE
#define VECTOR_FMA(a, b, c) ((vector) _mm256_fmadd_pd((__m256d) (a), (__m256d) (b), (__m256d) (c)))
#elif defined __AVX2__
#define VECTOR_FMA(a, b, c) ((vector) _mm256_fmadd_ps((__m256) (a), (__m256) (b), (__m256) (c)))
#elif defined __aarch64__ && defined ADIT_REAL_DOUBLE
#define VECTOR_FMA(a, b, c)                                                                        \
    ((vector) vfmaq_f64((float64x2_t) (c), (float64x2_t) (a), (float64x2_t) (b)))
#elif defined __aarch64__
#define VECTOR_FMA(a, b, c)                                                                        \
    ((vector) vfmaq_f32((float32x4_t) (c), (float32x4_t) (a), (float32x4_t) (b)))
#else
#define VECTOR_FMA(a, b, c) ((a) * (b) + (c))
#endif

/* Negative numbers become 0; -0 and NaN stay: x86's maximum gives its second operand then. */
ADIT_ALWAYS_INLINE vector
vector_relu(vector value)
{
#if defined __AVX512F__ && defined ADIT_REAL_DOUBLE
    return (vector) _mm512_max_pd(_mm512_setzero_pd(), (__m512d) value);
#elif defined __AVX512F__
    return (vector) _mm512_max_ps(_mm512_setzero_ps(), (__m512) value);
#elif defined __AVX2__ && defined ADIT_REAL_DOUBLE
    return (vector) _mm256_max_pd(_mm256_setzero_pd(), (__m256d) value);
#elif defined __AVX2__
    return (vector) _mm256_max_ps(_mm256_setzero_ps(), (__m256) value);
#else
    bit_vector negative = (bit_vector) (value < (vector){0});

    return (vector) ((bit_vector) value & ~negative);
#endif
}

/* Of two vectors, cut into groups of d numbers: the even groups of both in turn; the odd ones. */
#define EVEN_GROUP(d, l)     ((l) & (d) ? (int) LANES + (l) - (d) : (l))
#define ODD_GROUP(d, l)      ((l) & (d) ? (int) LANES + (l) : ((l) + (d)) % (2 * (int) LANES))
#define EVEN_GROUPS(a, b, d) __builtin_shufflevector(a, b, EACH_LANE(EVEN_GROUP, d))
#define ODD_GROUPS(a, b, d)  __builtin_shufflevector(a, b, EACH_LANE(ODD_GROUP, d))

#define TRANSPOSE_STAGE(block, d)                                                                  \
    _Pragma("GCC unroll 16") for (gsize i_ = 0; (d) < LANES && i_ < LANES; i_++)                   \
    {                                                                                              \
        if ((i_ & (d)) == 0) {                                                                     \
            vector even_ = EVEN_GROUPS((block)[i_], (block)[i_ + (d)], (d));                       \
            (block)[i_ + (d)] = ODD_GROUPS((block)[i_], (block)[i_ + (d)], (d));                   \
            (block)[i_] = even_;                                                                   \
        }                                                                                          \
    }

/* Transposes LANES vectors. */
ADIT_ALWAYS_INLINE void
vector_transpose(vector *block)
{
    TRANSPOSE_STAGE(block, 1)
    TRANSPOSE_STAGE(block, 2) TRANSPOSE_STAGE(block, 4) TRANSPOSE_STAGE(block, 8)
}

#define SUM_STAGE(x, d)                                                                            \
    _Pragma("GCC unroll 8") for (gsize i_ = 0; (d) < LANES && i_ < (d); i_++)(x)[i_] =             \
        EVEN_GROUPS((x)[i_], (x)[i_ + (d)], (d)) + ODD_GROUPS((x)[i_], (x)[i_ + (d)], (d));

/* The sums of LANES vectors, each by halves. */
ADIT_ALWAYS_INLINE vector
vector_sums(vector *x)
{
    SUM_STAGE(x, 8)
    SUM_STAGE(x, 4)
    SUM_STAGE(x, 2)
    SUM_STAGE(x, 1)
    return x[0];
}

/* Keeps the compiler from making one of several pointers out of another: it would run out of
 * registers. */
#define KEEP(pointer) __asm__("" : "+r"(pointer))

/* Elements of the output in this call. */
ADIT_ALWAYS_INLINE gsize
call_count(const AditKernelCall *call)
{
    return (call->output.rows ? call->rows : 1) * call->output.count;
}

/* First element of row @r of an input. */
ADIT_ALWAYS_INLINE const real *
call_row(const AditKernelCall *call, guint input, gsize r)
{
    const AditView *view = &call->inputs[input];

    return (const real *) view->data + (view->rows ? r * view->count : 0);
}

/* Numbers of a line of pitched operands that are worked on: whole vectors of every instruction set.
 */
ADIT_ALWAYS_INLINE gsize
call_line(const AditKernelCall *call)
{
    return (call->rows + ADIT_PANEL_ROWS - 1) / ADIT_PANEL_ROWS * ADIT_PANEL_ROWS;
}

/* What kernels of these names do with pitched operands. */
void ADIT_KERNEL(pitched_matmul)(const AditKernelCall *call, gboolean relu);
void ADIT_KERNEL(pitched_matmul_rows)(const AditKernelCall *call);
void ADIT_KERNEL(pitched_rows_sum)(const AditKernelCall *call);
void ADIT_KERNEL(pitched_relu_backward)(const AditKernelCall *call);

#define ADIT_KERNEL_ROW(symbol, name, ...) void ADIT_KERNEL(symbol)(const AditKernelCall *call);
#include "adit-kernels.def"
#undef ADIT_KERNEL_ROW
#define ADIT_POINTWISE(symbol, name, ...) void ADIT_KERNEL(symbol)(const AditKernelCall *call);
#include "adit-pointwise.def"
