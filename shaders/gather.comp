/* shaders/gather.comp - SPDX-License-Identifier: MIT */
#version 450

/* Rows of a table (input 0, without rows of its own) by number (input 1). A number that is none of the
 * table's gives NaN. */

#include "elements.glsl"

#include "math.glsl"

void
compute(uint e)
{
    uint size = adit_size(1, 0), line = adit_count(1) / size;
    float number = IN1(e / line);
    float value = ADIT_NAN;

    if (!adit_is_nan(number) && number >= 0.0 && number < float(size))
        value = IN0(uint(number) * line + e % line);
    OUT(e) = value;
}
