/* core/component/adit-model.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-block.h>
#include <adit/adit-graph.h>
#include <adit/adit-initializer.h>

G_BEGIN_DECLS

/**
 * AditModel: the network: stem, trunk and head; each a block (NULL: the identity); and its exits.
 * `transform` is what the data set puts before it. With `feedback` exits have heads of fixed
 * weights beside their own, `exits.1.feedback`.
 */
typedef struct {
    AditBlock *transform;
    AditBlock *stem;
    AditBlock *trunk;
    AditBlock *head;
    GPtrArray *exits; /* (nullable) AditExit */
    AditInitializer *initializer;
    gboolean feedback;
} AditModel;

void adit_model_clear(AditModel *self);
/* Builds the network on @x, naming everything by its section; returns the logits. */
AditTensor *adit_model_build(const AditModel *self, AditGraph *graph, AditTensor *x);
/* The head once more in a network that was built, with the same weights, on @x: the logits had the
 * trunk ended there. Inside a loop it is built once for all iterations; what is in it has no
 * address. */
AditTensor *adit_model_build_head(const AditModel *self, AditTensor *x);

G_END_DECLS
