/* plugins/blocks/flatten.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditFlatten {
    AditBlock parent_instance;
};
ADIT_DEFINE_BLOCK(AditFlatten, adit_flatten, ADIT_FLATTEN)

static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    return adit_reshape(x, &ADIT_SHAPE(adit_shape_count(adit_tensor_get_shape(x))));
}

static void
adit_flatten_class_init(AditComponentClass *klass)
{
    ADIT_BLOCK_CLASS(klass)->build = build;
    adit_component_class_describe(klass, "flatten", "All numbers of a sample as one vector");
}

ADIT_PLUGIN("flatten", "1.0", "MIT", ADIT_TYPES(adit_flatten_get_type))
