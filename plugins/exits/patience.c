/* plugins/exits/patience.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

/* Zhou et al., "BERT loses patience", NeurIPS 2020: a row leaves when so many answers in a row
 * agree with the one before them. */

struct _AditPatience {
    AditPolicy parent_instance;
};
ADIT_DEFINE_POLICY(AditPatience, adit_patience, ADIT_PATIENCE)

static guint
count_state(AditPolicy *policy, guint classes)
{
    return 2;
}

/* The state is the class of the answer before, from 1 (0: there is none), and how many answers have
 * agreed. */
static AditTensor *
follow(AditPolicy *policy, AditGraph *graph, AditExitStep *step)
{
    AditTensor *likeliest = adit_reduce(step->probabilities, ADIT_REDUCE_ARGMAX, (int[]){-1}, 1);
    AditTensor *class = adit_reshape(adit_offset(likeliest, 1), &ADIT_SHAPE(1));
    AditTensor *before = adit_slice(step->state, 0, 0, 1, 1);
    AditTensor *count = adit_offset(adit_slice(step->state, 0, 1, 2, 1), 1);

    count = adit_mul(adit_equal(class, before), count);
    step->state = adit_concat((AditTensor *[]){class, count}, 2, 0);
    return adit_sum_last(count);
}

static void
adit_patience_class_init(AditComponentClass *klass)
{
    ADIT_POLICY_CLASS(klass)->follow = follow;
    ADIT_POLICY_CLASS(klass)->count_state = count_state;
    ADIT_POLICY_CLASS(klass)->rises = TRUE;
    ADIT_POLICY_CLASS(klass)->threshold = 2;
    adit_component_class_describe(
        klass, "patience", "As soon as that many answers have agreed with the one before them");
}

ADIT_PLUGIN("patience", "1.0", "MIT", ADIT_TYPES(adit_patience_get_type))
