/* core/ops/adit-crop.c - SPDX-License-Identifier: MIT */
#include "adit-attributes.h"
#include "adit-ops-private.h"

/* A window of maps, at a place of every row's own. */

static gboolean
crop_infer(AditTensor *const *inputs, guint n_inputs, const void *data, AditShape *shape,
           gboolean *rows, GError **error)
{
    const AditCropAttributes *attributes = data;
    const AditShape *x = adit_tensor_get_shape(inputs[0]);

    if (x->rank != 3)
        return adit_infer_fail(error, inputs[0], "crop: expected channels x height x width");
    if (!adit_shape_equal(adit_tensor_get_shape(inputs[1]), &ADIT_SHAPE(4)))
        return adit_infer_fail(error, inputs[1], "crop: expected a place of 4 numbers");
    *shape = ADIT_SHAPE(x->size[0], attributes->height, attributes->width);
    return TRUE;
}

/* Inputs: the place, the gradient by the window. */
static gboolean
crop_gradient_infer(AditTensor *const *inputs, guint n_inputs, const void *data, AditShape *shape,
                    gboolean *rows, GError **error)
{
    const AditCropAttributes *attributes = data;
    gsize channels = adit_tensor_get_shape(inputs[1])->size[0];

    *shape = ADIT_SHAPE(channels, attributes->full_height, attributes->full_width);
    return TRUE;
}

static const AditOp crop_gradient_op = {
    .name = "crop-gradient", .encode = adit_encode_crop, .infer = crop_gradient_infer};

static void
crop_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    const AditCropAttributes *attributes = adit_tensor_get_attributes(y);
    AditTensor *whole = adit_apply(&crop_gradient_op, (AditTensor *[]){inputs[1], dy}, 2,
                                   attributes, sizeof *attributes);

    dx[0] = adit_sum_to(whole, inputs[0]);
}

static const AditOp crop_op = {
    .name = "crop", .encode = adit_encode_crop, .infer = crop_infer, .gradient = crop_gradient};

AditTensor *
adit_crop(AditTensor *x, AditTensor *place, gsize height, gsize width, AditOutside outside)
{
    const AditShape *full = adit_tensor_get_shape(x);
    AditCropAttributes attributes = {.height = height,
                                     .width = width,
                                     .full_height = full->size[1],
                                     .full_width = full->size[2],
                                     .clamps = outside == ADIT_OUTSIDE_EDGE};

    if (!adit_tensor_has_failed(x) && (height == 0 || width == 0))
        return adit_graph_fail(adit_tensor_get_graph(x), "crop: expected a height and a width");
    return adit_apply(&crop_op, (AditTensor *[]){x, place}, 2, &attributes, sizeof attributes);
}
