/* core/train/adit-exit-terms.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-strategy.h>

#include "adit-network.h"

G_BEGIN_DECLS

/**
 * AditExitTerms: what an exit's loss is made of.
 * @x: what its head reads, without noise
 * @logits: what the head says
 * @predicted: their loss, a scalar for every row
 */
typedef struct {
    AditTensor *x;
    AditTensor *logits;
    AditTensor *predicted;
    const AditNetworkTensors *network;
    AditLoss *loss;
} AditExitTerms;

/* The exit's loss in a piece, a scalar for every row: @predicted, if the piece says nothing else.
 * What a strategy asks for that the data does not give fails the graph. */
AditTensor *adit_exit_terms_build(const AditExitTerms *self, const AditPiece *piece);

/**
 * adit_similarity_build:
 * @x: of every row
 * @targets: class numbers
 *
 * How far rows of the batch are alike where their classes are not, mean over all pairs of rows of
 * (s(x_i, x_j) - s(y_i, y_j))^2, s being the cosine of what is left when each row's mean is taken
 * away, y the classes as one of n (Nøkland and Eidnes 2019, "Training neural networks with local
 * error signals", section 2.3; of images the standard deviation of each channel is compared). As
 * ||A A^T - B B^T||^2 = ||A^T A||^2 - 2 ||A^T B||^2 + ||B^T B||^2 no pair of rows is formed.
 *
 * Returns: a scalar without rows
 */
AditTensor *adit_similarity_build(AditTensor *x, AditTensor *targets);
/* Scardapane et al. 2020, equation 15 with its sign put right, I(X, F) - beta I(Y, F), for F = x +
 * noise: what F tells of the input is at most the divergence of its distribution from a standard
 * normal one (Alemi et al. 2017, "Deep variational information bottleneck", equation 14), sum (x^2
 * + noise^2 - 1 - log noise^2) / 2, a scalar for every row. */
AditTensor *adit_compression_build(AditTensor *x, double noise);
/* How far @logits are from @teacher, from which no gradient comes back: of classes T^2 KL(p_teacher
 * || p) of softmaxes of logits over T (Hinton et al. 2015, section 2), else the mean squared
 * difference. */
AditTensor *adit_distillation_build(AditTensor *logits, AditTensor *teacher, guint classes,
                                    double temperature);

G_END_DECLS
