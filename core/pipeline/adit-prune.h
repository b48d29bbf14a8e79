/* core/pipeline/adit-prune.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-experiment.h"

G_BEGIN_DECLS

/**
 * AditPruning: an experiment without its border layers.
 * @text: the whole pipeline
 * @dropped: (element-type utf8): addresses of the layers that are gone
 * @narrowed: (element-type utf8): of those that keep a kernel of 1x1
 */
typedef struct {
    char *text;
    GPtrArray *dropped;
    GPtrArray *narrowed;
} AditPruning;

void adit_pruning_free(AditPruning *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditPruning, adit_pruning_free)

/**
 * adit_prune_border_layers:
 * @fields: (element-type utf8 AditReceptiveField): of the experiment's network
 *
 * The pipeline that is left for training anew when stem and trunk lose their border layers; the
 * head stays. A path, an item of a sum or a box of which nothing is left goes too, and so do norms
 * and activations that stood behind a layer that is gone. Where others are joined with what a layer
 * gives, and it changes the shape, it stays with a kernel of 1x1. Parts and repeats whose instances
 * become different are written out.
 *
 * Fails with ADIT_ERROR_INVALID where weights are taken from a run, or shared by a repeat whose
 * instances become different. Whether what is left is a network is not checked.
 */
AditPruning *adit_prune_border_layers(const AditExperiment *experiment, GHashTable *fields,
                                      GError **error);

/**
 * adit_prune_trunk:
 * @keep: items of the trunk, from the first on
 * @fold: with one more item behind them, `constant`, in place of those that go
 * @from: what `model.from` of the new pipeline says: a file with its weights
 *
 * The pipeline that is left when the trunk is cut off after @keep items: without exits and probes,
 * and what stages said of addresses or exits. Items keep their addresses, so that weights have
 * their names. Fails with ADIT_ERROR_INVALID where the trunk has no more than @keep items, or is no
 * sequence.
 *
 * Returns: (transfer full) (nullable): its text
 */
char *adit_prune_trunk(const AditExperiment *experiment, guint keep, gboolean fold,
                       const char *from, GError **error);

G_END_DECLS
