/* shaders/standardize.comp - SPDX-License-Identifier: MIT */
#version 450

/* (x - mean) / sqrt(variance + epsilon), of every line. */

#include "lanes.glsl"

#include "layer-norm.glsl"
#include "lines.glsl"

void
compute(uint line, uint n)
{
    uint x = line * n;
    float mean, inverse;

    adit_statistics(x, n, mean, inverse);
    for (uint i = adit_lane(); i < n; i += ADIT_LANES)
        OUT(x + i) = (IN0(x + i) - mean) * inverse;
}
