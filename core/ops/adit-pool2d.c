/* core/ops/adit-pool2d.c - SPDX-License-Identifier: MIT */
#include "adit-attributes.h"
#include "adit-ops-private.h"

/* Where the maximum of a window lies is kept as a number of float32, which is exact up to here. */
#define MAX_PIXELS ((gsize) 1 << 24)

static gboolean
expect_image(AditTensor *x, const AditPoolAttributes *attributes, GError **error)
{
    const AditShape *shape = adit_tensor_get_shape(x);

    if (shape->rank != 3)
        return adit_infer_fail(error, x, "pool2d: expected an image, channels x height x width");
    if (attributes->image[0] > MAX_PIXELS / attributes->image[1])
        return adit_infer_fail(error, x, "pool2d: expected an image of at most 2^24 pixels");
    return TRUE;
}

/* Whether a window that begins @begin pixels behind the padding's first sees a pixel of the image
 * along one axis: the first tap that does not lie before the image may lie behind it already. */
static gboolean
sees_pixel(const AditWindow *window, guint axis, gsize image, gsize begin)
{
    gsize before = window->before[axis], dilation = window->dilation[axis];
    gsize tap = begin < before ? (before - begin + dilation - 1) / dilation : 0;

    return tap < window->size[axis] && begin + tap * dilation < before + image;
}

/* Whether every window does: between those at the ends, which lie in the padding most, there may be
 * others if the window has gaps. */
static gboolean
sees_pixels(const AditWindow *window, guint axis, gsize image, gsize out)
{
    for (gsize o = 0; o < out; o++)
        if (!sees_pixel(window, axis, image, o * window->stride[axis]))
            return FALSE;
    return TRUE;
}

/* Sets @out to the numbers of windows. */
static gboolean
infer_windows(const AditPoolAttributes *attributes, gsize *out, GError **error)
{
    const AditWindow *window = &attributes->window;

    if (!adit_window_infer("pool2d", window, attributes->image, out, error))
        return FALSE;
    if (sees_pixels(window, 0, attributes->image[0], out[0]) &&
        sees_pixels(window, 1, attributes->image[1], out[1]))
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "pool2d: a window of %zux%zu on an image of %zux%zu sees nothing but padding",
                window->size[0], window->size[1], attributes->image[0], attributes->image[1]);
    return FALSE;
}

/* Of a window with a size to come to. */
static gboolean
infer_adaptive(AditTensor *x, const AditPoolAttributes *attributes, gsize *out, GError **error)
{
    const gsize *to = attributes->window.size;

    out[0] = to[0];
    out[1] = to[1];
    if (to[0] > 0 && to[1] > 0 && to[0] <= attributes->image[0] && to[1] <= attributes->image[1])
        return TRUE;
    return adit_infer_fail(error, x, "pool2d: expected an image of at least %zux%zu pixels", to[0],
                           to[1]);
}

static gboolean
pool2d_infer(AditTensor *const *inputs, guint n_inputs, const void *data, AditShape *shape,
             gboolean *rows, GError **error)
{
    const AditPoolAttributes *attributes = data;

    if (!expect_image(inputs[0], attributes, error))
        return FALSE;
    return attributes->adaptive ? infer_adaptive(inputs[0], attributes, &shape->size[1], error)
                                : infer_windows(attributes, &shape->size[1], error);
}

/* Of the gradients, whose inputs are of the windows' shape. */
static gboolean
image_infer(AditTensor *const *inputs, guint n_inputs, const void *data, AditShape *shape,
            gboolean *rows, GError **error)
{
    const AditPoolAttributes *attributes = data;

    shape->size[1] = attributes->image[0];
    shape->size[2] = attributes->image[1];
    return TRUE;
}

static AditTensor *
apply(const AditOp *op, AditTensor *const *inputs, guint n_inputs,
      const AditPoolAttributes *attributes)
{
    return adit_apply(op, inputs, n_inputs, attributes, sizeof *attributes);
}

static gboolean
pool2d_lay(const AditShape *image, void *attributes)
{
    ((AditPoolAttributes *) attributes)->channels_last = TRUE;
    return TRUE;
}

static void pool_average_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs,
                                  AditTensor **dx);
static void pool_average_back_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs,
                                       AditTensor **dx);

static const AditOp pool_average_op = {.name = "pool-average",
                                       .encode = adit_encode_pool,
                                       .lay_channels_last = pool2d_lay,
                                       .infer = pool2d_infer,
                                       .gradient = pool_average_gradient};
static const AditOp pool_average_back_op = {.name = "pool-average-back",
                                            .encode = adit_encode_pool,
                                            .lay_channels_last = pool2d_lay,
                                            .infer = image_infer,
                                            .gradient = pool_average_back_gradient};
/* The number of the first of the window's largest pixels, counted through the channel's image. */
static const AditOp pool_argmax_op = {.name = "pool-argmax",
                                      .encode = adit_encode_pool,
                                      .lay_channels_last = pool2d_lay,
                                      .infer = pool2d_infer,
                                      .gradient = adit_gradient_zero};
/* Inputs: those numbers, dy. */
static const AditOp pool_max_back_op = {.name = "pool-max-back",
                                        .encode = adit_encode_pool,
                                        .lay_channels_last = pool2d_lay,
                                        .infer = image_infer};

static void
pool_average_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    dx[0] = apply(&pool_average_back_op, &dy, 1, adit_tensor_get_attributes(y));
}

static void
pool_average_back_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs,
                           AditTensor **dx)
{
    dx[0] = apply(&pool_average_op, &dy, 1, adit_tensor_get_attributes(y));
}

static void
pool_max_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    const AditPoolAttributes *attributes = adit_tensor_get_attributes(y);
    AditTensor *first = apply(&pool_argmax_op, inputs, 1, attributes);

    dx[0] = apply(&pool_max_back_op, (AditTensor *[]){first, dy}, 2, attributes);
}

static const AditOp pool_max_op = {.name = "pool-max",
                                   .encode = adit_encode_pool,
                                   .lay_channels_last = pool2d_lay,
                                   .infer = pool2d_infer,
                                   .gradient = pool_max_gradient};

static AditTensor *
pool(AditTensor *x, AditPooling pooling, AditPoolAttributes *attributes)
{
    const AditShape *shape = adit_tensor_get_shape(x);

    if (adit_tensor_has_failed(x))
        return x;
    attributes->image[0] = shape->rank == 3 ? shape->size[1] : 1;
    attributes->image[1] = shape->rank == 3 ? shape->size[2] : 1;
    return apply(pooling == ADIT_POOL_MAX ? &pool_max_op : &pool_average_op, &x, 1, attributes);
}

AditTensor *
adit_pool2d(AditTensor *x, AditPooling pooling, const AditWindow *window)
{
    return pool(x, pooling, &(AditPoolAttributes){.window = *window});
}

AditTensor *
adit_pool2d_to(AditTensor *x, AditPooling pooling, const gsize *size)
{
    return pool(x, pooling,
                &(AditPoolAttributes){.window = {.size = {size[0], size[1]}}, .adaptive = TRUE});
}
