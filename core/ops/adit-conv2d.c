/* core/ops/adit-conv2d.c - SPDX-License-Identifier: MIT */
#include "adit-attributes.h"
#include "adit-ops-private.h"

/* Convolution is linear in the image and in the weights, so the three operations here are each
 * other's gradients. */

static gboolean
expect_image(AditTensor *x, GError **error)
{
    if (adit_tensor_has_rows(x) && adit_tensor_get_shape(x)->rank == 3)
        return TRUE;
    return adit_infer_fail(error, x, "conv2d: expected an image, channels x height x width");
}

/* Whether weights of this shape take @channels channels, in the attributes' window and groups. */
static gboolean
check_weight(const AditShape *weight, gsize channels, const AditConvAttributes *attributes,
             GError **error)
{
    const AditWindow *window = &attributes->window;
    gsize groups = attributes->groups;
    g_autofree char *got = NULL;

    if (groups == 0 || channels % groups != 0 || weight->size[0] % groups != 0) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "conv2d: expected groups that divide channels and filters, got %zu groups of "
                    "%zu channels and %zu filters",
                    groups, channels, weight->size[0]);
        return FALSE;
    }
    if (weight->size[1] == channels / groups && weight->size[2] == window->size[0] &&
        weight->size[3] == window->size[1])
        return TRUE;
    got = adit_shape_to_string(weight);
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "conv2d: expected weights of %zux%zux%zux%zu, got %s", weight->size[0],
                channels / groups, window->size[0], window->size[1], got);
    return FALSE;
}

static gboolean
expect_weight(AditTensor *weight, GError **error)
{
    if (!adit_tensor_has_rows(weight) && adit_tensor_get_shape(weight)->rank == 4)
        return TRUE;
    return adit_infer_fail(error, weight,
                           "conv2d: expected weights without rows, filters x channels x height x "
                           "width");
}

static gboolean
conv2d_infer(AditTensor *const *inputs, guint n_inputs, const void *data, AditShape *shape,
             gboolean *rows, GError **error)
{
    const AditConvAttributes *attributes = data;
    const AditShape *x = adit_tensor_get_shape(inputs[0]);
    const AditShape *weight = adit_tensor_get_shape(inputs[1]);

    if (!expect_image(inputs[0], error) || !expect_weight(inputs[1], error) ||
        !check_weight(weight, x->size[0], attributes, error))
        return FALSE;
    *shape = ADIT_SHAPE(weight->size[0], 0, 0);
    *rows = TRUE;
    return adit_window_infer("conv2d", &attributes->window, &x->size[1], &shape->size[1], error);
}

/* Whether @dy has a pixel for every window on the attributes' image. */
static gboolean
check_windows(const AditShape *dy, const AditConvAttributes *attributes, GError **error)
{
    gsize out[2];
    g_autofree char *got = NULL;

    if (!adit_window_infer("conv2d", &attributes->window, attributes->image, out, error))
        return FALSE;
    if (dy->size[1] == out[0] && dy->size[2] == out[1])
        return TRUE;
    got = adit_shape_to_string(dy);
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "conv2d: expected %zux%zu windows for an image of %zux%zu, got %s", out[0], out[1],
                attributes->image[0], attributes->image[1], got);
    return FALSE;
}

static gboolean
conv2d_back_infer(AditTensor *const *inputs, guint n_inputs, const void *data, AditShape *shape,
                  gboolean *rows, GError **error)
{
    const AditConvAttributes *attributes = data;
    const AditShape *dy = adit_tensor_get_shape(inputs[0]);
    const AditShape *weight = adit_tensor_get_shape(inputs[1]);
    gsize channels;

    if (!expect_image(inputs[0], error) || !expect_weight(inputs[1], error))
        return FALSE;
    channels = weight->size[1] * attributes->groups;
    if (!check_weight(weight, channels, attributes, error) || !check_windows(dy, attributes, error))
        return FALSE;
    if (dy->size[0] != weight->size[0])
        return adit_infer_fail(error, inputs[0], "conv2d: expected %zu filters", weight->size[0]);
    *shape = ADIT_SHAPE(channels, attributes->image[0], attributes->image[1]);
    *rows = TRUE;
    return TRUE;
}

static gboolean
conv2d_rows_infer(AditTensor *const *inputs, guint n_inputs, const void *data, AditShape *shape,
                  gboolean *rows, GError **error)
{
    const AditConvAttributes *attributes = data;
    const AditShape *x = adit_tensor_get_shape(inputs[0]);
    const AditShape *dy = adit_tensor_get_shape(inputs[1]);

    if (!expect_image(inputs[0], error) || !expect_image(inputs[1], error))
        return FALSE;
    *shape = ADIT_SHAPE(dy->size[0], x->size[0] / MAX(attributes->groups, 1),
                        attributes->window.size[0], attributes->window.size[1]);
    *rows = FALSE;
    return check_weight(shape, x->size[0], attributes, error) &&
           check_windows(dy, attributes, error);
}

static void
conv2d_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    const AditConvAttributes *attributes = adit_tensor_get_attributes(y);
    guint groups = (guint) attributes->groups;

    dx[0] = adit_conv2d_back(dy, inputs[1], &attributes->window, groups, attributes->image);
    dx[1] = adit_conv2d_rows(inputs[0], dy, &attributes->window, groups);
}

static void
conv2d_back_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    const AditConvAttributes *attributes = adit_tensor_get_attributes(y);
    guint groups = (guint) attributes->groups;

    dx[0] = adit_conv2d(dy, inputs[1], &attributes->window, groups);
    dx[1] = adit_conv2d_rows(dy, inputs[0], &attributes->window, groups);
}

static void
conv2d_rows_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    const AditConvAttributes *attributes = adit_tensor_get_attributes(y);
    guint groups = (guint) attributes->groups;

    dx[0] = adit_conv2d_back(inputs[1], dy, &attributes->window, groups, attributes->image);
    dx[1] = adit_conv2d(inputs[0], dy, &attributes->window, groups);
}

static gboolean
conv2d_lay(const AditShape *image, void *attributes)
{
    ((AditConvAttributes *) attributes)->channels_last = TRUE;
    return TRUE;
}

static const AditOp conv2d_op = {.name = "conv2d",
                                 .encode = adit_encode_conv,
                                 .lay_channels_last = conv2d_lay,
                                 .infer = conv2d_infer,
                                 .gradient = conv2d_gradient};
static const AditOp conv2d_back_op = {.name = "conv2d-back",
                                      .encode = adit_encode_conv,
                                      .lay_channels_last = conv2d_lay,
                                      .infer = conv2d_back_infer,
                                      .gradient = conv2d_back_gradient};
static const AditOp conv2d_rows_op = {.name = "conv2d-rows",
                                      .encode = adit_encode_conv,
                                      .lay_channels_last = conv2d_lay,
                                      .infer = conv2d_rows_infer,
                                      .gradient = conv2d_rows_gradient,
                                      .over_rows = TRUE,
                                      .accumulates = TRUE};

static AditTensor *
apply(const AditOp *op, AditTensor *a, AditTensor *b, const AditWindow *window, guint groups,
      const gsize *image)
{
    AditConvAttributes attributes = {*window, groups, {image[0], image[1]}, FALSE};

    return adit_apply(op, (AditTensor *[]){a, b}, 2, &attributes, sizeof attributes);
}

AditTensor *
adit_conv2d(AditTensor *x, AditTensor *weight, const AditWindow *window, guint groups)
{
    return apply(&conv2d_op, x, weight, window, groups, &adit_tensor_get_shape(x)->size[1]);
}

AditTensor *
adit_conv2d_back(AditTensor *dy, AditTensor *weight, const AditWindow *window, guint groups,
                 const gsize *image)
{
    return apply(&conv2d_back_op, dy, weight, window, groups, image);
}

AditTensor *
adit_conv2d_rows(AditTensor *x, AditTensor *dy, const AditWindow *window, guint groups)
{
    return apply(&conv2d_rows_op, x, dy, window, groups, &adit_tensor_get_shape(x)->size[1]);
}
