/* core/component/adit-policy.c - SPDX-License-Identifier: MIT */
#include "adit-settings.h"

typedef struct {
    GArray *threshold;
} AditPolicyPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE(AditPolicy, adit_policy, ADIT_TYPE_COMPONENT)

static void
adit_policy_class_init(AditPolicyClass *klass)
{
    AditComponentClass *component_class = ADIT_COMPONENT_CLASS(klass);

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
adit_policy_get_thresholds(AditPolicy *self, double *thresholds, guint n_exits, GError **error)
{
    AditPolicyPrivate *private = adit_policy_get_instance_private(self);
    const GArray *given = private->threshold;

    if (given->len > 1 && given->len != n_exits) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "%u thresholds for %u exit%s; one number stands for all", given->len, n_exits,
                    n_exits == 1 ? "" : "s");
        return FALSE;
    }
    for (guint i = 0; i < n_exits; i++)
        thresholds[i] = given->len == 0 ? ADIT_POLICY_GET_CLASS(self)->threshold
                                        : g_array_index(given, double, given->len == 1 ? 0 : i);
    return TRUE;
}
