/* core/train/adit-course.h - SPDX-License-Identifier: MIT */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Figures of regularizers that are told, at most; and sums with loss and metric. */
#define ADIT_COURSE_FIGURES 4
#define ADIT_COURSE_SUMS    (2 + ADIT_COURSE_FIGURES)

/**
 * AditCourse: how far a training has come: everything besides the arenas that it needs to go on
 * with the same bits. Random numbers and the order of the data are functions of the counters in
 * here.
 * @stage: index of the stage under way
 * @step: steps of the run so far, all stages
 * @stage_step: steps of the stage
 * @piece: of the stage's pieces, the last one that began with a fresh optimizer
 * @piece_step, @piece_epoch: steps and epochs of the stage before it
 * @epoch: epochs done of the stage
 * @position: steps done of the epoch under way
 * @sums: of loss and metric over the rows of the epoch so far, then of figures of regularizers
 * @rows: their number
 * @score, @score_epoch: the best value of the metric that ranks checkpoints, and its epoch
 * @best, @best_epoch, @last, @last_loss: of the metric that is reported
 * @seconds: of training, all processes together; @stage_began: when the stage began
 */
typedef struct {
    guint64 stage;
    guint64 step;
    guint64 stage_step;
    guint64 piece;
    guint64 piece_step;
    guint64 piece_epoch;
    guint64 epoch;
    guint64 position;
    double sums[ADIT_COURSE_SUMS];
    guint64 rows;
    double score;
    guint64 score_epoch;
    double best;
    guint64 best_epoch;
    double last;
    double last_loss;
    double seconds;
    double stage_began;
} AditCourse;

/* The course at the begin of a stage: what the stages before left is kept, the rest starts anew. */
void adit_course_begin_stage(AditCourse *self, guint64 stage);
/* The same for a piece of the stage under way: steps and epochs go on. */
void adit_course_begin_piece(AditCourse *self, guint64 piece);
JsonObject *adit_course_to_json(const AditCourse *self);
/* FALSE with ADIT_ERROR_DAMAGED when a member is missing. */
gboolean adit_course_from_json(AditCourse *self, JsonObject *object, GError **error);

G_END_DECLS
