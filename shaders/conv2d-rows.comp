/* shaders/conv2d-rows.comp - SPDX-License-Identifier: MIT */
#version 450

/* Inputs: images, dy. Over rows: lines are the filters of a group and the pixels that a window sees;
 * k is the windows of the slice's rows. */

#define LEFT_ALONG_K  true
#define RIGHT_ALONG_K true
#define CONV_IMAGE    1
#define CONV_WINDOWS  2

float left(uint line, uint k);
float right(uint line, uint k);

#define ADIT_LEFT  left
#define ADIT_RIGHT right

#include "tiles.glsl"

#include "slices.glsl"

#include "conv.glsl"

float
left(uint line, uint k)
{
    uint r = conv_divide(k, conv_by_windows);
    uint e = conv_plane(adit_slice_first() + r, conv_filters, line, conv_windows);

    return IN1(e + k - r * conv_windows.x * conv_windows.y);
}

float
right(uint line, uint k)
{
    uint r = conv_divide(k, conv_by_windows), c = conv_divide(line, conv_by_taps);

    return conv_pixel(adit_slice_first() + r, k - r * conv_windows.x * conv_windows.y, c,
                      line - c * conv_taps);
}

void
main()
{
    conv_init();
    conv_product(conv_filters, conv_channels * conv_taps,
                 adit_slice_rows() * conv_windows.x * conv_windows.y, adit_slice_result());
}
