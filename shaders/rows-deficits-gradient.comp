/* shaders/rows-deficits-gradient.comp - SPDX-License-Identifier: MIT */
#version 450

/* Inputs: extrema, the gradients by both sums. */

#include "elements.glsl"

#include "deficits.glsl"

void
compute(uint e)
{
    uint n = adit_count(0) / 4u, part = e / n % 4u, x = e / (4u * n) * 4u * n + e % n;
    float largest = IN0(x), smallest = IN0(x + 2u * n);
    float by = IN1(0) + 2.0 * adit_deficit(largest, smallest) * IN1(1);

    if (part == 0u)
        OUT(e) = DEFICITS_MARGIN - largest > 0.0 ? -(DEFICITS_UPPER * by) : 0.0;
    else if (part == 2u)
        OUT(e) = DEFICITS_MARGIN + smallest > 0.0 ? DEFICITS_LOWER * by : 0.0;
    else
        OUT(e) = 0.0;
}
