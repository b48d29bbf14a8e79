/* shaders/pointwise.comp - SPDX-License-Identifier: MIT */
#version 450

/* Every row of adit-pointwise.def. */

#include "elements.glsl"

#include "broadcast.glsl"
#include "math.glsl"
#include "pointwise-rows.glsl"

layout(constant_id = 1) const uint ROW = 0;   /* of the table, in its order */
layout(constant_id = 2) const uint ALIKE = 0; /* 1: the inputs have the output's rows and shape */

uint
place(uint view, uint e)
{
    return ALIKE != 0u ? e : adit_broadcast(view, e);
}

void
compute(uint e)
{
    uint arity = adit_pointwise_arity(ROW);
    float a = IN0(place(1, e));
    float b = arity > 1u ? IN1(place(2, e)) : 0.0;
    float c = arity > 2u ? IN2(place(3, e)) : 0.0;

    OUT(e) = adit_pointwise(ROW, a, b, c, adit_attribute_float(0));
}
