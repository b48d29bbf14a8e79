/* shaders/log-softmax-gradient.comp - SPDX-License-Identifier: MIT */
#version 450

/* Inputs: y, dy: dy - exp(y) sum(dy). */

#include "lanes.glsl"

#include "lines.glsl"
#include "softmax.glsl"

void
compute(uint line, uint n)
{
    uint y = adit_line_of(1, line), dy = adit_line_of(2, line);
    float sum;

    ADIT_LANES_SUM(sum, n, IN1(dy + i));
    for (uint i = adit_lane(); i < n; i += ADIT_LANES) {
        precise float dx = IN1(dy + i) - adit_exp(IN0(y + i)) * sum;

        OUT(line * n + i) = dx;
    }
}
