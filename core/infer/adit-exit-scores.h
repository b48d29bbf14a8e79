/* core/infer/adit-exit-scores.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-exit-table.h"

G_BEGIN_DECLS

/**
 * AditAnswer: what leaves a network at one place.
 * @name, @cost: as in AditExitTable
 * @all: had every row left here
 * @taken: of the rows that do, by the policy; 0 if there are none
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

/* What the rows of @table come to, each with the answer that its policy lets it leave with.
 * @thresholds: (nullable): in place of the policy's */
AditExitScores *adit_exit_scores_new_from_table(const AditExitTable *table,
                                                const double *thresholds);
/* The same of a split of which nothing else is asked. Fails as adit_exit_table_new(). */
AditExitScores *adit_exit_scores_new(AditNetwork *network, const AditSplit *split,
                                     const AditEvaluationSetup *setup, GError **error);
void adit_exit_scores_free(AditExitScores *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditExitScores, adit_exit_scores_free)

G_END_DECLS
