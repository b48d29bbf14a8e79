/* core/infer/adit-weights.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-network.h"

G_BEGIN_DECLS

/**
 * AditWeights: what `model.from` names, read.
 * @path: the checkpoint's folder, links resolved, or the file
 * @sha256: of the file that holds the tensors
 */
typedef struct {
    char *path;
    char *sha256;
    AditTensorList *tensors;
} AditWeights;

/**
 * adit_weights_read:
 * @from: a run directory, a checkpoint's folder or a .safetensors file
 * @weights: (out caller-allocates): cleared by the caller
 *
 * A run stands for its `best` checkpoint, or, if it keeps none, for its newest valid one. Fails
 * with ADIT_ERROR_NOT_FOUND or ADIT_ERROR_DAMAGED.
 */
gboolean adit_weights_read(const char *from, AditWeights *weights, GError **error);
void adit_weights_clear(AditWeights *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AditWeights, adit_weights_clear)

/* Adds an error for each address of the experiment's `load` under which @weights lack a parameter
 * or state of @graph, or have it in another shape. TRUE: none. */
gboolean adit_weights_check(const AditWeights *self, const AditExperiment *experiment,
                            AditGraph *graph, AditDiagnostics *diagnostics);

/**
 * adit_network_take:
 *
 * Sets the parameters and states under the experiment's `load`, and no other, to the tensors of
 * equal name. Fails with ADIT_ERROR_INVALID, changing nothing, where adit_weights_check() does (the
 * message is complete).
 */
gboolean adit_network_take(AditNetwork *self, const AditExperiment *experiment,
                           const AditWeights *weights, GError **error);

/* Reads what the experiment's `from` names and takes it. A failure stands at its place. @read: (out
 * caller-allocates): what was read; cleared by the caller */
gboolean adit_network_take_from(AditNetwork *self, const AditExperiment *experiment,
                                AditWeights *read, GError **error);
/* The same without a network: reads and compares with @graph (nullable: not known). */
void adit_weights_check_from(const AditExperiment *experiment, AditGraph *graph,
                             AditDiagnostics *diagnostics);

G_END_DECLS
