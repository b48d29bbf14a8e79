/* core/ops/adit-reduce.c - SPDX-License-Identifier: MIT */
#include "adit-attributes.h"
#include "adit-image-layout.h"
#include "adit-ops-private.h"

static gboolean
reduce_infer(AditTensor *const *inputs, guint n_inputs, const void *data, AditShape *shape,
             gboolean *rows, GError **error)
{
    const AditReduceAttributes *attributes = data;
    const AditShape *x = adit_tensor_get_shape(inputs[0]);

    shape->rank = 0;
    for (guint i = 0; i < x->rank; i++) {
        if (i < attributes->first || i >= attributes->first + attributes->n_axes)
            shape->size[shape->rank++] = x->size[i];
    }
    return TRUE;
}

/* What belongs to the result of a reduction, repeated along the reduced axes of @x. */
static AditTensor *
spread(AditTensor *y, AditTensor *value, AditTensor *x)
{
    const AditReduceAttributes *attributes = adit_tensor_get_attributes(y);
    const AditShape *full = adit_tensor_get_shape(x);
    AditShape kept = *full;

    for (guint i = 0; i < attributes->n_axes; i++)
        kept.size[attributes->first + i] = 1;
    return adit_broadcast(adit_reshape(value, &kept), full);
}

static void
sum_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    dx[0] = spread(y, dy, inputs[0]);
}

static void
mean_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    const AditReduceAttributes *attributes = adit_tensor_get_attributes(y);

    dx[0] = spread(y, adit_scale(dy, 1.0 / (double) attributes->size), inputs[0]);
}

/* Elements that equal the maximum or minimum share its gradient. */
static void
extremum_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    const AditReduceAttributes *attributes = adit_tensor_get_attributes(y);
    AditTensor *hit = adit_equal(inputs[0], spread(y, y, inputs[0]));
    int axes[ADIT_MAX_RANK];
    AditTensor *share;

    for (guint i = 0; i < attributes->n_axes; i++)
        axes[i] = (int) (attributes->first + i);
    share = adit_div(dy, adit_reduce(hit, ADIT_REDUCE_SUM, axes, attributes->n_axes));
    dx[0] = adit_mul(hit, spread(y, share, inputs[0]));
}

/* Whether axes @first to @last are those of the pixels, or all of them that have more than one. */
static gboolean
are_pixels(const AditShape *image, guint first, guint last)
{
    return first >= 1 && last >= first && (first == 1 || image->size[1] == 1) &&
           (last == 2 || image->size[2] == 1);
}

/* Of what is left the axes must lie in the same order. */
static gboolean
reduce_lay(const AditShape *image, void *data)
{
    AditReduceAttributes *attributes = data;
    guint last = attributes->first + attributes->n_axes - 1;
    gsize inner;

    if (attributes->n_axes == image->rank)
        return TRUE;
    if (attributes->first == 0 && last == 0)
        attributes->first = adit_image_lay_axis(image, 0, &attributes->inner);
    else if (are_pixels(image, attributes->first, last))
        attributes->first = adit_image_lay_axis(image, attributes->first, &inner);
    else
        return FALSE;
    if (last > 0)
        adit_image_lay_axis(image, 2, &attributes->inner);
    return TRUE;
}

static const AditOp reduce_ops[] = {
    [ADIT_REDUCE_SUM] = {.name = "reduce-sum",
                         .encode = adit_encode_reduce,
                         .infer = reduce_infer,
                         .lay_channels_last = reduce_lay,
                         .gradient = sum_gradient},
    [ADIT_REDUCE_MEAN] = {.name = "reduce-mean",
                          .encode = adit_encode_reduce,
                          .infer = reduce_infer,
                          .lay_channels_last = reduce_lay,
                          .gradient = mean_gradient},
    [ADIT_REDUCE_MAX] = {.name = "reduce-max",
                         .encode = adit_encode_reduce,
                         .infer = reduce_infer,
                         .lay_channels_last = reduce_lay,
                         .gradient = extremum_gradient},
    [ADIT_REDUCE_MIN] = {.name = "reduce-min",
                         .encode = adit_encode_reduce,
                         .infer = reduce_infer,
                         .lay_channels_last = reduce_lay,
                         .gradient = extremum_gradient},
    [ADIT_REDUCE_ARGMAX] = {.name = "reduce-argmax",
                            .encode = adit_encode_reduce,
                            .infer = reduce_infer,
                            .lay_channels_last = reduce_lay,
                            .gradient = adit_gradient_zero},
};

/* Sets the axes' bits in @mask; FALSE: it failed the graph. */
static gboolean
collect_axes(AditTensor *x, const int *axes, guint n_axes, guint *mask)
{
    *mask = n_axes == 0 ? (1u << adit_tensor_get_shape(x)->rank) - 1 : 0;
    for (guint i = 0; i < n_axes; i++) {
        guint axis;

        if (!adit_resolve_axis(x, "reduce", axes[i], &axis))
            return FALSE;
        if (*mask & 1u << axis) {
            adit_graph_fail(adit_tensor_get_graph(x), "reduce: axis %d is given twice", axes[i]);
            return FALSE;
        }
        *mask |= 1u << axis;
    }
    return TRUE;
}

AditTensor *
adit_reduce(AditTensor *x, AditReduction reduction, const int *axes, guint n_axes)
{
    AditTensor *y = x;
    guint mask;

    if (adit_tensor_has_failed(x))
        return x;
    if (!collect_axes(x, axes, n_axes, &mask))
        return adit_graph_fail(adit_tensor_get_graph(x), "reduce: bad axes");
    if (reduction == ADIT_REDUCE_ARGMAX && (mask == 0 || (mask & (mask - 1)) != 0))
        return adit_graph_fail(adit_tensor_get_graph(x),
                               "argmax: expected one axis, got %d; reshape joins axes",
                               __builtin_popcount(mask));
    /* One reduction for each run of neighbouring axes, from the last, so that numbers stay valid.
     */
    for (guint end = adit_tensor_get_shape(x)->rank; end > 0; end--) {
        AditReduceAttributes attributes = {.size = 1};
        const AditShape *shape = adit_tensor_get_shape(y);

        if ((mask & 1u << (end - 1)) == 0)
            continue;
        attributes.inner = adit_inner_count(shape, end - 1);
        for (; end > 0 && (mask & 1u << (end - 1)) != 0; end--) {
            attributes.size *= shape->size[end - 1];
            attributes.n_axes++;
        }
        attributes.first = end;
        y = adit_apply(&reduce_ops[reduction], &y, 1, &attributes, sizeof attributes);
        end++;
    }
    return y;
}

AditTensor *
adit_sum(AditTensor *x)
{
    return adit_reduce(x, ADIT_REDUCE_SUM, NULL, 0);
}

AditTensor *
adit_mean(AditTensor *x)
{
    return adit_reduce(x, ADIT_REDUCE_MEAN, NULL, 0);
}

AditTensor *
adit_sum_last(AditTensor *x)
{
    return adit_reduce(x, ADIT_REDUCE_SUM, (int[]){-1}, 1);
}
