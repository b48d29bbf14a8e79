/* shaders/noise-normal.comp - SPDX-License-Identifier: MIT */
#version 450

/* Box and Muller 1958: a pair of uniforms gives a pair of normals. */

#include "elements.glsl"

#include "math.glsl"
#include "philox.glsl"

void
compute(uint e)
{
    uint word;
    uvec4 bits = adit_noise(e, word);
    uvec2 pair = word < 2u ? bits.xy : bits.zw;
    float radius = adit_sqrt(-2.0 * adit_log(adit_uniform(pair.x)));
    vec2 turn = adit_cos_sin(adit_uniform(pair.y));

    OUT(e) = radius * ((word & 1u) == 0u ? turn.x : turn.y);
}
