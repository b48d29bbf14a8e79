/* plugins/blocks/layer-norm.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditLayerNorm {
    AditBlock parent_instance;
    double epsilon;
};
ADIT_DEFINE_BLOCK(AditLayerNorm, adit_layer_norm_block, ADIT_LAYER_NORM)

static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    AditShape width = ADIT_SHAPE(adit_tensor_get_width(x));
    AditTensor *scale = adit_parameter_filled(graph, "scale", ADIT_ROLE_NORM, &width, 1.0);
    AditTensor *shift = adit_parameter_filled(graph, "shift", ADIT_ROLE_NORM, &width, 0.0);

    return adit_layer_norm(x, scale, shift, ADIT_LAYER_NORM(block)->epsilon);
}

static void
adit_layer_norm_block_class_init(AditComponentClass *klass)
{
    ADIT_BLOCK_CLASS(klass)->build = build;
    ADIT_BLOCK_CLASS(klass)->normalizes = TRUE;
    adit_component_class_describe(klass, "layer-norm",
                                  "Mean 0 and variance 1 over each sample's last axis");
    adit_component_class_add_number(klass, "epsilon", "Added to the variance", 0, 1, 1e-5,
                                    ADIT_FIELD(AditLayerNorm, epsilon, double));
}

ADIT_PLUGIN("layer-norm", "1.0", "MIT", ADIT_TYPES(adit_layer_norm_block_get_type))
