/* shaders/copy.comp - SPDX-License-Identifier: MIT */
#version 450

/* Input 0 repeated along the axes, and over the rows, that only the output has. */

#include "elements.glsl"

#include "broadcast.glsl"

void
compute(uint e)
{
    OUT(e) = IN0(adit_broadcast(1, e));
}
