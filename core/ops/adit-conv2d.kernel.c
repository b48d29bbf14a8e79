/* core/ops/adit-conv2d.kernel.c - SPDX-License-Identifier: MIT */
#include "adit-conv2d.h"

/* Convolution as products of matrices. For a tile of windows, of one row or of some whole rows, and
 * a group of filters the pixels that the windows see are laid out as columns, a window each:
 * [depth] [columns]. The weights of the group are a matrix already: [filters][depth]. Tiles follow
 * from shapes alone, and the rows of a tile divide ADIT_PANEL_ROWS: a panel ends no tile early. */

/* Numbers of the columns of a tile, for the second cache. */
#define TILE_NUMBERS ((gsize) 512 * 1024 / sizeof(real))

/**
 * Conv: sizes of a convolution.
 * @channels, @filters: of a group
 * @depth: pixels that a window sees of the channels of a group
 * @windows: on an image
 * @rows, @tile: rows of a tile, and windows of each
 * @step: from line to line of its columns
 */
typedef struct {
    AditWindow window;
    gsize groups, channels, filters, depth;
    gsize height, width;
    gsize out_width, windows;
    gsize rows, tile, step;
} Conv;

/**
 * Part: the windows of one tile, of @rows rows from @row on, @windows of each from @first on.
 */
typedef struct {
    gsize row, rows;
    gsize first, windows;
} Part;

static gsize
round_up(gsize n, gsize unit)
{
    return (n + unit - 1) / unit * unit;
}

static void
choose_tile(Conv *self)
{
    gsize fitting = MAX(TILE_NUMBERS / self->depth / LANES, 3) * LANES;
    gsize tiles = (self->windows + fitting - 1) / fitting;

    self->rows = 1;
    self->tile = self->windows;
    if (tiles > 1)
        self->tile = round_up((self->windows + tiles - 1) / tiles, LANES);
    while (self->rows < ADIT_PANEL_ROWS && 2 * self->rows * self->windows <= fitting)
        self->rows *= 2;
    self->step = round_up(self->rows * self->tile, LANES);
}

/* @x: the shape of the images; @y: that of the windows on them, [filters, height, width]. */
static void
conv_init(Conv *self, const AditKernelCall *call, const AditShape *x, const AditShape *y)
{
    const AditConvAttributes *attributes = call->attributes;

    self->window = attributes->window;
    self->groups = attributes->groups;
    self->channels = x->size[0] / self->groups;
    self->filters = y->size[0] / self->groups;
    self->depth = self->channels * self->window.size[0] * self->window.size[1];
    self->height = x->size[1];
    self->width = x->size[2];
    self->out_width = y->size[2];
    self->windows = y->size[1] * y->size[2];
    choose_tile(self);
}

/* The next tile of @rows rows; FALSE after the last. @part begins as zeros. */
static gboolean
next_part(const Conv *conv, gsize rows, Part *part)
{
    part->first += part->windows;
    if (part->first == conv->windows) {
        part->first = 0;
        part->row += part->rows;
    }
    part->rows = MIN(conv->rows, rows - part->row);
    part->windows = MIN(conv->tile, conv->windows - part->first);
    return part->rows > 0;
}

/* ---- columns ---- */

/* Numbers of a line of an image that windows see, @stride apart: @to = from, or from += to. */
ADIT_ALWAYS_INLINE void
move_run(real *image, gsize stride, real *columns, gsize n, const gboolean add)
{
    gsize i = 0;

    for (; stride == 1 && i < n; i += LANES) {
        gsize some = MIN(LANES, n - i);
        vector value = vector_load_some(add ? columns + i : image + i, some);

        if (add)
            vector_store_some(image + i, vector_load_some(image + i, some) + value, some);
        else
            vector_store_some(columns + i, value, some);
    }
    for (; i < n; i++) {
        if (add)
            image[i * stride] += columns[i];
        else
            columns[i] = image[i * stride];
    }
}

/* How many of the windows from 0 to @n - 1, the first of which sees pixel @offset and each the one
 * @stride behind that of the window before, see pixels below @limit. */
static gsize
count_below(gssize limit, gssize offset, gsize stride, gsize n)
{
    if (offset >= limit)
        return 0;
    return MIN(((gsize) (limit - offset) + stride - 1) / stride, n);
}

/* The pixel at (@y, @x) of the windows of @part, on one channel's image: from there to @columns, or
 * added to it. Those in the padding are 0. */
ADIT_ALWAYS_INLINE void
move_line(const Conv *conv, const Part *part, real *image, gsize y, gsize x, real *columns,
          const gboolean add)
{
    const AditWindow *window = &conv->window;
    gssize across = (gssize) (x * window->dilation[1]) - (gssize) window->before[1];
    gssize down = (gssize) (y * window->dilation[0]) - (gssize) window->before[0];
    gsize begin = count_below(0, across, window->stride[1], conv->out_width);
    gsize end = count_below((gssize) conv->width, across, window->stride[1], conv->out_width);
    gsize line = part->first / conv->out_width, at = part->first % conv->out_width;

    for (gsize left = part->windows, n; left > 0; left -= n, columns += n, line++, at = 0) {
        gssize from = (gssize) (line * window->stride[0]) + down;
        gsize first, last;

        n = MIN(left, conv->out_width - at);
        first = CLAMP(begin, at, at + n);
        last = CLAMP(end, first, at + n);
        if (from < 0 || from >= (gssize) conv->height)
            first = last = at + n;
        if (!add) {
            memset(columns, 0, (first - at) * sizeof(real));
            memset(columns + (last - at), 0, (at + n - last) * sizeof(real));
        }
        if (first < last)
            move_run(image + from * (gssize) conv->width + (gssize) (first * window->stride[1]) +
                         across,
                     window->stride[1], columns + (first - at), last - first, add);
    }
}

/* All pixels of the windows of @part in the channels of @group; lines of columns are @step apart.
 */
ADIT_ALWAYS_INLINE void
move_columns(const Conv *conv, const Part *part, gsize group, real *images, real *columns,
             gsize step, const gboolean add)
{
    gsize pixels = conv->height * conv->width;
    gsize a_row = conv->groups * conv->channels * pixels;
    real *image = images + part->row * a_row + group * conv->channels * pixels;

    for (gsize r = 0; r < part->rows; r++, image += a_row, columns += part->windows) {
        real *to = columns;

        for (gsize c = 0; c < conv->channels; c++) {
            for (gsize y = 0; y < conv->window.size[0]; y++) {
                for (gsize x = 0; x < conv->window.size[1]; x++, to += step)
                    move_line(conv, part, image + c * pixels, y, x, to, add);
            }
        }
    }
}

static void
gather_columns(const Conv *conv, const Part *part, gsize group, const real *images, real *columns)
{
    move_columns(conv, part, group, (real *) images, columns, conv->step, FALSE);
}

/* Adds what the windows of @part give to the pixels they see. */
static void
scatter_columns(const Conv *conv, const Part *part, gsize group, real *images, real *columns)
{
    move_columns(conv, part, group, images, columns, part->rows * part->windows, TRUE);
}

/* Where filter 0 of @group has its first window of @part in row @r of it. */
static gsize
find_windows(const Conv *conv, const Part *part, gsize group, gsize r)
{
    return ((part->row + r) * conv->groups + group) * conv->filters * conv->windows + part->first;
}

/* ---- the operations ---- */

static void
convolve(const Conv *conv, const Part *part, gsize group, const real *weights, real *columns,
         real *result, real *out)
{
    gsize n = part->windows, count = part->rows * n;
    gboolean is_image = part->rows == 1 && n == conv->windows;
    Product product = {.lines = conv->filters,
                       .columns = count,
                       .depth = conv->depth,
                       .a = weights + group * conv->filters * conv->depth,
                       .a_line = conv->depth,
                       .a_step = 1,
                       .b = columns,
                       .b_step = conv->step,
                       .readable = conv->depth * conv->step,
                       .out = is_image ? out + find_windows(conv, part, group, 0) : result};

    ADIT_KERNEL(multiply)(&product, FALSE);
    for (gsize r = 0; r < (is_image ? 0 : part->rows); r++) {
        real *to = out + find_windows(conv, part, group, r);

        for (gsize f = 0; f < conv->filters; f++)
            move_run(result + f * count + r * n, 1, to + f * conv->windows, n, FALSE);
    }
}

/* Inputs: images, weights. */
void
ADIT_KERNEL(conv2d)(const AditKernelCall *call)
{
    Conv conv;
    Part part = {0};
    real *columns, *result;

    if (conv_has_channels_last(call)) {
        ADIT_KERNEL(conv2d_last)(call);
        return;
    }
    if (adit_conv_is_thin(call->attributes, &call->inputs[1].shape)) {
        ADIT_KERNEL(conv2d_thin)(call);
        return;
    }
    conv_init(&conv, call, &call->inputs[0].shape, &call->output.shape);
    columns = adit_scratch_get((conv.depth + conv.filters) * conv.step * sizeof(real));
    result = columns + conv.depth * conv.step;
    while (next_part(&conv, call->rows, &part)) {
        for (gsize group = 0; group < conv.groups; group++) {
            gather_columns(&conv, &part, group, call->inputs[0].data, columns);
            convolve(&conv, &part, group, call->inputs[1].data, columns, result, call->output.data);
        }
    }
}

/* Inputs: dy, weights. What the windows of a tile give to the pixels they see is the product of the
 * transposed weights with dy. */
void
ADIT_KERNEL(conv2d_back)(const AditKernelCall *call)
{
    Conv conv;
    Part part = {0};
    const real *dy = call->inputs[0].data, *weights = call->inputs[1].data;
    real *columns, *deltas;

    if (conv_has_channels_last(call)) {
        ADIT_KERNEL(conv2d_back_last)(call);
        return;
    }
    if (adit_conv_is_thin(call->attributes, &call->inputs[1].shape)) {
        ADIT_KERNEL(conv2d_back_thin)(call);
        return;
    }
    conv_init(&conv, call, &call->output.shape, &call->inputs[0].shape);
    columns = adit_scratch_get((conv.depth + conv.filters) * conv.step * sizeof(real));
    deltas = columns + conv.depth * conv.step;
    memset(call->output.data, 0, call->rows * call->output.count * sizeof(real));
    while (next_part(&conv, call->rows, &part)) {
        for (gsize group = 0; group < conv.groups; group++) {
            Product product = {.lines = conv.depth,
                               .columns = part.rows * part.windows,
                               .depth = conv.filters,
                               .a = weights + group * conv.filters * conv.depth,
                               .a_line = 1,
                               .a_step = conv.depth,
                               .b = deltas,
                               .b_step = conv.step,
                               .readable = conv.filters * conv.step,
                               .out = columns};

            for (gsize i = 0; i < part.rows * conv.filters; i++) {
                gsize r = i / conv.filters, f = i % conv.filters;
                const real *from = dy + find_windows(&conv, &part, group, r) + f * conv.windows;

                move_run((real *) from, 1, deltas + f * conv.step + r * part.windows, part.windows,
                         FALSE);
            }
            ADIT_KERNEL(multiply)(&product, TRUE);
            scatter_columns(&conv, &part, group, call->output.data, columns);
        }
    }
}

/* [@lines][@columns] at @from as [columns][lines padded to @width with zeros], or not padded. */
static void
transpose(const real *from, gsize step, gsize lines, gsize columns, real *to, gsize to_step,
          gboolean pads)
{
    for (gsize i = 0; i < lines; i += LANES) {
        gsize n = MIN(lines - i, LANES);

        for (gsize k = 0; k < columns; k += LANES)
            transpose_block(from + i * step + k, step, n, MIN(columns - k, LANES),
                            to + k * to_step + i, to_step, pads ? LANES : n);
    }
}

/* Adds what the windows of a tile give to the sums of a group, [depth][filters]. @deltas:
 * [columns][filters padded to @width]. */
static void
add_part(const Conv *conv, const Part *part, const real *columns, const real *deltas, gsize width,
         real *sums)
{
    gsize count = part->rows * part->windows;

    ADIT_KERNEL(multiply)
    (&(Product){.lines = conv->depth,
                .columns = conv->filters,
                .depth = count,
                .a = columns,
                .a_line = conv->step,
                .a_step = 1,
                .b = deltas,
                .b_step = width,
                .readable = count * width,
                .out = sums,
                .addend = sums,
                .addend_step = conv->filters},
     FALSE);
}

/* Inputs: images, dy. Over rows: the sums are kept transposed, [groups][depth][filters], as there
 * are more pixels to a window than would fill vectors with filters. */
void
ADIT_KERNEL(conv2d_rows)(const AditKernelCall *call)
{
    Conv conv;
    Part part = {0};
    gsize width, count = call->output.count;
    real *columns, *deltas, *sums, *out = call->output.data;

    if (conv_has_channels_last(call)) {
        ADIT_KERNEL(conv2d_rows_last)(call);
        return;
    }
    if (adit_conv_is_thin(call->attributes, &call->output.shape)) {
        ADIT_KERNEL(conv2d_rows_thin)(call);
        return;
    }
    conv_init(&conv, call, &call->inputs[0].shape, &call->inputs[1].shape);
    width = round_up(conv.filters, LANES);
    columns = adit_scratch_get(((conv.depth + width) * conv.step + count) * sizeof(real));
    deltas = columns + conv.depth * conv.step;
    sums = deltas + width * conv.step;
    memset(sums, 0, count * sizeof(real));
    for (gsize g = 0, at = 0; call->accumulate && g < conv.groups; g++, at += count / conv.groups)
        transpose(out + at, conv.depth, conv.filters, conv.depth, sums + at, conv.filters, FALSE);
    while (next_part(&conv, call->rows, &part)) {
        for (gsize g = 0; g < conv.groups; g++) {
            const real *dy = call->inputs[1].data;

            gather_columns(&conv, &part, g, call->inputs[0].data, columns);
            for (gsize r = 0; r < part.rows; r++)
                transpose(dy + find_windows(&conv, &part, g, r), conv.windows, conv.filters,
                          part.windows, deltas + r * part.windows * width, width, TRUE);
            add_part(&conv, &part, columns, deltas, width, sums + g * conv.depth * conv.filters);
        }
    }
    for (gsize g = 0, at = 0; g < conv.groups; g++, at += count / conv.groups)
        transpose(sums + at, conv.filters, conv.depth, conv.filters, out + at, conv.depth, FALSE);
}
