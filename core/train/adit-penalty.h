/* core/train/adit-penalty.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-regularizer.h>

#include "adit-selection.h"

G_BEGIN_DECLS

/* @objective plus the regularizer's terms for all that it matches in @graph. @part: (nullable): a
 * set of tensors: only those; NULL: of all. @figure: (out) (nullable): a number without rows that
 * is told of it; NULL: there is none */
AditTensor *adit_penalty_add(AditTensor *objective, AditRegularizer *regularizer, AditGraph *graph,
                             GHashTable *part, AditTensor **figure);

G_END_DECLS
