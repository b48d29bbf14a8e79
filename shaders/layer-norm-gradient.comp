/* shaders/layer-norm-gradient.comp - SPDX-License-Identifier: MIT */
#version 450

/* Inputs: x, dy, scale. With g = dy scale and h the standardised x: (g - mean(g) - h mean(g h))
 * inverse. */

#include "lanes.glsl"

#include "layer-norm.glsl"
#include "lines.glsl"

void
compute(uint line, uint n)
{
    uint x = line * n;
    float mean, inverse, g, gh;

    adit_statistics(x, n, mean, inverse);
    ADIT_LANES_SUM(g, n, IN1(x + i) * IN2(i));
    ADIT_LANES_SUM(gh, n, IN1(x + i) * IN2(i) * (IN0(x + i) - mean));
    g /= float(n);
    gh = gh * inverse / float(n);
    for (uint i = adit_lane(); i < n; i += ADIT_LANES) {
        precise float dx =
            (IN1(x + i) * IN2(i) - g - (IN0(x + i) - mean) * inverse * gh) * inverse;

        OUT(x + i) = dx;
    }
}
