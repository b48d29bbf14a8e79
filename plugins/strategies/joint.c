/* plugins/strategies/joint.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditJoint {
    AditStrategy parent_instance;
    GArray *weights;
    double final_weight;
    double ramp_from;
};
ADIT_DEFINE_STRATEGY(AditJoint, adit_joint, ADIT_JOINT)

static double
get_weight(AditJoint *self, guint exit)
{
    if (self->weights->len == 0)
        return 1.0;
    return g_array_index(self->weights, double, self->weights->len == 1 ? 0 : exit);
}

static gboolean
plan(AditStrategy *strategy, AditPlan *plan, GError **error)
{
    AditJoint *self = ADIT_JOINT(strategy);

    if (self->weights->len > 1 && self->weights->len != plan->n_exits) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "%u weights for %u exit%s; the last answer has 'final-weight'",
                    self->weights->len, plan->n_exits, plan->n_exits == 1 ? "" : "s");
        return FALSE;
    }
    for (guint i = 0; i < plan->n_exits; i++)
        plan->exit_weights[i] = get_weight(self, i);
    plan->final_weight = self->final_weight;
    plan->ramp_from = self->ramp_from;
    return TRUE;
}

static void
adit_joint_class_init(AditComponentClass *klass)
{
    ADIT_STRATEGY_CLASS(klass)->plan = plan;
    adit_component_class_describe(klass, "joint", "All exits and the last answer at once");
    adit_component_class_add_numbers(
        klass, "weights", "Factors of the exits' losses, one for all or one each; else 1", FALSE, 0,
        1e6, ADIT_FIELD(AditJoint, weights, GArray *));
    adit_component_class_add_number(klass, "final-weight", "Factor of the last answer's loss", 0,
                                    1e6, 1, ADIT_FIELD(AditJoint, final_weight, double));
    /* Kaya, Hong, Dumitras, "Shallow-deep networks", ICML 2019, section 4 */
    adit_component_class_add_number(klass, "ramp-from",
                                    "Weight from which all exits grow to their own; -1: no growth",
                                    -1, 1, -1, ADIT_FIELD(AditJoint, ramp_from, double));
}

ADIT_PLUGIN("joint", "1.0", "MIT", ADIT_TYPES(adit_joint_get_type))
