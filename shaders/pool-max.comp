/* shaders/pool-max.comp - SPDX-License-Identifier: MIT */
#version 450

#include "elements.glsl"

#include "pool-forward.glsl"

void
compute(uint e)
{
    uint plane = pool_plane(e), width = pool_image(1);
    PoolSpan y = pool_rows_of(e), x = pool_columns_of(e);
    float best = IN0(plane + y.begin * width + x.begin);

    for (uint h = y.begin; h < y.end; h += y.step) {
        for (uint w = x.begin; w < x.end; w += x.step)
            best = adit_max_of(best, IN0(plane + h * width + w));
    }
    OUT(e) = best;
}
