/* plugins/blocks/tanh.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditTanh {
    AditBlock parent_instance;
};
ADIT_DEFINE_BLOCK(AditTanh, adit_tanh_block, ADIT_TANH)

static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    return adit_tanh(adit_tap(x, "pre"));
}

static void
adit_tanh_block_class_init(AditComponentClass *klass)
{
    ADIT_BLOCK_CLASS(klass)->build = build;
    adit_component_class_describe(klass, "tanh", "Hyperbolic tangent");
}

ADIT_PLUGIN("tanh", "1.0", "MIT", ADIT_TYPES(adit_tanh_block_get_type))
