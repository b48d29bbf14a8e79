/* shaders/cross-entropy-gradient.comp - SPDX-License-Identifier: MIT */
#version 450

/* Inputs: logits, class numbers, dy: (softmax - one-hot) dy. */

#include "lanes.glsl"

#include "lines.glsl"
#include "softmax.glsl"

void
compute(uint line, uint n)
{
    uint x = adit_line_of(1, line);
    float target = IN1(adit_number_of(2, line)), dy = IN2(adit_number_of(3, line));
    float top = adit_greatest(x, n);
    float sum = adit_sum_exp(x, n, top);

    for (uint i = adit_lane(); i < n; i += ADIT_LANES) {
        float share = adit_exp(IN0(x + i) - top) / sum;

        OUT(line * n + i) = (share - (target == float(i) ? 1.0 : 0.0)) * dy;
    }
}
