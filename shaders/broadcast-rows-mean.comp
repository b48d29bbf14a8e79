/* shaders/broadcast-rows-mean.comp - SPDX-License-Identifier: MIT */
#version 450

/* Input 0, which has no rows, over the rows of the batch: the gradient of their mean. */

#include "elements.glsl"

void
compute(uint e)
{
    OUT(e) = IN0(e % adit_count(0)) / float(push.batch);
}
