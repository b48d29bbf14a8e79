/* shaders/moments.comp - SPDX-License-Identifier: MIT */
#version 450

/* Mean and variance of the slice. */

#define ADIT_COLUMNS
#include "lanes.glsl"

#include "channel-sums.glsl"

void
compute(uint channel, uint n)
{
    uint out_at = adit_slice_result() + channel;
    float sum, squares;

    ADIT_CHANNEL_SUM(sum, channel, n, IN0(at));

    float mean = sum / float(n);

    ADIT_CHANNEL_SUM(squares, channel, n, (IN0(at) - mean) * (IN0(at) - mean));
    if (n > 0u && adit_lane() == 0u) {
        OUT(out_at) = mean;
        OUT(out_at + adit_channels()) = squares / float(n);
    }
}
