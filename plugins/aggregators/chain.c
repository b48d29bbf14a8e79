/* plugins/aggregators/chain.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditChain {
    AditAggregator parent_instance;
};
ADIT_DEFINE_AGGREGATOR(AditChain, adit_chain, ADIT_CHAIN)

static void
step(AditAggregator *aggregator, AditGraph *graph, AditTensor *y, AditFold *fold)
{
    fold->feed = y;
    fold->collect = y;
}

static void
adit_chain_class_init(AditComponentClass *klass)
{
    ADIT_AGGREGATOR_CLASS(klass)->step = step;
    adit_component_class_describe(klass, "chain", "Each block is fed the one before it");
}

ADIT_PLUGIN("chain", "1.0", "MIT", ADIT_TYPES(adit_chain_get_type))
