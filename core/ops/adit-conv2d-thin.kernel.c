/* core/ops/adit-conv2d-thin.kernel.c - SPDX-License-Identifier: MIT */
#include "adit-conv2d.h"

/* Convolutions of few channels to few filters, which would not fill a vector: lanes are windows.
 * Each channel has zeros around it, so that pixel d of a window is, for all windows, as far from
 * the window's first; a line has some windows more than the result, which are left out of it. */

/**
 * Thin: one convolution, of planes to planes.
 * @planes, @results: how many
 * @depth: numbers that are added up for a result
 * @line: numbers of a line with what is around it
 * @lines, @plane: lines of a plane, numbers of one
 * @height, @width: of a result
 * @span: numbers from the first of a result's windows to the last
 * @room: numbers of a plane that whole vectors need for them
 * @offsets: [depth]: how far a number lies from the first
 */
typedef struct {
    gsize planes, results, depth;
    gsize line, lines, plane;
    gsize height, width, span, room;
    const gsize *offsets;
} Thin;

/* Vectors of windows at once. */
#define VECTORS   4
#define MAX_DEPTH (ADIT_THIN_CHANNELS * ADIT_THIN_WINDOW) /* adit_conv_is_thin() allows no more */

static gsize
round_up(gsize n, gsize unit)
{
    return (n + unit - 1) / unit * unit;
}

/* Results of @height x @width windows on @planes planes. */
static void
thin_init(Thin *self, const AditWindow *window, gsize planes, gsize results, gsize height,
          gsize width)
{
    self->planes = planes;
    self->results = results;
    self->depth = planes * window->size[0] * window->size[1];
    self->line = width + (window->size[1] - 1) * window->dilation[1];
    self->lines = height + (window->size[0] - 1) * window->dilation[0];
    self->plane = self->line * self->lines;
    self->height = height;
    self->width = width;
    self->span = (height - 1) * self->line + width;
    self->room = round_up(self->span, VECTORS * LANES);
}

/* @turned: the last pixel of a window first. */
static void
find_offsets(const Thin *self, const AditWindow *window, gboolean turned, gsize *offsets)
{
    gsize n = window->size[0] * window->size[1];

    for (gsize d = 0; d < self->depth; d++) {
        gsize k = turned ? n - 1 - d % n : d % n;
        gsize y = k / window->size[1] * window->dilation[0];
        gsize x = k % window->size[1] * window->dilation[1];

        offsets[d] = d / n * self->plane + y * self->line + x;
    }
}

/* Numbers of all planes, those that whole vectors read behind them included. */
static gsize
count_planes(const Thin *self)
{
    return round_up(self->planes * self->plane + self->room - self->span, LANES);
}

/* ---- planes ---- */

/* The last whole vector may overlap the one before. */
ADIT_ALWAYS_INLINE void
copy_line(const real *from, real *to, gsize n)
{
    if (n < LANES) {
        vector_store_part(to, vector_load_part(from, n), n);
        return;
    }
    for (gsize i = 0; i + LANES < n; i += LANES)
        vector_store(to + i, vector_load(from + i));
    vector_store(to + n - LANES, vector_load(from + n - LANES));
}

/**
 * Image: @planes planes of @height x @width at @at, whose first number has its place @down lines
 * and
 * @across numbers behind the first; what has none is left out.
 */
typedef struct {
    const real *at;
    gsize planes, height, width;
    gssize down, across;
} Image;

/* To planes that have zeros all around. */
static void
put_planes(const Image *image, gsize line, gsize lines, gsize plane, real *to)
{
    gsize first = (gsize) MAX(-image->across, 0), skipped = (gsize) MAX(-image->down, 0);
    gsize end = MIN(image->width, (gsize) MAX((gssize) line - image->across, 0));
    gsize last = MIN(image->height, (gsize) MAX((gssize) lines - image->down, 0));

    for (gsize p = 0; p < image->planes && first < end; p++) {
        const real *from = image->at + p * image->height * image->width;

        for (gsize y = skipped; y < last; y++)
            copy_line(from + y * image->width + first,
                      to + p * plane + (gsize) ((gssize) y + image->down) * line +
                          (gsize) ((gssize) first + image->across),
                      end - first);
    }
}

/* ---- images to images ---- */

/* @m results of @v vectors of windows from @at on; both are constants at every call. */
ADIT_ALWAYS_INLINE void
thin_tile(const Thin *t, const real *x, const real *w, real *out, const gsize m, const gsize v)
{
    vector sum[4][VECTORS] = {0};

    for (gsize d = 0; d < t->depth; d++) {
        const real *from = x + t->offsets[d];
        vector right[VECTORS];

#pragma GCC unroll 4
        for (gsize j = 0; j < v; j++)
            right[j] = vector_load(from + j * LANES);
#pragma GCC unroll 4
        for (gsize i = 0; i < m; i++) {
            vector left = vector_fill(w[i * t->depth + d]);

#pragma GCC unroll 4
            for (gsize j = 0; j < v; j++)
                sum[i][j] = VECTOR_FMA(left, right[j], sum[i][j]);
        }
    }
#pragma GCC unroll 4
    for (gsize i = 0; i < m; i++) {
#pragma GCC unroll 4
        for (gsize j = 0; j < v; j++)
            vector_store(out + i * t->room + j * LANES, sum[i][j]);
    }
}

ADIT_ALWAYS_INLINE void
thin_results(const Thin *given, const real *x, const real *w, real *out, const gsize m)
{
    const Thin t = *given;

    for (gsize at = 0; at < t.span; at += VECTORS * LANES)
        thin_tile(&t, x + at, w, out + at, m, VECTORS);
}

/* All results of one image's planes, [results][room]. */
static void
multiply_planes(const Thin *t, const real *x, const real *w, real *out)
{
    for (gsize i = 0; i < t->results; i += 4) {
        const real *own = w + i * t->depth;
        real *to = out + i * t->room;

        if (t->results - i >= 4)
            thin_results(t, x, own, to, 4);
        else if (t->results - i == 3)
            thin_results(t, x, own, to, 3);
        else if (t->results - i == 2)
            thin_results(t, x, own, to, 2);
        else
            thin_results(t, x, own, to, 1);
    }
}

/* Images of @rows rows, that lie as @image does, to results; @w: [results][depth]. */
static void
convolve(const Thin *t, Image image, const real *w, gsize rows, real *planes, real *results,
         real *out)
{
    gsize pixels = t->height * t->width;

    memset(planes, 0, count_planes(t) * sizeof(real));
    for (gsize r = 0; r < rows; r++, image.at += image.planes * image.height * image.width) {
        put_planes(&image, t->line, t->lines, t->plane, planes);
        multiply_planes(t, planes, w, results);
        for (gsize i = 0; i < t->results; i++, out += pixels) {
            for (gsize y = 0; y < t->height; y++)
                copy_line(results + i * t->room + y * t->line, out + y * t->width, t->width);
        }
    }
}

/* Inputs: images, weights [results][planes][height][width]. */
void
ADIT_KERNEL(conv2d_thin)(const AditKernelCall *call)
{
    const AditWindow *window = &((const AditConvAttributes *) call->attributes)->window;
    const AditShape *x = &call->inputs[0].shape, *y = &call->output.shape;
    Image image = {
        call->inputs[0].data,      x->size[0], x->size[1], x->size[2], (gssize) window->before[0],
        (gssize) window->before[1]};
    gsize offsets[MAX_DEPTH];
    Thin thin = {.offsets = offsets};
    real *planes;

    thin_init(&thin, window, x->size[0], y->size[0], y->size[1], y->size[2]);
    find_offsets(&thin, window, FALSE, offsets);
    planes = adit_scratch_get((count_planes(&thin) + thin.results * thin.room) * sizeof(real));
    convolve(&thin, image, call->inputs[1].data, call->rows, planes, planes + count_planes(&thin),
             call->output.data);
}

/* Inputs: dy, weights. The gradient of the images is a convolution of dy by the windows turned
 * around. */
void
ADIT_KERNEL(conv2d_back_thin)(const AditKernelCall *call)
{
    const AditWindow *window = &((const AditConvAttributes *) call->attributes)->window;
    const AditShape *x = &call->output.shape, *y = &call->inputs[0].shape;
    gssize reach[2];
    gsize offsets[MAX_DEPTH], n = window->size[0] * window->size[1];
    Thin thin = {.offsets = offsets};
    const real *weights = call->inputs[1].data;
    real *planes, *turned;

    thin_init(&thin, window, y->size[0], x->size[0], x->size[1], x->size[2]);
    find_offsets(&thin, window, TRUE, offsets);
    for (guint i = 0; i < 2; i++)
        reach[i] =
            (gssize) ((window->size[i] - 1) * window->dilation[i]) - (gssize) window->before[i];
    planes = adit_scratch_get((count_planes(&thin) + thin.results * (thin.room + thin.depth)) *
                              sizeof(real));
    turned = planes + count_planes(&thin) + thin.results * thin.room;
    for (gsize i = 0; i < thin.results * thin.depth; i++) {
        gsize c = i / thin.depth, f = i % thin.depth / n, k = i % n;

        turned[i] = weights[(f * thin.results + c) * n + k];
    }
    convolve(&thin,
             (Image){call->inputs[0].data, y->size[0], y->size[1], y->size[2], reach[0], reach[1]},
             turned, call->rows, planes, planes + count_planes(&thin), call->output.data);
}

/* ---- gradients of the weights ---- */

/* Sums of ADIT_PANEL_ROWS images, window by window in order, then of each vector's numbers by
 * halves; and these in order. */

/* @m filters by @q numbers of a window: to @sums go the products of one image. */
ADIT_ALWAYS_INLINE void
outer_tile(const Thin *t, const real *x, const real *dy, const gsize *offsets, vector *sums,
           const gsize m, const gsize q)
{
    vector sum[4][8];

#pragma GCC unroll 4
    for (gsize i = 0; i < m; i++) {
#pragma GCC unroll 8
        for (gsize j = 0; j < q; j++)
            sum[i][j] = sums[i * t->depth + j];
    }
    for (gsize at = 0; at < t->span; at += LANES, x += LANES) {
        vector left[4];

#pragma GCC unroll 4
        for (gsize i = 0; i < m; i++)
            left[i] = vector_load(dy + i * t->room + at);
#pragma GCC unroll 8
        for (gsize j = 0; j < q; j++) {
            vector right = vector_load(x + offsets[j]);

#pragma GCC unroll 4
            for (gsize i = 0; i < m; i++)
                sum[i][j] = VECTOR_FMA(left[i], right, sum[i][j]);
        }
    }
#pragma GCC unroll 4
    for (gsize i = 0; i < m; i++) {
#pragma GCC unroll 8
        for (gsize j = 0; j < q; j++)
            sums[i * t->depth + j] = sum[i][j];
    }
}

ADIT_ALWAYS_INLINE void
outer_results(const Thin *given, const real *x, const real *dy, vector *sums, const gsize m,
              const gsize q)
{
    const Thin t = *given;
    gsize d = 0;

    for (; d + q <= t.depth; d += q)
        outer_tile(&t, x, dy, t.offsets + d, sums + d, m, q);
    for (; d < t.depth; d++)
        outer_tile(&t, x, dy, t.offsets + d, sums + d, m, 1);
}

static void
add_image(const Thin *t, const real *x, const real *dy, vector *sums)
{
    for (gsize i = 0; i < t->results; i += 4) {
        const real *own = dy + i * t->room;
        vector *to = sums + i * t->depth;

        if (t->results - i >= 4)
            outer_results(t, x, own, to, 4, 4);
        else if (t->results - i == 3)
            outer_results(t, x, own, to, 3, 6);
        else if (t->results - i == 2)
            outer_results(t, x, own, to, 2, 8);
        else
            outer_results(t, x, own, to, 1, 8);
    }
}

static void
join_sums(vector *sums, gsize count, real *out, gboolean accumulate)
{
    for (gsize i = 0; i < count; i += LANES) {
        gsize some = MIN(LANES, count - i);
        vector joined = vector_sums(sums + i);

        if (accumulate)
            joined += vector_load_some(out + i, some);
        vector_store_some(out + i, joined, some);
    }
}

/* Inputs: images, dy. Over rows. */
void
ADIT_KERNEL(conv2d_rows_thin)(const AditKernelCall *call)
{
    const AditWindow *window = &((const AditConvAttributes *) call->attributes)->window;
    const AditShape *x = &call->inputs[0].shape, *y = &call->inputs[1].shape;
    Image image = {
        call->inputs[0].data,      x->size[0], x->size[1], x->size[2], (gssize) window->before[0],
        (gssize) window->before[1]};
    Image deltas = {call->inputs[1].data, y->size[0], y->size[1], y->size[2], 0, 0};
    gsize offsets[MAX_DEPTH], count = call->output.count, bytes;
    Thin thin = {.offsets = offsets};
    real *planes, *dy;
    vector *sums;

    thin_init(&thin, window, x->size[0], y->size[0], y->size[1], y->size[2]);
    find_offsets(&thin, window, FALSE, offsets);
    bytes = round_up(count, LANES) * sizeof(vector);
    sums =
        adit_scratch_get(bytes + (count_planes(&thin) + thin.results * thin.room) * sizeof(real));
    planes = (real *) sums + bytes / sizeof(real);
    dy = planes + count_planes(&thin);
    memset(planes, 0, (count_planes(&thin) + thin.results * thin.room) * sizeof(real));
    for (gsize r = 0; r < call->rows; r++) {
        gsize in_group = r % ADIT_PANEL_ROWS;

        if (in_group == 0)
            memset(sums, 0, bytes);
        put_planes(&image, thin.line, thin.lines, thin.plane, planes);
        put_planes(&deltas, thin.line, thin.height, thin.room, dy);
        add_image(&thin, planes, dy, sums);
        image.at += x->size[0] * x->size[1] * x->size[2];
        deltas.at += y->size[0] * y->size[1] * y->size[2];
        if (in_group == ADIT_PANEL_ROWS - 1 || r == call->rows - 1)
            join_sums(sums, count, call->output.data, call->accumulate || r >= ADIT_PANEL_ROWS);
    }
}
