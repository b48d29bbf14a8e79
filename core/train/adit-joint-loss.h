/* core/train/adit-joint-loss.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-strategy.h>

#include "adit-network.h"

G_BEGIN_DECLS

/**
 * adit_joint_loss_build:
 * @tensors: of the network, with loss and targets
 * @exits: (element-type AditPick): logits of all exits, by number
 * @piece: with their weights
 *
 * What every row loses by the last answer and the exits, L = w L_last + sum_i c_i L_i (Scardapane
 * et al., "Why should we add early exits to neural networks?", equations 6 and 7). Exits within a
 * loop add up from iteration to iteration, so that a row stays by itself. What weighs nothing is
 * not computed.
 */
AditTensor *adit_joint_loss_build(AditGraph *graph, const AditNetworkTensors *tensors,
                                  const GArray *exits, const AditPiece *piece, AditLoss *loss);

G_END_DECLS
