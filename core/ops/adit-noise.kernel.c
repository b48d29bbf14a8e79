/* core/ops/adit-noise.kernel.c - SPDX-License-Identifier: MIT */
#include <tgmath.h>

#include "adit-kernel.h"
#include "adit-philox.h"

/* Element e of the batch, counted over its rows, takes word e % 4 of block (e / 4, step). */

typedef void (*Draw)(const guint32 *words, real *values);

/* Elements @e to @end. */
ADIT_ALWAYS_INLINE void
fill(const AditKernelCall *call, guint64 e, guint64 end, Draw draw)
{
    guint64 begin = (guint64) call->first_row * call->output.count;
    real *out = (real *) call->output.data + (e - begin);

    while (e < end) {
        guint32 words[4] = {(guint32) (e / 4), (guint32) (e / 4 >> 32), (guint32) call->step,
                            (guint32) (call->step >> 32)};
        real values[4];
        guint first = e % 4, n = (guint) MIN(4 - first, end - e);

        adit_philox(words, call->key, words);
        draw(words, values);
        memcpy(out, values + first, n * sizeof(real));
        out += n;
        e += n;
    }
}

static void
draw_uniform(const guint32 *words, real *values)
{
    for (guint i = 0; i < 4; i++)
        values[i] = (real) adit_uniform(words[i]);
}

/* Box and Muller 1958: a pair of uniforms gives a pair of normals. */
static void
draw_normal(const guint32 *words, real *values)
{
    for (guint i = 0; i < 4; i += 2) {
        real radius = sqrt(K(-2) * log((real) adit_uniform(words[i])));
        real angle = K(2 * G_PI) * (real) adit_uniform(words[i + 1]);

        values[i] = radius * cos(angle);
        values[i + 1] = radius * sin(angle);
    }
}

/* A block in each lane of 64 bits, of which the lower half counts. */
typedef guint64 wide_vector __attribute__((vector_size(ADIT_VECTOR_BYTES)));
typedef guint32 word_vector __attribute__((vector_size(ADIT_VECTOR_BYTES)));
typedef real uniform_vector __attribute__((vector_size(ADIT_VECTOR_BYTES / 4 * sizeof(real))));

#define BLOCKS (ADIT_VECTOR_BYTES / 8)

/* f(d, l) for every block l. */
#if defined __AVX512F__
#define EACH_BLOCK LANES_8
#elif defined __AVX2__
#define EACH_BLOCK LANES_4
#else
#define EACH_BLOCK LANES_2
#endif

#define NUMBER(d, l) (l)
/* The lanes of two vectors in turn, from @d on. */
#define IN_TURN(d, l) (int) ((d) + (l) / 2 + (l) % 2 * BLOCKS)

/* The products of lower halves. */
#if defined __AVX512F__
#define WIDE_MULTIPLY(a, b) ((wide_vector) _mm512_mul_epu32((__m512i) (a), (__m512i) (b)))
#elif defined __AVX2__
#define WIDE_MULTIPLY(a, b) ((wide_vector) _mm256_mul_epu32((__m256i) (a), (__m256i) (b)))
#else
#define WIDE_MULTIPLY(a, b) (((a) &0xffffffffu) * ((b) &0xffffffffu))
#endif

/* BLOCKS blocks from number @first on, as adit_philox() makes them. */
ADIT_ALWAYS_INLINE void
philox_blocks(const AditKernelCall *call, guint64 first, wide_vector out[4])
{
    const wide_vector zero = {0}, number = {EACH_BLOCK(NUMBER, 0)};
    wide_vector c[4] = {number + first, (number + first) >> 32, zero + call->step,
                        zero + (call->step >> 32)};
    guint64 k0 = call->key[0], k1 = call->key[1];

#pragma GCC unroll 10
    for (guint round = 0; round < 10; round++) {
        wide_vector p0 = WIDE_MULTIPLY(c[0], zero + 0xd2511f53u);
        wide_vector p1 = WIDE_MULTIPLY(c[2], zero + 0xcd9e8d57u);

        c[0] = p1 >> 32 ^ c[1] ^ k0;
        c[1] = p1;
        c[2] = p0 >> 32 ^ c[3] ^ k1;
        c[3] = p0;
        k0 += 0x9e3779b9u;
        k1 += 0xbb67ae85u;
    }
    memcpy(out, c, sizeof c);
}

/* As adit_uniform(), which is exact in either precision. */
ADIT_ALWAYS_INLINE void
store_uniform(real *out, wide_vector bits)
{
    uniform_vector value = __builtin_convertvector((word_vector) bits >> 9, uniform_vector);

    value = (value + K(0.5)) * K(1.0 / 8388608.0);
    memcpy(out, &value, sizeof value);
}

/* Whole vectors of blocks, from element @e on, the first of a block, as many as end before @end.
 * Gives the element after them. */
static guint64
fill_blocks(const AditKernelCall *call, guint64 e, guint64 end, real *out)
{
    for (; e + 4 * BLOCKS <= end; e += 4 * BLOCKS, out += 4 * BLOCKS) {
        wide_vector c[4], low, high, first, second;

        philox_blocks(call, e / 4, c);
        low = (c[0] & 0xffffffffu) | c[1] << 32;
        high = (c[2] & 0xffffffffu) | c[3] << 32;
        first = __builtin_shufflevector(low, high, EACH_BLOCK(IN_TURN, 0));
        second = __builtin_shufflevector(low, high, EACH_BLOCK(IN_TURN, BLOCKS / 2));
        store_uniform(out, first);
        store_uniform(out + 2 * BLOCKS, second);
    }
    return e;
}

void
ADIT_KERNEL(noise_uniform)(const AditKernelCall *call)
{
    guint64 first = (guint64) call->first_row * call->output.count;
    guint64 end = first + call_count(call), aligned = MIN((first + 3) / 4 * 4, end), e;
    real *out = call->output.data;

    fill(call, first, aligned, draw_uniform);
    e = fill_blocks(call, aligned, end, out + (aligned - first));
    fill(call, e, end, draw_uniform);
}

void
ADIT_KERNEL(noise_normal)(const AditKernelCall *call)
{
    guint64 first = (guint64) call->first_row * call->output.count;

    fill(call, first, first + call_count(call), draw_normal);
}
