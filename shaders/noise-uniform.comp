/* shaders/noise-uniform.comp - SPDX-License-Identifier: MIT */
#version 450

/* Uniform in (0, 1). */

#include "elements.glsl"

#include "philox.glsl"

void
compute(uint e)
{
    uint word;
    uvec4 bits = adit_noise(e, word);

    OUT(e) = adit_uniform(bits[word]);
}
