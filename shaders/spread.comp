/* shaders/spread.comp - SPDX-License-Identifier: MIT */
#version 450

/* How many workgroups the dispatches behind it get for the rows that a sift left. Input 0, written:
 * four words for each dispatch; input 1: how many rows there are. Attributes: dispatches, workgroups
 * along x at most; behind them, for each: its first row, its rows, and b, c, d: n of its rows take
 * d ceil(n b / c) workgroups. The rows are noted in the block. */

#define ADIT_BLOCK_WRITABLE
#define ADIT_INPUT0_TYPE uint
#define ADIT_INPUT0_ACCESS
#define ADIT_INPUT1_TYPE uint

#include "adit.glsl"

layout(local_size_x = 64) in;

void
main()
{
    uint rows = IN1(0), most = adit_attribute(1);

    for (uint i = gl_LocalInvocationID.x; i < adit_attribute(0); i += 64u) {
        uint at = 2u + 5u * i, first = adit_attribute(at);
        uint n = min(rows - min(rows, first), adit_attribute(at + 1u));
        uint groups = (n * adit_attribute(at + 2u) + adit_attribute(at + 3u) - 1u) /
                      adit_attribute(at + 3u) * adit_attribute(at + 4u);

        IN0(4u * i) = min(groups, most);
        IN0(4u * i + 1u) = (groups + most - 1u) / most;
        IN0(4u * i + 2u) = 1u;
    }
    if (gl_LocalInvocationID.x == 0u)
        block[BLOCK_ROWS] = rows;
}
