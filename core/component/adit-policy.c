/* core/component/adit-policy.c - SPDX-License-Identifier: MIT */
#include <adit/adit-policy.h>

G_DEFINE_ABSTRACT_TYPE(AditPolicy, adit_policy, ADIT_TYPE_COMPONENT)

static void
adit_policy_class_init(AditPolicyClass *klass)
{
    ADIT_COMPONENT_CLASS(klass)->kind = "policy";
}

static void
adit_policy_init(AditPolicy *self)
{
}
