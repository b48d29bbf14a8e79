/* plugins/blocks/leaky-relu.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditLeakyRelu {
    AditBlock parent_instance;
    double slope;
};
ADIT_DEFINE_BLOCK(AditLeakyRelu, adit_leaky_relu_block, ADIT_LEAKY_RELU)

static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    return adit_leaky_relu(adit_tap(x, "pre"), ADIT_LEAKY_RELU(block)->slope);
}

static void
adit_leaky_relu_block_class_init(AditComponentClass *klass)
{
    ADIT_BLOCK_CLASS(klass)->build = build;
    adit_component_class_describe(klass, "leaky-relu", "Rectifier with a slope below 0");
    adit_component_class_add_number(klass, "slope", "Slope below 0", 0, 1, 0.01,
                                    ADIT_FIELD(AditLeakyRelu, slope, double));
}

ADIT_PLUGIN("leaky-relu", "1.0", "MIT", ADIT_TYPES(adit_leaky_relu_block_get_type))
