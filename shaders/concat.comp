/* shaders/concat.comp - SPDX-License-Identifier: MIT */
#version 450

/* One of the joined values, input 0, to its place: from push.part on along the axis. The elements are
 * those of the input; without rows it is the same for every row of the output. Attributes: the axis,
 * elements behind it. */

#define ADIT_ELEMENTS (adit_has_rows(1) ? push.rows : 1u) * adit_count(1)

#include "elements.glsl"

void
compute(uint e)
{
    uint axis = adit_attribute(0), inner = adit_attribute(1);
    uint line = adit_size(0, axis) * inner, part = adit_size(1, axis) * inner;
    uint r = e / adit_count(1), j = e % adit_count(1);
    uint at = j / part * line + push.part * inner + j % part;
    uint end = !adit_has_rows(1) && adit_has_rows(0) ? push.rows : r + 1u;
    float value = IN0(e);

    for (; r < end; r++)
        OUT(r * adit_count(0) + at) = value;
}
