/* core/adit/adit-policy.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-component.h>

G_BEGIN_DECLS

/**
 * AditPolicy: an exit's answer -> whether a row may leave with it.
 */
#define ADIT_TYPE_POLICY (adit_policy_get_type())
G_DECLARE_DERIVABLE_TYPE(AditPolicy, adit_policy, ADIT, POLICY, AditComponent)

/**
 * AditPolicyClass:
 * @measure: how sure an answer is, a scalar for every row. @probabilities: of the classes, two at
 *   least, by the exit's head
 * @rises: a row leaves where the measure is at least the exit's threshold; else where it is less
 * @threshold: where the user gives none. Every policy has the parameter `threshold`: one number, or
 *   one for each exit
 */
struct _AditPolicyClass {
    AditComponentClass parent_class;

    AditTensor *(*measure)(AditPolicy *self, AditGraph *graph, AditTensor *probabilities);
    gboolean rises;
    double threshold;

    gpointer padding[5];
};

#define ADIT_DEFINE_POLICY(TypeName, type_name, CAST)                                              \
    ADIT_DEFINE_COMPONENT(TypeName, type_name, CAST, ADIT_TYPE_POLICY)

G_END_DECLS
