/* plugins/strategies/gated.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditGated {
    AditStrategy parent_instance;
    int trust;
    GArray *weights;
    double final_weight;
};
ADIT_DEFINE_STRATEGY(AditGated, adit_gated, ADIT_GATED)

static const char *const trusts[] = {"gate", "max-probability", "entropy", NULL};

/* What an exit says as far as it is trusted, for the rest what comes behind it (Scardapane et al.
 * 2020, section 5.2, equation 9). */
static gboolean
plan(AditStrategy *strategy, AditPlan *plan, GError **error)
{
    AditGated *self = ADIT_GATED(strategy);
    AditPiece *piece;

    if (!adit_plan_need_exits(plan, strategy, error))
        return FALSE;
    piece = adit_plan_add(plan);
    piece->outcome = (AditOutcome){.kind = ADIT_OUTCOME_GATED, .trust = (AditTrust) self->trust};
    piece->outcome_weight = 1;
    piece->final_weight = self->final_weight;
    return adit_plan_set_weights(plan, piece, self->weights, 0, error);
}

static void
adit_gated_class_init(AditComponentClass *klass)
{
    ADIT_STRATEGY_CLASS(klass)->plan = plan;
    adit_component_class_describe(klass, "gated", "Each exit's answer as far as it is trusted");
    adit_component_class_add_choice(klass, "trust",
                                    "A trained sigmoid of the answer, its largest probability, or "
                                    "1 less its entropy",
                                    trusts, ADIT_TRUST_GATE, ADIT_FIELD(AditGated, trust, int));
    adit_component_class_add_numbers(
        klass, "weights", "Factors of the exits' own losses, one for all or one each; else 0",
        FALSE, 0, 1e6, ADIT_FIELD(AditGated, weights, GArray *));
    adit_component_class_add_number(klass, "final-weight", "Factor of the last answer's own loss",
                                    0, 1e6, 0, ADIT_FIELD(AditGated, final_weight, double));
}

ADIT_PLUGIN("gated", "1.0", "MIT", ADIT_TYPES(adit_gated_get_type))
