/* shaders/noise-normal.comp - SPDX-License-Identifier: MIT */
#version 450

/* Normal, of mean 0 and deviation 1. */

#include "elements.glsl"

#include "normal.glsl"

void
compute(uint e)
{
    uint word;
    uvec4 bits = adit_noise(e, word);

    OUT(e) = adit_normal(bits, word);
}
