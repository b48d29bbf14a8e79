/* core/base/adit-philox.c - SPDX-License-Identifier: MIT */
#include "adit-philox.h"

#include <math.h>
#include <string.h>

void
adit_philox(const guint32 counter[4], const guint32 key[2], guint32 out[4])
{
    guint32 c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    guint32 k0 = key[0], k1 = key[1];

    for (guint round = 0; round < 10; round++) {
        guint64 p0 = (guint64) 0xd2511f53u * c0;
        guint64 p1 = (guint64) 0xcd9e8d57u * c2;

        c0 = (guint32) (p1 >> 32) ^ c1 ^ k0;
        c1 = (guint32) p1;
        c2 = (guint32) (p0 >> 32) ^ c3 ^ k1;
        c3 = (guint32) p0;
        k0 += 0x9e3779b9u;
        k1 += 0xbb67ae85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

void
adit_stream_key(guint64 seed, const char *name, guint32 key[2])
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    guint64 little = GUINT64_TO_LE(seed);
    guint8 digest[32];
    gsize length = sizeof digest;

    g_checksum_update(checksum, (const guchar *) &little, sizeof little);
    g_checksum_update(checksum, (const guchar *) name, -1);
    g_checksum_get_digest(checksum, digest, &length);
    for (guint i = 0; i < 2; i++) {
        const guint8 *byte = digest + 4 * i;

        key[i] =
            byte[0] | (guint32) byte[1] << 8 | (guint32) byte[2] << 16 | (guint32) byte[3] << 24;
    }
}

void
adit_random_init(AditRandom *random, guint64 seed, const char *name)
{
    *random = (AditRandom){0};
    adit_stream_key(seed, name, random->key);
}

guint32
adit_random_bits(AditRandom *random)
{
    guint64 block = random->next / 4;
    guint word = random->next % 4;

    if (word == 0) {
        guint32 counter[4] = {(guint32) block, (guint32) (block >> 32)};

        adit_philox(counter, random->key, random->block);
    }
    random->next++;
    return random->block[word];
}

double
adit_random_uniform(AditRandom *random)
{
    return adit_uniform(adit_random_bits(random));
}

double
adit_random_normal(AditRandom *random)
{
    double radius = sqrt(-2 * log(adit_random_uniform(random)));

    return radius * cos(2 * G_PI * adit_random_uniform(random));
}

void
adit_permutation_init(AditPermutation *self, guint64 seed, const char *name, guint64 size)
{
    guint32 key[2];

    adit_stream_key(seed, name, key);
    *self = (AditPermutation){.size = size, .half_bits = 1};
    while (self->half_bits < 32 && (guint64) 1 << (2 * self->half_bits) < size)
        self->half_bits++;
    for (guint i = 0; i < ADIT_PERMUTATION_ROUNDS; i += 4) {
        guint32 counter[4] = {i / 4};

        adit_philox(counter, key, self->round_keys + i);
    }
}

/* The round function: the finalizer of MurmurHash3 (Appleby, public domain), a bijection of 32 bits
 * in which every input bit reaches every output bit. */
static guint32
mix(guint32 x)
{
    x ^= x >> 16;
    x *= 0x85ebca6bu;
    x ^= x >> 13;
    x *= 0xc2b2ae35u;
    return x ^ x >> 16;
}

guint64
adit_permutation_at(const AditPermutation *self, guint64 index)
{
    guint64 mask = ((guint64) 1 << self->half_bits) - 1;

    g_return_val_if_fail(index < self->size, 0);
    do {
        guint64 left = index >> self->half_bits;
        guint64 right = index & mask;

        for (guint i = 0; i < ADIT_PERMUTATION_ROUNDS; i++) {
            guint64 next = left ^ (mix((guint32) right ^ self->round_keys[i]) & mask);

            left = right;
            right = next;
        }
        index = left << self->half_bits | right;
    } while (index >= self->size);
    return index;
}

/* Values that go through the network together. */
#define WALKERS 16

/* Built for several instruction sets, of which the program's loader takes the best: integers, so
 * that all give the same. */
#if defined __x86_64__ && defined __GLIBC__ && defined __GNUC__ && !defined __clang__
#define EACH_ISA __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define EACH_ISA
#endif

typedef guint32 Halves __attribute__((vector_size(WALKERS * sizeof(guint32))));

/* Places that are waiting for their value at once: few enough for the stack. */
#define MOST_WAITING 256

/* One time through the network, as adit_permutation_at() goes: from @left and @right of WALKERS
 * values to themselves. */
static inline __attribute__((always_inline)) void
walk(const AditPermutation *self, guint32 *left, guint32 *right)
{
    guint32 mask = (guint32) (((guint64) 1 << self->half_bits) - 1);
    Halves l, r;

    memcpy(&l, left, sizeof l);
    memcpy(&r, right, sizeof r);
    for (guint i = 0; i < ADIT_PERMUTATION_ROUNDS; i++) {
        Halves x = r ^ self->round_keys[i], next;

        x ^= x >> 16;
        x *= 0x85ebca6bu;
        x ^= x >> 13;
        x *= 0xc2b2ae35u;
        next = l ^ ((x ^ x >> 16) & mask);
        l = r;
        r = next;
    }
    memcpy(left, &l, sizeof l);
    memcpy(right, &r, sizeof r);
}

/* The values of at most MOST_WAITING places. All walk once; those that have not arrived go on,
 * closed up: without a branch, which nobody could foresee. */
static inline __attribute__((always_inline)) void
fill_some(const AditPermutation *self, guint64 first, gsize n, gsize *values)
{
    guint32 left[MOST_WAITING + WALKERS] = {0}, right[MOST_WAITING + WALKERS] = {0};
    gsize places[MOST_WAITING];

    for (gsize i = 0; i < n; i++) {
        left[i] = (guint32) ((first + i) >> self->half_bits);
        right[i] = (guint32) ((first + i) & (((guint64) 1 << self->half_bits) - 1));
        places[i] = i;
    }
    while (n > 0) {
        gsize waiting = 0;

        for (gsize i = 0; i < n; i += WALKERS)
            walk(self, left + i, right + i);
        for (gsize i = 0; i < n; i++) {
            guint64 value = (guint64) left[i] << self->half_bits | right[i];

            values[places[i]] = value;
            left[waiting] = left[i];
            right[waiting] = right[i];
            places[waiting] = places[i];
            waiting += value >= self->size;
        }
        n = waiting;
    }
}

EACH_ISA void
adit_permutation_fill(const AditPermutation *self, guint64 first, gsize n, gsize *values)
{
    g_return_if_fail(first + n <= self->size);
    for (gsize i = 0; i < n; i += MOST_WAITING)
        fill_some(self, first + i, MIN(MOST_WAITING, n - i), values + i);
}
