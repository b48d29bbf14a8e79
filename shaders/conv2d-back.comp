/* shaders/conv2d-back.comp - SPDX-License-Identifier: MIT */
#version 450

/* Inputs: dy, weights. Lines are the channels of a group and the pixels of all rows; k is the taps of
 * all filters, each of which is of one window at most. */

#define LEFT_ALONG_K  true
#define RIGHT_ALONG_K false
#define CONV_IMAGE    0
#define CONV_WINDOWS  1

float left(uint line, uint k);
float right(uint line, uint k);
uint element(uint m, uint n);

#define ADIT_LEFT             left
#define ADIT_RIGHT            right
#define ADIT_ELEMENT(p, m, n) element(m, n)

#include "tiles.glsl"

#include "conv.glsl"

ConvDivisor by_pixels, by_width, by_stride[2];

float
left(uint line, uint k)
{
    uint f = conv_divide(k, conv_by_taps);

    return IN1(((conv_group * conv_filters + f) * conv_channels + line) * conv_taps + k -
               f * conv_taps);
}

float
right(uint line, uint k)
{
    uint r = conv_divide(line, by_pixels), f = conv_divide(k, conv_by_taps);
    uint pixel = line - r * conv_image.x * conv_image.y, y = conv_divide(pixel, by_width);
    /* the first pixel of the window, from where the padding begins */
    uvec2 first = uvec2(y, pixel - y * conv_image.y) + conv_before - conv_tap(k - f * conv_taps);
    uvec2 window = uvec2(conv_divide(first.x, by_stride[0]), conv_divide(first.y, by_stride[1]));
    bool is_one = window * conv_stride == first && window.x < conv_windows.x &&
                  window.y < conv_windows.y;
    uint e = conv_plane(r, conv_filters, f, conv_windows);

    return is_one ? IN0(e + window.x * conv_windows.y + window.y) : 0.0;
}

uint
element(uint m, uint n)
{
    uint r = conv_divide(n, by_pixels);

    return conv_plane(r, conv_channels, m, conv_image) + n - r * conv_image.x * conv_image.y;
}

void
main()
{
    conv_init();
    by_pixels = conv_divisor(conv_image.x * conv_image.y);
    by_width = conv_divisor(conv_image.y);
    by_stride[0] = conv_divisor(conv_stride.x);
    by_stride[1] = conv_divisor(conv_stride.y);
    conv_product(conv_channels, push.rows * conv_image.x * conv_image.y, conv_filters * conv_taps,
                 0u);
}
