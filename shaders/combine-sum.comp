/* shaders/combine-sum.comp - SPDX-License-Identifier: MIT */
#version 450

/* The sum of the slices' sums. */

#include "elements.glsl"

#include "combine.glsl"

void
compute(uint e)
{
    OUT(e) = adit_partial_sum(e);
}
