/* shaders/note-rows.comp - SPDX-License-Identifier: MIT */
#version 450

/* The batch's rows of input 0 to their place in a log; without rows it is that of each of them. */

#include "elements.glsl"

void
compute(uint e)
{
    OUT((block[BLOCK_LOG] + push.row) * adit_count(0) + e) = IN0(adit_has_rows(1) ? e : 0u);
}
