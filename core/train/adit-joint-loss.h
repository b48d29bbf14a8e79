/* core/train/adit-joint-loss.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-strategy.h>

#include "adit-network.h"

G_BEGIN_DECLS

/**
 * adit_joint_loss_plan:
 * @plan: with its number of exits, and room for their weights; the rest is filled in
 * @diagnostics: is told what does not fit
 */
gboolean adit_joint_loss_plan(const AditExperiment *experiment, const AditStage *stage,
                              AditPlan *plan, AditDiagnostics *diagnostics);
/**
 * adit_joint_loss_add:
 * @total: of the last answer, a scalar for every row
 * @exits: (element-type AditPick): logits of all exits, by number
 * @plan: with their weights
 * @targets: what is compared with
 *
 * Loss of every row with what its exits lose, L = w L_last + sum_i c_i L_i (Scardapane et al.,
 * "Why should we add early exits to neural networks?", equations 6 and 7). Exits within a loop add
 * up from iteration to iteration, so that a row stays by itself.
 */
AditTensor *adit_joint_loss_add(AditTensor *total, const GArray *exits, const AditPlan *plan,
                                AditLoss *loss, AditTensor *targets);

G_END_DECLS
