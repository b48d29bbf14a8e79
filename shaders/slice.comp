/* shaders/slice.comp - SPDX-License-Identifier: MIT */
#version 450

/* Elements begin, begin + stride, ... of an axis. Attributes: begin, stride, how many, of how many,
 * elements behind the axis. */

#include "elements.glsl"

void
compute(uint e)
{
    uint begin = adit_attribute(0), stride = adit_attribute(1), size = adit_attribute(2);
    uint full = adit_attribute(3), inner = adit_attribute(4);
    uint outer = e / (size * inner), i = e / inner % size;

    OUT(e) = IN0((outer * full + begin + i * stride) * inner + e % inner);
}
