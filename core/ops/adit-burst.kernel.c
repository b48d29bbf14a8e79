/* core/ops/adit-burst.kernel.c - SPDX-License-Identifier: MIT */
#include "adit-kernel.h"

#ifndef ADIT_REAL_DOUBLE

/* Chains that do not wait for each other: no fewer than the latency of a multiply-add times how
 * many of them a cycle begins, and few enough for 16 registers. */
#define CHAINS 12

double ADIT_PASTE(adit, _burst, ADIT_VARIANT)(gsize rounds);

/* Every chain tends to 1, so that no number is one that a processor is slow with. */
double
ADIT_PASTE(adit, _burst, ADIT_VARIANT)(gsize rounds)
{
    vector chains[CHAINS], half = vector_fill(K(0.5)), total = {0};

#pragma GCC unroll 12
    for (gsize i = 0; i < CHAINS; i++)
        chains[i] = vector_fill((real) i);
    for (gsize n = 0; n < rounds; n++) {
#pragma GCC unroll 12
        for (gsize i = 0; i < CHAINS; i++)
            chains[i] = VECTOR_FMA(chains[i], half, half);
    }
    for (gsize i = 0; i < CHAINS; i++)
        total += chains[i];
    /* depends on all of them, so that none is left out */
    return total[0] > 0 ? 2.0 * CHAINS * (double) LANES * (double) rounds : 0;
}

#endif
