/* plugins/blocks/softplus.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditSoftplus {
    AditBlock parent_instance;
};
ADIT_DEFINE_BLOCK(AditSoftplus, adit_softplus_block, ADIT_SOFTPLUS)

static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    return adit_softplus(adit_tap(x, "pre"));
}

static void
adit_softplus_block_class_init(AditComponentClass *klass)
{
    ADIT_BLOCK_CLASS(klass)->build = build;
    adit_component_class_describe(klass, "softplus", "log(1 + exp(x))");
}

ADIT_PLUGIN("softplus", "1.0", "MIT", ADIT_TYPES(adit_softplus_block_get_type))
