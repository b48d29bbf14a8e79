/* plugins/blocks/relu.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditRelu {
    AditBlock parent_instance;
};
ADIT_DEFINE_BLOCK(AditRelu, adit_relu_block, ADIT_RELU)

static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    return adit_relu(adit_tap(x, "pre"));
}

static void
adit_relu_block_class_init(AditComponentClass *klass)
{
    ADIT_BLOCK_CLASS(klass)->build = build;
    adit_component_class_describe(klass, "relu", "Rectifier: max(0, x)");
}

ADIT_PLUGIN("relu", "1.0", "MIT", ADIT_TYPES(adit_relu_block_get_type))
