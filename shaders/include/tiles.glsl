/* shaders/include/tiles.glsl - SPDX-License-Identifier: MIT */

/* A tile of a product, out[m][n] = the sum over k of left[m][k] right[n][k]: input 0 has the lines m,
 * input 1 the lines n. They are read in steps of 16 k into shared memory, and every invocation keeps a
 * micro-tile of sums. An element is the sum of its products in order, each added by one fused
 * multiply-add, whatever tile it lies in: the host may choose any.
 *
 * Sizes are powers of two. TILE_ROWS / MICRO_ROWS * TILE_COLUMNS / MICRO_COLUMNS is the size of the
 * workgroup, constant 0: at least 16, TILE_ROWS and TILE_COLUMNS, at most 128. TILE_ROWS +
 * TILE_COLUMNS is at most 192, which takes 12800 bytes of shared memory. Choices that make sense:
 *
 *     product                          tile      micro-tile  invocations
 *     thin, N <= 4                     128 x 4   4 x 1       128
 *     thin, N <= 8                      64 x 8   2 x 2       128
 *     thin, N <= 16                     32 x 16  2 x 2       128   (many rows: 128 x 16, 4 x 4)
 *     few tiles, any N                  32 x 32  4 x 2       128
 *     wide                              64 x 64  8 x 4       128   (or 8 x 8, 64 invocations)
 *     wide, far more tiles than cores  128 x 64  8 x 8       128
 *
 * The kernel defines LEFT_ALONG_K and RIGHT_ALONG_K: whether neighbours in the input are those of k,
 * not those of lines. If the numbers lie in no such order, it also gives ADIT_LEFT(line, k) and
 * ADIT_RIGHT(line, k), the numbers themselves, and ADIT_ELEMENT(p, m, n), where a result goes. */

#extension GL_EXT_control_flow_attributes : require

#include "product.glsl"

layout(local_size_x = 128, local_size_x_id = 0) in;
layout(constant_id = 1) const uint TILE_ROWS = 32u;
layout(constant_id = 2) const uint TILE_COLUMNS = 32u;
layout(constant_id = 4) const uint MICRO_ROWS = 4u;
layout(constant_id = 5) const uint MICRO_COLUMNS = 2u;

#define TILE_STEP 16u
const uint MICRO_NUMBERS = MICRO_ROWS * MICRO_COLUMNS;
const uint THREAD_ROWS = TILE_ROWS / MICRO_ROWS;
const uint THREAD_COLUMNS = TILE_COLUMNS / MICRO_COLUMNS;
const uint THREADS = THREAD_ROWS * THREAD_COLUMNS;
/* Four more numbers: lines of different k begin in different banks. */
const uint LEFT_STRIDE = TILE_ROWS + 4u;
const uint RIGHT_STRIDE = TILE_COLUMNS + 4u;
/* A micro-tile is spread over the tile in blocks of up to four: neighbouring invocations read
 * neighbouring blocks. */
const uint ROW_BLOCK = MICRO_ROWS < 4u ? MICRO_ROWS : 4u;
const uint COLUMN_BLOCK = MICRO_COLUMNS < 4u ? MICRO_COLUMNS : 4u;
/* Numbers an invocation reads for a step. */
const uint LEFT_READS = (TILE_STEP * TILE_ROWS + THREADS - 1u) / THREADS;
const uint RIGHT_READS = (TILE_STEP * TILE_COLUMNS + THREADS - 1u) / THREADS;

shared float left_tile[TILE_STEP * LEFT_STRIDE];
shared float right_tile[TILE_STEP * RIGHT_STRIDE];

/* Which number of a step of @size lines an invocation reads as its l-th: neighbouring invocations read
 * neighbours. */
#define READ_LINE(l, size, along_k)                                                                \
    ((along_k) ? gl_LocalInvocationID.x / TILE_STEP + (l) * (THREADS / TILE_STEP)                  \
               : gl_LocalInvocationID.x % (size))
#define READ_K(l, size, along_k)                                                                   \
    ((along_k) ? gl_LocalInvocationID.x % TILE_STEP                                                \
               : gl_LocalInvocationID.x / (size) + (l) * (THREADS / (size)))

/* Where the first of them lies, and how far apart they are. */
#define READ_FIRST(side, line, part, size, along_k)                                                \
    (side.first + (part) * side.part_step + ((line) + READ_LINE(0u, size, along_k)) * side.line_step + \
     READ_K(0u, size, along_k) * side.k_step)
#define READ_APART(side, size, along_k)                                                            \
    ((along_k) ? THREADS / TILE_STEP * side.line_step : THREADS / (size) * side.k_step)

#ifndef ADIT_ELEMENT
#define ADIT_ELEMENT(p, m, n) (p.to + (m) * p.columns + (n))
#endif

/* Reads them. Beyond the end of the input it reads something else. */
#define READ_STEP(input, to, n_reads, at, apart, end)                                              \
    [[unroll]] for (uint l = 0u; l < n_reads; l++)                                                 \
        to[l] = input(min(at + l * apart, end - 1u));

#define ASK_STEP(ask, to, n_reads, line, lines, base, depth, size, along_k)                        \
    [[unroll]] for (uint l = 0u; l < n_reads; l++)                                                 \
        to[l] = ask(min((line) + READ_LINE(l, size, along_k), lines - 1u),                         \
                    min((base) + READ_K(l, size, along_k), depth - 1u));

/* Both sides' numbers of the step that begins at k = base. */
#ifdef ADIT_LEFT
#define READ_SIDES(p, base)                                                                        \
    ASK_STEP(ADIT_LEFT, left_read, LEFT_READS, row, p.rows, base, p.depth, TILE_ROWS, LEFT_ALONG_K) \
    ASK_STEP(ADIT_RIGHT, right_read, RIGHT_READS, column, p.columns, base, p.depth, TILE_COLUMNS,  \
             RIGHT_ALONG_K)
#else
#define READ_SIDES(p, base)                                                                        \
    READ_STEP(IN0, left_read, LEFT_READS, left_at + (base) * p.left.k_step, left_apart, p.left.end) \
    READ_STEP(IN1, right_read, RIGHT_READS, right_at + (base) * p.right.k_step, right_apart,       \
              p.right.end)
#endif

/* Numbers whose k does not exist count as 0; of lines that do not exist nothing is stored. */
#define CLEAR_STEP(numbers, n_reads, size, along_k, depth_left)                                    \
    [[unroll]] for (uint l = 0u; l < n_reads; l++)                                                 \
        numbers[l] = READ_K(l, size, along_k) < (depth_left) ? numbers[l] : 0.0;

#define SHARE_STEP(tile, stride, numbers, n_reads, size, along_k)                                  \
    [[unroll]] for (uint l = 0u; l < n_reads; l++) {                                               \
        if (TILE_STEP * (size) >= THREADS || gl_LocalInvocationID.x < TILE_STEP * (size))          \
            tile[READ_K(l, size, along_k) * stride + READ_LINE(l, size, along_k)] = numbers[l];    \
    }

/* Row or column i of a micro-tile, within the tile. */
#define MICRO_ROW(i)                                                                               \
    ((i) / ROW_BLOCK * ROW_BLOCK * THREAD_ROWS +                                                   \
     gl_LocalInvocationID.x / THREAD_COLUMNS * ROW_BLOCK + (i) % ROW_BLOCK)
#define MICRO_COLUMN(j)                                                                            \
    ((j) / COLUMN_BLOCK * COLUMN_BLOCK * THREAD_COLUMNS +                                          \
     gl_LocalInvocationID.x % THREAD_COLUMNS * COLUMN_BLOCK + (j) % COLUMN_BLOCK)

#define MULTIPLY_STEP(sum)                                                                         \
    for (uint first = 0u; first < TILE_STEP; first += 4u) {                                        \
        [[unroll]] for (uint next = 0u; next < 4u; next++) {                                       \
            uint left_k = (first + next) * LEFT_STRIDE, right_k = (first + next) * RIGHT_STRIDE;   \
            float a[MICRO_ROWS], b[MICRO_COLUMNS];                                                 \
            [[unroll]] for (uint i = 0u; i < MICRO_ROWS; i++)                                      \
                a[i] = left_tile[left_k + MICRO_ROW(i)];                                           \
            [[unroll]] for (uint j = 0u; j < MICRO_COLUMNS; j++)                                   \
                b[j] = right_tile[right_k + MICRO_COLUMN(j)];                                      \
            [[unroll]] for (uint i = 0u; i < MICRO_NUMBERS; i++)                                   \
                sum[i] = fma(a[i / MICRO_COLUMNS], b[i % MICRO_COLUMNS], sum[i]);                  \
        }                                                                                          \
    }

#define STORE_TILE(p, sum, row, column, inside)                                                    \
    [[unroll]] for (uint i = 0u; i < MICRO_NUMBERS; i++) {                                         \
        uint m = (row) + MICRO_ROW(i / MICRO_COLUMNS);                                             \
        uint n = (column) + MICRO_COLUMN(i % MICRO_COLUMNS);                                       \
        uint e = ADIT_ELEMENT(p, m, n);                                                            \
        if (inside) {                                                                              \
            ADIT_EPILOGUE(sum[i], m, n, e);                                                        \
        }                                                                                          \
    }

/* The tile of this workgroup. */
void
adit_product(AditProduct p)
{
    uint tiles = (p.columns + TILE_COLUMNS - 1u) / TILE_COLUMNS;
    uint row = p.group / tiles * TILE_ROWS, column = p.group % tiles * TILE_COLUMNS;
    uint left_apart = READ_APART(p.left, TILE_ROWS, LEFT_ALONG_K);
    uint right_apart = READ_APART(p.right, TILE_COLUMNS, RIGHT_ALONG_K);
    precise float sum[MICRO_NUMBERS];
    float left_read[LEFT_READS], right_read[RIGHT_READS];

    if (!adit_is_running() || row >= p.rows)
        p.rows = p.parts = 0u;
    [[unroll]] for (uint i = 0u; i < MICRO_NUMBERS; i++)
        sum[i] = 0.0;
    for (uint part = 0u; part < p.parts; part++) {
        uint left_at = READ_FIRST(p.left, row, part, TILE_ROWS, LEFT_ALONG_K);
        uint right_at = READ_FIRST(p.right, column, part, TILE_COLUMNS, RIGHT_ALONG_K);

        READ_SIDES(p, 0u)
        for (uint base = 0u; base < p.depth; base += TILE_STEP) {
            if (base + TILE_STEP > p.depth) {
                CLEAR_STEP(left_read, LEFT_READS, TILE_ROWS, LEFT_ALONG_K, p.depth - base)
                CLEAR_STEP(right_read, RIGHT_READS, TILE_COLUMNS, RIGHT_ALONG_K, p.depth - base)
            }
            barrier();
            SHARE_STEP(left_tile, LEFT_STRIDE, left_read, LEFT_READS, TILE_ROWS, LEFT_ALONG_K)
            if (RIGHT_ALONG_K) {
                SHARE_STEP(right_tile, RIGHT_STRIDE, right_read, RIGHT_READS, TILE_COLUMNS, true)
            } else {
                SHARE_STEP(right_tile, RIGHT_STRIDE, right_read, RIGHT_READS, TILE_COLUMNS, false)
            }
            barrier();
            /* the next step is on its way meanwhile */
            if (base + TILE_STEP < p.depth) {
                READ_SIDES(p, base + TILE_STEP)
            }
            MULTIPLY_STEP(sum)
        }
    }
    if (row + TILE_ROWS <= p.rows && column + TILE_COLUMNS <= p.columns) {
        STORE_TILE(p, sum, row, column, true)
    } else {
        STORE_TILE(p, sum, row, column, m < p.rows && n < p.columns)
    }
}
