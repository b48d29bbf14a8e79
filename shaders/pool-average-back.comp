/* shaders/pool-average-back.comp - SPDX-License-Identifier: MIT */
#version 450

/* Input: dy. */

#include "elements.glsl"

#include "pool-back.glsl"

float
pool_give(uint pixel, uint window, PoolSpan y, PoolSpan x)
{
    return IN0(window) / float(pool_count(y) * pool_count(x));
}
