/* shaders/one-hot.comp - SPDX-License-Identifier: MIT */
#version 450

/* Numbers as unit vectors. Attribute: classes. */

#include "elements.glsl"

void
compute(uint e)
{
    uint size = adit_attribute(0);

    OUT(e) = IN0(e / size) == float(e % size) ? 1.0 : 0.0;
}
