/* shaders/normalize-sums.comp - SPDX-License-Identifier: MIT */
#version 450

/* Inputs: x, dy, moments: the slice's sums of dy and of dy times the normalised x. */

#define ADIT_COLUMNS
#include "lanes.glsl"

#include "channel-sums.glsl"

void
compute(uint channel, uint n)
{
    uint size = adit_channels(), out_at = adit_slice_result() + channel;
    float mean = IN2(channel), plain, weighted;

    ADIT_CHANNEL_SUM(plain, channel, n, IN1(at));
    ADIT_CHANNEL_SUM(weighted, channel, n, IN1(at) * (IN0(at) - mean));
    if (n > 0u && adit_lane() == 0u) {
        OUT(out_at) = plain;
        OUT(out_at + size) = weighted * adit_inverse_deviation(IN2(size + channel));
    }
}
