/* plugins/aggregators/glonet.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditGlonet {
    AditAggregator parent_instance;
    int weights;
};
ADIT_DEFINE_AGGREGATOR(AditGlonet, adit_glonet, ADIT_GLONET)

enum { WEIGHTS_ONE, WEIGHTS_LEARNED, WEIGHTS_SOFTMAX };

static void
begin(AditAggregator *aggregator, AditGraph *graph, AditTensor *x, AditFold *fold)
{
    AditGlonet *self = ADIT_GLONET(aggregator);

    fold->feed = x;
    fold->collect = adit_aggregator_counts_input(aggregator) ? x : NULL;
    if (self->weights == WEIGHTS_ONE || fold->count == 0)
        return;

    gboolean learned = self->weights == WEIGHTS_LEARNED;
    AditTensor *weights = adit_parameter_filled(graph, "weights", ADIT_ROLE_OTHER,
                                                &ADIT_SHAPE(fold->count), learned ? 1.0 : 0.0);
    fold->each = learned ? weights : adit_softmax(weights);
}

/* Section 4 of the paper: the sum takes the place of skips, and a normalisation at a block's end
 * would keep the block from fading out of the sum. */
static void
warn(AditGraph *graph, const AditFold *fold)
{
    if (fold->skips)
        adit_graph_warn(graph,
                        "'%s' carries a skip of its own; in a GloNet the sum takes its place",
                        fold->name);
    if (fold->normalized)
        adit_graph_warn(graph,
                        "'%s' ends in a normalisation, so it cannot fade out of the GloNet's sum; "
                        "put the normalisation before its last layer",
                        fold->name);
}

/* The head sees the sum of all outputs: Di Cecco et al., "GloNets: globally connected
 * neural networks", IDA 2024, equation 2. */
static void
step(AditAggregator *aggregator, AditGraph *graph, AditTensor *y, AditFold *fold)
{
    warn(graph, fold);
    fold->feed = y;
    adit_aggregator_adapt(aggregator, graph, fold, &y);
    if (fold->item != NULL)
        y = adit_mul(y, fold->item);
    fold->collect = fold->collect != NULL ? adit_add(fold->collect, y) : y;
}

static void
adit_glonet_class_init(AditComponentClass *klass)
{
    static const char *const weights[] = {"one", "learned", "softmax", NULL};

    ADIT_AGGREGATOR_CLASS(klass)->begin = begin;
    ADIT_AGGREGATOR_CLASS(klass)->step = step;
    adit_component_class_describe(klass, "glonet",
                                  "Each block is fed the one before it, the head the sum of all");
    adit_component_class_add_choice(klass, "weights", "Factors of the outputs in the sum", weights,
                                    WEIGHTS_ONE, ADIT_FIELD(AditGlonet, weights, int));
}

ADIT_PLUGIN("glonet", "1.0", "MIT", ADIT_TYPES(adit_glonet_get_type))
