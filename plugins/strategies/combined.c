/* plugins/strategies/combined.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditCombined {
    AditStrategy parent_instance;
    int by;
    GArray *weights;
    double final_weight;
};
ADIT_DEFINE_STRATEGY(AditCombined, adit_combined, ADIT_COMBINED)

static const char *const ways[] = {"free", "positive", "softmax", "mean", "max", NULL};
static const AditOutcomeKind kinds[] = {ADIT_OUTCOME_FREE, ADIT_OUTCOME_POSITIVE,
                                        ADIT_OUTCOME_SOFTMAX, ADIT_OUTCOME_MEAN, ADIT_OUTCOME_MAX};

/* One answer of all exits, and its loss (Scardapane et al. 2020, section 5.2, equation 8). */
static gboolean
plan(AditStrategy *strategy, AditPlan *plan, GError **error)
{
    AditCombined *self = ADIT_COMBINED(strategy);
    AditPiece *piece;

    if (!adit_plan_need_exits(plan, strategy, error))
        return FALSE;
    piece = adit_plan_add(plan);
    piece->outcome.kind = kinds[self->by];
    piece->outcome_weight = 1;
    piece->final_weight = self->final_weight;
    return adit_plan_set_weights(plan, piece, self->weights, 0, error);
}

static void
adit_combined_class_init(AditComponentClass *klass)
{
    ADIT_STRATEGY_CLASS(klass)->plan = plan;
    adit_component_class_describe(klass, "combined", "One answer made of all exits and the last");
    adit_component_class_add_choice(klass, "by",
                                    "Trained weights of the logits; mean or max of predictions",
                                    ways, 0, ADIT_FIELD(AditCombined, by, int));
    adit_component_class_add_numbers(
        klass, "weights", "Factors of the exits' own losses, one for all or one each; else 0",
        FALSE, 0, 1e6, ADIT_FIELD(AditCombined, weights, GArray *));
    adit_component_class_add_number(klass, "final-weight", "Factor of the last answer's own loss",
                                    0, 1e6, 0, ADIT_FIELD(AditCombined, final_weight, double));
}

ADIT_PLUGIN("combined", "1.0", "MIT", ADIT_TYPES(adit_combined_get_type))
