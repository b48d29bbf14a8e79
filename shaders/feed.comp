/* shaders/feed.comp - SPDX-License-Identifier: MIT */
#version 450

/* Rows of the data for the rows of the batch. Input 0 is the data or a window of it, outside of which
 * nothing is written; input 1 row numbers (uint32), if attribute 1 says so. Attributes: number of the
 * feed, whether there are row numbers, the window's first row, its rows. */

#define ADIT_INPUT1_TYPE uint

#include "elements.glsl"

#include "philox.glsl"

void
compute(uint e)
{
    uint count = adit_count(0), feed = BLOCK_FEEDS + BLOCK_FEED_WORDS * adit_attribute(0);
    uint row = block[feed] + push.row + e / count;

    if (block[feed + 1u] != 0u)
        row = adit_permute(feed, row);
    if (adit_attribute(1) != 0u)
        row = IN1(row);
    row -= adit_attribute(2);
    if (row < adit_attribute(3))
        OUT(e) = IN0(row * count + e % count);
}
