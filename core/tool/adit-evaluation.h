/* core/tool/adit-evaluation.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-network.h"
#include "adit-tool.h"

G_BEGIN_DECLS

/**
 * AditEvaluation: a trained network with the rows it is asked about.
 * @run: (nullable): the run the weights are of
 * @is_run: the network and the data are the run's too, so that training saw no row of another split
 *   than its own, as long as the command line says nothing of the data
 * @checkpoint: the weights: a checkpoint's folder, or a file
 * @loss: (nullable): of the last stage, or of that of the run
 * @data: all sets, one at least; the first is asked about
 * @split, @split_name: "test", "train", "validation"; NULL until it is chosen
 */
typedef struct {
    AditExperiment *experiment;
    char *run;
    gboolean is_run;
    char *checkpoint;
    AditDevice *device;
    GPtrArray *data;
    AditNetwork *network;
    AditLoss *loss;
    const AditSplit *split;
    const char *split_name;
    gsize batch;
} AditEvaluation;

/* Opens what the first argument names: a run directory, or a pipeline with `model.from`. */
gboolean adit_evaluation_open(AditEvaluation *self, AditInvocation *invocation, GError **error);
/* As the policy's thresholds are to be: those that were stored with the run, unless the command
 * line turns the policy or its threshold; of a policy that says shares, fitted now if none were, to
 * the validation split of a run: ADIT_ERROR_INVALID if it has none. */
gboolean adit_evaluation_fit(AditEvaluation *self, const AditInvocation *invocation,
                             GError **error);
/* Whether the command line says something of the data: its splits may then be others than those of
 * training. */
gboolean adit_evaluation_turns_data(const AditInvocation *invocation);
/* Takes the split that --split names; ADIT_ERROR_INVALID if the data has none. */
gboolean adit_evaluation_choose_split(AditEvaluation *self, const AditInvocation *invocation,
                                      GError **error);
void adit_evaluation_clear(AditEvaluation *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AditEvaluation, adit_evaluation_clear)

G_END_DECLS
