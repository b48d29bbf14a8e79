/* shaders/combine-min.comp - SPDX-License-Identifier: MIT */
#version 450

/* NaN wins. */

#include "elements.glsl"

#include "combine.glsl"

void
compute(uint e)
{
    float best = adit_partial(0, e);

    for (uint s = 1; s < push.rows; s++) {
        float other = adit_partial(s, e);

        best = best < other || adit_is_nan(best) ? best : other;
    }
    OUT(e) = best;
}
