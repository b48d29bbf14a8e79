/* core/infer/adit-feed.c - SPDX-License-Identifier: MIT */
#include "adit-feed.h"

#include "adit-component-private.h"

#include <string.h>

/* (nullable): what is fed as "kept.1", "kept.2", ... */
static const AditArray *
find_kept(const AditSplit *split, const char *name)
{
    if (!g_str_has_prefix(name, "kept."))
        return NULL;
    guint64 number = g_ascii_strtoull(name + strlen("kept."), NULL, 10);

    g_return_val_if_fail(number > 0 && number <= ADIT_SPLIT_MAX_KEPT, NULL);
    return split->kept[number - 1];
}

void
adit_feeds_set(AditFeed feeds[ADIT_N_FEEDS], const AditProgram *program, const AditSplit *split,
               const AditPermutation *order, gsize first)
{
    for (guint i = 0; i < program->feeds->len; i++) {
        const AditTensor *tensor = program->feeds->pdata[i];
        gboolean is_target = g_str_equal(tensor->name, "targets");
        const AditArray *kept = find_kept(split, tensor->name);

        feeds[i] = (AditFeed){.array = kept != NULL ? kept
                                       : is_target  ? split->targets
                                                    : split->inputs,
                              .subset = kept != NULL ? NULL : split->index,
                              .order = order,
                              .first = first,
                              .is_streamed = split->is_streamed};
    }
}

double *
adit_lives_new(const AditProgram *program, const AditClock *clock)
{
    AditClock start = {.steps = 1, .steps_per_epoch = 1};
    double *lives = g_new0(double, program->lives->len + 1);
    for (guint i = 0; i < program->lives->len; i++)
        lives[i] = adit_live_get(program->lives->pdata[i], clock != NULL ? clock : &start);
    return lives;
}
