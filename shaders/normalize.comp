/* shaders/normalize.comp - SPDX-License-Identifier: MIT */
#version 450

/* Inputs: x, moments, scale, shift. */

#include "elements.glsl"

#include "channels.glsl"

void
compute(uint e)
{
    uint size = adit_channels(), j = adit_channel_of(e);
    precise float factor = IN2(j) * adit_inverse_deviation(IN1(size + j));
    precise float y = (IN0(e) - IN1(j)) * factor + IN3(j);

    OUT(e) = y;
}
