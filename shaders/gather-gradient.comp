/* shaders/gather-gradient.comp - SPDX-License-Identifier: MIT */
#version 450

/* Inputs: numbers of a table's lines, the gradient by the lines they chose. An invocation for each
 * element of the table's gradient adds up its part of the rows in order. A number that is none of
 * the table's has no gradient. Without rows (gather-gradient-outer) all is one slice. */

#include "adit.glsl"

#include "slices.glsl"

layout(local_size_x = 64) in;

void
main()
{
    uint e = adit_invocation(), count = adit_count(1), size = adit_attribute(0);
    uint line = adit_count(0) / size;
    uint first = adit_has_rows(1) ? adit_slice_first() * count : 0u;
    uint n = adit_has_rows(1) ? adit_slice_rows() * count : count;
    bool repeats = adit_has_rows(1) && !adit_has_rows(2);
    uint own = e / line, column = e % line;
    float sum = 0.0;

    if (!adit_is_running() || e >= adit_count(0))
        return;
    for (uint i = first; i < first + n; i++) {
        float number = IN0(i);

        if (!adit_is_nan(number) && number >= 0.0 && number < float(size) && uint(number) == own)
            sum += IN1((repeats ? i % count : i) * line + column);
    }
    OUT(adit_slice_result() + e) = sum;
}
