/* shaders/transpose.comp - SPDX-License-Identifier: MIT */
#version 450

/* Axis k of the output is axis `attribute k` of input 0. */

#include "elements.glsl"

/* Elements of input 0 behind one step along an axis. */
uint
stride_of(uint axis)
{
    uint stride = 1;

    for (uint k = axis + 1; k < adit_rank(1); k++)
        stride *= adit_size(1, k);
    return stride;
}

void
compute(uint e)
{
    uint rest = e % adit_count(0), at = 0;

    for (uint k = adit_rank(0); k-- > 0;) {
        uint size = adit_size(0, k);

        at += rest % size * stride_of(adit_attribute(k));
        rest /= size;
    }
    OUT(e) = IN0(adit_row_of(1, e / adit_count(0)) + at);
}
