/* shaders/include/conv.glsl - SPDX-License-Identifier: MIT */

/* Convolution as a product in tiles, of which no side exists in memory: pixels are looked up. Behind
 * tiles.glsl. The kernel says which view has the image (CONV_IMAGE) and which the windows
 * (CONV_WINDOWS); its two sides are functions of line and k. A tile belongs to one group. */

/* Division by what is the same for all: exact for all numbers. */
struct ConvDivisor {
    uint by;
    uint reciprocal; /* 2^32 / by, rounded up */
};

uint conv_group;
uint conv_groups, conv_channels, conv_filters; /* channels and filters of a group */
uvec2 conv_image, conv_windows, conv_size, conv_stride, conv_dilation, conv_before;
uint conv_taps; /* of a window, in one channel */
ConvDivisor conv_by_taps, conv_by_width, conv_by_windows, conv_by_out_width;

ConvDivisor
conv_divisor(uint by)
{
    return ConvDivisor(by, 0xffffffffu / by + 1u);
}

uint
conv_divide(uint n, ConvDivisor d)
{
    uint high, low, quotient;

    umulExtended(n, d.reciprocal, high, low);
    quotient = d.by == 1u ? n : high;
    return quotient * d.by > n ? quotient - 1u : quotient;
}

void
conv_init()
{
    conv_size = uvec2(adit_attribute(0), adit_attribute(1));
    conv_stride = uvec2(adit_attribute(2), adit_attribute(3));
    conv_dilation = uvec2(adit_attribute(4), adit_attribute(5));
    conv_before = uvec2(adit_attribute(6), adit_attribute(7));
    conv_groups = adit_attribute(8);
    conv_image = uvec2(adit_size(CONV_IMAGE, 1), adit_size(CONV_IMAGE, 2));
    conv_windows = uvec2(adit_size(CONV_WINDOWS, 1), adit_size(CONV_WINDOWS, 2));
    conv_channels = adit_size(CONV_IMAGE, 0) / conv_groups;
    conv_filters = adit_size(CONV_WINDOWS, 0) / conv_groups;
    conv_taps = conv_size.x * conv_size.y;
    conv_by_taps = conv_divisor(conv_taps);
    conv_by_width = conv_divisor(conv_size.y);
    conv_by_windows = conv_divisor(conv_windows.x * conv_windows.y);
    conv_by_out_width = conv_divisor(conv_windows.y);
}

/* The tap @i of a window, from its first pixel. */
uvec2
conv_tap(uint i)
{
    uint y = conv_divide(i, conv_by_width);

    return uvec2(y, i - y * conv_size.y) * conv_dilation;
}

/* First element, row @r of @rows, of channel @c of this group's channels, of @size elements each. */
uint
conv_plane(uint r, uint channels, uint c, uvec2 size)
{
    return ((r * conv_groups + conv_group) * channels + c) * size.x * size.y;
}

/* The pixel that a window sees at tap @i of channel @c, in row @r; 0 in the padding. */
float
conv_pixel(uint r, uint window, uint c, uint i)
{
    uint line = conv_divide(window, conv_by_out_width);
    uvec2 first = uvec2(line, window - line * conv_windows.y) * conv_stride;
    /* what lies before the image comes to more than it has */
    uvec2 at = first + conv_tap(i) - conv_before;
    bool is_inside = at.x < conv_image.x && at.y < conv_image.y;
    uint e = conv_plane(r, conv_channels, c, conv_image);

    return is_inside ? IN0(e + at.x * conv_image.y + at.y) : 0.0;
}

/* Chooses group and tile of a product of @rows x @columns for each group, and computes it. */
void
conv_product(uint rows, uint columns, uint depth, uint to)
{
    uint tiles = (rows + TILE_ROWS - 1u) / TILE_ROWS * ((columns + TILE_COLUMNS - 1u) / TILE_COLUMNS);
    AditSide unused = AditSide(0u, 0u, 0u, 0u, 1u);

    conv_group = adit_group() / tiles;
    if (conv_group >= conv_groups)
        rows = 0u;
    adit_product(AditProduct(rows, columns, depth, 1u, to + conv_group * rows * columns,
                             adit_group() % tiles, unused, unused));
}
