/* plugins/blocks/gelu.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditGelu {
    AditBlock parent_instance;
};
ADIT_DEFINE_BLOCK(AditGelu, adit_gelu_block, ADIT_GELU)

static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    return adit_gelu(adit_tap(x, "pre"));
}

static void
adit_gelu_block_class_init(AditComponentClass *klass)
{
    ADIT_BLOCK_CLASS(klass)->build = build;
    adit_component_class_describe(klass, "gelu",
                                  "x times the normal distribution at x, exact form");
}

ADIT_PLUGIN("gelu", "1.0", "MIT", ADIT_TYPES(adit_gelu_block_get_type))
