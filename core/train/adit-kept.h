/* core/train/adit-kept.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-network.h"
#include "adit-stage-plan.h"

G_BEGIN_DECLS

/**
 * adit_kept_make:
 * @split: what is trained on; its `kept` is filled in: what crosses from the part that is frozen in
 *   the piece, for every row. The caller unrefs it
 * @setup: batch, and what is called before each; all rows are taken, in the split's order
 * @made: (out): FALSE where nothing is to be kept: the piece does not want it, `augment` makes it
 *   another in every epoch, it takes too much memory, or more crosses than can be kept
 *
 * Fails with ADIT_ERROR_MEMORY, ADIT_ERROR_INVALID or what @setup's function says.
 */
gboolean adit_kept_make(const AditStagePlan *plan, guint piece, AditNetwork *network,
                        AditSplit *split, const AditEvaluationSetup *setup, gboolean *made,
                        GError **error);

G_END_DECLS
