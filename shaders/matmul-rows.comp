/* shaders/matmul-rows.comp - SPDX-License-Identifier: MIT */
#version 450

/* The sum over the slice's rows, and all leading axes, of A[.., i] B[.., j]. Without rows
 * (matmul-outer) all is one slice. */

#include "tiles.glsl"

#include "slices.glsl"

/* Lines a row, and what the lines of either input have beside k. */
uint lines, rows, columns;
uint left_first, right_first;
bool left_repeats, right_repeats;

float
left(uint row, uint k)
{
    if (left_repeats)
        k %= lines;
    return IN0((left_first + k) * rows + row);
}

float
right(uint k, uint column)
{
    if (right_repeats)
        k %= lines;
    return IN1((right_first + k) * columns + column);
}

void
main()
{
    bool left_has_rows = adit_has_rows(1), right_has_rows = adit_has_rows(2);
    bool has_rows = left_has_rows || right_has_rows;

    rows = adit_size(0, 0);
    columns = adit_size(0, 1);
    lines = adit_count(1) / rows;
    left_first = left_has_rows ? adit_slice_first() * lines : 0u;
    right_first = right_has_rows ? adit_slice_first() * lines : 0u;
    left_repeats = has_rows && !left_has_rows;
    right_repeats = has_rows && !right_has_rows;
    adit_product(rows, columns, has_rows ? adit_slice_rows() * lines : lines, false, false,
                 adit_slice_result());
}
