/* shaders/feed.comp - SPDX-License-Identifier: MIT */
#version 450

/* Rows of the data for the rows of the batch. Input 0 is the data or a window of it, outside of which
 * nothing is written; input 1 row numbers (uint32), if attribute 1 says so. Attributes: number of the
 * feed, whether there are row numbers, the window's first row, its rows, the table of bytes. */

#define ADIT_INPUT0_TYPE uint
#define ADIT_INPUT1_TYPE uint

#include "elements.glsl"

#include "data.glsl"
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
    if (row < adit_attribute(3)) {
        uint table = adit_attribute(4), at = push.in_at[0] + row * count + e % count;

        OUT(e) = adit_data_number(table, at, input0_numbers[adit_data_word(table, at)]);
    }
}
