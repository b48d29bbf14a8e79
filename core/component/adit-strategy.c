/* core/component/adit-strategy.c - SPDX-License-Identifier: MIT */
#include "adit-plan.h"

G_DEFINE_ABSTRACT_TYPE(AditStrategy, adit_strategy, ADIT_TYPE_COMPONENT)

static void
adit_strategy_class_init(AditStrategyClass *klass)
{
    ADIT_COMPONENT_CLASS(klass)->kind = "strategy";
}

static void
adit_strategy_init(AditStrategy *self)
{
}

/* ---- what plugins call ---- */

AditPiece *
adit_plan_add(AditPlan *self)
{
    AditPiece piece = {.epochs = 1,
                       .restarts = TRUE,
                       .exit_weights = g_new0(double, self->n_exits + 1),
                       .final_weight = 1,
                       .ramp_from = -1,
                       .temperature = 1};

    g_array_append_val(self->pieces, piece);
    return &g_array_index(self->pieces, AditPiece, self->pieces->len - 1);
}

gboolean
adit_plan_set_weights(const AditPlan *self, AditPiece *piece, const GArray *given, double def,
                      GError **error)
{
    if (given->len > 1 && given->len != self->n_exits) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "%u weights for %u exit%s; the last answer has 'final-weight'", given->len,
                    self->n_exits, self->n_exits == 1 ? "" : "s");
        return FALSE;
    }
    for (guint i = 0; i < self->n_exits; i++)
        piece->exit_weights[i] =
            given->len == 0 ? def : g_array_index(given, double, given->len == 1 ? 0 : i);
    return TRUE;
}

gboolean
adit_plan_need_exits(const AditPlan *self, AditStrategy *strategy, GError **error)
{
    if (self->n_exits > 0)
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "strategy '%s' needs exits, and the network has none; say where with 'exits'",
                ADIT_COMPONENT_GET_CLASS(strategy)->name);
    return FALSE;
}

/* ---- the plan ---- */

static void
clear_piece(gpointer data)
{
    g_free(((AditPiece *) data)->exit_weights);
}

AditPlan *
adit_plan_new(AditStrategy *strategy, guint n_exits, guint n_blocks, GError **error)
{
    g_autoptr(AditPlan) self = g_new0(AditPlan, 1);

    self->n_exits = n_exits;
    self->n_blocks = n_blocks;
    self->pieces = g_array_new(FALSE, FALSE, sizeof(AditPiece));
    g_array_set_clear_func(self->pieces, clear_piece);
    if (!ADIT_STRATEGY_GET_CLASS(strategy)->plan(strategy, self, error))
        return NULL;
    if (self->pieces->len > 0)
        return g_steal_pointer(&self);
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID, "strategy '%s' plans nothing",
                ADIT_COMPONENT_GET_CLASS(strategy)->name);
    return NULL;
}

void
adit_plan_free(AditPlan *self)
{
    g_array_unref(self->pieces);
    g_free(self->rates);
    g_free(self);
}

const AditPiece *
adit_plan_get(const AditPlan *self, guint piece)
{
    return &g_array_index(self->pieces, AditPiece, piece);
}

guint
adit_plan_count_segments(const AditPlan *self)
{
    return self->segments == ADIT_SEGMENTS_EXITS ? self->n_exits + 1 : self->n_blocks;
}

guint
adit_plan_count_run(const AditPlan *self, guint piece)
{
    guint end = piece + 1;

    while (end < self->pieces->len && !adit_plan_get(self, end)->restarts)
        end++;
    return end - piece;
}

gboolean
adit_outcome_is_mixture(const AditOutcome *self)
{
    return self->kind != ADIT_OUTCOME_LAST && self->kind != ADIT_OUTCOME_EXIT;
}
