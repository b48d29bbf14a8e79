/* shaders/normalize-gradient.comp - SPDX-License-Identifier: MIT */
#version 450

/* Inputs: dy, moments, scale. */

#include "elements.glsl"

#include "channels.glsl"

void
compute(uint e)
{
    uint size = adit_channels(), j = adit_channel_of(e);
    precise float factor = IN2(j) * adit_inverse_deviation(IN1(size + j));

    OUT(e) = IN0(e) * factor;
}
