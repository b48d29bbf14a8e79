/* core/ops/adit-conv2d-last.kernel.c - SPDX-License-Identifier: MIT */
#include "adit-conv2d.h"

/* Convolution of images that lie [height, width, channels] as products of matrices. What a window
 * sees of the channels of a group is a line, [lines][depth]: pixel after pixel, of each its
 * channels, so that lines are put together by whole runs. Filters are columns, and the results lie
 * as images do. All windows of all rows are one run of lines, cut into tiles: as a line's result
 * depends on no other line and sums over lines go on from tile to tile, tiles change no bit. */

/* Numbers of the lines of a tile, for the second cache. */
#define TILE_NUMBERS ((gsize) 256 * 1024 / sizeof(real))

/**
 * Conv: sizes of a convolution.
 * @channels, @filters: of a group
 * @taps: pixels that a window sees
 * @depth: numbers that it sees of a group
 * @padded: filters of a group to the next full vector
 * @lines: windows of all rows of the call
 * @tile: lines of a tile
 */
typedef struct {
    AditWindow window;
    gsize groups, channels, filters, taps, depth, padded;
    gsize height, width;
    gsize out_height, out_width, windows;
    gsize lines, tile;
} Conv;

/* @x: the shape of the images; @y: that of the windows on them, [height, width, filters]. */
static void
conv_init(Conv *self, const AditKernelCall *call, const AditShape *x, const AditShape *y)
{
    const AditConvAttributes *attributes = call->attributes;

    self->window = attributes->window;
    self->groups = attributes->groups;
    self->channels = x->size[2] / self->groups;
    self->filters = y->size[2] / self->groups;
    self->taps = self->window.size[0] * self->window.size[1];
    self->depth = self->channels * self->taps;
    self->padded = (self->filters + LANES - 1) / LANES * LANES;
    self->height = x->size[0];
    self->width = x->size[1];
    self->out_height = y->size[0];
    self->out_width = y->size[1];
    self->windows = y->size[0] * y->size[1];
    self->lines = call->rows * self->windows;
    self->tile = MIN(MAX(TILE_NUMBERS / self->depth, 4 * LANES), self->lines);
}

/* ---- lines ---- */

/* @to = from, or from += to. */
ADIT_ALWAYS_INLINE void
move_run(real *image, real *line, gsize n, const gboolean add)
{
    for (gsize i = 0; i < n; i += LANES) {
        gsize some = MIN(LANES, n - i);
        vector value = vector_load_some(add ? line + i : image + i, some);

        if (add)
            vector_store_some(image + i, vector_load_some(image + i, some) + value, some);
        else
            vector_store_some(line + i, value, some);
    }
}

/* One line of a window's pixels: from the image's line @from, or added to it. @x: where the window
 * begins on it; pixels outside of it are 0. */
ADIT_ALWAYS_INLINE void
move_pixels(const Conv *conv, real *from, gssize x, real *line, const gboolean add)
{
    gsize size = conv->window.size[1], step = conv->window.dilation[1];
    gsize n = conv->channels, pixel = conv->groups * n;

    if (step == 1 && conv->groups == 1 && x >= 0 && (gsize) x + size <= conv->width) {
        move_run(from + (gsize) x * n, line, size * n, add);
        return;
    }
    for (gsize i = 0; i < size; i++, x += (gssize) step, line += n) {
        if (x >= 0 && x < (gssize) conv->width)
            move_run(from + (gsize) x * pixel, line, n, add);
        else if (!add)
            memset(line, 0, n * sizeof(real));
    }
}

/* Lines @first to @first + @n - 1, of the channels of @group: from the images, or added to them. */
ADIT_ALWAYS_INLINE void
move_lines(const Conv *conv, gsize first, gsize n, gsize group, real *images, real *lines,
           const gboolean add)
{
    const AditWindow *window = &conv->window;
    gsize a_line = conv->width * conv->groups * conv->channels;
    gsize run = window->size[1] * conv->channels, o = first % conv->windows;
    gsize o_y = o / conv->out_width, o_x = o % conv->out_width;
    real *image = images + first / conv->windows * conv->height * a_line + group * conv->channels;

    for (; n > 0; n--) {
        gssize x = (gssize) (o_x * window->stride[1]) - (gssize) window->before[1];
        gssize y = (gssize) (o_y * window->stride[0]) - (gssize) window->before[0];

        for (gsize i = 0; i < window->size[0]; i++, lines += run) {
            gssize at_y = y + (gssize) (i * window->dilation[0]);

            if (at_y >= 0 && at_y < (gssize) conv->height)
                move_pixels(conv, image + (gsize) at_y * a_line, x, lines, add);
            else if (!add)
                memset(lines, 0, run * sizeof(real));
        }
        o_x = o_x + 1 < conv->out_width ? o_x + 1 : 0;
        o_y += o_x == 0;
        if (o_y < conv->out_height)
            continue;
        o_y = 0;
        image += conv->height * a_line;
    }
}

static void
gather_lines(const Conv *conv, gsize first, gsize n, gsize group, const real *images, real *lines)
{
    move_lines(conv, first, n, group, (real *) images, lines, FALSE);
}

static void
scatter_lines(const Conv *conv, gsize first, gsize n, gsize group, real *images, real *lines)
{
    move_lines(conv, first, n, group, images, lines, TRUE);
}

/* ---- weights, [filters][channels][taps] ---- */

/* Up to LANES lines of @n numbers, @line apart, become columns: number k of all of them is at
 * to[k].
 */
ADIT_ALWAYS_INLINE void
turn_block(const real *from, gsize line, gsize lines, gsize n, gsize room, real *const *to)
{
    vector block[LANES];

    for (gsize i = 0; i < LANES; i++)
        block[i] = i < lines ? vector_load_some(from + i * line, n) : (vector){0};
    vector_transpose(block);
    for (gsize i = 0; i < n; i++)
        vector_store_some(to[i], block[i], room);
}

/* Number @i of a filter, [channels][taps], as one of [taps][channels]. */
ADIT_ALWAYS_INLINE gsize
find_tap(const Conv *conv, gsize i)
{
    return i % conv->taps * conv->channels + i / conv->taps;
}

/* Those of a group as [taps][channels][@step], filters side by side. */
static void
turn_weights(const Conv *conv, const real *weights, real *to, gsize step)
{
    for (gsize i = 0; i < conv->depth; i += LANES) {
        gsize n = MIN(LANES, conv->depth - i);
        real *lines[LANES];

        for (gsize k = 0; k < n; k++)
            lines[k] = to + find_tap(conv, i + k) * step;
        for (gsize f = 0; f < conv->filters; f += LANES) {
            turn_block(weights + f * conv->depth + i, conv->depth, MIN(LANES, conv->filters - f), n,
                       MIN(LANES, step - f), lines);
            for (gsize k = 0; k < n; k++)
                lines[k] += LANES;
        }
    }
}

/* And back, from [taps][channels][filters]. */
static void
turn_back(const Conv *conv, const real *sums, real *weights)
{
    for (gsize f = 0; f < conv->filters; f += LANES) {
        gsize n = MIN(LANES, conv->filters - f);

        for (gsize i = 0; i < conv->depth; i += LANES) {
            gsize lines = MIN(LANES, conv->depth - i);
            vector block[LANES];

            for (gsize k = 0; k < LANES; k++)
                block[k] =
                    k < lines
                        ? vector_load_some(sums + find_tap(conv, i + k) * conv->filters + f, n)
                        : (vector){0};
            vector_transpose(block);
            for (gsize k = 0; k < n; k++)
                vector_store_some(weights + (f + k) * conv->depth + i, block[k], lines);
        }
    }
}

/* As [filters][taps][channels]. */
static void
order_weights(const Conv *conv, const real *weights, real *to)
{
    for (gsize f = 0; f < conv->filters; f++, weights += conv->depth) {
        for (gsize t = 0; t < conv->taps; t++) {
            for (gsize c = 0; c < conv->channels; c++)
                *to++ = weights[c * conv->taps + t];
        }
    }
}

/* ---- the operations ---- */

/* The result of a tile beside those of the other groups. */
static void
spread_result(const Conv *conv, gsize n, const real *result, real *out)
{
    for (gsize i = 0; i < n; i++, result += conv->filters, out += conv->groups * conv->filters)
        memcpy(out, result, conv->filters * sizeof(real));
}

/* Inputs: images, weights. */
void
ADIT_KERNEL(conv2d_last)(const AditKernelCall *call)
{
    Conv conv;
    const real *weights = call->inputs[1].data;
    real *lines, *turned, *result;

    conv_init(&conv, call, &call->inputs[0].shape, &call->output.shape);
    lines = adit_scratch_get((conv.depth * (conv.tile + conv.padded) + conv.tile * conv.filters) *
                             sizeof(real));
    turned = lines + conv.depth * conv.tile;
    result = turned + conv.depth * conv.padded;
    for (gsize g = 0; g < conv.groups; g++) {
        turn_weights(&conv, weights + g * conv.filters * conv.depth, turned, conv.padded);
        for (gsize first = 0, n; first < conv.lines; first += n) {
            real *out = call->output.data;

            n = MIN(conv.tile, conv.lines - first);
            out += (first * conv.groups + g) * conv.filters;
            gather_lines(&conv, first, n, g, call->inputs[0].data, lines);
            ADIT_KERNEL(multiply)
            (&(Product){.lines = n,
                        .columns = conv.filters,
                        .depth = conv.depth,
                        .a = lines,
                        .a_line = conv.depth,
                        .a_step = 1,
                        .b = turned,
                        .b_step = conv.padded,
                        .readable = conv.depth * conv.padded,
                        .out = conv.groups == 1 ? out : result},
             FALSE);
            if (conv.groups > 1)
                spread_result(&conv, n, result, out);
        }
    }
}

/* Inputs: dy, weights. What windows give to the pixels they see is the product of dy with the
 * weights. */
void
ADIT_KERNEL(conv2d_back_last)(const AditKernelCall *call)
{
    Conv conv;
    const real *dy = call->inputs[0].data, *weights = call->inputs[1].data;
    real *lines, *ordered;

    conv_init(&conv, call, &call->output.shape, &call->inputs[0].shape);
    lines = adit_scratch_get(conv.depth * (conv.tile + conv.filters) * sizeof(real));
    ordered = lines + conv.depth * conv.tile;
    memset(call->output.data, 0, call->rows * call->output.count * sizeof(real));
    for (gsize g = 0; g < conv.groups; g++) {
        order_weights(&conv, weights + g * conv.filters * conv.depth, ordered);
        for (gsize first = 0, n; first < conv.lines; first += n) {
            n = MIN(conv.tile, conv.lines - first);
            ADIT_KERNEL(multiply)
            (&(Product){.lines = n,
                        .columns = conv.depth,
                        .depth = conv.filters,
                        .a = dy + (first * conv.groups + g) * conv.filters,
                        .a_line = conv.groups * conv.filters,
                        .a_step = 1,
                        .b = ordered,
                        .b_step = conv.depth,
                        .readable = conv.filters * conv.depth,
                        .out = lines},
             FALSE);
            scatter_lines(&conv, first, n, g, call->output.data, lines);
        }
    }
}

/* Inputs: images, dy. Over rows. */
void
ADIT_KERNEL(conv2d_rows_last)(const AditKernelCall *call)
{
    Conv conv;
    const real *dy = call->inputs[1].data;
    real *lines, *sums;
    gsize step, count;

    conv_init(&conv, call, &call->inputs[0].shape, &call->inputs[1].shape);
    lines = adit_scratch_get(conv.depth * (conv.tile + conv.filters) * sizeof(real));
    sums = lines + conv.depth * conv.tile;
    step = conv.groups * conv.filters;
    count = conv.filters * conv.depth;
    for (gsize g = 0; g < conv.groups; g++) {
        real *out = (real *) call->output.data + g * count;

        if (call->accumulate)
            turn_weights(&conv, out, sums, conv.filters);
        else
            memset(sums, 0, count * sizeof(real));
        for (gsize first = 0, n; first < conv.lines; first += n) {
            gsize at = first * step + g * conv.filters;

            n = MIN(conv.tile, conv.lines - first);
            gather_lines(&conv, first, n, g, call->inputs[0].data, lines);
            ADIT_KERNEL(multiply)
            (&(Product){.lines = conv.depth,
                        .columns = conv.filters,
                        .depth = n,
                        .a = lines,
                        .a_line = 1,
                        .a_step = conv.depth,
                        .b = dy + at,
                        .b_step = step,
                        .readable = conv.lines * step - at,
                        .out = sums,
                        .accumulate = TRUE},
             TRUE);
        }
        turn_back(&conv, sums, out);
    }
}
