/* plugins/blocks/constant.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

/* What stands for blocks that were taken away: the mean of what they gave. */

struct _AditConstantBlock {
    AditBlock parent_instance;
};
ADIT_DEFINE_BLOCK(AditConstantBlock, adit_constant_block, ADIT_CONSTANT_BLOCK)

static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    if (adit_tensor_has_failed(x))
        return x;
    return adit_broadcast_rows(
        adit_parameter_filled(graph, "value", ADIT_ROLE_OTHER, adit_tensor_get_shape(x), 0));
}

static void
adit_constant_block_class_init(AditComponentClass *klass)
{
    ADIT_BLOCK_CLASS(klass)->build = build;
    adit_component_class_describe(klass, "constant",
                                  "The same trained values for every row, in the shape of what it "
                                  "is fed; zeros at first");
}

ADIT_PLUGIN("constant", "1.0", "MIT", ADIT_TYPES(adit_constant_block_get_type))
