/* shaders/include/normal.glsl - SPDX-License-Identifier: MIT */

#include "math.glsl"
#include "philox.glsl"

/* Number @word of four: Box and Muller 1958: a pair of uniforms gives a pair of normals. */
float
adit_normal(uvec4 bits, uint word)
{
    uvec2 pair = word < 2u ? bits.xy : bits.zw;
    float radius = adit_sqrt(-2.0 * adit_log(adit_uniform(pair.x)));
    vec2 turn = adit_cos_sin(adit_uniform(pair.y));

    return radius * ((word & 1u) == 0u ? turn.x : turn.y);
}
