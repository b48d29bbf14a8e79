/* core/infer/adit-network.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-cut.h"
#include "adit-data.h"
#include "adit-device.h"
#include "adit-experiment.h"
#include "adit-graph-private.h"
#include "adit-settings.h"
#include "adit-tensor-list.h"

G_BEGIN_DECLS

/**
 * AditNetworkShape: what the data asks of a network.
 * @classes: 0 for values
 */
typedef struct {
    AditShape inputs;
    AditShape targets;
    guint classes;
} AditNetworkShape;

/**
 * AditNetworkTensors: what goes out of a built network. Without a loss all but @logits is NULL.
 * @last: logits of the head
 * @logits: of the answer, which loss and metric are of
 * @targets: what comes in to be compared with
 * @loss, @metric: a scalar for every row
 */
typedef struct {
    AditTensor *last;
    AditTensor *logits;
    AditTensor *targets;
    AditTensor *loss;
    AditTensor *metric;
} AditNetworkTensors;

/**
 * AditNetworkUse: what a network is built for.
 * @loss: (nullable): with it the targets come in and the rows' loss and metric go out
 * @outcome: what is compared with the targets
 * @cut: (nullable): where it is taken apart; outlives the graph. An exit that answers is outside of
 *   loops if the cut ends there
 * @alter: (nullable): what alters what is tapped (adit_graph_set_alter())
 */
typedef struct {
    AditLoss *loss;
    AditOutcome outcome;
    AditCut *cut;
    AditAlter alter;
    gpointer alter_data;
} AditNetworkUse;

/**
 * adit_network_build:
 * @tensors: (out caller-allocates)
 *
 * Writes an experiment's network down for training or evaluation, with what its first data set puts
 * before it (`augment` or `eval-augment`, `transform`). What does not fit is told by the graph's
 * error.
 *
 * Returns: (transfer full): the graph
 */
AditGraph *adit_network_build(const AditExperiment *experiment, AditMode mode,
                              const AditNetworkShape *shape, const AditNetworkUse *use,
                              AditNetworkTensors *tensors);
/* The same of @model in place of the experiment's, in @graph, without a loss: its logits. */
AditTensor *adit_network_build_model(const AditExperiment *experiment, const AditModel *model,
                                     const AditNetworkShape *shape, AditGraph *graph);
/* Fills in loss and metric of @tensors' logits, which are compared with its targets and may lie in
 * a loop: so do loss and metric then. */
void adit_network_build_loss(AditLoss *loss, AditNetworkTensors *tensors);
/**
 * adit_network_build_scores:
 * @targets: those of the built network
 * @x: what the head is given in place of what leaves the trunk, of its shape
 *
 * Loss and metric of every row (two numbers) had the trunk ended in @x, by the model's own head. A
 * tensor in a loop gives a tensor in that loop: one head serves all its iterations.
 */
AditTensor *adit_network_build_scores(const AditExperiment *experiment, AditLoss *loss,
                                      AditTensor *targets, AditTensor *x);
/* The same of what was built: loss and metric side by side. */
AditTensor *adit_network_join_scores(const AditNetworkTensors *tensors);
/* Adds the graph's error and warnings to @diagnostics at the places of the components they are
 * about. */
void adit_network_diagnose(AditGraph *graph, AditDiagnostics *diagnostics);

/**
 * AditNetwork: a model with its weights on a device, ready to be evaluated.
 */
typedef struct _AditNetwork AditNetwork;

/**
 * adit_network_new:
 * @loss: (nullable): without it the network gives outputs only
 * @n_slots: numbers the optimizer keeps for each parameter
 *
 * Builds and compiles the model for evaluation, with all weights 0. Fails with ADIT_ERROR_INVALID
 * (the message is complete, with places and excerpts) or ADIT_ERROR_MEMORY. Borrows the experiment,
 * holds the device. What it says of a row is what its last stage trained it to.
 */
AditNetwork *adit_network_new(const AditExperiment *experiment, const AditNetworkShape *shape,
                              AditLoss *loss, AditDevice *device, guint n_slots, GError **error);
void adit_network_free(AditNetwork *self);
/* Evaluates by another loss and answer from now on; the weights stay. @end: (nullable): address of
 * the item that the answering exit is at. ADIT_ERROR_INVALID when it does not fit. */
gboolean adit_network_set_loss(AditNetwork *self, AditLoss *loss, const AditOutcome *outcome,
                               const char *end, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditNetwork, adit_network_free)

/* Sets the optimizer's slots to 0. */
void adit_network_clear_slots(AditNetwork *self);
/* Draws the initial weights; each from the stream of its name. */
void adit_network_initialize(AditNetwork *self, guint64 seed);

const AditLayout *adit_network_get_layout(const AditNetwork *self);
AditMemory *adit_network_get_memory(const AditNetwork *self);
AditDevice *adit_network_get_device(const AditNetwork *self);
const AditNetworkShape *adit_network_get_shape(const AditNetwork *self);
const AditExperiment *adit_network_get_experiment(const AditNetwork *self);
/* (nullable): that it is evaluated by */
AditLoss *adit_network_get_loss(const AditNetwork *self);
AditGraph *adit_network_get_graph(const AditNetwork *self);
/* (transfer full): the same graph anew, to be added to: programs of it run on the same weights.
 * @tensors: (out caller-allocates) */
AditGraph *adit_network_copy_graph(const AditNetwork *self, AditNetworkTensors *tensors);

/**
 * AditScores: means over a split. @metric is that of the loss's class.
 */
typedef struct {
    gsize rows;
    double loss;
    double metric;
} AditScores;

/**
 * AditEvaluationFunc:
 * @done: rows that were given to the device
 * @rows: that are to be evaluated
 *
 * Called before every batch; FALSE with an error ends the evaluation.
 */
typedef gboolean (*AditEvaluationFunc)(gsize done, gsize rows, gpointer user_data, GError **error);
/**
 * AditEvaluationSetup: how a split is evaluated.
 * @rows: how many of them, from the first on; 1 at least
 * @order: (nullable): what the first are
 * @batch: rows at a time, which changes no figure
 * @func: (nullable)
 */
typedef struct {
    gsize rows;
    const AditPermutation *order;
    gsize batch;
    AditEvaluationFunc func;
    gpointer user_data;
} AditEvaluationSetup;

/* Loss and metric over a split, the same bits for every batch size. */
gboolean adit_network_evaluate(AditNetwork *self, const AditSplit *split, gsize batch,
                               AditScores *scores, GError **error);
/* The same over a part of it, or told of. */
gboolean adit_network_evaluate_part(AditNetwork *self, const AditSplit *split,
                                    const AditEvaluationSetup *setup, AditScores *scores,
                                    GError **error);
/* What the loss predicts from the outputs (else the outputs), @width numbers a row; @each is called
 * with every batch's rows in order. */
typedef gboolean (*AditPredictionFunc)(gsize first_row, gsize rows, gsize width,
                                       const double *outputs, const double *predictions,
                                       gpointer user_data, GError **error);
gboolean adit_network_predict(AditNetwork *self, const AditSplit *split, gsize batch,
                              AditPredictionFunc func, gpointer user_data, GError **error);

/* Parameters and states as named tensors (float32). */
AditTensorList *adit_network_save(AditNetwork *self);
/* The other way round; all names must be there with their shapes, and no others:
 * ADIT_ERROR_DAMAGED. */
gboolean adit_network_load(AditNetwork *self, const AditTensorList *tensors, GError **error);
/* The optimizer's slots, "NAME.0", "NAME.1". */
AditTensorList *adit_network_save_slots(AditNetwork *self, guint n_slots);
gboolean adit_network_load_slots(AditNetwork *self, guint n_slots, const AditTensorList *tensors,
                                 GError **error);

G_END_DECLS
