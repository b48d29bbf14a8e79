/* core/train/adit-train-step.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-schedule.h>

#include "adit-cost.h"
#include "adit-network.h"
#include "adit-stage-plan.h"

G_BEGIN_DECLS

/**
 * AditTrainStep: the step of a stage's piece, compiled: the gradient of loss and regularizers, and
 * the update. What the piece does not train costs nothing on the way back.
 */
typedef struct _AditTrainStep AditTrainStep;

/**
 * AditPart: which piece of a stage.
 * @is_fed: what is frozen comes in as the split's `kept`
 */
typedef struct {
    const AditStagePlan *plan;
    guint piece;
    gboolean is_fed;
} AditPart;

/* @part: (nullable): NULL: the stage's first piece. @max_rows: of a batch. Fails with
 * ADIT_ERROR_INVALID (message complete, with places) or ADIT_ERROR_MEMORY. Borrows everything. */
AditTrainStep *adit_train_step_new(const AditExperiment *experiment, const AditStage *stage,
                                   AditNetwork *network, const AditPart *part, gsize max_rows,
                                   GError **error);
void adit_train_step_free(AditTrainStep *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditTrainStep, adit_train_step_free)

/**
 * AditBatch: the rows of one step.
 * @order: (nullable): of the epoch
 * @step: number of the step within the run: what random numbers count by
 * @clock: where the stage stands
 */
typedef struct {
    const AditSplit *split;
    const AditPermutation *order;
    gsize first;
    gsize rows;
    guint64 step;
    AditClock clock;
} AditBatch;

/* Queues one update of the weights. Once a loss is not finite nothing is changed any more, until
 * adit_memory_is_finite() has told so. */
void adit_train_step_run(AditTrainStep *self, const AditBatch *batch);
/* Whether it reads the rows themselves; else what is kept of them says all. */
gboolean adit_train_step_reads_inputs(const AditTrainStep *self);
/* Adds the work of one step with @rows rows. */
void adit_train_step_add_work(const AditTrainStep *self, gsize rows, AditWork *work);
/* Names of what regularizers tell of themselves; at most ADIT_COURSE_FIGURES, NULL-terminated. */
const char *const *adit_train_step_get_figures(const AditTrainStep *self);
/* (array length=ADIT_COURSE_SUMS): sums of loss and metric over all rows, and of figures, each of a
 * batch counted for every of its rows; on top of what they were set to. */
void adit_train_step_read_sums(AditTrainStep *self, double *sums);
void adit_train_step_set_sums(AditTrainStep *self, const double *sums);
/* The address of the first block whose output is not finite in this batch; "loss" if they all are.
 */
char *adit_train_step_locate(AditTrainStep *self, const AditBatch *batch, GError **error);

G_END_DECLS
