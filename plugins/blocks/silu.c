/* plugins/blocks/silu.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditSilu {
    AditBlock parent_instance;
};
ADIT_DEFINE_BLOCK(AditSilu, adit_silu_block, ADIT_SILU)

static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    return adit_silu(adit_tap(x, "pre"));
}

static void
adit_silu_block_class_init(AditComponentClass *klass)
{
    ADIT_BLOCK_CLASS(klass)->build = build;
    adit_component_class_describe(klass, "silu", "x sigmoid(x), also called swish");
}

ADIT_PLUGIN("silu", "1.0", "MIT", ADIT_TYPES(adit_silu_block_get_type))
