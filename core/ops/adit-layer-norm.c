/* core/ops/adit-layer-norm.c - SPDX-License-Identifier: MIT */
#include "adit-attributes.h"
#include "adit-ops-private.h"

static gboolean
layer_norm_infer(AditTensor *const *inputs, guint n_inputs, const void *data, AditShape *shape,
                 gboolean *rows, GError **error)
{
    *shape = *adit_tensor_get_shape(inputs[0]);
    if (shape->rank == 0)
        return adit_infer_fail(error, inputs[0], "layer-norm: expected a vector");
    for (guint i = 1; i < n_inputs; i++) {
        const AditShape *other = adit_tensor_get_shape(inputs[i]);

        if (adit_tensor_has_rows(inputs[i]) ||
            adit_shape_count(other) != shape->size[shape->rank - 1])
            return adit_infer_fail(error, inputs[i],
                                   "layer-norm: expected %" G_GSIZE_FORMAT " numbers without rows",
                                   shape->size[shape->rank - 1]);
    }
    *rows = adit_tensor_has_rows(inputs[0]);
    return TRUE;
}

/* Inputs: x. (x - mean) / sqrt(variance + epsilon). */
static const AditOp standardize_op = {.name = "standardize", .encode = adit_encode_channels};

/* Inputs: x, dy, scale. */
static const AditOp layer_norm_gradient_op = {.name = "layer-norm-gradient",
                                              .encode = adit_encode_channels};

static void
layer_norm_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    const AditChannelAttributes *attributes = adit_tensor_get_attributes(y);
    AditTensor *standard = adit_apply(&standardize_op, inputs, 1, attributes, sizeof *attributes);

    dx[0] = adit_apply(&layer_norm_gradient_op, (AditTensor *[]){inputs[0], dy, inputs[1]}, 3,
                       attributes, sizeof *attributes);
    dx[1] = adit_sum_to(adit_mul(dy, standard), inputs[1]);
    dx[2] = adit_sum_to(dy, inputs[2]);
}

static const AditOp layer_norm_op = {.name = "layer-norm",
                                     .encode = adit_encode_channels,
                                     .infer = layer_norm_infer,
                                     .gradient = layer_norm_gradient};

AditTensor *
adit_layer_norm(AditTensor *x, AditTensor *scale, AditTensor *shift, double epsilon)
{
    AditChannelAttributes attributes = {.epsilon = epsilon};

    return adit_apply(&layer_norm_op, (AditTensor *[]){x, scale, shift}, 3, &attributes,
                      sizeof attributes);
}
