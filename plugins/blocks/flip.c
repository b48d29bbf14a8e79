/* plugins/blocks/flip.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditFlip {
    AditBlock parent_instance;
    double probability;
};
ADIT_DEFINE_BLOCK(AditFlip, adit_flip, FLIP)

static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    const AditShape *shape = adit_tensor_get_shape(x);
    AditTensor *zero = adit_constant_array(graph, &ADIT_SHAPE(1), (double[]){0});
    AditTensor *one = adit_constant_array(graph, &ADIT_SHAPE(1), (double[]){1});

    x = adit_block_expect_image(block, x, "reshape");
    if (adit_tensor_has_failed(x))
        return x;
    if (adit_graph_get_mode(graph) == ADIT_MODE_EVALUATION)
        return x;
    AditTensor *hit = adit_less(adit_noise_uniform(graph, "flip", &ADIT_SHAPE(1)),
                                adit_constant(graph, FLIP(block)->probability));
    /* from the right end leftwards */
    AditTensor *left = adit_scale(hit, (double) shape->size[2] - 1);
    AditTensor *step = adit_sub(one, adit_scale(hit, 2));
    AditTensor *place[] = {zero, left, one, step};
    return adit_crop(x, adit_concat(place, 4, 0), shape->size[1], shape->size[2],
                     ADIT_OUTSIDE_ZERO);
}

static void
adit_flip_class_init(AditComponentClass *klass)
{
    ADIT_BLOCK_CLASS(klass)->build = build;
    adit_component_class_describe(klass, "flip",
                                  "Mirrors images at random, left for right, while training");
    adit_component_class_add_number(klass, "probability", "Share of the images that are mirrored",
                                    0, 1, 0.5, ADIT_FIELD(AditFlip, probability, double));
}

ADIT_PLUGIN("flip", "1.0", "MIT", ADIT_TYPES(adit_flip_get_type))
