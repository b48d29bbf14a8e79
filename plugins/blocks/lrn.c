/* plugins/blocks/lrn.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditLrn {
    AditBlock parent_instance;
    gint64 size;
    double alpha;
    double beta;
    double k;
};
ADIT_DEFINE_BLOCK(AditLrn, adit_lrn, ADIT_LRN)

/* Sum over each channel and its neighbours, @half on both sides; none beyond the first and last. */
static AditTensor *
sum_neighbours(AditTensor *x, gsize half)
{
    const AditShape *shape = adit_tensor_get_shape(x);
    int axis = (int) adit_channel_axis(shape);
    gsize channels = shape->size[axis];
    AditTensor *padded = adit_pad(x, axis, half, half, 0.0);
    AditTensor *sum = adit_slice(padded, axis, 0, channels, 1);

    for (gsize i = 1; i <= 2 * half; i++)
        sum = adit_add(sum, adit_slice(padded, axis, i, i + channels, 1));
    return sum;
}

/* Krizhevsky, Sutskever, Hinton, "ImageNet classification with deep convolutional neural networks",
 * NIPS 2012, section 3.3. There alpha is not divided by the size. */
static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    AditLrn *self = ADIT_LRN(block);

    if (adit_tensor_has_failed(x))
        return x;
    if (adit_tensor_get_shape(x)->rank == 0)
        return adit_graph_fail(graph, "'lrn' takes a vector or an image, got a number");
    AditTensor *sum = sum_neighbours(adit_square(x), (gsize) self->size / 2);
    AditTensor *base = adit_offset(adit_scale(sum, self->alpha), self->k);

    return adit_mul(x, adit_pow(base, adit_constant(graph, -self->beta)));
}

static gboolean
check(AditComponent *component, GError **error)
{
    if (ADIT_LRN(component)->size % 2 == 1)
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID, "'size' must be odd, got %" G_GINT64_FORMAT,
                ADIT_LRN(component)->size);
    return FALSE;
}

static void
adit_lrn_class_init(AditComponentClass *klass)
{
    klass->check = check;
    ADIT_BLOCK_CLASS(klass)->build = build;
    adit_component_class_describe(klass, "lrn", "Divides by the size of neighbouring channels");
    adit_component_class_add_int(klass, "size", "Channels that are summed, odd", 1, 1023, 5,
                                 ADIT_FIELD(AditLrn, size, gint64));
    adit_component_class_add_number(klass, "alpha", "Factor of the sum of squares", 0, G_MAXDOUBLE,
                                    1e-4, ADIT_FIELD(AditLrn, alpha, double));
    adit_component_class_add_number(klass, "beta", "Power", 0, 100, 0.75,
                                    ADIT_FIELD(AditLrn, beta, double));
    adit_component_class_add_number(klass, "k", "Added to the sum", 1e-9, G_MAXDOUBLE, 2.0,
                                    ADIT_FIELD(AditLrn, k, double));
}

ADIT_PLUGIN("lrn", "1.0", "MIT", ADIT_TYPES(adit_lrn_get_type))
