/* core/ops/adit-pool2d.kernel.c - SPDX-License-Identifier: MIT */
#include "adit-lanes.h"

/**
 * Axis: how windows lie along one axis of an image.
 */
typedef struct {
    gsize size, stride, dilation, before;
    gsize image, out;
    gboolean adaptive;
} Axis;

/* Pixels of a window along an axis: begin, begin + step, ... below end. */
typedef struct {
    gsize begin, end, step;
} Span;

/* Images of all rows and channels, and their windows, both [planes, height, width, channels]: of
 * one channel, or of all of a row. */
typedef struct {
    Axis y, x;
    gsize planes, channels;
} Pool;

static Axis
axis_of(const AditPoolAttributes *attributes, guint axis, const AditShape *windows)
{
    const AditWindow *window = &attributes->window;

    return (Axis){.size = window->size[axis],
                  .stride = window->stride[axis],
                  .dilation = window->dilation[axis],
                  .before = window->before[axis],
                  .image = attributes->image[axis],
                  .out = windows->size[(attributes->channels_last ? 0 : 1) + axis],
                  .adaptive = attributes->adaptive};
}

/* @windows: the operand that has a number for each window. */
static void
pool_init(Pool *self, const AditKernelCall *call, const AditView *windows)
{
    const AditPoolAttributes *attributes = call->attributes;

    self->y = axis_of(call->attributes, 0, &windows->shape);
    self->x = axis_of(call->attributes, 1, &windows->shape);
    self->planes = windows->rows ? call->rows : 1;
    self->channels = 1;
    if (attributes->channels_last)
        self->channels = windows->shape.size[2];
    else
        self->planes *= windows->shape.size[0];
}

/* What window @o sees. */
static Span
span_of(const Axis *axis, gsize o)
{
    gsize begin = o * axis->stride, end = begin + (axis->size - 1) * axis->dilation + 1;

    if (axis->adaptive)
        return (Span){o * axis->image / axis->out,
                      ((o + 1) * axis->image + axis->out - 1) / axis->out, 1};
    if (begin < axis->before) {
        gsize outside = axis->before - begin + axis->dilation - 1;

        begin += outside / axis->dilation * axis->dilation;
    }
    return (Span){begin - axis->before, MIN(end - axis->before, axis->image), axis->dilation};
}

static gsize
count_span(const Span *span)
{
    return (span->end - span->begin + span->step - 1) / span->step;
}

/* The lines of an image that a window sees, as one: their largest numbers, or their sums. */
ADIT_ALWAYS_INLINE void
fold_lines(const real *image, gsize width, const Span *y, real *line, const gboolean adds)
{
    memcpy(line, image + y->begin * width, width * sizeof(real));
    for (gsize h = y->begin + y->step; h < y->end; h += y->step) {
        const real *from = image + h * width;

        for (gsize w = 0; w < width; w++)
            line[w] = adds ? line[w] + from[w] : max_of(line[w], from[w]);
    }
}

ADIT_ALWAYS_INLINE real
fold_span(const real *line, const Span *x, const gboolean adds)
{
    real result = line[x->begin];

    for (gsize w = x->begin + x->step; w < x->end; w += x->step)
        result = adds ? result + line[w] : max_of(result, line[w]);
    return result;
}

/* ---- with channels last ---- */

/* A window of an image: its first pixel's first channel, lines @line numbers apart. */
typedef struct {
    Span y, x;
    gsize line, channels;
} Window;

typedef void (*RunWindow)(const Window *window, real *image, real *numbers, const real *further);

/* Runs all windows: @images, and up to two operands with numbers for each window. */
static void
run_windows(const Pool *t, real *image, real *numbers, const real *further, RunWindow run)
{
    Window window = {.line = t->x.image * t->channels, .channels = t->channels};

    for (gsize plane = 0; plane < t->planes; plane++, image += t->y.image * window.line) {
        for (gsize o = 0; o < t->y.out * t->x.out; o++, numbers += t->channels) {
            window.y = span_of(&t->y, o / t->x.out);
            window.x = span_of(&t->x, o % t->x.out);
            run(&window, image, numbers, further);
            further += further != NULL ? t->channels : 0;
        }
    }
}

ADIT_ALWAYS_INLINE vector
choose(bit_vector which, vector a, vector b)
{
    return (vector) ((which & (bit_vector) a) | (~which & (bit_vector) b));
}

/* Lane by lane as max_of(). */
ADIT_ALWAYS_INLINE vector
vector_max_of(vector a, vector b)
{
    return choose((a > b) | (a != a), a, b);
}

ADIT_ALWAYS_INLINE void
fold_window(const Window *t, const real *image, real *restrict out, const gboolean adds)
{
    const real *first = image + t->y.begin * t->line + t->x.begin * t->channels;

    for (gsize c = 0; c < t->channels; c += LANES) {
        gsize n = MIN(LANES, t->channels - c);
        vector all = vector_load_some(first + c, n);

        for (gsize h = t->y.begin; h < t->y.end; h += t->y.step) {
            gsize begin = t->x.begin + (h == t->y.begin ? t->x.step : 0);

            for (gsize w = begin; w < t->x.end; w += t->x.step) {
                vector pixel = vector_load_some(image + h * t->line + w * t->channels + c, n);

                all = adds ? all + pixel : vector_max_of(all, pixel);
            }
        }
        vector_store_some(out + c, all, n);
    }
}

static void
fold_maximum(const Window *t, real *image, real *out, const real *further)
{
    fold_window(t, image, out, FALSE);
}

static void
fold_average(const Window *t, real *image, real *out, const real *further)
{
    real n = (real) (count_span(&t->y) * count_span(&t->x));

    fold_window(t, image, out, TRUE);
    for (gsize c = 0; c < t->channels; c++)
        out[c] /= n;
}

/* The largest of @lines lines of @n numbers each, @step apart. */
ADIT_ALWAYS_INLINE void
fold_maxima(const real *from, gsize step, gsize lines, gsize n, real *restrict to)
{
    for (gsize i = 0; i < n; i += LANES) {
        gsize some = MIN(LANES, n - i);
        vector all = vector_load_some(from + i, some);

        for (gsize k = 1; k < lines; k++)
            all = vector_max_of(all, vector_load_some(from + k * step + i, some));
        vector_store_some(to + i, all, some);
    }
}

/* From so many channels on a pixel fills vectors by itself. */
#define WIDE 16

/* Windows of few channels: lines of an image are folded as wholes, and then what lies side by side
 * in them, so that vectors are full. */
static void
run_thin_maxima(const Pool *t, const real *image, real *out)
{
    gsize n = t->channels, width = t->x.image * n, across = (t->x.size - 1) * t->x.dilation * n;
    real *lines = adit_scratch_get(2 * width * sizeof(real)), *windows = lines + width;

    for (gsize plane = 0; plane < t->planes; plane++, image += t->y.image * width) {
        for (gsize oy = 0; oy < t->y.out; oy++) {
            Span y = span_of(&t->y, oy);

            fold_maxima(image + y.begin * width, y.step * width, count_span(&y), width, lines);
            if (across < width)
                fold_maxima(lines, t->x.dilation * n, t->x.size, width - across, windows);
            for (gsize ox = 0; ox < t->x.out; ox++, out += n) {
                Span x = span_of(&t->x, ox);
                gsize seen = count_span(&x);

                if (seen == t->x.size)
                    fold_maxima(windows + x.begin * n, 0, 1, n, out);
                else
                    fold_maxima(lines + x.begin * n, x.step * n, seen, n, out);
            }
        }
    }
}

/* The first of the largest pixels of each channel; NaN counts as the largest. */
static void
find_maximum(const Window *t, real *image, real *out, const real *further)
{
    gsize width = t->line / t->channels, first = t->y.begin * width + t->x.begin;

    for (gsize c = 0; c < t->channels; c += LANES) {
        gsize n = MIN(LANES, t->channels - c);
        vector best = vector_load_some(image + first * t->channels + c, n);
        vector number = (vector){0} + (real) first;

        for (gsize h = t->y.begin; h < t->y.end; h += t->y.step) {
            for (gsize w = t->x.begin; w < t->x.end; w += t->x.step) {
                vector value = vector_load_some(image + h * t->line + w * t->channels + c, n);
                bit_vector larger = (value > best) | ((value != value) & (best == best));

                best = choose(larger, value, best);
                number = choose(larger, (vector){0} + (real) (h * width + w), number);
            }
        }
        vector_store_some(out + c, number, n);
    }
}

static void
share_average(const Window *t, real *image, real *dy, const real *further)
{
    real n = (real) (count_span(&t->y) * count_span(&t->x));

    for (gsize h = t->y.begin; h < t->y.end; h += t->y.step) {
        for (gsize w = t->x.begin; w < t->x.end; w += t->x.step) {
            real *restrict pixel = image + h * t->line + w * t->channels;

            for (gsize c = 0; c < t->channels; c++)
                pixel[c] += dy[c] / n;
        }
    }
}

/* ---- the operations ---- */

ADIT_ALWAYS_INLINE void
pool(const AditKernelCall *call, const gboolean averages)
{
    Pool t;
    const real *image = call->inputs[0].data;
    real *out = call->output.data, *line;

    pool_init(&t, call, &call->output);
    if (t.channels > 1 && t.channels < WIDE && !averages && !t.x.adaptive) {
        run_thin_maxima(&t, image, out);
        return;
    }
    if (t.channels > 1) {
        run_windows(&t, (real *) image, out, NULL, averages ? fold_average : fold_maximum);
        return;
    }
    line = adit_scratch_get(t.x.image * sizeof(real));
    for (gsize plane = 0; plane < t.planes; plane++, image += t.y.image * t.x.image) {
        for (gsize oy = 0; oy < t.y.out; oy++) {
            Span y = span_of(&t.y, oy);

            fold_lines(image, t.x.image, &y, line, averages);
            for (gsize ox = 0; ox < t.x.out; ox++) {
                Span x = span_of(&t.x, ox);
                real result = fold_span(line, &x, averages);

                *out++ = averages ? result / (real) (count_span(&y) * count_span(&x)) : result;
            }
        }
    }
}

void
ADIT_KERNEL(pool_max)(const AditKernelCall *call)
{
    pool(call, FALSE);
}

void
ADIT_KERNEL(pool_average)(const AditKernelCall *call)
{
    pool(call, TRUE);
}

/* The first of the largest pixels; NaN counts as the largest. */
static gsize
find_largest(const real *image, gsize width, const Span *y, const Span *x)
{
    gsize best = y->begin * width + x->begin;

    for (gsize h = y->begin; h < y->end; h += y->step) {
        for (gsize w = x->begin; w < x->end; w += x->step) {
            real value = image[h * width + w], before = image[best];

            if (value > before || (value != value && before == before))
                best = h * width + w;
        }
    }
    return best;
}

void
ADIT_KERNEL(pool_argmax)(const AditKernelCall *call)
{
    Pool t;
    const real *image = call->inputs[0].data;
    real *out = call->output.data;

    pool_init(&t, call, &call->output);
    if (t.channels > 1) {
        run_windows(&t, (real *) image, out, NULL, find_maximum);
        return;
    }
    for (gsize plane = 0; plane < t.planes; plane++, image += t.y.image * t.x.image) {
        for (gsize oy = 0; oy < t.y.out; oy++) {
            Span y = span_of(&t.y, oy);

            for (gsize ox = 0; ox < t.x.out; ox++) {
                Span x = span_of(&t.x, ox);

                *out++ = (real) find_largest(image, t.x.image, &y, &x);
            }
        }
    }
}

static gboolean
span_has(const Span *span, gsize i)
{
    return i >= span->begin && i < span->end && (i - span->begin) % span->step == 0;
}

/* Adds @dy to the pixel number @taken, if the window sees such a pixel. */
ADIT_ALWAYS_INLINE void
give_to_taken(real *image, gsize pixels, gsize width, const Span *y, const Span *x, real taken,
              real dy)
{
    guint32 i = taken >= 0 && taken < (real) pixels ? (guint32) taken : 0;

    if ((real) i == taken && span_has(y, i / width) && span_has(x, i % width))
        image[i] += dy;
}

static void
give_maximum(const Window *t, real *image, real *taken, const real *dy)
{
    gsize width = t->line / t->channels;

    for (gsize c = 0; c < t->channels; c += LANES) {
        gsize n = MIN(LANES, t->channels - c);
        vector number = vector_load_some(taken + c, n), given = vector_load_some(dy + c, n);

        for (gsize h = t->y.begin; h < t->y.end; h += t->y.step) {
            for (gsize w = t->x.begin; w < t->x.end; w += t->x.step) {
                real *pixel = image + h * t->line + w * t->channels + c;
                bit_vector took = number == (vector){0} + (real) (h * width + w);

                vector_store_some(pixel,
                                  vector_load_some(pixel, n) + choose(took, given, (vector){0}), n);
            }
        }
    }
}

/* Inputs: the number of the pixel that each window took, dy. What is no number of a pixel that the
 * window sees gives nothing to any. */
void
ADIT_KERNEL(pool_max_back)(const AditKernelCall *call)
{
    Pool t;
    const real *taken = call->inputs[0].data, *dy = call->inputs[1].data;
    real *image = call->output.data;
    gsize pixels;

    pool_init(&t, call, &call->inputs[0]);
    pixels = t.y.image * t.x.image;
    memset(image, 0, call_count(call) * sizeof(real));
    if (t.channels > 1) {
        run_windows(&t, image, (real *) taken, dy, give_maximum);
        return;
    }
    for (gsize plane = 0; plane < t.planes; plane++, image += pixels) {
        for (gsize oy = 0; oy < t.y.out; oy++) {
            Span y = span_of(&t.y, oy);

            for (gsize ox = 0; ox < t.x.out; ox++, taken++, dy++) {
                Span x = span_of(&t.x, ox);

                give_to_taken(image, pixels, t.x.image, &y, &x, *taken, *dy);
            }
        }
    }
}

static void
add_share(real *image, gsize width, const Span *y, const Span *x, real dy)
{
    real share = dy / (real) (count_span(y) * count_span(x));

    for (gsize h = y->begin; h < y->end; h += y->step) {
        for (gsize w = x->begin; w < x->end; w += x->step)
            image[h * width + w] += share;
    }
}

void
ADIT_KERNEL(pool_average_back)(const AditKernelCall *call)
{
    Pool t;
    const real *dy = call->inputs[0].data;
    real *image = call->output.data;

    pool_init(&t, call, &call->inputs[0]);
    memset(image, 0, call_count(call) * sizeof(real));
    if (t.channels > 1) {
        run_windows(&t, image, (real *) dy, NULL, share_average);
        return;
    }
    for (gsize plane = 0; plane < t.planes; plane++, image += t.y.image * t.x.image) {
        for (gsize oy = 0; oy < t.y.out; oy++) {
            Span y = span_of(&t.y, oy);

            for (gsize ox = 0; ox < t.x.out; ox++) {
                Span x = span_of(&t.x, ox);

                add_share(image, t.x.image, &y, &x, *dy++);
            }
        }
    }
}
