/* plugins/exits/max-probability.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditMaxProbability {
    AditPolicy parent_instance;
};
ADIT_DEFINE_POLICY(AditMaxProbability, adit_max_probability, ADIT_MAX_PROBABILITY)

/* Kaya, Hong, Dumitras, "Shallow-deep networks", ICML 2019, section 4 */
static AditTensor *
measure(AditPolicy *policy, AditGraph *graph, AditTensor *probabilities)
{
    return adit_reduce(probabilities, ADIT_REDUCE_MAX, (int[]){-1}, 1);
}

static void
adit_max_probability_class_init(AditComponentClass *klass)
{
    ADIT_POLICY_CLASS(klass)->measure = measure;
    ADIT_POLICY_CLASS(klass)->rises = TRUE;
    ADIT_POLICY_CLASS(klass)->threshold = 0.9;
    adit_component_class_describe(klass, "max-probability",
                                  "Answers whose likeliest class has at least that probability");
}

ADIT_PLUGIN("max-probability", "1.0", "MIT", ADIT_TYPES(adit_max_probability_get_type))
