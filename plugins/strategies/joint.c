/* plugins/strategies/joint.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditJoint {
    AditStrategy parent_instance;
    GArray *weights;
    double final_weight;
    double ramp_from;
};
ADIT_DEFINE_STRATEGY(AditJoint, adit_joint, ADIT_JOINT)

static gboolean
plan(AditStrategy *strategy, AditPlan *plan, GError **error)
{
    AditJoint *self = ADIT_JOINT(strategy);
    AditPiece *piece = adit_plan_add(plan);

    piece->final_weight = self->final_weight;
    piece->ramp_from = self->ramp_from;
    return adit_plan_set_weights(plan, piece, self->weights, 1, error);
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
