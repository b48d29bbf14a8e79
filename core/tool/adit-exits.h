/* core/tool/adit-exits.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-evaluation.h"
#include "adit-exit-scores.h"

G_BEGIN_DECLS

/* What `eval` and the verbs of exits tell of a network that ends early. */

/* Of every answer: had all rows left there; the share of rows that do by the policy, and of these;
 * its cost. The last line is of all rows as they leave. */
void adit_exits_print(AditInvocation *self, const AditEvaluation *evaluation,
                      const AditExitScores *scores);
/* (transfer full): the same as JSON. */
JsonObject *adit_exits_describe(const AditExitScores *scores);

/* The validation split of the run's data, rows that training never saw; ADIT_ERROR_INVALID if there
 * is none, or the command line asks for another. */
const AditSplit *adit_exits_choose_validation(const AditInvocation *self,
                                              const AditEvaluation *evaluation, GError **error);

G_END_DECLS
