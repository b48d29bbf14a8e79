/* plugins/blocks/normalize.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditNormalize {
    AditBlock parent_instance;
    GArray *mean;
    GArray *std;
};
ADIT_DEFINE_BLOCK(AditNormalize, adit_normalize_block, ADIT_NORMALIZE)

/* @numbers, one for each of @channels or one for all, along the first axis of maps or the last of
 * anything else. */
static AditTensor *
make_constant(AditGraph *graph, const GArray *numbers, const AditShape *shape)
{
    AditShape wanted = ADIT_SHAPE(numbers->len);

    for (guint i = 1; shape->rank > 2 && i < shape->rank; i++)
        wanted.size[wanted.rank++] = 1;
    return adit_constant_array(graph, &wanted, (const double *) (gconstpointer) numbers->data);
}

static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    AditNormalize *self = ADIT_NORMALIZE(block);
    const AditShape *shape = adit_tensor_get_shape(x);
    gsize channels = shape->rank > 2 ? shape->size[0] : adit_tensor_get_width(x);

    if (adit_tensor_has_failed(x))
        return x;
    for (guint i = 0; i < 2; i++) {
        gsize n = (i == 0 ? self->mean : self->std)->len;

        if (n != 1 && n != channels)
            return adit_graph_fail(graph,
                                   "'%s' of 'normalize' has %" G_GSIZE_FORMAT
                                   " numbers, expected 1 or %" G_GSIZE_FORMAT ", one a channel",
                                   i == 0 ? "mean" : "std", n, channels);
    }
    return adit_div(adit_sub(x, make_constant(graph, self->mean, shape)),
                    make_constant(graph, self->std, shape));
}

static void
adit_normalize_block_class_init(AditComponentClass *klass)
{
    ADIT_BLOCK_CLASS(klass)->build = build;
    adit_component_class_describe(klass, "normalize", "(x - mean) / std, by given numbers");
    adit_component_class_set_example(klass, "{normalize: {mean: [0.5], std: [0.25]}}");
    adit_component_class_add_numbers(klass, "mean", "What is taken off, one for each channel",
                                     FALSE, -1e9, 1e9, ADIT_FIELD(AditNormalize, mean, GArray *));
    adit_component_class_add_numbers(klass, "std", "What is divided by, one for each channel",
                                     FALSE, 1e-9, 1e9, ADIT_FIELD(AditNormalize, std, GArray *));
    adit_component_class_require(klass, "mean");
    adit_component_class_require(klass, "std");
}

ADIT_PLUGIN("normalize", "1.0", "MIT", ADIT_TYPES(adit_normalize_block_get_type))
