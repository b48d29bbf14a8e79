/* plugins/exits/margin.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditMargin {
    AditPolicy parent_instance;
};
ADIT_DEFINE_POLICY(AditMargin, adit_margin, ADIT_MARGIN)

/* The largest probability less the largest of the other classes'. Of classes that are equally
 * likely the first counts as the largest. */
static AditTensor *
measure(AditPolicy *policy, AditGraph *graph, AditTensor *probabilities)
{
    const AditShape *shape = adit_tensor_get_shape(probabilities);
    guint classes = (guint) shape->size[shape->rank - 1];
    AditTensor *first = adit_reduce(probabilities, ADIT_REDUCE_ARGMAX, (int[]){-1}, 1);
    AditTensor *others = adit_sub(probabilities, adit_scale(adit_one_hot(first, classes), 2));

    return adit_sub(adit_reduce(probabilities, ADIT_REDUCE_MAX, (int[]){-1}, 1),
                    adit_reduce(others, ADIT_REDUCE_MAX, (int[]){-1}, 1));
}

static void
adit_margin_class_init(AditComponentClass *klass)
{
    ADIT_POLICY_CLASS(klass)->measure = measure;
    ADIT_POLICY_CLASS(klass)->rises = TRUE;
    ADIT_POLICY_CLASS(klass)->threshold = 0.5;
    adit_component_class_describe(
        klass, "margin", "Answers whose likeliest class leads the next by that probability");
}

ADIT_PLUGIN("margin", "1.0", "MIT", ADIT_TYPES(adit_margin_get_type))
