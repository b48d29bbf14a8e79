/* core/infer/adit-outcome.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-experiment.h"

G_BEGIN_DECLS

/**
 * AditOutcomeInputs: what an outcome is made of. All lie outside of loops where it is a mixture.
 * @exits: (element-type AditPick): logits of all exits, by number
 * @last: of the head
 * @loss: (nullable): says what logits predict
 */
typedef struct {
    const GArray *exits;
    AditTensor *last;
    AditLoss *loss;
    guint classes;
} AditOutcomeInputs;

/* Logits of an outcome. */
AditTensor *adit_outcome_build(const AditOutcome *self, const AditOutcomeInputs *inputs);
/* The parameters that outcomes of the experiment's stages have, so that every graph of a network
 * has the same. @n_exits: of the network that was built; @last: its logits */
void adit_outcomes_declare(const AditExperiment *experiment, guint n_exits, AditTensor *last,
                           guint classes);
/* Whether a strategy of the experiment wants heads of fixed weights beside the exits' own. */
gboolean adit_experiment_has_feedback(const AditExperiment *experiment);
/* What the network says in the end: the last stage's, if it is a mixture. */
AditOutcome adit_outcome_find(const AditExperiment *experiment, guint n_exits);

G_END_DECLS
