/* plugins/exits/entropy.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

#include <math.h>

/* Scardapane et al., "Why should we add early exits to neural networks?", equation 11, with the
 * minus sign that the print lacks; in nats as Teerapittayanon et al., "BranchyNet". */

enum { NORMALISED, NATS };

struct _AditEntropy {
    AditPolicy parent_instance;
    int unit;
};
ADIT_DEFINE_POLICY(AditEntropy, adit_entropy, ADIT_ENTROPY)

/* -sum p log p, with 0 log 0 = 0 */
static AditTensor *
measure(AditPolicy *policy, AditGraph *graph, AditTensor *probabilities)
{
    const AditShape *shape = adit_tensor_get_shape(probabilities);
    AditTensor *least = adit_constant(graph, 1e-30);
    AditTensor *logs = adit_log(adit_max(probabilities, least));
    AditTensor *nats = adit_neg(adit_sum_last(adit_mul(probabilities, logs)));

    if (ADIT_ENTROPY(policy)->unit == NATS)
        return nats;
    return adit_scale(nats, 1 / log((double) shape->size[shape->rank - 1]));
}

static void
adit_entropy_class_init(AditComponentClass *klass)
{
    static const char *const units[] = {"normalised", "nats", NULL};

    ADIT_POLICY_CLASS(klass)->measure = measure;
    ADIT_POLICY_CLASS(klass)->threshold = 0.1;
    adit_component_class_describe(klass, "entropy",
                                  "Answers whose probabilities' entropy is below the threshold");
    adit_component_class_add_choice(klass, "unit",
                                    "normalised: 1 where all classes are equal; nats: log of them",
                                    units, NORMALISED, ADIT_FIELD(AditEntropy, unit, int));
}

ADIT_PLUGIN("entropy", "1.0", "MIT", ADIT_TYPES(adit_entropy_get_type))
