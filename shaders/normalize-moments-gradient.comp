/* shaders/normalize-moments-gradient.comp - SPDX-License-Identifier: MIT */
#version 450

/* Inputs: the sums of normalize-sums, moments, scale. */

#include "elements.glsl"

#include "channels.glsl"

void
compute(uint e)
{
    uint size = adit_channels(), j = e % size;
    float inverse = adit_inverse_deviation(IN1(size + j));
    precise float y = e < size ? -IN2(j) * inverse * IN0(j)
                               : -0.5 * IN2(j) * inverse * inverse * IN0(size + j);

    OUT(e) = y;
}
