/* shaders/pool-argmax.comp - SPDX-License-Identifier: MIT */
#version 450

/* The number of the first of the largest pixels; NaN counts as the largest. */

#include "elements.glsl"

#include "pool-forward.glsl"

void
compute(uint e)
{
    uint plane = pool_plane(e), width = pool_image(1);
    PoolSpan y = pool_rows_of(e), x = pool_columns_of(e);
    uint best = y.begin * width + x.begin;
    float most = IN0(plane + best);

    for (uint h = y.begin; h < y.end; h += y.step) {
        for (uint w = x.begin; w < x.end; w += x.step) {
            float value = IN0(plane + h * width + w);

            if (value > most || (adit_is_nan(value) && !adit_is_nan(most))) {
                best = h * width + w;
                most = value;
            }
        }
    }
    OUT(e) = float(best);
}
