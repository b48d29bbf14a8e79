/* plugins/exits/budget.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

#include <math.h>

/* Huang et al., "Multi-scale dense networks", ICLR 2018, budgeted batches: of all rows a share that
 * goes with ratio^k leaves with answer k. Thresholds are fitted on a validation split. */

struct _AditBudget {
    AditPolicy parent_instance;
    double ratio;
    AditPolicy *of;
};
ADIT_DEFINE_POLICY(AditBudget, adit_budget, ADIT_BUDGET)

static AditTensor *
measure(AditPolicy *policy, AditGraph *graph, AditTensor *probabilities)
{
    return adit_policy_trust(ADIT_BUDGET(policy)->of, graph, probabilities);
}

static gboolean
check(AditComponent *component, GError **error)
{
    return adit_policy_check_trust(ADIT_BUDGET(component)->of, error);
}

static void
share(AditPolicy *policy, guint n_exits, double *shares)
{
    double ratio = ADIT_BUDGET(policy)->ratio, sum = 0;

    /* the largest term is 1 */
    for (guint i = 0; i <= n_exits; i++) {
        double term = pow(ratio, ratio > 1 ? (double) i - n_exits : i);

        sum += term;
        if (i < n_exits)
            shares[i] = term;
    }
    for (guint i = 0; i < n_exits; i++)
        shares[i] /= sum;
}

static void
adit_budget_class_init(AditComponentClass *klass)
{
    klass->check = check;
    ADIT_POLICY_CLASS(klass)->measure = measure;
    ADIT_POLICY_CLASS(klass)->rises = TRUE;
    ADIT_POLICY_CLASS(klass)->share = share;
    adit_component_class_describe(klass, "budget",
                                  "Shares of the rows that grow or fall from exit to exit");
    adit_component_class_add_number(
        klass, "ratio", "Of an answer's share to the one before; below 1 most leave early", 0.01,
        100, 1, ADIT_FIELD(AditBudget, ratio, double));
    adit_component_class_add_reference(klass, "of",
                                       "The policy that says which rows are surer; else "
                                       "the probability of the likeliest class",
                                       ADIT_TYPE_POLICY, ADIT_FIELD(AditBudget, of, AditPolicy *));
}

ADIT_PLUGIN("budget", "1.0", "MIT", ADIT_TYPES(adit_budget_get_type))
