/* shaders/conv2d.comp - SPDX-License-Identifier: MIT */
#version 450

/* Inputs: images, weights. Lines are the filters of a group and the windows of all rows; k is the
 * pixels that a window sees. */

#define LEFT_ALONG_K  true
#define RIGHT_ALONG_K false
#define CONV_IMAGE    1
#define CONV_WINDOWS  0

float left(uint line, uint k);
float right(uint line, uint k);
uint element(uint m, uint n);

#define ADIT_LEFT             left
#define ADIT_RIGHT            right
#define ADIT_ELEMENT(p, m, n) element(m, n)

#include "tiles.glsl"

#include "conv.glsl"

float
left(uint line, uint k)
{
    return IN1((conv_group * conv_filters + line) * conv_channels * conv_taps + k);
}

float
right(uint line, uint k)
{
    uint r = conv_divide(line, conv_by_windows), c = conv_divide(k, conv_by_taps);

    return conv_pixel(r, line - r * conv_windows.x * conv_windows.y, c, k - c * conv_taps);
}

uint
element(uint m, uint n)
{
    uint r = conv_divide(n, conv_by_windows);

    return conv_plane(r, conv_filters, m, conv_windows) + n - r * conv_windows.x * conv_windows.y;
}

void
main()
{
    conv_init();
    conv_product(conv_filters, adit_present_rows() * conv_windows.x * conv_windows.y,
                 conv_channels * conv_taps, 0u);
}
