/* core/infer/adit-exit-table.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-network.h"
#include "adit-selection.h"

G_BEGIN_DECLS

/* What the network's own answer is called. */
#define ADIT_LAST_ANSWER "last"

/**
 * AditExitTable: what every answer of a network with exits is worth to every row of a split.
 * @n: answers: those of the exits, by depth, and the network's own, which is the last
 * @names: (element-type utf8): "branch", or "3" where the name is that of several or there is none;
 *   "last" is the network's own
 * @costs: of each answer: multiply-adds of a row that leaves there, heads that the policy asks on
 *   its way included, over those of the network without exits
 * @losses, @metrics: [row * @n + answer]
 * @measures: (nullable): the same: how sure the policy is; NULL: it does not ask
 * @distances: (nullable): the same: the sum of absolute differences between the probabilities of
 *   the classes and those of the last answer; NULL: there are no classes
 * @thresholds: (nullable): of each exit; with @measures
 * @fixed: the answer that all rows leave with; @n: they do not
 */
typedef struct {
    gsize rows;
    guint n;
    GPtrArray *names;
    double *costs;
    double *losses;
    double *metrics;
    double *measures;
    double *distances;
    double *thresholds;
    gboolean rises;
    gboolean most_confident;
    guint fixed;
} AditExitTable;

/**
 * adit_exit_table_new:
 * @network: with a loss
 *
 * Computes every answer of every row, and how sure the experiment's policy is of it. The same bits
 * for every batch size.
 *
 * Returns: (nullable): NULL with ADIT_ERROR_INVALID (the message is complete), ADIT_ERROR_MEMORY or
 * what @setup's function says
 */
AditExitTable *adit_exit_table_new(AditNetwork *network, const AditSplit *split,
                                   const AditEvaluationSetup *setup, GError **error);
void adit_exit_table_free(AditExitTable *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditExitTable, adit_exit_table_free)

/**
 * adit_exit_table_choose:
 * @thresholds: (nullable): of each exit; NULL: those of the policy
 * @reached: (out): how far the row goes for it
 *
 * Returns: the answer that row @row leaves with: the first that is sure enough, else by `fallback`
 */
guint adit_exit_table_choose(const AditExitTable *self, const double *thresholds, gsize row,
                             guint *reached);
/* The answer of a row that no exit is sure enough of. */
guint adit_exit_table_fall_back(const AditExitTable *self, gsize row);

/**
 * AditExitPart: what of the way to an answer is paid for.
 */
typedef enum {
    ADIT_EXIT_TOGETHER, /* the heads before it too */
    ADIT_EXIT_ALONE,    /* its own head */
    ADIT_EXIT_TRUNK,    /* no head but the network's own */
} AditExitPart;

/* Multiply-adds of a row until each answer (array length=n). */
void adit_exit_table_count_work(const AditExitTable *self, AditNetwork *network, AditExitPart part,
                                double *work);

/**
 * adit_exit_table_measure_seconds:
 * @rows: computed at a time
 * @seconds: (array length=n): until each answer, of a batch
 *
 * Measures on the network's device what the answers take: the shortest of several runs. Iterations
 * of a loop share its time evenly.
 */
gboolean adit_exit_table_measure_seconds(const AditExitTable *self, AditNetwork *network,
                                         AditExitPart part, const AditSplit *split, gsize rows,
                                         double *seconds, GError **error);

/* How sure the experiment's policy is of an answer by itself, a scalar for every row. @logits may
 * lie in a loop: so does the measure then. */
AditTensor *adit_exit_build_measure(const AditNetwork *network, AditTensor *logits);
/* What exit @exit is called; @exits: (element-type AditPick): the picks of ADIT_EXITS_ROOT ".*" in
 * @graph, which own the name. */
const char *adit_exit_find_name(const AditGraph *graph, const GArray *exits, guint exit);
/* The thresholds of the experiment's policy, one for each exit; FALSE: their number is wrong, which
 * @diagnostics is told. Without a policy they stay as they are. */
gboolean adit_experiment_read_thresholds(const AditExperiment *experiment, guint n_exits,
                                         double *thresholds, AditDiagnostics *diagnostics);
/* Whether there are any exits. */
gboolean adit_network_has_exits(const AditNetwork *network);

G_END_DECLS
