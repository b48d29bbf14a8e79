/* core/infer/adit-cascade.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-network.h"

G_BEGIN_DECLS

/**
 * AditDeparture: how a row left a network.
 * @exit: number of the exit whose answer it has; the last answer's is the number of exits
 * @name: that answer's, as AditAnswer has it; owned by the cascade
 * @confidence: the policy's measure of it
 * @cost: multiply-adds of all that was computed for the row, over those of the network without
 * exits
 */
typedef struct {
    guint exit;
    const char *name;
    double confidence;
    double cost;
} AditDeparture;

/**
 * AditCascade: a network cut at its exits into programs, each of which runs for the rows that are
 * left alone. A row has the same answer, to the last bit, whatever rows are with it.
 */
typedef struct _AditCascade AditCascade;

/**
 * AditCascadeNumbers: what is computed of the answer that a row leaves with.
 * @ADIT_CASCADE_SCORES: loss and metric
 * @ADIT_CASCADE_PREDICTIONS: what the loss predicts
 */
typedef enum { ADIT_CASCADE_SCORES, ADIT_CASCADE_PREDICTIONS } AditCascadeNumbers;

/* Whether rows can leave @network so: it has exits and a policy that says of an answer by itself
 * how sure it is. */
gboolean adit_cascade_takes(const AditNetwork *network);

/**
 * adit_cascade_new:
 * @network: with a loss, that a cascade takes
 * @batch: most rows at a time, which changes no answer
 *
 * Fails with ADIT_ERROR_INVALID (the message is complete) where the policy does not fit or rows
 * depend on each other, or with ADIT_ERROR_MEMORY. Borrows the network.
 */
AditCascade *adit_cascade_new(AditNetwork *network, AditCascadeNumbers numbers, gsize batch,
                              GError **error);
void adit_cascade_free(AditCascade *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditCascade, adit_cascade_free)

/* Numbers that are computed of a row's answer. */
gsize adit_cascade_get_width(const AditCascade *self);

/**
 * adit_cascade_run:
 * @split: whose rows from @first on, in @order if there is one
 * @rows: how many, @batch at most
 *
 * Computes the answers that the rows leave with: at the first exit that is sure enough, else by
 * `fallback`. They are there until the next run.
 */
gboolean adit_cascade_run(AditCascade *self, const AditSplit *split, const AditPermutation *order,
                          gsize first, gsize rows, GError **error);
const AditDeparture *adit_cascade_get_departure(const AditCascade *self, gsize row);
const double *adit_cascade_get_numbers(const AditCascade *self, gsize row);
const float *adit_cascade_get_logits(const AditCascade *self, gsize row);

/**
 * AditCascadeScores: what came of a split.
 * @taken: of all rows, each with the answer it leaves with
 * @cost: mean of the rows' costs
 * @seconds: by the clock: heads, decisions, copies and the figures included; no preparation
 */
typedef struct {
    AditScores taken;
    double cost;
    double seconds;
} AditCascadeScores;

/* Over a split, or a part of it. @self: of ADIT_CASCADE_SCORES, for @setup's batch at least. */
gboolean adit_cascade_evaluate(AditCascade *self, const AditSplit *split,
                               const AditEvaluationSetup *setup, AditCascadeScores *scores,
                               GError **error);

G_END_DECLS
