/* shaders/include/direct.glsl - SPDX-License-Identifier: MIT */

/* A product without shared memory and barriers, for short sums: what neighbouring invocations read
 * lies in the nearest cache. An invocation has four neighbouring columns of a row. The sums are those of
 * tiles.glsl: in order, each product added by one fused multiply-add.
 *
 * TILE_ROWS * TILE_COLUMNS / 4 is the size of the workgroup, constant 0. */

#include "product.glsl"

layout(local_size_x = 128, local_size_x_id = 0) in;
layout(constant_id = 1) const uint TILE_ROWS = 32u;
layout(constant_id = 2) const uint TILE_COLUMNS = 16u;

void
adit_product(AditProduct p)
{
    uint tiles = (p.columns + TILE_COLUMNS - 1u) / TILE_COLUMNS, quads = TILE_COLUMNS / 4u;
    uint row = p.group / tiles * TILE_ROWS + gl_LocalInvocationID.x / quads;
    uint column = p.group % tiles * TILE_COLUMNS + gl_LocalInvocationID.x % quads * 4u;
    precise float sum[4] = {0.0, 0.0, 0.0, 0.0};
    uint at[4];

    if (!adit_is_running() || row >= p.rows || column >= p.columns)
        p.rows = p.parts = 0u;
    for (uint j = 0u; j < 4u; j++)
        at[j] = p.right.first + min(column + j, p.columns - 1u) * p.right.line_step;
    for (uint part = 0u; part < p.parts; part++) {
        uint left = p.left.first + part * p.left.part_step + row * p.left.line_step;
        uint right = part * p.right.part_step;

        for (uint k = 0u; k < p.depth; k++) {
            float a = IN0(left + k * p.left.k_step);

            for (uint j = 0u; j < 4u; j++)
                sum[j] = fma(a, IN1(right + at[j] + k * p.right.k_step), sum[j]);
        }
    }
    for (uint j = 0u; j < 4u; j++) {
        if (p.rows > 0u && column + j < p.columns) {
            uint m = row, n = column + j;

            ADIT_EPILOGUE(sum[j], m, n, p.to + m * p.columns + n);
        }
    }
}
