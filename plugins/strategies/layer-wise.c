/* plugins/strategies/layer-wise.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditLayerWise {
    AditStrategy parent_instance;
    AditAmount cache;
};
ADIT_DEFINE_STRATEGY(AditLayerWise, adit_layer_wise, ADIT_LAYER_WISE)

/* Each segment by its own exit, on what those before it give, which do not change any more
 * (Scardapane et al. 2020, section 5.3); the last one by the last answer. */
static gboolean
plan(AditStrategy *strategy, AditPlan *plan, GError **error)
{
    AditLayerWise *self = ADIT_LAYER_WISE(strategy);

    if (!adit_plan_need_exits(plan, strategy, error))
        return FALSE;
    for (guint i = 0; i <= plan->n_exits; i++) {
        AditPiece *piece = adit_plan_add(plan);

        piece->first = i;
        piece->cache = self->cache.value;
        if (i == plan->n_exits)
            break;
        piece->exit_weights[i] = 1;
        piece->final_weight = 0;
        piece->outcome = (AditOutcome){ADIT_OUTCOME_EXIT, i};
    }
    return TRUE;
}

static void
adit_layer_wise_class_init(AditComponentClass *klass)
{
    ADIT_STRATEGY_CLASS(klass)->plan = plan;
    adit_component_class_describe(klass, "layer-wise",
                                  "From exit to exit, what is before being frozen");
    adit_component_class_add_amount(
        klass, "cache", "Memory that what the frozen part gives may take", ADIT_FORM_BYTES, 1, 1e15,
        (AditAmount){0x1p30, ADIT_UNIT_BYTES}, ADIT_FIELD(AditLayerWise, cache, AditAmount));
}

ADIT_PLUGIN("layer-wise", "1.0", "MIT", ADIT_TYPES(adit_layer_wise_get_type))
