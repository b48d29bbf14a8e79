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

/* The first @n of a vector's numbers. */
ADIT_ALWAYS_INLINE void
vector_store_part(real *to, vector value, gsize n)
{
    for (gsize i = 0; i < n; i++)
        to[i] = value[i];
}

ADIT_ALWAYS_INLINE vector
vector_fill(real value)
{
    return (vector){0} + value;
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

#define ADIT_KERNEL_ROW(symbol, name) void ADIT_KERNEL(symbol)(const AditKernelCall *call);
#include "adit-kernels.def"
#undef ADIT_KERNEL_ROW
#define ADIT_POINTWISE(symbol, name, ...) void ADIT_KERNEL(symbol)(const AditKernelCall *call);
#include "adit-pointwise.def"
