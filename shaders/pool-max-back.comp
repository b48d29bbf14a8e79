/* shaders/pool-max-back.comp - SPDX-License-Identifier: MIT */
#version 450

/* Inputs: the number of the pixel that each window took, dy. */

#include "elements.glsl"

#include "pool-back.glsl"

float
pool_give(uint pixel, uint window, PoolSpan y, PoolSpan x)
{
    return IN0(window) == float(pixel) ? IN1(window) : 0.0;
}
