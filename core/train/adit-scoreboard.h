/* core/train/adit-scoreboard.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-metrics.h"
#include "adit-network.h"

G_BEGIN_DECLS

/**
 * AditScoreboard: the figures of one epoch by name: "train.loss", "test.mse",
 * "validation.accuracy", "noisy.test.loss" (of further data sets).
 */
typedef struct {
    GArray *figures; /* AditMetric */
} AditScoreboard;

AditScoreboard *adit_scoreboard_new(void);
void adit_scoreboard_free(AditScoreboard *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditScoreboard, adit_scoreboard_free)

void adit_scoreboard_add(AditScoreboard *self, const char *name, double value);
/* Loss and metric of a split; @set: (nullable): name of a further data set. */
void adit_scoreboard_add_scores(AditScoreboard *self, const char *set, const char *split,
                                const char *metric, const AditScores *scores);
/* NaN: there is no such figure. */
double adit_scoreboard_get(const AditScoreboard *self, const char *name);

G_END_DECLS
