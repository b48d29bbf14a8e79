/* plugins/strategies/distill.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditDistill {
    AditStrategy parent_instance;
    double share;
    double temperature;
    GArray *weights;
    double final_weight;
};
ADIT_DEFINE_STRATEGY(AditDistill, adit_distill, ADIT_DISTILL)

/* All at once; exits learn from the last answer as well as from the targets. */
static gboolean
plan(AditStrategy *strategy, AditPlan *plan, GError **error)
{
    AditDistill *self = ADIT_DISTILL(strategy);
    AditPiece *piece;

    if (!adit_plan_need_exits(plan, strategy, error))
        return FALSE;
    piece = adit_plan_add(plan);
    piece->distillation = self->share;
    piece->temperature = self->temperature;
    piece->final_weight = self->final_weight;
    return adit_plan_set_weights(plan, piece, self->weights, 1, error);
}

static void
adit_distill_class_init(AditComponentClass *klass)
{
    ADIT_STRATEGY_CLASS(klass)->plan = plan;
    adit_component_class_describe(klass, "distill", "Exits learn from the last answer");
    adit_component_class_add_number(klass, "share",
                                    "Of an exit's loss: how far it is from the last answer", 0, 1,
                                    0.5, ADIT_FIELD(AditDistill, share, double));
    adit_component_class_add_number(klass, "temperature", "Logits are divided by it", 1e-3, 1e3, 3,
                                    ADIT_FIELD(AditDistill, temperature, double));
    adit_component_class_add_numbers(
        klass, "weights", "Factors of the exits' losses, one for all or one each; else 1", FALSE, 0,
        1e6, ADIT_FIELD(AditDistill, weights, GArray *));
    adit_component_class_add_number(klass, "final-weight", "Factor of the last answer's loss", 0,
                                    1e6, 1, ADIT_FIELD(AditDistill, final_weight, double));
}

ADIT_PLUGIN("distill", "1.0", "MIT", ADIT_TYPES(adit_distill_get_type))
