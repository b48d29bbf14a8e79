/* shaders/combine-mean.comp - SPDX-License-Identifier: MIT */
#version 450

/* The slices' sums over the rows of the batch. */

#include "elements.glsl"

#include "combine.glsl"

void
compute(uint e)
{
    OUT(e) = adit_partial_sum(e) / float(push.batch);
}
