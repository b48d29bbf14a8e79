/* core/ops/adit-move.c - SPDX-License-Identifier: MIT */
#include "adit-attributes.h"
#include "adit-image-layout.h"
#include "adit-ops-private.h"

/* Transposing, joining, cutting and padding along axes. */

static gboolean
transpose_infer(AditTensor *const *inputs, guint n_inputs, const void *data, AditShape *shape,
                gboolean *rows, GError **error)
{
    const AditTransposeAttributes *attributes = data;
    const AditShape *x = adit_tensor_get_shape(inputs[0]);

    for (guint i = 0; i < x->rank; i++)
        shape->size[i] = x->size[attributes->axes[i]];
    return TRUE;
}

static void
transpose_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    const AditTransposeAttributes *attributes = adit_tensor_get_attributes(y);
    int back[ADIT_MAX_RANK];

    for (guint i = 0; i < adit_tensor_get_shape(y)->rank; i++)
        back[attributes->axes[i]] = (int) i;
    dx[0] = adit_transpose(dy, back);
}

const AditOp adit_op_transpose = {.name = "transpose",
                                  .encode = adit_encode_transpose,
                                  .infer = transpose_infer,
                                  .gradient = transpose_gradient};

AditTensor *
adit_transpose(AditTensor *x, const int *axes)
{
    AditTransposeAttributes attributes = {{0}};
    guint seen = 0;

    if (adit_tensor_has_failed(x))
        return x;
    for (guint i = 0; i < adit_tensor_get_shape(x)->rank; i++) {
        if (!adit_resolve_axis(x, "transpose", axes[i], &attributes.axes[i]))
            return adit_graph_fail(adit_tensor_get_graph(x), "transpose: bad axes");
        if (seen & 1u << attributes.axes[i])
            return adit_graph_fail(adit_tensor_get_graph(x), "transpose: axis %d is given twice",
                                   axes[i]);
        seen |= 1u << attributes.axes[i];
    }
    return adit_apply(&adit_op_transpose, &x, 1, &attributes, sizeof attributes);
}

static gboolean
concat_infer(AditTensor *const *inputs, guint n_inputs, const void *data, AditShape *shape,
             gboolean *rows, GError **error)
{
    const AditConcatAttributes *attributes = data;
    AditShape joined = *adit_tensor_get_shape(inputs[0]);

    for (guint i = 1; i < n_inputs; i++) {
        const AditShape *other = adit_tensor_get_shape(inputs[i]);
        AditShape wanted = joined;

        if (other->rank == joined.rank)
            wanted.size[attributes->axis] = other->size[attributes->axis];
        if (!adit_shape_equal(&wanted, other)) {
            g_autofree char *left = adit_shape_to_string(&joined);
            g_autofree char *right = adit_shape_to_string(other);

            g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                        "cannot concat %s and %s: only axis %u may differ", left, right,
                        attributes->axis);
            return FALSE;
        }
        joined.size[attributes->axis] += other->size[attributes->axis];
    }
    *shape = joined;
    return TRUE;
}

static void
concat_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    const AditConcatAttributes *attributes = adit_tensor_get_attributes(y);
    gsize full = adit_tensor_get_shape(y)->size[attributes->axis];
    gsize begin = 0;

    for (guint i = 0; begin < full; i++) {
        gsize size = adit_tensor_get_shape(inputs[i])->size[attributes->axis];
        AditTensor *part = adit_slice(dy, (int) attributes->axis, begin, begin + size, 1);

        dx[i] = adit_sum_to(part, inputs[i]);
        begin += size;
    }
}

static gboolean
concat_lay(const AditShape *image, void *data)
{
    AditConcatAttributes *attributes = data;

    attributes->axis = adit_image_lay_axis(image, attributes->axis, &attributes->inner);
    return TRUE;
}

static const AditOp concat_op = {.name = "concat",
                                 .encode = adit_encode_concat,
                                 .lay_channels_last = concat_lay,
                                 .infer = concat_infer,
                                 .gradient = concat_gradient};

AditTensor *
adit_concat(AditTensor *const *tensors, guint n, int axis)
{
    AditConcatAttributes attributes = {0};
    AditTensor *inputs[ADIT_MAX_INPUTS];
    guint used = 0;

    g_return_val_if_fail(n > 0, NULL);
    for (guint i = 0; i < n; i++) {
        if (adit_tensor_has_failed(tensors[i]))
            return tensors[i];
    }
    if (!adit_resolve_axis(tensors[0], "concat", axis, &attributes.axis))
        return adit_graph_fail(adit_tensor_get_graph(tensors[0]), "concat: bad axis");
    attributes.inner = adit_inner_count(adit_tensor_get_shape(tensors[0]), attributes.axis);
    /* More than an operation's inputs are joined from the left, what is joined first among the
     * rest. */
    for (guint i = 0; i < n; i++) {
        inputs[used++] = tensors[i];
        if (used == ADIT_MAX_INPUTS && i + 1 < n) {
            inputs[0] = adit_apply(&concat_op, inputs, used, &attributes, sizeof attributes);
            used = 1;
        }
    }
    return used == 1 ? inputs[0]
                     : adit_apply(&concat_op, inputs, used, &attributes, sizeof attributes);
}

static gboolean
slice_infer(AditTensor *const *inputs, guint n_inputs, const void *data, AditShape *shape,
            gboolean *rows, GError **error)
{
    const AditSliceAttributes *attributes = data;

    shape->size[attributes->axis] = attributes->size;
    return TRUE;
}

static gboolean
pad_infer(AditTensor *const *inputs, guint n_inputs, const void *data, AditShape *shape,
          gboolean *rows, GError **error)
{
    const AditSliceAttributes *attributes = data;

    shape->size[attributes->axis] = attributes->full;
    return TRUE;
}

static AditTensor *apply_pad(AditTensor *x, const AditSliceAttributes *attributes);
static AditTensor *apply_slice(AditTensor *x, const AditSliceAttributes *attributes);

static void
slice_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    dx[0] = apply_pad(dy, adit_tensor_get_attributes(y));
}

static void
pad_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    dx[0] = apply_slice(dy, adit_tensor_get_attributes(y));
}

static gboolean
slice_lay(const AditShape *image, void *data)
{
    AditSliceAttributes *attributes = data;

    attributes->axis = adit_image_lay_axis(image, attributes->axis, &attributes->inner);
    return TRUE;
}

static const AditOp slice_op = {.name = "slice",
                                .encode = adit_encode_slice,
                                .lay_channels_last = slice_lay,
                                .infer = slice_infer,
                                .gradient = slice_gradient};
static const AditOp pad_op = {.name = "pad",
                              .encode = adit_encode_slice,
                              .lay_channels_last = slice_lay,
                              .infer = pad_infer,
                              .gradient = pad_gradient};

static AditTensor *
apply_slice(AditTensor *x, const AditSliceAttributes *attributes)
{
    return adit_apply(&slice_op, &x, 1, attributes, sizeof *attributes);
}

/* What is around a slice's gradient is 0, as is a slice's value. */
static AditTensor *
apply_pad(AditTensor *x, const AditSliceAttributes *attributes)
{
    return adit_apply(&pad_op, &x, 1, attributes, sizeof *attributes);
}

AditTensor *
adit_slice(AditTensor *x, int axis, gsize begin, gsize end, gsize stride)
{
    AditSliceAttributes attributes = {.begin = begin, .stride = stride};

    if (adit_tensor_has_failed(x))
        return x;
    if (!adit_resolve_axis(x, "slice", axis, &attributes.axis))
        return adit_graph_fail(adit_tensor_get_graph(x), "slice: bad axis");
    attributes.full = adit_tensor_get_shape(x)->size[attributes.axis];
    attributes.inner = adit_inner_count(adit_tensor_get_shape(x), attributes.axis);
    if (stride == 0 || begin >= end || end > attributes.full)
        return adit_graph_fail(adit_tensor_get_graph(x),
                               "slice: expected begin < end <= %" G_GSIZE_FORMAT
                               " and a stride, got %" G_GSIZE_FORMAT "..%" G_GSIZE_FORMAT
                               "/%" G_GSIZE_FORMAT,
                               attributes.full, begin, end, stride);
    attributes.size = (end - begin + stride - 1) / stride;
    return apply_slice(x, &attributes);
}

AditTensor *
adit_pad(AditTensor *x, int axis, gsize before, gsize after, double value)
{
    AditSliceAttributes attributes = {.begin = before, .stride = 1, .value = value};

    if (adit_tensor_has_failed(x))
        return x;
    if (!adit_resolve_axis(x, "pad", axis, &attributes.axis))
        return adit_graph_fail(adit_tensor_get_graph(x), "pad: bad axis");
    attributes.size = adit_tensor_get_shape(x)->size[attributes.axis];
    if (__builtin_add_overflow(attributes.size, before, &attributes.full) ||
        __builtin_add_overflow(attributes.full, after, &attributes.full))
        return adit_graph_fail(adit_tensor_get_graph(x), "pad: too many elements");
    attributes.inner = adit_inner_count(adit_tensor_get_shape(x), attributes.axis);
    return apply_pad(x, &attributes);
}
