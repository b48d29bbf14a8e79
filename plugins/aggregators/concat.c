/* plugins/aggregators/concat.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditConcat {
    AditAggregator parent_instance;
};
ADIT_DEFINE_AGGREGATOR(AditConcat, adit_concat_aggregator, ADIT_CONCAT)

static void
begin(AditAggregator *aggregator, AditGraph *graph, AditTensor *x, AditFold *fold)
{
    fold->feed = x;
    fold->collect = adit_aggregator_counts_input(aggregator) ? x : NULL;
}

/* Huang, Liu, van der Maaten, Weinberger, "Densely connected convolutional networks", CVPR 2017,
 * equation 2. */
static void
step(AditAggregator *aggregator, AditGraph *graph, AditTensor *y, AditFold *fold)
{
    adit_aggregator_adapt_space(aggregator, graph, fold, &y);
    if (fold->collect != NULL) {
        guint axis = adit_channel_axis(adit_tensor_get_shape(y));
        y = adit_concat((AditTensor *[]){fold->collect, y}, 2, (int) axis);
    }
    fold->feed = y;
    fold->collect = y;
}

static void
adit_concat_aggregator_class_init(AditComponentClass *klass)
{
    ADIT_AGGREGATOR_CLASS(klass)->begin = begin;
    ADIT_AGGREGATOR_CLASS(klass)->step = step;
    ADIT_AGGREGATOR_CLASS(klass)->skips = TRUE;
    adit_component_class_describe(klass, "concat", "Each block is fed all before it side by side");
    adit_component_class_set_default(klass, "input", TRUE);
}

ADIT_PLUGIN("concat", "1.0", "MIT", ADIT_TYPES(adit_concat_aggregator_get_type))
