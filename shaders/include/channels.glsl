/* shaders/include/channels.glsl - SPDX-License-Identifier: MIT */

/* Channels lie along the middle of [lines, size, inner], lines over all rows. Attributes: size, inner,
 * epsilon. Moments are the channels' means, then their variances. */

#include "math.glsl"

uint
adit_channels()
{
    return adit_attribute(0);
}

/* That of an element. */
uint
adit_channel_of(uint e)
{
    return e / adit_attribute(1) % adit_channels();
}

float
adit_inverse_deviation(float variance)
{
    return 1.0 / adit_sqrt(variance + adit_attribute_float(2));
}
