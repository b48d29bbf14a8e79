/* core/train/adit-scoreboard.c - SPDX-License-Identifier: MIT */
#include "adit-scoreboard.h"

#include <math.h>

AditScoreboard *
adit_scoreboard_new(void)
{
    AditScoreboard *self = g_new0(AditScoreboard, 1);
    self->figures = g_array_new(FALSE, FALSE, sizeof(AditMetric));
    return self;
}

void
adit_scoreboard_free(AditScoreboard *self)
{
    g_array_unref(self->figures);
    g_free(self);
}

void
adit_scoreboard_add(AditScoreboard *self, const char *name, double value)
{
    AditMetric figure = {.name = g_intern_string(name), .value = value};
    g_array_append_val(self->figures, figure);
}

void
adit_scoreboard_add_scores(AditScoreboard *self, const char *set, const char *split,
                           const char *metric, const AditScores *scores)
{
    const char *dot = set != NULL ? "." : "";
    g_autofree char *loss = g_strconcat(set != NULL ? set : "", dot, split, ".loss", NULL);
    adit_scoreboard_add(self, loss, scores->loss);
    if (metric == NULL)
        return;
    g_autofree char *measure = g_strconcat(set != NULL ? set : "", dot, split, ".", metric, NULL);
    adit_scoreboard_add(self, measure, scores->metric);
}

double
adit_scoreboard_get(const AditScoreboard *self, const char *name)
{
    for (guint i = 0; i < self->figures->len; i++) {
        const AditMetric *figure = &g_array_index(self->figures, AditMetric, i);
        if (g_str_equal(figure->name, name))
            return figure->value;
    }
    return (double) NAN;
}
