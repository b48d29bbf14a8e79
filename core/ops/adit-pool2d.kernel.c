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

/* Images of all rows and channels, and their windows, both [planes, height, width]. */
typedef struct {
    Axis y, x;
    gsize planes;
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
                  .out = windows->size[1 + axis],
                  .adaptive = attributes->adaptive};
}

/* @windows: the operand that has a number for each window. */
static void
pool_init(Pool *self, const AditKernelCall *call, const AditView *windows)
{
    self->y = axis_of(call->attributes, 0, &windows->shape);
    self->x = axis_of(call->attributes, 1, &windows->shape);
    self->planes = windows->shape.size[0] * (windows->rows ? call->rows : 1);
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

ADIT_ALWAYS_INLINE void
pool(const AditKernelCall *call, const gboolean averages)
{
    Pool t;
    const real *image = call->inputs[0].data;
    real *out = call->output.data, *line;

    pool_init(&t, call, &call->output);
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
    for (gsize plane = 0; plane < t.planes; plane++, image += pixels) {
        for (gsize oy = 0; oy < t.y.out; oy++) {
            Span y = span_of(&t.y, oy);

            for (gsize ox = 0; ox < t.x.out; ox++, taken++, dy++) {
                Span x = span_of(&t.x, ox);
                guint32 i = *taken >= 0 && *taken < (real) pixels ? (guint32) *taken : 0;

                if ((real) i == *taken && span_has(&y, i / t.x.image) &&
                    span_has(&x, i % t.x.image))
                    image[i] += *dy;
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
