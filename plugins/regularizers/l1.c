/* plugins/regularizers/l1.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditL1 {
    AditRegularizer parent_instance;
    AditLive *weight;
};
ADIT_DEFINE_REGULARIZER(AditL1, adit_l1, ADIT_L1)

static AditTensor *
build(AditRegularizer *regularizer, AditGraph *graph, AditTensor *matched)
{
    AditTensor *weight = adit_live(graph, ADIT_L1(regularizer)->weight);

    return adit_mul(weight, adit_sum(adit_abs(matched)));
}

static void
adit_l1_class_init(AditComponentClass *klass)
{
    ADIT_REGULARIZER_CLASS(klass)->match = ADIT_MATCH_WEIGHTS;
    ADIT_REGULARIZER_CLASS(klass)->build = build;
    adit_component_class_describe(klass, "l1", "Weight times the sum of absolute values");
    adit_component_class_add_live(klass, "weight", "Coefficient of the sum", 0, 1e6, 0.01,
                                  ADIT_FIELD(AditL1, weight, AditLive *));
}

ADIT_PLUGIN("l1", "1.0", "MIT", ADIT_TYPES(adit_l1_get_type))
