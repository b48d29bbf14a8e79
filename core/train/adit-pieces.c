/* core/train/adit-pieces.c - SPDX-License-Identifier: MIT */
#include "adit-pieces.h"

#include "adit-kept.h"

#include <math.h>

/* ---- the stage ---- */

/* Strategies are about a network as it is trained. */
static gboolean
make_plan(AditPieces *self, GError **error)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    AditNetworkUse use = {.loss = self->stage->loss};
    AditNetworkTensors tensors;
    g_autoptr(AditGraph) graph =
        adit_network_build(self->experiment, ADIT_MODE_TRAINING,
                           adit_network_get_shape(self->network), &use, &tensors);

    adit_network_diagnose(graph, diagnostics);
    if (adit_graph_get_error(graph) == NULL)
        self->plan = adit_stage_plan_new(self->experiment, self->stage, graph, diagnostics);
    return !adit_diagnostics_fail(diagnostics, error);
}

AditPieces *
adit_pieces_new(const AditExperiment *experiment, const AditStage *stage, AditNetwork *network,
                const AditSplit *split, gsize batch, guint64 steps_per_epoch, guint64 piece,
                GError **error)
{
    g_autoptr(AditPieces) self = g_new0(AditPieces, 1);

    self->experiment = experiment;
    self->stage = stage;
    self->network = network;
    self->train = *split;
    self->batch = batch;
    self->steps_per_epoch = steps_per_epoch;
    if (!make_plan(self, error))
        return NULL;
    guint n = self->plan->plan->pieces->len;

    for (guint i = 0; i < n; i += adit_plan_count_run(self->plan->plan, i))
        self->epochs += adit_pieces_count_epochs(self, i);
    if (piece < n)
        return g_steal_pointer(&self);
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED,
                "the checkpoint is of piece %" G_GUINT64_FORMAT ", the stage has %u", piece + 1, n);
    return NULL;
}

static void
forget_kept(AditPieces *self)
{
    for (guint i = 0; i < ADIT_SPLIT_MAX_KEPT; i++)
        g_clear_pointer(&self->train.kept[i], adit_array_unref);
}

void
adit_pieces_free(AditPieces *self)
{
    g_clear_pointer(&self->step, adit_train_step_free);
    g_clear_pointer(&self->plan, adit_stage_plan_free);
    forget_kept(self);
    g_free(self);
}

/* ---- where it stands ---- */

guint64
adit_pieces_count_epochs(const AditPieces *self, guint64 piece)
{
    const AditPlan *plan = self->plan->plan;
    double epochs = 0;

    for (guint i = 0; i < adit_plan_count_run(plan, (guint) piece); i++)
        epochs += adit_plan_get(plan, (guint) piece + i)->epochs * (double) self->stage->epochs;
    return (guint64) llround(epochs);
}

AditClock
adit_pieces_get_clock(const AditPieces *self, const AditCourse *course)
{
    return (AditClock){.step = course->stage_step - course->piece_step,
                       .steps =
                           adit_pieces_count_epochs(self, course->piece) * self->steps_per_epoch,
                       .steps_per_epoch = self->steps_per_epoch};
}

gboolean
adit_pieces_is_last(const AditPieces *self, const AditCourse *course)
{
    return adit_pieces_find_next(self, course) >= self->plan->plan->pieces->len;
}

guint64
adit_pieces_find_next(const AditPieces *self, const AditCourse *course)
{
    return course->piece + adit_plan_count_run(self->plan->plan, (guint) course->piece);
}

/* The piece that the next step belongs to; while an epoch is being evaluated, that of its last. */
static guint
find_piece(const AditPieces *self, const AditCourse *course)
{
    guint piece = (guint) course->piece, last = (guint) adit_pieces_find_next(self, course) - 1;
    gboolean is_evaluated = course->position >= self->steps_per_epoch;
    double done = (double) (course->stage_step - course->piece_step - is_evaluated), end = 0;
    double steps = (double) (self->stage->epochs * self->steps_per_epoch);

    for (; piece < last; piece++) {
        end += adit_plan_get(self->plan->plan, piece)->epochs * steps;
        if (done < round(end))
            break;
    }
    return piece;
}

gboolean
adit_pieces_is_at(const AditPieces *self, const AditCourse *course)
{
    return find_piece(self, course) == self->part.piece;
}

/* ---- the step ---- */

static gboolean
make_step(AditPieces *self, GError **error)
{
    g_clear_pointer(&self->step, adit_train_step_free);
    self->step = adit_train_step_new(self->experiment, self->stage, self->network, &self->part,
                                     self->batch, error);
    return self->step != NULL;
}

/* What is frozen is computed once, if it can be kept; where something goes around what crosses, the
 * rows themselves are needed all the same. */
static gboolean
make_fed_step(AditPieces *self, const AditEvaluationSetup *setup, GError **error)
{
    forget_kept(self);
    if (!adit_kept_make(self->plan, self->part.piece, self->network, &self->train, setup,
                        &self->part.is_fed, error) ||
        !make_step(self, error))
        return FALSE;
    if (!self->part.is_fed || !adit_train_step_reads_inputs(self->step))
        return TRUE;
    self->part.is_fed = FALSE;
    forget_kept(self);
    return make_step(self, error);
}

gboolean
adit_pieces_begin(AditPieces *self, const AditCourse *course, const AditEvaluationSetup *setup,
                  GError **error)
{
    AditCut cut = {0};

    self->part = (AditPart){.plan = self->plan, .piece = find_piece(self, course)};
    adit_stage_plan_cut(self->plan, self->part.piece, &cut);
    return adit_network_set_loss(self->network, self->stage->loss,
                                 &adit_plan_get(self->plan->plan, self->part.piece)->outcome,
                                 cut.end, error) &&
           make_fed_step(self, setup, error);
}
