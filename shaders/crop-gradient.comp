/* shaders/crop-gradient.comp - SPDX-License-Identifier: MIT */
#version 450

/* What the gradient by a window (input 1) gives a number of the map that it shows, at the place of input
 * 0: the sum over all numbers of the window that it goes into. */

#include "elements.glsl"

#include "crop.glsl"

/* The part of a line of the window, which begins at `line`, that goes into column x. */
float
sum_line(uint line, uint place, int x)
{
    float begin = IN0(place + 1u), step = IN0(place + 3u);
    uint width = adit_attribute(1);
    int low;
    precise float sum = 0.0;

    for (uint j = 0u; j < width; j++) {
        float share = adit_crop_share(begin, step, j, adit_attribute(3), x, low);

        if (share != 0.0)
            sum += share * IN1(line + j);
    }
    return sum;
}

void
compute(uint e)
{
    uint height = adit_attribute(0), width = adit_attribute(1);
    uint full_height = adit_attribute(2), full_width = adit_attribute(3);
    uint row = e / adit_count(0), inner = e % adit_count(0);
    uint place = adit_row_of(1, row);
    uint window = adit_row_of(2, row) + inner / (full_height * full_width) * height * width;
    int y = int(inner / full_width % full_height), x = int(inner % full_width);
    float begin = IN0(place), step = IN0(place + 2u);
    int low;
    precise float sum = 0.0;

    for (uint i = 0u; i < height; i++) {
        float share = adit_crop_share(begin, step, i, full_height, y, low);

        if (share != 0.0)
            sum += share * sum_line(window + i * width, place, x);
    }
    OUT(e) = sum;
}
