/* shaders/layer-norm.comp - SPDX-License-Identifier: MIT */
#version 450

/* Inputs: x, scale, shift. */

#include "lanes.glsl"

#include "layer-norm.glsl"
#include "lines.glsl"

void
compute(uint line, uint n)
{
    uint x = line * n;
    float mean, inverse;

    adit_statistics(x, n, mean, inverse);
    for (uint i = adit_lane(); i < n; i += ADIT_LANES) {
        precise float y = (IN0(x + i) - mean) * inverse * IN1(i) + IN2(i);

        OUT(x + i) = y;
    }
}
