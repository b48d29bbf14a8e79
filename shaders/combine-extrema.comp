/* shaders/combine-extrema.comp - SPDX-License-Identifier: MIT */
#version 450

/* Of equal slices the first. NaN wins. */

#include "elements.glsl"

#include "combine.glsl"

void
compute(uint e)
{
    uint n = adit_count(0) / 4u, part = e / n, j = part / 2u * 2u * n + e % n, best = 0u;

    for (uint s = 1u; s < push.rows; s++) {
        float own = adit_partial(best, j), other = adit_partial(s, j);
        bool beyond = part >= 2u ? other < own : other > own;

        if ((beyond || adit_is_nan(other)) && !adit_is_nan(own))
            best = s;
    }
    OUT(e) = adit_partial(best, e);
}
