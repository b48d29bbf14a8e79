/* shaders/rows-extrema-gradient.comp - SPDX-License-Identifier: MIT */
#version 450

/* Inputs: extrema over the rows, the gradient by them. */

#include "elements.glsl"

void
compute(uint e)
{
    uint count = adit_count(0), n = adit_count(1) / 4u, i = e % count, j = i % n;
    bool joins = adit_attribute(2) != 0u;
    uint part = i / n;
    float row = float(push.row + e / count);
    float above = part == 0u && IN0(j + n) == row ? IN1(j) : 0.0;
    float below = part == (joins ? 2u : 0u) && IN0(j + 3u * n) == row ? IN1(j + 2u * n) : 0.0;

    OUT(e) = above + below;
}
