/* core/infer/adit-feed.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-schedule.h>

#include "adit-device.h"
#include "adit-split.h"

G_BEGIN_DECLS

/* A network's inputs, at most: "inputs" and "targets", "kept.1" and so on in place of what is
 * frozen. */
#define ADIT_N_FEEDS (2 + ADIT_SPLIT_MAX_KEPT)

/* Feeds a network's program with the split's rows from @first on, in @order if there is one. */
void adit_feeds_set(AditFeed feeds[ADIT_N_FEEDS], const AditProgram *program,
                    const AditSplit *split, const AditPermutation *order, gsize first);
/* (transfer full): the values of a program's live numbers at @clock; NULL: at the start. */
double *adit_lives_new(const AditProgram *program, const AditClock *clock);

G_END_DECLS
