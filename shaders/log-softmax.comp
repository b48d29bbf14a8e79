/* shaders/log-softmax.comp - SPDX-License-Identifier: MIT */
#version 450

#include "lanes.glsl"

#include "lines.glsl"
#include "softmax.glsl"

void
compute(uint line, uint n)
{
    uint x = line * n;
    float top = adit_greatest(x, n);
    float tail = adit_log(adit_sum_exp(x, n, top));

    for (uint i = adit_lane(); i < n; i += ADIT_LANES)
        OUT(x + i) = IN0(x + i) - top - tail;
}
