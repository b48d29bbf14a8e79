/* core/train/adit-pieces.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-course.h"
#include "adit-network.h"
#include "adit-train-step.h"

G_BEGIN_DECLS

/**
 * AditPieces: the pieces of a stage under way, and the step of one of them.
 * @plan: what the stage's strategy makes of the network
 * @part: the piece that @step is of
 * @train: what is trained on, with what is kept of it
 * @epochs: of the stage, all pieces
 */
typedef struct {
    const AditExperiment *experiment;
    const AditStage *stage;
    AditNetwork *network;
    AditStagePlan *plan;
    AditPart part;
    AditSplit train;
    AditTrainStep *step;
    gsize batch;
    guint64 steps_per_epoch;
    guint64 epochs;
} AditPieces;

/* @split: borrowed, with its arrays. @piece: that the course is at. Fails with ADIT_ERROR_INVALID
 * (message complete) where the strategy does not fit, ADIT_ERROR_DAMAGED where there is no such
 * piece. */
AditPieces *adit_pieces_new(const AditExperiment *experiment, const AditStage *stage,
                            AditNetwork *network, const AditSplit *split, gsize batch,
                            guint64 steps_per_epoch, guint64 piece, GError **error);
void adit_pieces_free(AditPieces *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditPieces, adit_pieces_free)

/* Where the pieces stand that share the optimizer of the course's. */
AditClock adit_pieces_get_clock(const AditPieces *self, const AditCourse *course);
/* Epochs of the pieces that share the optimizer of piece @piece, it being the first. */
guint64 adit_pieces_count_epochs(const AditPieces *self, guint64 piece);
/* Whether no piece begins with a fresh optimizer any more. */
gboolean adit_pieces_is_last(const AditPieces *self, const AditCourse *course);
/* The first piece with the next fresh optimizer; there is one. */
guint64 adit_pieces_find_next(const AditPieces *self, const AditCourse *course);
/* Whether the course's next step is that of @step. */
gboolean adit_pieces_is_at(const AditPieces *self, const AditCourse *course);

/**
 * adit_pieces_begin:
 * @setup: batch and function for going through what is trained on, if the frozen part can be kept
 *
 * Makes the step of the course's piece, and the network's answer that of the piece.
 */
gboolean adit_pieces_begin(AditPieces *self, const AditCourse *course,
                           const AditEvaluationSetup *setup, GError **error);

G_END_DECLS
