/* shaders/pool-average.comp - SPDX-License-Identifier: MIT */
#version 450

#include "elements.glsl"

#include "pool-forward.glsl"

void
compute(uint e)
{
    uint plane = pool_plane(e), width = pool_image(1);
    PoolSpan y = pool_rows_of(e), x = pool_columns_of(e);
    precise float sum = 0.0;

    for (uint h = y.begin; h < y.end; h += y.step) {
        for (uint w = x.begin; w < x.end; w += x.step)
            sum += IN0(plane + h * width + w);
    }
    OUT(e) = sum / float(pool_count(y) * pool_count(x));
}
