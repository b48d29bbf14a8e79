/* core/ops/adit-layout.c - SPDX-License-Identifier: MIT */
#include "adit-attributes.h"
#include "adit-image-layout.h"
#include "adit-ops-private.h"

/* Operations that move numbers and change none. */

static gboolean
broadcast_infer(AditTensor *const *inputs, guint n_inputs, const void *data, AditShape *shape,
                gboolean *rows, GError **error)
{
    const AditShapeAttributes *attributes = data;
    const AditShape *x = adit_tensor_get_shape(inputs[0]);
    gboolean fits = x->rank <= attributes->shape.rank && adit_shape_count(&attributes->shape) > 0;

    for (guint i = 1; fits && i <= x->rank; i++) {
        gsize size = x->size[x->rank - i];

        fits = size == 1 || size == attributes->shape.size[attributes->shape.rank - i];
    }
    if (!fits) {
        g_autofree char *from = adit_shape_to_string(x);
        g_autofree char *to = adit_shape_to_string(&attributes->shape);

        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID, "cannot broadcast %s to %s", from, to);
        return FALSE;
    }
    *shape = attributes->shape;
    return TRUE;
}

static void
broadcast_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    dx[0] = adit_sum_to(dy, inputs[0]);
}

static gboolean
broadcast_lay(const AditShape *image, void *data)
{
    AditShapeAttributes *attributes = data;

    attributes->shape = adit_image_lay(&attributes->shape);
    return TRUE;
}

static const AditOp broadcast_op = {.name = "broadcast",
                                    .infer = broadcast_infer,
                                    .lay_channels_last = broadcast_lay,
                                    .gradient = broadcast_gradient};

AditTensor *
adit_broadcast(AditTensor *x, const AditShape *shape)
{
    AditShapeAttributes attributes = {*shape};

    if (adit_tensor_has_failed(x) || adit_shape_equal(adit_tensor_get_shape(x), shape))
        return x;
    return adit_apply(&broadcast_op, &x, 1, &attributes, sizeof attributes);
}

static gboolean
reshape_infer(AditTensor *const *inputs, guint n_inputs, const void *data, AditShape *shape,
              gboolean *rows, GError **error)
{
    const AditShapeAttributes *attributes = data;
    const AditShape *x = adit_tensor_get_shape(inputs[0]);

    if (adit_shape_count(x) != adit_shape_count(&attributes->shape)) {
        g_autofree char *from = adit_shape_to_string(x);
        g_autofree char *to = adit_shape_to_string(&attributes->shape);

        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "cannot reshape %s to %s: %" G_GSIZE_FORMAT " elements, not %" G_GSIZE_FORMAT,
                    from, to, adit_shape_count(x), adit_shape_count(&attributes->shape));
        return FALSE;
    }
    *shape = attributes->shape;
    return TRUE;
}

static void
reshape_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    dx[0] = adit_reshape(dy, adit_tensor_get_shape(inputs[0]));
}

static const AditOp reshape_op = {
    .name = "reshape", .infer = reshape_infer, .gradient = reshape_gradient, .is_view = TRUE};

AditTensor *
adit_reshape(AditTensor *x, const AditShape *shape)
{
    AditShapeAttributes attributes = {*shape};

    if (adit_tensor_has_failed(x) || adit_shape_equal(adit_tensor_get_shape(x), shape))
        return x;
    return adit_apply(&reshape_op, &x, 1, &attributes, sizeof attributes);
}

static const AditOp stop_gradient_op = {.name = "stop-gradient",
                                        .lay_channels_last = adit_image_lay_anyhow,
                                        .gradient = adit_gradient_zero,
                                        .is_view = TRUE};

AditTensor *
adit_stop_gradient(AditTensor *x)
{
    return adit_apply(&stop_gradient_op, &x, 1, NULL, 0);
}
