/* plugins/blocks/sigmoid.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditSigmoid {
    AditBlock parent_instance;
};
ADIT_DEFINE_BLOCK(AditSigmoid, adit_sigmoid_block, ADIT_SIGMOID)

static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    return adit_sigmoid(adit_tap(x, "pre"));
}

static void
adit_sigmoid_block_class_init(AditComponentClass *klass)
{
    ADIT_BLOCK_CLASS(klass)->build = build;
    adit_component_class_describe(klass, "sigmoid", "1 / (1 + exp(-x))");
}

ADIT_PLUGIN("sigmoid", "1.0", "MIT", ADIT_TYPES(adit_sigmoid_block_get_type))
