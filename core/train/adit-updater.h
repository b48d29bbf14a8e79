/* core/train/adit-updater.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-schedule.h>

#include "adit-cost.h"
#include "adit-network.h"

G_BEGIN_DECLS

/**
 * AditUpdateRange: elements of the parameters' arena that are updated alike.
 * @factor: on the learning rate; 0: frozen
 * @until: share of the stage in which it falls to 0 by half a cosine; 0: it does not
 */
typedef struct {
    gsize begin;
    gsize end;
    double factor;
    double until;
} AditUpdateRange;

/**
 * AditUpdater: what happens between the gradients' arena and the parameters': adding up
 * micro-batches, clipping the whole gradient's norm, the optimizer's update. Each is a program
 * whose rows are the parameters' elements.
 */
typedef struct _AditUpdater AditUpdater;

/* @ranges: (element-type AditUpdateRange): borrowed. Fails with ADIT_ERROR_MEMORY. */
AditUpdater *adit_updater_new(const AditStage *stage, AditNetwork *network, const GArray *ranges,
                              GError **error);
void adit_updater_free(AditUpdater *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditUpdater, adit_updater_free)

/* Adds the gradients of a micro-batch that is @share of the batch of the run's step @step; the
 * @first starts the sum. Only for stages whose micro-batch is smaller than their batch. */
void adit_updater_accumulate(AditUpdater *self, guint64 step, double share, gboolean first);
/* The update; @clock: before it. @runs: (element-type AditDeviceRun): what comes before it in this
 * step and was not run yet: it is now, so that a device may do all of it together. */
void adit_updater_run(AditUpdater *self, guint64 step, const AditClock *clock, GArray *runs);

/* Adds the work of one update, of @n_micro micro-batches where the stage adds them up. */
void adit_updater_add_work(const AditUpdater *self, gsize n_micro, AditWork *work);

/* Numbers the stage's optimizer keeps for each parameter. */
guint adit_stage_count_slots(const AditStage *stage);
/* Numbers that must be kept for each parameter so that any stage can be trained. */
guint adit_experiment_count_slots(const AditExperiment *experiment);
/* Rows of the stage's batch if @rows are there to train on. */
gsize adit_stage_count_batch(const AditStage *stage, gsize rows);
/* The data set that the stage trains on. @data: (element-type AditData): the experiment's */
const AditData *adit_stage_find_data(const AditStage *stage, GPtrArray *data);
/* Whether the stage adds its gradients up over micro-batches: one more number for each parameter.
 */
gboolean adit_stage_accumulates(const AditStage *stage);

G_END_DECLS
