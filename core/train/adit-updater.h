/* core/train/adit-updater.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-schedule.h>

#include "adit-network.h"

G_BEGIN_DECLS

/**
 * AditUpdateRange: elements of the parameters' arena that are updated alike: their factor on the
 * learning rate; 0: frozen.
 */
typedef struct {
    gsize begin;
    gsize end;
    double factor;
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

/* Numbers the stage's optimizer keeps for each parameter. */
guint adit_stage_count_slots(const AditStage *stage);
/* Whether the stage adds its gradients up over micro-batches: one more number for each parameter.
 */
gboolean adit_stage_accumulates(const AditStage *stage);

G_END_DECLS
