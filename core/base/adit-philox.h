/* core/base/adit-philox.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-random.h>

G_BEGIN_DECLS

/* Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC
 * 2011, section 3.3. Pure function of counter and key; @out may be @counter. */
void adit_philox(const guint32 counter[4], const guint32 key[2], guint32 out[4]);

/* The key of a named stream: the first 8 bytes (little-endian) of SHA-256(seed as 8 little-endian
 * bytes, then @name). */
void adit_stream_key(guint64 seed, const char *name, guint32 key[2]);

/* A uniform in (0, 1) from 32 random bits, 23 bits kept: (bits >> 9) + 0.5 in units of 2^-23. Exact
 * in float32 (a 24th bit would round the last value to 1), never 0 or 1. */
static inline double
adit_uniform(guint32 bits)
{
    return ((double) (bits >> 9) + 0.5) * (1.0 / 8388608.0);
}

/**
 * AditRandom: a sequential reader of one stream, for what is drawn on the host (initial weights,
 * synthetic data): counter 0, 1, 2, ... four words each.
 */
struct _AditRandom {
    guint32 key[2];
    guint64 next; /* number of the next word */
    guint32 block[4];
};

void adit_random_init(AditRandom *random, guint64 seed, const char *name);

#define ADIT_PERMUTATION_ROUNDS 8

/* A pseudo-random permutation of 0..@size-1 without a table: a keyed Feistel network on the next
 * power of four, walked along its cycle until the value is below @size. Round keys are the first
 * words of the named stream. */
typedef struct {
    guint32 round_keys[ADIT_PERMUTATION_ROUNDS];
    guint64 size;
    guint half_bits;
} AditPermutation;

void adit_permutation_init(AditPermutation *self, guint64 seed, const char *name, guint64 size);
guint64 adit_permutation_at(const AditPermutation *self, guint64 index);
/* The @n values from @first on: the same, several at a time. */
void adit_permutation_fill(const AditPermutation *self, guint64 first, gsize n, gsize *values);

G_END_DECLS
