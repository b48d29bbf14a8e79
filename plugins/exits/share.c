/* plugins/exits/share.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

/* So many rows leave at each exit, the surest of those that come to it (Teerapittayanon et al.,
 * "BranchyNet"). Which they are is told by thresholds fitted on a validation split, so that no
 * row's answer depends on its batch. */

struct _AditShare {
    AditPolicy parent_instance;
    GArray *shares;
    AditPolicy *of;
};
ADIT_DEFINE_POLICY(AditShare, adit_share, ADIT_SHARE)

static AditTensor *
measure(AditPolicy *policy, AditGraph *graph, AditTensor *probabilities)
{
    return adit_policy_trust(ADIT_SHARE(policy)->of, graph, probabilities);
}

static gboolean
check(AditComponent *component, GError **error)
{
    return adit_policy_check_trust(ADIT_SHARE(component)->of, error);
}

static gboolean
check_exits(AditPolicy *policy, guint n_exits, GError **error)
{
    const GArray *shares = ADIT_SHARE(policy)->shares;
    double sum = 0;

    for (guint i = 0; i < n_exits && shares->len > 0; i++)
        sum += g_array_index(shares, double, shares->len == 1 ? 0 : MIN(i, shares->len - 1));
    if (shares->len != 1 && shares->len != n_exits)
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "%u shares for %u exit%s; one number stands for all", shares->len, n_exits,
                    n_exits == 1 ? "" : "s");
    else if (sum > 1 + 1e-9)
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "the shares of all exits must come to 1 at most, got %.6g", sum);
    else
        return TRUE;
    return FALSE;
}

static void
share(AditPolicy *policy, guint n_exits, double *shares)
{
    const GArray *given = ADIT_SHARE(policy)->shares;

    for (guint i = 0; i < n_exits; i++)
        shares[i] = g_array_index(given, double, given->len == 1 ? 0 : i);
}

static void
adit_share_class_init(AditComponentClass *klass)
{
    klass->check = check;
    ADIT_POLICY_CLASS(klass)->measure = measure;
    ADIT_POLICY_CLASS(klass)->rises = TRUE;
    ADIT_POLICY_CLASS(klass)->share = share;
    ADIT_POLICY_CLASS(klass)->check_exits = check_exits;
    adit_component_class_describe(klass, "share", "A given share of all rows leaves at each exit");
    adit_component_class_set_example(klass, "{share: {shares: [0.2]}}");
    adit_component_class_add_numbers(klass, "shares",
                                     "Of all rows, at each exit, or one number for all: 0.3", FALSE,
                                     0, 1, ADIT_FIELD(AditShare, shares, GArray *));
    adit_component_class_require(klass, "shares");
    adit_component_class_add_reference(klass, "of",
                                       "The policy that says which rows are surer; else "
                                       "the probability of the likeliest class",
                                       ADIT_TYPE_POLICY, ADIT_FIELD(AditShare, of, AditPolicy *));
}

ADIT_PLUGIN("share", "1.0", "MIT", ADIT_TYPES(adit_share_get_type))
