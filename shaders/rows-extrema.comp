/* shaders/rows-extrema.comp - SPDX-License-Identifier: MIT */
#version 450

#define ADIT_COLUMNS
#include "lanes.glsl"

#include "extrema.glsl"
#include "slices.glsl"

void
main()
{
    uint count = adit_count(0), column = adit_lane_group(), n = count / 4u;
    bool wanted = adit_is_running() && column < count;
    uint part = column / n, stride = adit_count(1);
    uint lower = adit_attribute(2) != 0u && part >= 2u ? stride / 2u : 0u;
    uint x = adit_slice_first() * stride + lower + column % n;
    float result = adit_extremum_part(part, wanted ? x : 0u, stride,
                                      wanted ? adit_slice_rows() : 0u,
                                      adit_slice_begin(adit_slice()));

    if (wanted && adit_lane() == 0u)
        OUT(adit_slice_result() + column) = result;
}
