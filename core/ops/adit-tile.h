/* core/ops/adit-tile.h - SPDX-License-Identifier: MIT */

/* What kernels of thin products share: a tile of the result that stays in registers. */

#pragma once

#include "adit-lanes.h"
#include "adit-product.h"

/* Some lines of one to three vectors, as many as leave room for the vectors of b. An element is the
 * sum of its products in order, each added by one fused multiply-add, whatever tile it lies in. */
#define MAX_VECTORS 3
#define MAX_LINES   16

typedef vector Tile[MAX_LINES][MAX_VECTORS];

ADIT_ALWAYS_INLINE void
begin(Tile sum, const real *out, gsize step, gsize last, const gsize m, const gsize v)
{
#pragma GCC unroll 16
    for (gsize i = 0; i < m; i++, out += step) {
#pragma GCC unroll 3
        for (gsize j = 0; j < v; j++)
            sum[i][j] = vector_load_some(out + j * LANES, j + 1 < v ? LANES : last);
    }
}

ADIT_ALWAYS_INLINE void
finish(Tile sum, real *out, gsize step, gsize last, const gsize m, const gsize v)
{
#pragma GCC unroll 16
    for (gsize i = 0; i < m; i++, out += step) {
#pragma GCC unroll 3
        for (gsize j = 0; j < v; j++)
            vector_store_some(out + j * LANES, sum[i][j], j + 1 < v ? LANES : last);
        KEEP(out);
    }
}

/* f(v, m) for every number of lines up to some. */
#define ALL_4(f, v)  f(v, 1) f(v, 2) f(v, 3) f(v, 4)
#define ALL_6(f, v)  ALL_4(f, v) f(v, 5) f(v, 6)
#define ALL_8(f, v)  ALL_6(f, v) f(v, 7) f(v, 8)
#define ALL_12(f, v) ALL_8(f, v) f(v, 9) f(v, 10) f(v, 11) f(v, 12)
#define ALL_16(f, v) ALL_12(f, v) f(v, 13) f(v, 14) f(v, 15) f(v, 16)
