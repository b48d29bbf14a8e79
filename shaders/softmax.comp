/* shaders/softmax.comp - SPDX-License-Identifier: MIT */
#version 450

#include "lanes.glsl"

#include "lines.glsl"
#include "softmax.glsl"

void
compute(uint line, uint n)
{
    uint x = line * n;
    float top = adit_greatest(x, n);
    float sum = adit_sum_exp(x, n, top);

    for (uint i = adit_lane(); i < n; i += ADIT_LANES)
        OUT(x + i) = adit_exp(IN0(x + i) - top) / sum;
}
