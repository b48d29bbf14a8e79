/* tests/bench/fma-peak.c - SPDX-License-Identifier: MIT */
#include "fma-peak.h"

#if defined __x86_64__
#include <immintrin.h>
#elif defined __aarch64__
#include <arm_neon.h>
#endif

/* Enough sums that none waits for itself: two units, each with a new sum every cycle, of which
 * each takes four to five cycles. */
#define SUMS 12

/* Rounds of SUMS fused multiply-adds, in registers alone. */
#define PEAK(symbol, attributes, type, fill, fma)                                                  \
    attributes static float symbol(guint64 rounds)                                                 \
    {                                                                                              \
        type sums[SUMS], factor = fill(0.999f), addend = fill(0.001f);                             \
        for (guint i = 0; i < SUMS; i++)                                                           \
            sums[i] = fill((float) i);                                                             \
        for (guint64 round = 0; round < rounds; round++) {                                         \
            _Pragma("GCC unroll 12") for (guint i = 0; i < SUMS; i++)                              \
            {                                                                                      \
                sums[i] = fma(sums[i], factor, addend);                                            \
            }                                                                                      \
        }                                                                                          \
        for (guint i = 1; i < SUMS; i++)                                                           \
            sums[0] += sums[i];                                                                    \
        return ((float *) &sums[0])[0];                                                            \
    }

typedef float four __attribute__((vector_size(16)));

#define FILL_FOUR(x)          ((four){0} + (x))
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))
PEAK(run_portable, , four, FILL_FOUR, MULTIPLY_ADD)
#if defined __x86_64__
PEAK(run_avx2, __attribute__((target("avx2,fma"))), __m256, _mm256_set1_ps, _mm256_fmadd_ps)
PEAK(run_avx512, __attribute__((target("avx512f"))), __m512, _mm512_set1_ps, _mm512_fmadd_ps)
#elif defined __aarch64__
#define FMA_NEON(a, b, c) vfmaq_f32(c, a, b)
PEAK(run_neon, , float32x4_t, vdupq_n_f32, FMA_NEON)
#endif

typedef float (*Run)(guint64 rounds);

static const struct {
    Run run;
    guint lanes;
} peaks[ADIT_N_ISAS] = {
    [ADIT_ISA_PORTABLE] = {run_portable, 4},
#if defined __x86_64__
    [ADIT_ISA_AVX2] = {run_avx2, 8},
    [ADIT_ISA_AVX512] = {run_avx512, 16},
#elif defined __aarch64__
    [ADIT_ISA_NEON] = {run_neon, 4},
#endif
};

double
fma_peak_measure(AditIsa isa)
{
    const guint64 rounds = 100000;
    volatile float sink;
    double best = G_MAXDOUBLE;

    for (guint i = 0; i < 100; i++) {
        gint64 begin = g_get_monotonic_time();

        sink = peaks[isa].run(rounds);
        best = MIN(best, 1e-6 * (double) (g_get_monotonic_time() - begin));
    }
    (void) sink;
    return 2.0 * SUMS * peaks[isa].lanes * (double) rounds / best;
}
