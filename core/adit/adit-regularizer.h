/* core/adit/adit-regularizer.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-component.h>
#include <adit/adit-shape.h>

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

/* Values that are measured of a matched tensor, at most. */
#define ADIT_MAX_MEASURES 4

/**
 * AditMeasured: what was measured of matched tensors that were made together, as a loop's are.
 * @n: how many they are
 * @shape: of each of them
 * @values: (nullable): what @measure gave, with a first axis more: [n, ...]
 */
typedef struct {
    guint n;
    AditShape shape;
    AditTensor *values[ADIT_MAX_MEASURES];
} AditMeasured;

/**
 * AditRegularizerClass:
 * @match: what it looks at
 * @default_at: (nullable): the addresses looked at when the user names none; NULL: everything
 * @needs: (nullable): what a network has to have for @default_at to find something: "activations"
 * @build: one matched tensor -> a scalar without rows, its coefficient included; the terms of all
 *   matches are added. A parameter made in a loop comes as the stack of all its instances (their
 *   number is the first axis), a tensor made in a loop is seen inside it.
 * @measure: (nullable): (TENSORS): in place of @build where a term is of all matches together: one
 *   matched tensor, seen where it was made -> values without rows: extrema, sums over the rows.
 * What it leaves NULL is not measured; that is the same for all tensors
 * @join: (nullable): what was measured of all matches -> the term, a scalar without rows, its
 *   coefficient included. @figure: (out): the number that is told of every epoch under the
 *   regularizer's name, its mean over the batches: the term without the coefficient
 */
struct _AditRegularizerClass {
    AditComponentClass parent_class;

    AditMatch match;
    const char *default_at;
    AditTensor *(*build)(AditRegularizer *self, AditGraph *graph, AditTensor *matched);
    void (*measure)(AditRegularizer *self, AditGraph *graph, AditTensor *matched,
                    AditTensor **values);
    AditTensor *(*join)(AditRegularizer *self, AditGraph *graph, const AditMeasured *measured,
                        guint n_measured, AditTensor **figure);
    const char *needs;

    gpointer padding[3];
};

#define ADIT_DEFINE_REGULARIZER(TypeName, type_name, CAST)                                         \
    ADIT_DEFINE_COMPONENT(TypeName, type_name, CAST, ADIT_TYPE_REGULARIZER)

G_END_DECLS
