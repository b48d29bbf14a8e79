/* core/infer/adit-exit-private.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-exit-table.h"
#include "adit-selection.h"

G_BEGIN_DECLS

/* What is read of every answer of a row. */
typedef enum {
    ADIT_EXIT_LOSS,
    ADIT_EXIT_METRIC,
    ADIT_EXIT_DISTANCE,
    ADIT_EXIT_MEASURE,
    ADIT_EXIT_N_READ
} AditExitRead;

/**
 * AditExitAnswers: the answers of a network with exits, written down.
 * @network: (nullable): NULL: only multiply-adds are asked for
 * @graph: the network's own, added to
 * @layout: of its weights
 * @picks: (element-type AditPick): logits of all answers, the last one at the end
 * @reads: (array length=n_read): what the numbers read of each are
 * @outputs: (element-type AditProgramOutput): these numbers; one for each tensor, all iterations of
 *   its loops
 * @output: of each pick
 * @asks: whether the policy asks how sure the answers are
 */
typedef struct {
    AditNetwork *network;
    const AditExperiment *experiment;
    AditGraph *graph;
    const AditLayout *layout;
    AditNetworkTensors tensors;
    GArray *picks;
    AditExitRead reads[ADIT_EXIT_N_READ];
    guint n_read;
    GArray *outputs;
    guint *output;
    gboolean asks;
} AditExitAnswers;

/* Finds the answers, in a copy of the network's graph. */
void adit_exit_answers_init(AditExitAnswers *self, AditNetwork *network);
void adit_exit_answers_clear(AditExitAnswers *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AditExitAnswers, adit_exit_answers_clear)
/* Writes down what is read of them: fills reads and outputs. */
gboolean adit_exit_answers_build(AditExitAnswers *self, GError **error);

/**
 * AditGauge: what computing @tensors takes, which are outside of loops. Negative: it failed.
 */
typedef double (*AditGauge)(const AditExitAnswers *answers, const GPtrArray *tensors,
                            gpointer user_data);

/**
 * adit_exit_answers_gauge:
 * @alone: without the heads of other exits
 * @costs: (array length=n_answers): (out)
 *
 * What each answer takes, in the gauge's unit. Iterations of a loop take the same.
 */
gboolean adit_exit_answers_gauge(const AditExitAnswers *self, gboolean alone, AditGauge gauge,
                                 gpointer user_data, double *costs);
/* A gauge: multiply-adds of a row. */
double adit_exit_answers_count_work(const AditExitAnswers *self, const GPtrArray *tensors,
                                    gpointer user_data);

G_END_DECLS
