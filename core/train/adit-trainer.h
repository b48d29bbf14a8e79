/* core/train/adit-trainer.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-network.h"
#include "adit-run.h"

G_BEGIN_DECLS

/* What a training is busy with. */
typedef enum {
    ADIT_TRAINING_STEPS,
    ADIT_TRAINING_EVALUATION,
    ADIT_TRAINING_PROBES,
} AditTrainingPhase;

/**
 * AditProgress: what there is to tell of a training under way.
 * @stage, @n_stages: from 1
 * @epoch: epochs done of the stage; with @steps_done steps of the next
 * @split, @rows_done, @rows: in an evaluation: its split, and how many of its rows are done
 * @loss: the training loss of the epoch so far; NaN: not known yet
 * @finished: an epoch has just ended: @line is its one-line summary
 * @warning: (nullable): what the training cannot do and goes on without
 */
typedef struct {
    AditTrainingPhase phase;
    guint stage;
    guint n_stages;
    guint64 epoch;
    guint64 epochs;
    guint64 steps_done;
    guint64 steps_per_epoch;
    const char *split;
    gsize rows_done;
    gsize rows;
    double loss;
    double seconds; /* of training so far, in this process */
    double eta;     /* seconds left of the stage; NaN: not known yet */
    gboolean finished;
    const char *line;
    const char *warning;
} AditProgress;

typedef void (*AditProgressFunc)(const AditProgress *progress, gpointer user_data);

/**
 * AditTraining: what adit_train() is given.
 * @data: (element-type AditData): the experiment's data sets, in their order
 * @limit_batches: steps an epoch is cut to; 0: all
 * @overfit_batches: train on the first so many batches only; 0: all
 * @max_time: seconds of this call after which training stops as if asked to, but not before it has
 *   done a step or an evaluation: called again and again it comes to an end; 0: no limit
 * @stop: set to non-zero from anywhere: finish the step, or the batch of an evaluation, which then
 *   begins anew when the run is taken up; write a checkpoint, stop
 */
typedef struct {
    const AditExperiment *experiment;
    GPtrArray *data;
    AditDevice *device;
    AditRun *run;
    guint64 limit_batches;
    guint64 overfit_batches;
    double max_time;
    const gint *stop;
    AditProgressFunc progress;
    gpointer user_data;
} AditTraining;

/**
 * AditTrainingResult: the figures the end of a run is told with, of the last stage.
 * @split: "test", or "validation", or "train": what best and last are of
 * @metric: "mse", "accuracy"
 * @best, @best_epoch: the best value of the metric over all epochs
 * @target_variance: of the split's target values; 0 for classes
 * @majority: share of the split's commonest class; 0 for values
 * @is_dead: through all its epochs, of all its batches, the best error is within 1 % of the
 * variance (of the majority share)
 */
typedef struct {
    const char *split;
    const char *metric;
    gboolean rises;
    double best;
    guint64 best_epoch;
    double last;
    double last_loss;
    guint64 epochs;
    double target_variance;
    double majority;
    gboolean is_dead;
    double seconds;
} AditTrainingResult;

/**
 * adit_train:
 *
 * Trains the experiment's stages, from the newest valid checkpoint of the run if there is one; else
 * from drawn weights, those under `load` taken from what `from` names, which the run's member
 * "from" notes. Writes metrics, checkpoints and, at their times, probes into the run directory, and
 * at the end the exits' thresholds, if any come to the goal of `calibrate`: else it warns.
 * Does not set the run's status.
 *
 * Fails with ADIT_ERROR_STOPPED (asked to stop; a checkpoint is written), ADIT_ERROR_NUMERIC (a
 * non-finite loss; the message names block and step, no weight was changed by that step),
 * ADIT_ERROR_INVALID, ADIT_ERROR_NOT_FOUND and ADIT_ERROR_DAMAGED (weights or a checkpoint),
 * ADIT_ERROR_OUTPUT or ADIT_ERROR_MEMORY.
 */
gboolean adit_train(const AditTraining *training, AditTrainingResult *result, GError **error);

G_END_DECLS
