/* plugins/strategies/plain.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditPlain {
    AditStrategy parent_instance;
};
ADIT_DEFINE_STRATEGY(AditPlain, adit_plain, ADIT_PLAIN)

/* a piece comes with the exits' weights 0 and the last answer's 1 */
static gboolean
plan(AditStrategy *strategy, AditPlan *plan, GError **error)
{
    adit_plan_add(plan);
    return TRUE;
}

static void
adit_plain_class_init(AditComponentClass *klass)
{
    ADIT_STRATEGY_CLASS(klass)->plan = plan;
    adit_component_class_describe(klass, "plain", "The last answer alone; exits are ignored");
}

ADIT_PLUGIN("plain", "1.0", "MIT", ADIT_TYPES(adit_plain_get_type))
