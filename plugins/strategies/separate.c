/* plugins/strategies/separate.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditSeparate {
    AditStrategy parent_instance;
    gboolean backbone;
    AditAmount cache;
};
ADIT_DEFINE_STRATEGY(AditSeparate, adit_separate, ADIT_SEPARATE)

/* The network by its last answer, then each exit's head on what the network gives there, which does
 * not change any more (Scardapane et al. 2020, section 5.4). */
static gboolean
plan(AditStrategy *strategy, AditPlan *plan, GError **error)
{
    AditSeparate *self = ADIT_SEPARATE(strategy);

    if (!adit_plan_need_exits(plan, strategy, error))
        return FALSE;
    if (self->backbone)
        adit_plan_add(plan);
    for (guint i = 0; i < plan->n_exits; i++) {
        AditPiece *piece = adit_plan_add(plan);

        piece->first = i + 1;
        piece->cache = self->cache.value;
        piece->exit_weights[i] = 1;
        piece->final_weight = 0;
        piece->outcome = (AditOutcome){ADIT_OUTCOME_EXIT, i};
    }
    return TRUE;
}

static void
adit_separate_class_init(AditComponentClass *klass)
{
    ADIT_STRATEGY_CLASS(klass)->plan = plan;
    adit_component_class_describe(klass, "separate", "The network first, then each exit's head");
    adit_component_class_add_boolean(klass, "backbone",
                                     "Whether the network is trained first, by its last answer",
                                     TRUE, ADIT_FIELD(AditSeparate, backbone, gboolean));
    adit_component_class_add_amount(
        klass, "cache", "Memory that what the frozen part gives may take", ADIT_FORM_BYTES, 1, 1e15,
        (AditAmount){0x1p30, ADIT_UNIT_BYTES}, ADIT_FIELD(AditSeparate, cache, AditAmount));
}

ADIT_PLUGIN("separate", "1.0", "MIT", ADIT_TYPES(adit_separate_get_type))
