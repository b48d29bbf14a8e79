/* plugins/regularizers/l2.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditL2 {
    AditRegularizer parent_instance;
    AditLive *weight;
};
ADIT_DEFINE_REGULARIZER(AditL2, adit_l2, ADIT_L2)

static AditTensor *
build(AditRegularizer *regularizer, AditGraph *graph, AditTensor *matched)
{
    AditTensor *weight = adit_live(graph, ADIT_L2(regularizer)->weight);

    return adit_mul(weight, adit_sum(adit_square(matched)));
}

static void
adit_l2_class_init(AditComponentClass *klass)
{
    ADIT_REGULARIZER_CLASS(klass)->match = ADIT_MATCH_WEIGHTS;
    ADIT_REGULARIZER_CLASS(klass)->build = build;
    adit_component_class_describe(klass, "l2", "Weight times the sum of squares");
    adit_component_class_add_live(klass, "weight", "Coefficient of the sum", 0, 1e6, 0.01,
                                  ADIT_FIELD(AditL2, weight, AditLive *));
}

ADIT_PLUGIN("l2", "1.0", "MIT", ADIT_TYPES(adit_l2_get_type))
