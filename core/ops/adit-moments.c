/* core/ops/adit-moments.c - SPDX-License-Identifier: MIT */
#include "adit-attributes.h"
#include "adit-image-layout.h"
#include "adit-ops-private.h"

/* Mean and variance over a batch, and normalising by them. */

static gboolean
expect_rows(AditTensor *x, const char *name, GError **error)
{
    if (adit_tensor_has_rows(x))
        return TRUE;
    return adit_infer_fail(error, x, "%s: expected a value for every row", name);
}

static gboolean
moments_infer(AditTensor *const *inputs, guint n_inputs, const void *data, AditShape *shape,
              gboolean *rows, GError **error)
{
    const AditChannelAttributes *attributes = data;

    *shape = ADIT_SHAPE(2, attributes->size);
    *rows = FALSE;
    return expect_rows(inputs[0], "moments", error);
}

/* What lies behind channels comes before them, and so belongs to lines. */
static gboolean
channels_lay(const AditShape *image, void *data)
{
    AditChannelAttributes *attributes = data;

    if (attributes->axis != 0)
        return FALSE;
    attributes->axis = adit_image_lay_axis(image, 0, &attributes->inner);
    return TRUE;
}

/* Inputs: x, moments, the gradient by them. */
static gboolean
like_first_infer(AditTensor *const *inputs, guint n_inputs, const void *data, AditShape *shape,
                 gboolean *rows, GError **error)
{
    *shape = *adit_tensor_get_shape(inputs[0]);
    *rows = adit_tensor_has_rows(inputs[0]);
    return TRUE;
}

static const AditOp moments_gradient_op = {.name = "moments-gradient",
                                           .encode = adit_encode_channels,
                                           .lay_channels_last = channels_lay,
                                           .infer = like_first_infer};

static void
moments_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    const AditChannelAttributes *attributes = adit_tensor_get_attributes(y);

    dx[0] = adit_apply(&moments_gradient_op, (AditTensor *[]){inputs[0], y, dy}, 3, attributes,
                       sizeof *attributes);
}

static const AditOp moments_op = {.name = "moments",
                                  .encode = adit_encode_channels,
                                  .lay_channels_last = channels_lay,
                                  .infer = moments_infer,
                                  .gradient = moments_gradient,
                                  .combine = "combine-moments",
                                  .over_rows = TRUE};

/* FALSE: it failed the graph. */
static gboolean
channels_init(AditChannelAttributes *self, AditTensor *x, const char *name, int axis,
              double epsilon)
{
    *self = (AditChannelAttributes){.epsilon = epsilon};
    if (!adit_resolve_axis(x, name, axis, &self->axis))
        return FALSE;
    self->size = adit_tensor_get_shape(x)->size[self->axis];
    self->inner = adit_inner_count(adit_tensor_get_shape(x), self->axis);
    return TRUE;
}

AditTensor *
adit_moments(AditTensor *x, int axis)
{
    AditChannelAttributes attributes;

    if (adit_tensor_has_failed(x))
        return x;
    if (!channels_init(&attributes, x, "moments", axis, 0))
        return adit_graph_fail(adit_tensor_get_graph(x), "moments: bad axis");
    return adit_apply(&moments_op, &x, 1, &attributes, sizeof attributes);
}

static gboolean
normalize_infer(AditTensor *const *inputs, guint n_inputs, const void *data, AditShape *shape,
                gboolean *rows, GError **error)
{
    const AditChannelAttributes *attributes = data;

    for (guint i = 1; i < n_inputs; i++) {
        gsize wanted = i == 1 ? 2 * attributes->size : attributes->size;

        if (adit_tensor_has_rows(inputs[i]) ||
            adit_shape_count(adit_tensor_get_shape(inputs[i])) != wanted)
            return adit_infer_fail(error, inputs[i],
                                   "normalize: expected %" G_GSIZE_FORMAT " numbers without rows",
                                   wanted);
    }
    *shape = *adit_tensor_get_shape(inputs[0]);
    return expect_rows(inputs[0], "normalize", error);
}

/* Inputs: x, dy, moments. The sums over the batch of dy and of dy times the normalised x. */
static const AditOp normalize_sums_op = {.name = "normalize-sums",
                                         .encode = adit_encode_channels,
                                         .lay_channels_last = channels_lay,
                                         .infer = moments_infer,
                                         .over_rows = TRUE};
/* Inputs: those sums, moments, scale. */
static const AditOp normalize_moments_gradient_op = {.name = "normalize-moments-gradient",
                                                     .encode = adit_encode_channels,
                                                     .infer = like_first_infer};
/* Inputs: dy, moments, scale. */
static const AditOp normalize_gradient_op = {.name = "normalize-gradient",
                                             .encode = adit_encode_channels,
                                             .lay_channels_last = channels_lay,
                                             .infer = like_first_infer};

static void
normalize_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    const AditChannelAttributes *attributes = adit_tensor_get_attributes(y);
    gsize size = sizeof *attributes;
    AditTensor *moments = inputs[1], *scale = inputs[2];
    AditTensor *sums = adit_apply(&normalize_sums_op, (AditTensor *[]){inputs[0], dy, moments}, 3,
                                  attributes, size);

    dx[0] = adit_apply(&normalize_gradient_op, (AditTensor *[]){dy, moments, scale}, 3, attributes,
                       size);
    dx[1] = adit_apply(&normalize_moments_gradient_op, (AditTensor *[]){sums, moments, scale}, 3,
                       attributes, size);
    dx[1] = adit_reshape(dx[1], adit_tensor_get_shape(moments));
    dx[2] = adit_reshape(adit_slice(sums, 0, 1, 2, 1), adit_tensor_get_shape(scale));
    dx[3] = adit_reshape(adit_slice(sums, 0, 0, 1, 1), adit_tensor_get_shape(inputs[3]));
}

static const AditOp normalize_op = {.name = "normalize",
                                    .encode = adit_encode_channels,
                                    .lay_channels_last = channels_lay,
                                    .infer = normalize_infer,
                                    .gradient = normalize_gradient};

AditTensor *
adit_normalize(AditTensor *x, AditTensor *moments, AditTensor *scale, AditTensor *shift, int axis,
               double epsilon)
{
    AditChannelAttributes attributes;

    if (adit_tensor_has_failed(x))
        return x;
    if (!channels_init(&attributes, x, "normalize", axis, epsilon))
        return adit_graph_fail(adit_tensor_get_graph(x), "normalize: bad axis");
    return adit_apply(&normalize_op, (AditTensor *[]){x, moments, scale, shift}, 4, &attributes,
                      sizeof attributes);
}
