/* core/component/adit-policy.c - SPDX-License-Identifier: MIT */
#include "adit-settings.h"

#include <adit/adit-ops.h>

typedef struct {
    GArray *threshold;
    GArray *fitted; /* double */
} AditPolicyPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE(AditPolicy, adit_policy, ADIT_TYPE_COMPONENT)

static void
finalize(GObject *object)
{
    AditPolicyPrivate *private = adit_policy_get_instance_private(ADIT_POLICY(object));

    g_clear_pointer(&private->fitted, g_array_unref);
    G_OBJECT_CLASS(adit_policy_parent_class)->finalize(object);
}

static void
adit_policy_class_init(AditPolicyClass *klass)
{
    AditComponentClass *component_class = ADIT_COMPONENT_CLASS(klass);

    G_OBJECT_CLASS(klass)->finalize = finalize;
    component_class->kind = "policy";
    adit_component_class_add_numbers(component_class, "threshold",
                                     "How sure is enough: one number, or one for each exit", FALSE,
                                     0, 1e6, (gsize) G_PRIVATE_OFFSET(AditPolicy, threshold));
}

static void
adit_policy_init(AditPolicy *self)
{
}

gboolean
adit_policy_has_thresholds(AditPolicy *self)
{
    const AditPolicyPrivate *private = adit_policy_get_instance_private(self);

    return private->fitted != NULL || private->threshold->len > 0;
}

void
adit_policy_set_thresholds(AditPolicy *self, const double *thresholds, guint n_exits)
{
    AditPolicyPrivate *private = adit_policy_get_instance_private(self);

    g_clear_pointer(&private->fitted, g_array_unref);
    private->fitted = g_array_new(FALSE, FALSE, sizeof(double));
    g_array_append_vals(private->fitted, thresholds, n_exits);
}

gboolean
adit_policy_get_thresholds(AditPolicy *self, double *thresholds, guint n_exits, GError **error)
{
    const AditPolicyPrivate *private = adit_policy_get_instance_private(self);
    const GArray *given = private->fitted != NULL ? private->fitted : private->threshold;

    if (given->len > 1 && given->len != n_exits) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "%u thresholds for %u exit%s; one number stands for all", given->len, n_exits,
                    n_exits == 1 ? "" : "s");
        return FALSE;
    }
    if (ADIT_POLICY_GET_CLASS(self)->check_exits != NULL &&
        !ADIT_POLICY_GET_CLASS(self)->check_exits(self, n_exits, error))
        return FALSE;
    for (guint i = 0; i < n_exits; i++)
        thresholds[i] = given->len == 0 ? ADIT_POLICY_GET_CLASS(self)->threshold
                                        : g_array_index(given, double, given->len == 1 ? 0 : i);
    return TRUE;
}

AditTensor *
adit_policy_trust(AditPolicy *of, AditGraph *graph, AditTensor *probabilities)
{
    AditTensor *y;

    if (of == NULL)
        return adit_reduce(probabilities, ADIT_REDUCE_MAX, (int[]){-1}, 1);
    y = ADIT_POLICY_GET_CLASS(of)->measure(of, graph, probabilities);
    return ADIT_POLICY_GET_CLASS(of)->rises ? y : adit_neg(y);
}

gboolean
adit_policy_check_trust(AditPolicy *of, GError **error)
{
    if (of == NULL || ADIT_POLICY_GET_CLASS(of)->measure != NULL)
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "'of' must say how sure an answer is by itself; '%s' does not",
                ADIT_COMPONENT_GET_CLASS(of)->name);
    return FALSE;
}
