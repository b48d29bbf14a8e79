/* core/infer/adit-exit-scores.c - SPDX-License-Identifier: MIT */
#include "adit-exit-scores.h"

static void
clear_answer(gpointer data)
{
    g_free(((AditAnswer *) data)->name);
}

void
adit_exit_scores_free(AditExitScores *self)
{
    g_array_unref(self->answers);
    g_free(self);
}

static void
add_numbers(AditScores *scores, const AditExitTable *table, gsize row, guint answer)
{
    scores->rows++;
    scores->loss += table->losses[row * table->n + answer];
    scores->metric += table->metrics[row * table->n + answer];
}

static void
divide(AditScores *scores)
{
    scores->loss /= (double) MAX(scores->rows, 1);
    scores->metric /= (double) MAX(scores->rows, 1);
}

static void
add_row(AditExitScores *self, const AditExitTable *table, const double *thresholds, gsize row)
{
    guint reached, taken = adit_exit_table_choose(table, thresholds, row, &reached);

    for (guint i = 0; i < table->n; i++)
        add_numbers(&g_array_index(self->answers, AditAnswer, i).all, table, row, i);
    add_numbers(&g_array_index(self->answers, AditAnswer, taken).taken, table, row, taken);
    add_numbers(&self->taken, table, row, taken);
    self->cost += table->costs[reached];
}

AditExitScores *
adit_exit_scores_new_from_table(const AditExitTable *table, const double *thresholds)
{
    AditExitScores *self = g_new0(AditExitScores, 1);

    self->answers = g_array_new(FALSE, FALSE, sizeof(AditAnswer));
    g_array_set_clear_func(self->answers, clear_answer);
    for (guint i = 0; i < table->n; i++) {
        AditAnswer answer = {.name = g_strdup(table->names->pdata[i]), .cost = table->costs[i]};

        g_array_append_val(self->answers, answer);
    }
    for (gsize row = 0; row < table->rows; row++)
        add_row(self, table, thresholds, row);
    for (guint i = 0; i < table->n; i++) {
        divide(&g_array_index(self->answers, AditAnswer, i).all);
        divide(&g_array_index(self->answers, AditAnswer, i).taken);
    }
    self->cost /= (double) MAX(self->taken.rows, 1);
    divide(&self->taken);
    return self;
}

AditExitScores *
adit_exit_scores_new(AditNetwork *network, const AditSplit *split, const AditEvaluationSetup *setup,
                     GError **error)
{
    g_autoptr(AditExitTable) table = adit_exit_table_new(network, split, setup, error);

    return table != NULL ? adit_exit_scores_new_from_table(table, NULL) : NULL;
}
