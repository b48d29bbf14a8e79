/* shaders/extrema.comp - SPDX-License-Identifier: MIT */
#version 450

#include "lanes.glsl"

#include "extrema.glsl"
#include "results.glsl"

float
compute(uint e, bool wanted)
{
    uint size = adit_attribute(0), inner = adit_attribute(1);
    uint count = adit_count(1), n = adit_count(0) / 4u;
    uint row = e / (4u * n), part = e / n % 4u, j = e % n;
    uint lower = adit_attribute(2) != 0u && part >= 2u ? count / 2u : 0u;
    uint x = row * count + lower + j / inner * size * inner + j % inner;

    return adit_extremum_part(part, x, inner, wanted ? size : 0u, 0u);
}
