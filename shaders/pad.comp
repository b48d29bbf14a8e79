/* shaders/pad.comp - SPDX-License-Identifier: MIT */
#version 450

/* What slice.comp takes out, put back: an axis of `size` elements to begin, begin + stride, ... among
 * `full`, and a value between them. */

#include "elements.glsl"

void
compute(uint e)
{
    uint begin = adit_attribute(0), stride = adit_attribute(1), size = adit_attribute(2);
    uint full = adit_attribute(3), inner = adit_attribute(4);
    uint outer = e / (full * inner), i = e / inner % full;
    uint from = (i - begin) / stride;
    float value = adit_attribute_float(5);

    if (i >= begin && from * stride == i - begin && from < size)
        value = IN0((outer * size + from) * inner + e % inner);
    OUT(e) = value;
}
