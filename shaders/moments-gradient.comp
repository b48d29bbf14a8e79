/* shaders/moments-gradient.comp - SPDX-License-Identifier: MIT */
#version 450

/* Inputs: x, moments, dy = (d mean, d variance). */

#include "elements.glsl"

#include "channels.glsl"

void
compute(uint e)
{
    uint size = adit_channels(), j = adit_channel_of(e);
    float n = float(push.batch * (adit_count(1) / size));
    precise float factor = 2.0 * IN2(size + j) / n, shift = IN2(j) / n;
    precise float y = (IN0(e) - IN1(j)) * factor + shift;

    OUT(e) = y;
}
