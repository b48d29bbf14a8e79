/* core/run/adit-checkpoint.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-json.h"
#include "adit-tensor-list.h"

G_BEGIN_DECLS

/*
 * Checkpoints of a run, in RUN/checkpoints:
 *
 *   step-00001200/   model.safetensors, optimizer.safetensors, state.json and, written last,
 *                    MANIFEST.json: size and SHA-256 of each, score, whether all weights are finite
 *   last -> step-00001200    best -> step-00000900
 *
 * One is built in ".tmp-step-...", synced, and renamed: under its name it is whole or not there. At
 * any moment, a kill included, the newest checkpoint that was written before is there.
 */

/* What is kept besides the newest checkpoint whose weights are all finite. */
typedef struct {
    guint last; /* the newest; at least 1 */
    guint best; /* those of the lowest score; 0 keeps none for their score and makes no link */
} AditRetention;

/**
 * AditCheckpoint: what a checkpoint holds.
 * @model: weights and running statistics
 * @optimizer: (nullable): NULL leaves the file out
 * @state: whatever else training needs to go on; nothing in it is looked at here. Numbers are exact
 * by adit_json_set_double() and adit_json_set_unsigned()
 * @score: by which checkpoints are ranked, less is better: a metric, negated where more is better.
 * NaN: not measured, never best
 */
typedef struct {
    guint64 step;
    AditTensorList *model;
    AditTensorList *optimizer;
    JsonObject *state;
    double score;
} AditCheckpoint;

/* Drops what adit_checkpoint_read() gave; a checkpoint built by hand borrows and is not cleared. */
void adit_checkpoint_clear(AditCheckpoint *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AditCheckpoint, adit_checkpoint_clear)

/**
 * adit_checkpoint_write:
 * @run_folder: the run directory
 *
 * Writes a checkpoint durably, then sets `last` and `best`, then deletes what @retention no longer
 * wants. One of the same step is replaced, valid or not. Later steps than this one (of a course of
 * training that was given up) are neither counted nor deleted; adit_checkpoint_discard_after()
 * does. After an error (ADIT_ERROR_OUTPUT) every checkpoint that was there is still there.
 */
gboolean adit_checkpoint_write(const char *run_folder, const AditCheckpoint *checkpoint,
                               const AditRetention *retention, GError **error);

/**
 * adit_checkpoint_read:
 * @path: a checkpoint's folder, or a link to it
 * @checkpoint: (out caller-allocates): cleared by the caller
 *
 * Verifies every size and hash. Fails with ADIT_ERROR_NOT_FOUND or ADIT_ERROR_DAMAGED.
 */
gboolean adit_checkpoint_read(const char *path, AditCheckpoint *checkpoint, GError **error);

/* Whether a checkpoint is whole, hashes included; @error says what is wrong with it. */
gboolean adit_checkpoint_verify(const char *path, GError **error);

/**
 * adit_checkpoint_find:
 * @reasons: (out) (optional) (transfer full): why each newer one was passed over, one line each
 *
 * Returns: (transfer full) (nullable): folder of the newest checkpoint that verifies; NULL if none
 * does
 */
char *adit_checkpoint_find(const char *run_folder, GStrv *reasons);

/* Removes what a kill left in RUN/checkpoints: unfinished folders. For a run that is about to go
 * on, not for readers. */
gboolean adit_checkpoint_clean(const char *run_folder, GError **error);

/* Removes checkpoints of later steps than @step and links to them: training goes on from @step. */
gboolean adit_checkpoint_discard_after(const char *run_folder, guint64 step, GError **error);

G_END_DECLS
