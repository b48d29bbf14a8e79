/* core/component/adit-plan.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-strategy.h>

G_BEGIN_DECLS

/* What a strategy makes of a network; NULL with ADIT_ERROR_INVALID when it does not fit. */
AditPlan *adit_plan_new(AditStrategy *strategy, guint n_exits, guint n_blocks, GError **error);
void adit_plan_free(AditPlan *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditPlan, adit_plan_free)

const AditPiece *adit_plan_get(const AditPlan *self, guint piece);
guint adit_plan_count_segments(const AditPlan *self);
/* Pieces from @piece on that go on with its optimizer and clock, itself among them: up to the next
 * that restarts. */
guint adit_plan_count_run(const AditPlan *self, guint piece);
/* Whether it is made of several answers. */
gboolean adit_outcome_is_mixture(const AditOutcome *self);

G_END_DECLS
