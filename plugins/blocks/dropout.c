/* plugins/blocks/dropout.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditDropout {
    AditBlock parent_instance;
    AditLive *rate;
};
ADIT_DEFINE_BLOCK(AditDropout, adit_dropout_block, ADIT_DROPOUT)

static AditTensor *
build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    return adit_dropout(x, adit_live(graph, ADIT_DROPOUT(block)->rate), "dropout");
}

static void
adit_dropout_block_class_init(AditComponentClass *klass)
{
    ADIT_BLOCK_CLASS(klass)->build = build;
    adit_component_class_describe(klass, "dropout", "Zeroes numbers at random while training");
    adit_component_class_add_live(klass, "rate", "Share that is zeroed", 0, 0.999, 0.5,
                                  ADIT_FIELD(AditDropout, rate, AditLive *));
}

ADIT_PLUGIN("dropout", "1.0", "MIT", ADIT_TYPES(adit_dropout_block_get_type))
