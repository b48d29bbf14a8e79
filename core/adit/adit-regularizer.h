/* core/adit/adit-regularizer.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-component.h>

G_BEGIN_DECLS

/**
 * AditRegularizer: matched tensors or parameters -> a term of the loss.
 */
#define ADIT_TYPE_REGULARIZER (adit_regularizer_get_type())
G_DECLARE_DERIVABLE_TYPE(AditRegularizer, adit_regularizer, ADIT, REGULARIZER, AditComponent)

typedef enum {
    ADIT_MATCH_WEIGHTS, /* parameters of role weight, all of them unless `at` says where */
    ADIT_MATCH_TENSORS, /* tensors by address */
} AditMatch;

/**
 * AditRegularizerClass:
 * @match: what @build is given
 * @default_at: (nullable): the addresses looked at when the user names none; NULL: everything
 * @build: one matched tensor -> a scalar without rows, its coefficient included; the terms of all
 *   matches are added. A parameter made in a loop comes as the stack of all its instances (their
 *   number is the first axis), a tensor made in a loop is seen inside it.
 */
struct _AditRegularizerClass {
    AditComponentClass parent_class;

    AditMatch match;
    const char *default_at;
    AditTensor *(*build)(AditRegularizer *self, AditGraph *graph, AditTensor *matched);

    gpointer padding[6];
};

#define ADIT_DEFINE_REGULARIZER(TypeName, type_name, CAST)                                         \
    ADIT_DEFINE_COMPONENT(TypeName, type_name, CAST, ADIT_TYPE_REGULARIZER)

G_END_DECLS
