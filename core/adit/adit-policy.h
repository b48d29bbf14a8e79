/* core/adit/adit-policy.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-component.h>

G_BEGIN_DECLS

/**
 * AditPolicy: an exit's outputs -> whether a row's answer may leave there.
 */
#define ADIT_TYPE_POLICY (adit_policy_get_type())
G_DECLARE_DERIVABLE_TYPE(AditPolicy, adit_policy, ADIT, POLICY, AditComponent)

/**
 * AditPolicyClass:
 * @stop: a scalar for every row, not 0 where the row stops. @threshold is the exit's own.
 */
struct _AditPolicyClass {
    AditComponentClass parent_class;

    AditTensor *(*stop)(AditPolicy *self, AditGraph *graph, AditTensor *outputs,
                        AditTensor *threshold);

    gpointer padding[7];
};

#define ADIT_DEFINE_POLICY(TypeName, type_name, CAST)                                              \
    ADIT_DEFINE_COMPONENT(TypeName, type_name, CAST, ADIT_TYPE_POLICY)

G_END_DECLS
