/* core/train/adit-train-step.c - SPDX-License-Identifier: MIT */
#include "adit-train-step.h"

#include <adit/adit-ops.h>

#include "adit-component-private.h"
#include "adit-course.h"
#include "adit-feed.h"
#include "adit-gradient.h"
#include "adit-joint-loss.h"
#include "adit-penalty.h"
#include "adit-selection.h"
#include "adit-settings.h"
#include "adit-updater.h"

#include <math.h>

struct _AditTrainStep {
    const AditExperiment *experiment;
    const AditStage *stage;
    AditNetwork *network;
    AditDevice *device;

    const AditPart *part;
    AditStagePlan *own; /* if nobody gave one */
    AditPart first;
    AditCut cut;
    AditGraph *graph;
    GHashTable *reached;  /* what the gradient of the loss comes to */
    GHashTable *computed; /* what the loss is computed of */
    AditProgram *program;
    AditExecutable *executable;

    AditUpdater *updater;
    GArray *ranges;

    guint n_figures;
    AditTensor *figures[ADIT_COURSE_FIGURES];
    const char *figure_names[ADIT_COURSE_FIGURES + 1];
};

static double
get_factor(const AditStage *stage, const AditTensor *parameter, guint instance)
{
    double factor = 1;
    for (guint i = 0; stage->freeze != NULL && stage->freeze[i] != NULL; i++) {
        if (adit_parameter_is_at(parameter, instance, stage->freeze[i]))
            return 0;
    }
    for (guint i = 0; stage->rates != NULL && i < stage->rates->len; i++) {
        const AditRate *rate = &g_array_index(stage->rates, AditRate, i);
        for (guint j = 0; rate->at[j] != NULL; j++) {
            if (adit_parameter_is_at(parameter, instance, rate->at[j]))
                factor = rate->factor;
        }
    }
    return factor;
}

static int
compare_ranges(gconstpointer a, gconstpointer b)
{
    const AditUpdateRange *x = a, *y = b;

    return x->begin < y->begin ? -1 : x->begin > y->begin;
}

static void
add_range(AditTrainStep *self, gsize begin, gsize end, AditSegmentRate rate)
{
    if (self->ranges->len > 0) {
        AditUpdateRange *last =
            &g_array_index(self->ranges, AditUpdateRange, self->ranges->len - 1);
        if (last->end == begin && last->factor == rate.factor && last->until == rate.until) {
            last->end = end;
            return;
        }
    }
    AditUpdateRange range = {begin, end, rate.factor, rate.until};
    g_array_append_val(self->ranges, range);
}

/* Whether the piece trains the parameter at all: its loss depends on it, and it is not frozen. */
static gboolean
takes_part(const AditTrainStep *self, const AditTensor *parameter)
{
    const AditPiece *piece = adit_plan_get(self->part->plan->plan, self->part->piece);
    gboolean is_fixed =
        adit_scope_is_of_feedback(parameter->scope) ||
        (piece->heads == ADIT_HEADS_FIXED && adit_scope_is_of_exit(parameter->scope));

    return g_hash_table_contains(self->reached, parameter) && !is_fixed &&
           !adit_graph_has_frozen(self->graph, parameter);
}

/* Fills the ranges and returns whether any instance of the parameter is trained. */
static gboolean
add_ranges(AditTrainStep *self, const AditTensor *parameter)
{
    gsize offset = adit_layout_locate(adit_network_get_layout(self->network), parameter->names[0]);
    guint n = g_strv_length(parameter->names);
    gsize count = adit_shape_count(&parameter->shape) / n;
    gboolean takes = takes_part(self, parameter), trained = FALSE;

    for (guint i = 0; i < n; i++, offset += count) {
        AditSegmentRate rate = adit_stage_plan_get_rate(self->part->plan, parameter, i);

        rate.factor *= takes ? get_factor(self->stage, parameter, i) : 0;
        add_range(self, offset, offset + count, rate);
        trained = trained || rate.factor != 0;
    }
    return trained;
}

/* The loss of every row, with those of the exits. */
static AditTensor *
build_loss(AditTrainStep *self, const AditNetworkTensors *tensors)
{
    g_autoptr(GArray) exits = adit_graph_pick(self->graph, ADIT_EXITS_ROOT ".*");
    const AditPiece *piece = adit_plan_get(self->part->plan->plan, self->part->piece);

    return adit_joint_loss_build(self->graph, tensors, exits, piece, self->stage->loss);
}

static AditTensor *
add_penalty(AditTrainStep *self, AditTensor *objective, guint index)
{
    AditRegularizer *regularizer = self->stage->regularizers->pdata[index];
    g_autofree char *name = adit_regularizers_name_figure(self->stage->regularizers, index);
    AditTensor *figure;

    objective = adit_penalty_add(objective, regularizer, self->graph, self->reached, &figure);
    if (name == NULL || figure == NULL || figure->failed)
        return objective;
    if (self->n_figures == ADIT_COURSE_FIGURES) {
        adit_graph_enter_component(self->graph, regularizer);
        adit_graph_fail(self->graph, "at most %d regularizers can be of all tensors together",
                        ADIT_COURSE_FIGURES);
        adit_graph_leave_component(self->graph);
        return objective;
    }
    self->figure_names[self->n_figures] = g_intern_string(name);
    self->figures[self->n_figures++] = figure;
    return objective;
}

static AditTensor *
build_objective(AditTrainStep *self, AditNetworkTensors *tensors, GError **error)
{
    const AditStage *stage = self->stage;
    const AditPiece *piece = adit_plan_get(self->part->plan->plan, self->part->piece);
    AditNetworkUse use = {.loss = stage->loss, .outcome = piece->outcome, .cut = &self->cut};
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();

    adit_stage_plan_cut(self->part->plan, self->part->piece, &self->cut);
    self->cut.fed = self->part->is_fed;
    self->graph = adit_network_build(self->experiment, ADIT_MODE_TRAINING,
                                     adit_network_get_shape(self->network), &use, tensors);
    AditTensor *loss = build_loss(self, tensors);

    self->reached = adit_gradient_reach(loss, FALSE);
    self->computed = adit_gradient_reach(loss, TRUE);
    AditTensor *objective = adit_reduce_rows(loss, ADIT_REDUCE_MEAN);

    for (guint i = 0; i < stage->regularizers->len; i++)
        objective = add_penalty(self, objective, i);
    adit_network_diagnose(self->graph, diagnostics);
    return adit_diagnostics_fail(diagnostics, error) ? NULL : objective;
}

/* Items whose values the step computes: their running statistics move. */
static GHashTable *
list_computed_scopes(const AditTrainStep *self)
{
    GHashTable *scopes = g_hash_table_new(NULL, NULL);
    GHashTableIter iter;
    gpointer tensor;

    g_hash_table_iter_init(&iter, self->computed);
    while (g_hash_table_iter_next(&iter, &tensor, NULL)) {
        if (((AditTensor *) tensor)->rows)
            g_hash_table_add(scopes, ((AditTensor *) tensor)->scope);
    }
    return scopes;
}

/* A graph whose loops are cut has its parameters in another order than the arena. */
static void
sort_ranges(AditTrainStep *self)
{
    g_autoptr(GArray) ranges = g_steal_pointer(&self->ranges);

    self->ranges = g_array_new(FALSE, FALSE, sizeof(AditUpdateRange));
    g_array_sort(ranges, compare_ranges);
    for (guint i = 0; i < ranges->len; i++) {
        const AditUpdateRange *range = &g_array_index(ranges, AditUpdateRange, i);

        add_range(self, range->begin, range->end, (AditSegmentRate){range->factor, range->until});
    }
}

static GPtrArray *
list_trained(AditTrainStep *self)
{
    GPtrArray *trained = g_ptr_array_new();
    for (guint i = 0; i < self->graph->tensors->len; i++) {
        AditTensor *tensor = self->graph->tensors->pdata[i];
        if (tensor->kind == ADIT_TENSOR_PARAMETER && add_ranges(self, tensor))
            g_ptr_array_add(trained, tensor);
    }
    sort_ranges(self);
    return trained;
}

static void
add_state_updates(AditTrainStep *self, GArray *outputs)
{
    g_autoptr(GHashTable) scopes = list_computed_scopes(self);
    const AditLayout *layout = adit_network_get_layout(self->network);
    for (guint i = 0; i < self->graph->updates->len; i++) {
        const AditStateUpdate *update = &g_array_index(self->graph->updates, AditStateUpdate, i);
        if (!g_hash_table_contains(scopes, update->state->scope))
            continue;
        AditProgramOutput output = {
            .kind = ADIT_OUTPUT_ARENA,
            .tensor = update->value,
            .arena = ADIT_ARENA_STATES,
            .offset = adit_layout_locate(layout, update->state->names[0]),
        };
        g_array_append_val(outputs, output);
    }
}

static gboolean
compile_gradient(AditTrainStep *self, gsize max_rows, GError **error)
{
    const AditLayout *layout = adit_network_get_layout(self->network);
    AditNetworkTensors tensors;
    AditTensor *objective = build_objective(self, &tensors, error);
    if (objective == NULL)
        return FALSE;
    g_autoptr(GArray) outputs = g_array_new(FALSE, FALSE, sizeof(AditProgramOutput));
    AditProgramOutput fixed[] = {
        {.kind = ADIT_OUTPUT_SUM, .tensor = tensors.loss},
        {.kind = ADIT_OUTPUT_SUM, .tensor = tensors.metric},
        {.kind = ADIT_OUTPUT_GUARD, .tensor = objective},
    };
    g_array_append_vals(outputs, fixed, G_N_ELEMENTS(fixed));
    for (guint i = 0; i < self->n_figures; i++) {
        AditProgramOutput output = {.kind = ADIT_OUTPUT_SUM, .tensor = self->figures[i]};
        g_array_append_val(outputs, output);
    }

    g_autoptr(GPtrArray) trained = list_trained(self);
    g_autofree AditTensor **gradients = g_new0(AditTensor *, trained->len + 1);
    adit_gradient(objective, (AditTensor **) trained->pdata, trained->len,
                  self->stage->recompute ? ADIT_GRADIENT_RECOMPUTE : ADIT_GRADIENT_KEEP, gradients);
    for (guint i = 0; i < trained->len; i++) {
        const AditTensor *parameter = trained->pdata[i];
        AditProgramOutput output = {
            .kind = ADIT_OUTPUT_ARENA,
            .tensor = gradients[i],
            .arena = ADIT_ARENA_GRADIENTS,
            .offset = adit_layout_locate(layout, parameter->names[0]),
        };
        g_array_append_val(outputs, output);
    }
    add_state_updates(self, outputs);
    if (adit_graph_get_error(self->graph) != NULL) {
        g_propagate_error(error, g_error_copy(adit_graph_get_error(self->graph)));
        return FALSE;
    }
    self->program = adit_compile(self->graph, layout, NULL, 0, (AditProgramOutput *) outputs->data,
                                 outputs->len, adit_device_get_compile_flags(self->device));
    self->executable =
        adit_device_prepare(self->device, self->program, adit_network_get_memory(self->network),
                            max_rows, self->experiment->seed, error);
    return self->executable != NULL;
}

/* The first piece of the stage's plan. */
static gboolean
make_plan(AditTrainStep *self, GError **error)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();

    self->own = adit_stage_plan_new(self->experiment, self->stage,
                                    adit_network_get_graph(self->network), diagnostics);
    self->first = (AditPart){.plan = self->own};
    self->part = &self->first;
    return !adit_diagnostics_fail(diagnostics, error);
}

AditTrainStep *
adit_train_step_new(const AditExperiment *experiment, const AditStage *stage, AditNetwork *network,
                    const AditPart *part, gsize max_rows, GError **error)
{
    g_autoptr(AditTrainStep) self = g_new0(AditTrainStep, 1);
    self->experiment = experiment;
    self->stage = stage;
    self->network = network;
    self->part = part;
    self->device = adit_network_get_device(network);
    self->ranges = g_array_new(FALSE, FALSE, sizeof(AditUpdateRange));
    adit_cut_init(&self->cut);
    if ((part == NULL && !make_plan(self, error)) || !compile_gradient(self, max_rows, error))
        return NULL;
    self->updater = adit_updater_new(stage, network, self->ranges, error);
    return self->updater != NULL ? g_steal_pointer(&self) : NULL;
}

void
adit_train_step_free(AditTrainStep *self)
{
    adit_executable_free(self->device, self->executable);
    g_clear_pointer(&self->program, adit_program_free);
    g_clear_pointer(&self->graph, adit_graph_unref);
    g_clear_pointer(&self->reached, g_hash_table_unref);
    g_clear_pointer(&self->computed, g_hash_table_unref);
    g_clear_pointer(&self->updater, adit_updater_free);
    g_clear_pointer(&self->own, adit_stage_plan_free);
    adit_cut_clear(&self->cut);
    g_array_unref(self->ranges);
    g_free(self);
}

/**
 * Gradient: one run of a program over rows of data, with what it is given.
 */
typedef struct {
    AditDeviceRun run;
    AditFeed feeds[ADIT_N_FEEDS];
    double *lives;
} Gradient;

/* Rows @first to @first + @rows of the batch. */
static void
gradient_init(Gradient *self, AditProgram *program, AditExecutable *executable,
              const AditBatch *batch, gsize first, gsize rows)
{
    self->lives = adit_lives_new(program, &batch->clock);
    adit_feeds_set(self->feeds, program, batch->split, batch->order, batch->first + first);
    self->run = (AditDeviceRun){.executable = executable,
                                .call = {.step = batch->step,
                                         .update = batch->clock.step + 1,
                                         .rows = rows,
                                         .first_row = first,
                                         .feeds = self->feeds,
                                         .lives = self->lives}};
}

static void
gradient_clear(Gradient *self)
{
    g_free(self->lives);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Gradient, gradient_clear)

static void
accumulate(AditTrainStep *self, const AditBatch *batch)
{
    for (gsize first = 0; first < batch->rows; first += self->stage->micro_batch) {
        gsize rows = MIN(self->stage->micro_batch, batch->rows - first);
        g_auto(Gradient) gradient = {0};
        gradient_init(&gradient, self->program, self->executable, batch, first, rows);
        adit_device_run(self->device, self->executable, &gradient.run.call);
        adit_updater_accumulate(self->updater, batch->step, (double) rows / (double) batch->rows,
                                first == 0);
    }
}

void
adit_train_step_run(AditTrainStep *self, const AditBatch *batch)
{
    g_autoptr(GArray) runs = g_array_new(FALSE, FALSE, sizeof(AditDeviceRun));
    g_auto(Gradient) gradient = {0};
    if (adit_stage_accumulates(self->stage)) {
        accumulate(self, batch);
    } else {
        gradient_init(&gradient, self->program, self->executable, batch, 0, batch->rows);
        g_array_append_val(runs, gradient.run);
    }
    adit_updater_run(self->updater, batch->step, &batch->clock, runs);
}

gboolean
adit_train_step_reads_inputs(const AditTrainStep *self)
{
    for (guint i = 0; i < self->program->feeds->len; i++) {
        if (g_str_equal(((const AditTensor *) self->program->feeds->pdata[i])->name, "inputs"))
            return TRUE;
    }
    return FALSE;
}

void
adit_train_step_add_work(const AditTrainStep *self, gsize rows, AditWork *work)
{
    gsize micro = adit_stage_accumulates(self->stage) ? self->stage->micro_batch : rows;
    for (gsize first = 0; first < rows; first += micro)
        adit_program_add_work(self->program, MIN(micro, rows - first), work);
    adit_updater_add_work(self->updater, (rows + micro - 1) / micro, work);
}

const char *const *
adit_train_step_get_figures(const AditTrainStep *self)
{
    return self->figure_names;
}

void
adit_train_step_read_sums(AditTrainStep *self, double *sums)
{
    adit_executable_read_sums(self->device, self->executable, sums);
}

void
adit_train_step_set_sums(AditTrainStep *self, const double *sums)
{
    adit_executable_set_sums(self->device, self->executable, sums);
}

/* Finding what is not finite. */

static gboolean
is_finite_instance(AditTrainStep *self, AditExecutable *executable, guint output,
                   const AditTensor *tensor, guint instance, gsize rows)
{
    gsize count = adit_shape_count(&tensor->shape) * (tensor->rows ? rows : 1);
    guint instances = 1;
    for (guint i = 0; i < tensor->lead; i++)
        instances *= (guint) tensor->shape.size[i];
    g_autofree double *values = g_new(double, count + 1);
    adit_executable_read_output(self->device, executable, output, values);
    const double *own = values + count / instances * instance;
    for (gsize i = 0; i < count / instances; i++) {
        if (!isfinite(own[i]))
            return FALSE;
    }
    return TRUE;
}

static char *
locate_in(AditTrainStep *self, const GArray *picks, const AditProgram *program,
          AditExecutable *executable, gsize rows)
{
    for (guint i = 0; i < picks->len; i++) {
        const AditPick *pick = &g_array_index(picks, AditPick, i);
        const AditTensor *tensor = g_array_index(program->outputs, AditProgramOutput, i).tensor;
        if (!is_finite_instance(self, executable, i, tensor, pick->instance, rows))
            return g_strdup(pick->address);
    }
    return g_strdup("loss");
}

char *
adit_train_step_locate(AditTrainStep *self, const AditBatch *batch, GError **error)
{
    g_autoptr(GArray) picks = adit_graph_pick(self->graph, "**");
    g_autoptr(GArray) outputs = g_array_new(FALSE, FALSE, sizeof(AditProgramOutput));
    for (guint i = 0; i < picks->len; i++) {
        AditProgramOutput output = {
            .kind = ADIT_OUTPUT_READ,
            .tensor = adit_tensor_unroll(g_array_index(picks, AditPick, i).tensor),
        };
        g_array_append_val(outputs, output);
    }
    g_autoptr(AditProgram) program =
        adit_compile(self->graph, adit_network_get_layout(self->network), NULL, 0,
                     (AditProgramOutput *) outputs->data, outputs->len,
                     adit_device_get_compile_flags(self->device));
    AditExecutable *executable =
        adit_device_prepare(self->device, program, adit_network_get_memory(self->network),
                            batch->rows, self->experiment->seed, error);
    if (executable == NULL)
        return NULL;
    g_auto(Gradient) gradient = {0};
    gradient_init(&gradient, program, executable, batch, 0, batch->rows);
    adit_device_run(self->device, executable, &gradient.run.call);
    g_autofree char *address = locate_in(self, picks, program, executable, batch->rows);
    adit_executable_free(self->device, executable);
    return adit_device_wait(self->device, error) ? g_steal_pointer(&address) : NULL;
}
