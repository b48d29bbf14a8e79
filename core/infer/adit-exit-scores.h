/* core/infer/adit-exit-scores.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-network.h"
#include "adit-selection.h"

G_BEGIN_DECLS

/* What the network's own answer is called. */
#define ADIT_LAST_ANSWER "last"

/**
 * AditAnswer: what leaves a network at one place.
 * @name: "branch", or "3" where the name is that of several or there is none; "last" is the
 * network's own
 * @all: had every row left here
 * @taken: of the rows that do, by the policy; 0 if there are none
 * @cost: multiply-adds of a row that leaves here, heads on its way included, over those of the
 * network without exits
 */
typedef struct {
    char *name;
    AditScores all;
    AditScores taken;
    double cost;
} AditAnswer;

/**
 * AditExitScores: what the exits of a network are worth on a split.
 * @answers: (element-type AditAnswer): by depth; the last one at the end
 * @taken: of all rows, each with the answer it leaves with
 * @cost: mean of the rows' costs (equation 12 of the survey, with incremental costs)
 */
typedef struct {
    GArray *answers;
    AditScores taken;
    double cost;
} AditExitScores;

/**
 * adit_exit_scores_new:
 * @network: with a loss
 *
 * Computes every answer of every row and looks where the experiment's policy lets it go: at the
 * first exit that is sure enough, else by `fallback`. The same bits for every batch size.
 *
 * Returns: (nullable): NULL with ADIT_ERROR_INVALID (the message is complete), ADIT_ERROR_MEMORY or
 * what @setup's function says
 */
AditExitScores *adit_exit_scores_new(AditNetwork *network, const AditSplit *split,
                                     const AditEvaluationSetup *setup, GError **error);
void adit_exit_scores_free(AditExitScores *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditExitScores, adit_exit_scores_free)

/* The thresholds of the experiment's policy, one for each exit; FALSE: their number is wrong, which
 * @diagnostics is told. Without a policy they stay as they are. */
gboolean adit_experiment_read_thresholds(const AditExperiment *experiment, guint n_exits,
                                         double *thresholds, AditDiagnostics *diagnostics);
/* How sure the experiment's policy is of an answer, a scalar for every row. @logits may lie in a
 * loop: so does the measure then. */
AditTensor *adit_exit_build_measure(const AditNetwork *network, AditTensor *logits);
/* What exit @exit is called; @exits: (element-type AditPick): the picks of ADIT_EXITS_ROOT ".*" in
 * @graph, which own the name. */
const char *adit_exit_find_name(const AditGraph *graph, const GArray *exits, guint exit);
/* Whether there are any exits. */
gboolean adit_network_has_exits(const AditNetwork *network);

G_END_DECLS
