/* shaders/extrema-gradient.comp - SPDX-License-Identifier: MIT */
#version 450

/* Inputs: extrema, the gradient by them. */

#include "elements.glsl"

void
compute(uint e)
{
    uint size = adit_attribute(0), inner = adit_attribute(1);
    uint count = adit_count(0), n = adit_count(1) / 4u, row = e / count, i = e % count;
    bool joins = adit_attribute(2) != 0u;
    uint part = joins ? i / (count / 4u) : 0u;
    uint at = joins ? i % (count / 4u) : i;
    uint j = row * 4u * n + at / (size * inner) * inner + at % inner;
    float number = float(at / inner % size);
    float above = part == 0u && IN0(j + n) == number ? IN1(j) : 0.0;
    float below =
        part == (joins ? 2u : 0u) && IN0(j + 3u * n) == number ? IN1(j + 2u * n) : 0.0;

    OUT(e) = above + below;
}
