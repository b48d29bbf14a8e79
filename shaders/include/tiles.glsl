/* shaders/include/tiles.glsl - SPDX-License-Identifier: MIT */

/* A tile of a product, out[row][column] = the sum over k of left(row, k) right(k, column), which the
 * kernel gives. They are read in steps of 16 k into shared memory, and every invocation keeps a
 * micro-tile of sums. An element is the sum of its products in order, each added by one fused
 * multiply-add, whatever tile it lies in: the host may choose any.
 *
 * Sizes are powers of two with TILE_ROWS / MICRO_ROWS * TILE_COLUMNS / MICRO_COLUMNS invocations, at
 * most 128, which is constant 0, and TILE_ROWS + TILE_COLUMNS at most 192: 12800 bytes of shared memory.
 * Choices that make sense:
 *
 *     product                        tile      micro-tile   invocations
 *     thin, N <= 4                   128 x 4   4 x 1        128
 *     thin, N <= 8                    64 x 8   2 x 2        128
 *     thin, N <= 16                   32 x 16  2 x 2        128    (many rows: 128 x 16, 4 x 4)
 *     few tiles, any N                32 x 32  4 x 2        128
 *     wide                            64 x 64  8 x 4        128    (or 8 x 8, 64 invocations)
 *     wide, more tiles than enough   128 x 64  8 x 8        128
 */

#extension GL_EXT_control_flow_attributes : require

#include "adit.glsl"

/* What becomes of a result, element @e of the output. */
#ifndef ADIT_EPILOGUE
#define ADIT_EPILOGUE(value, row, column, e) OUT(e) = value
#endif

layout(local_size_x = 128, local_size_x_id = 0) in;
layout(constant_id = 1) const uint TILE_ROWS = 32u;
layout(constant_id = 2) const uint TILE_COLUMNS = 32u;
layout(constant_id = 4) const uint MICRO_ROWS = 4u;
layout(constant_id = 5) const uint MICRO_COLUMNS = 2u;

#define TILE_STEP 16u
const uint MICRO_NUMBERS = MICRO_ROWS * MICRO_COLUMNS;
const uint THREAD_ROWS = TILE_ROWS / MICRO_ROWS;
const uint THREAD_COLUMNS = TILE_COLUMNS / MICRO_COLUMNS;
/* Four more numbers: lines of different k begin in different banks. */
const uint LEFT_STRIDE = TILE_ROWS + 4u;
const uint RIGHT_STRIDE = TILE_COLUMNS + 4u;
/* A micro-tile is spread over the tile in blocks of up to four: neighbouring invocations read
 * neighbouring blocks. */
const uint ROW_BLOCK = MICRO_ROWS < 4u ? MICRO_ROWS : 4u;
const uint COLUMN_BLOCK = MICRO_COLUMNS < 4u ? MICRO_COLUMNS : 4u;

shared float left_tile[TILE_STEP * LEFT_STRIDE];
shared float right_tile[TILE_STEP * RIGHT_STRIDE];

float left(uint row, uint k);
float right(uint k, uint column);

/* Row or column i of a micro-tile, within the tile. */
#define MICRO_ROW(i)                                                                               \
    ((i) / ROW_BLOCK * ROW_BLOCK * THREAD_ROWS +                                                   \
     gl_LocalInvocationID.x / THREAD_COLUMNS * ROW_BLOCK + (i) % ROW_BLOCK)
#define MICRO_COLUMN(j)                                                                            \
    ((j) / COLUMN_BLOCK * COLUMN_BLOCK * THREAD_COLUMNS +                                          \
     gl_LocalInvocationID.x % THREAD_COLUMNS * COLUMN_BLOCK + (j) % COLUMN_BLOCK)

/* Copies 16 k of @size lines to shared memory. Neighbouring invocations have neighbouring k or, if not
 * ALONG_K, lines: what lies side by side in the input. What is not INSIDE is 0; VALUE must be readable
 * all the same, so that loads need no branches and many are under way at once. */
#define LOAD_TILE(tile, stride, size, along_k, inside, value)                                      \
    [[unroll]] for (uint l_ = 0u; l_ * gl_WorkGroupSize.x < TILE_STEP * (size); l_++) {            \
        uint e_ = l_ * gl_WorkGroupSize.x + gl_LocalInvocationID.x;                                \
        uint k = (along_k) ? e_ % TILE_STEP : e_ / (size);                                         \
        uint i = (along_k) ? e_ / TILE_STEP : e_ % (size);                                         \
        if (TILE_STEP * (size) % gl_WorkGroupSize.x == 0u || e_ < TILE_STEP * (size)) {            \
            float value_ = (value);                                                                \
            tile[k * (stride) + i] = (inside) ? value_ : 0.0;                                      \
        }                                                                                          \
    }

/* The tile of this workgroup of the product of @rows x @depth and @depth x @columns numbers, to the
 * output from element @to on. LEFT_ALONG_K, RIGHT_ALONG_K: neighbours in the input are those of k. */
void
adit_product(uint rows, uint columns, uint depth, bool left_along_k, bool right_along_k, uint to)
{
    uint tiles = (columns + TILE_COLUMNS - 1u) / TILE_COLUMNS;
    uint row = adit_group() / tiles * TILE_ROWS, column = adit_group() % tiles * TILE_COLUMNS;
    float sum[MICRO_NUMBERS];

    if (!adit_is_running() || row >= rows)
        rows = depth = 0u;
    [[unroll]] for (uint i = 0u; i < MICRO_NUMBERS; i++)
        sum[i] = 0.0;
    for (uint base = 0u; base < depth; base += TILE_STEP) {
        barrier();
        LOAD_TILE(left_tile, LEFT_STRIDE, TILE_ROWS, left_along_k,
                  row + i < rows && base + k < depth,
                  left(min(row + i, rows - 1u), min(base + k, depth - 1u)))
        LOAD_TILE(right_tile, RIGHT_STRIDE, TILE_COLUMNS, right_along_k,
                  column + i < columns && base + k < depth,
                  right(min(base + k, depth - 1u), min(column + i, columns - 1u)))
        barrier();
        for (uint k = 0u; k < TILE_STEP; k++) {
            float a[MICRO_ROWS], b[MICRO_COLUMNS];

            [[unroll]] for (uint i = 0u; i < MICRO_ROWS; i++)
                a[i] = left_tile[k * LEFT_STRIDE + MICRO_ROW(i)];
            [[unroll]] for (uint j = 0u; j < MICRO_COLUMNS; j++)
                b[j] = right_tile[k * RIGHT_STRIDE + MICRO_COLUMN(j)];
            [[unroll]] for (uint m = 0u; m < MICRO_NUMBERS; m++)
                sum[m] = fma(a[m / MICRO_COLUMNS], b[m % MICRO_COLUMNS], sum[m]);
        }
    }
    [[unroll]] for (uint i = 0u; i < MICRO_NUMBERS; i++) {
        uint m = row + MICRO_ROW(i / MICRO_COLUMNS), n = column + MICRO_COLUMN(i % MICRO_COLUMNS);
        uint e = to + m * columns + n;

        if (m < rows && n < columns) {
            ADIT_EPILOGUE(sum[i], m, n, e);
        }
    }
}
