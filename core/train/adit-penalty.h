/* core/train/adit-penalty.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-regularizer.h>

#include "adit-selection.h"

G_BEGIN_DECLS

/* Whether instance @instance of a parameter of the root graph lies at or below @address. */
gboolean adit_parameter_is_at(const AditTensor *parameter, guint instance, const char *address);
/* @objective plus the regularizer's terms for all that it matches in @graph. */
AditTensor *adit_penalty_add(AditTensor *objective, AditRegularizer *regularizer, AditGraph *graph);

G_END_DECLS
