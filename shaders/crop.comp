/* shaders/crop.comp - SPDX-License-Identifier: MIT */
#version 450

/* A window of maps (input 0) at a place of every row's own (input 1: top, left, how far its lines and its
 * columns are apart). */

#include "elements.glsl"

#include "crop.glsl"

/* What the window's number `j` is on the line of the map that begins at `line`. */
float
read_line(uint line, uint place, uint j)
{
    float begin = IN1(place + 1u), step = IN1(place + 3u);
    uint full = adit_attribute(3);
    int low, same;
    precise float value = 0.0;

    adit_crop_share(begin, step, j, full, -2, low);
    for (int at = low; at < low + 2; at++) {
        float share = adit_crop_share(begin, step, j, full, at, same);

        if (share != 0.0)
            value += share * IN0(line + uint(at));
    }
    return value;
}

void
compute(uint e)
{
    uint height = adit_attribute(0), width = adit_attribute(1), full = adit_attribute(2);
    uint row = e / adit_count(0), inner = e % adit_count(0);
    uint place = adit_row_of(2, row);
    uint map = adit_row_of(1, row) + inner / (height * width) * full * adit_attribute(3);
    uint i = inner / width % height;
    float begin = IN1(place), step = IN1(place + 2u);
    int low, same;
    precise float value = 0.0;

    adit_crop_share(begin, step, i, full, -2, low);
    for (int at = low; at < low + 2; at++) {
        float share = adit_crop_share(begin, step, i, full, at, same);

        if (share != 0.0)
            value += share * read_line(map + uint(at) * adit_attribute(3), place, inner % width);
    }
    OUT(e) = value;
}
