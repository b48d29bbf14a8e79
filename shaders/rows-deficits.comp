/* shaders/rows-deficits.comp - SPDX-License-Identifier: MIT */
#version 450

/* The sum of the slice's deficits, and of their squares. */

#define ADIT_COLUMNS
#include "lanes.glsl"

#include "deficits.glsl"
#include "slices.glsl"

/* Deficit @i of the slice. */
float
find_deficit(uint i)
{
    uint n = adit_count(1) / 4u;
    uint x = (adit_slice_first() + i / n) * 4u * n + i % n;

    return adit_deficit(IN0(x), IN0(x + 2u * n));
}

void
main()
{
    uint column = adit_lane_group();
    bool wanted = adit_is_running() && column < 2u;
    uint n = wanted ? adit_slice_rows() * (adit_count(1) / 4u) : 0u;
    float sum;

    ADIT_LANES_SUM(sum, n, column == 0u ? find_deficit(i) : find_deficit(i) * find_deficit(i));
    if (wanted && adit_lane() == 0u)
        OUT(adit_slice_result() + column) = sum;
}
