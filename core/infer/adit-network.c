/* core/infer/adit-network.c - SPDX-License-Identifier: MIT */
#include "adit-network.h"

#include "adit-feed.h"
#include "adit-outcome.h"
#include "adit-plan.h"
#include "adit-selection.h"

#include <string.h>

struct _AditNetwork {
    const AditExperiment *experiment;
    AditDevice *device;
    AditNetworkShape shape;
    AditLoss *loss;
    guint n_slots;

    AditGraph *graph;
    AditNetworkTensors tensors;
    AditGraph *judged; /* the same with loss and metric of the answer that is evaluated */
    AditNetworkTensors answer;
    AditLayout *layout;
    AditMemory *memory;

    AditProgram *program; /* evaluation: sums of loss and metric */
    AditExecutable *executable;
    gsize executable_rows;
};

static AditGraph *
build_use(AditNetwork *self, const AditNetworkUse *use, AditNetworkTensors *tensors, GError **error)
{
    g_autoptr(AditGraph) graph =
        adit_network_build(self->experiment, ADIT_MODE_EVALUATION, &self->shape, use, tensors);
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();

    adit_network_diagnose(graph, diagnostics);
    return adit_diagnostics_fail(diagnostics, error) ? NULL : g_steal_pointer(&graph);
}

/* Builds the network for evaluation by @loss in place of what was there. */
static gboolean
build(AditNetwork *self, AditLoss *loss, GError **error)
{
    AditNetworkTensors tensors;
    AditGraph *graph = build_use(self, &(AditNetworkUse){.loss = loss}, &tensors, error);

    if (graph == NULL)
        return FALSE;
    g_clear_pointer(&self->graph, adit_graph_unref);
    self->graph = graph;
    self->tensors = tensors;
    g_set_object(&self->loss, loss);
    return TRUE;
}

static gboolean
build_outcome(AditNetwork *self, const AditOutcome *outcome, const char *end, GError **error)
{
    AditCut cut = {.end = end, .alone = adit_outcome_is_mixture(outcome)};
    AditNetworkUse use = {.loss = self->loss, .outcome = *outcome, .cut = &cut};

    g_clear_pointer(&self->judged, adit_graph_unref);
    if (outcome->kind == ADIT_OUTCOME_LAST) {
        self->judged = adit_graph_ref(self->graph);
        self->answer = self->tensors;
        return TRUE;
    }
    self->judged = build_use(self, &use, &self->answer, error);
    if (self->judged == NULL)
        return FALSE;
    adit_graph_set_cut(self->judged, NULL);
    return TRUE;
}

AditNetwork *
adit_network_new(const AditExperiment *experiment, const AditNetworkShape *shape, AditLoss *loss,
                 AditDevice *device, guint n_slots, GError **error)
{
    g_autoptr(AditNetwork) self = g_new0(AditNetwork, 1);
    self->experiment = experiment;
    self->device = g_object_ref(device);
    self->shape = *shape;
    self->n_slots = n_slots;
    if (!build(self, loss, error))
        return NULL;
    AditOutcome outcome = adit_outcome_find(experiment, adit_graph_count_exits(self->graph));

    if (!build_outcome(self, &outcome, NULL, error))
        return NULL;
    self->layout = adit_layout_new(self->graph);
    self->memory = adit_device_allocate(device, self->layout, n_slots, error);
    if (self->memory == NULL)
        return NULL;
    return g_steal_pointer(&self);
}

static void
drop_program(AditNetwork *self)
{
    adit_executable_free(self->device, g_steal_pointer(&self->executable));
    g_clear_pointer(&self->program, adit_program_free);
}

gboolean
adit_network_set_loss(AditNetwork *self, AditLoss *loss, const AditOutcome *outcome,
                      const char *end, GError **error)
{
    drop_program(self);
    return (loss == self->loss || build(self, loss, error)) &&
           build_outcome(self, outcome, end, error);
}

void
adit_network_free(AditNetwork *self)
{
    drop_program(self);
    adit_memory_free(self->device, self->memory);
    g_clear_pointer(&self->layout, adit_layout_unref);
    g_clear_pointer(&self->graph, adit_graph_unref);
    g_clear_pointer(&self->judged, adit_graph_unref);
    g_clear_object(&self->loss);
    g_clear_object(&self->device);
    g_free(self);
}

/* So many numbers at least are handed to the device at a time. */
#define CHUNK 65536

/* Parameters, or states, as they start: little by little, as each is eight bytes on the way. */
static void
initialize(AditNetwork *self, guint64 seed, gboolean states)
{
    g_autoptr(GArray) values = g_array_new(FALSE, TRUE, sizeof(double));
    gsize begin = 0;

    for (guint i = 0; i < self->layout->slots->len; i++) {
        const AditSlot *slot = self->layout->slots->pdata[i];

        if (slot->is_state != states)
            continue;
        g_array_set_size(values,
                         (guint) (slot->offset - begin + slot->n * adit_shape_count(&slot->shape)));
        adit_slot_initialize(slot, seed, &g_array_index(values, double, slot->offset - begin));
        if (values->len < CHUNK)
            continue;
        adit_memory_write(self->device, self->memory,
                          states ? ADIT_ARENA_STATES : ADIT_ARENA_PARAMETERS, begin, values->len,
                          (const double *) (gpointer) values->data);
        begin += values->len;
        g_array_set_size(values, 0);
    }
    adit_memory_write(self->device, self->memory,
                      states ? ADIT_ARENA_STATES : ADIT_ARENA_PARAMETERS, begin, values->len,
                      (const double *) (gpointer) values->data);
}

void
adit_network_initialize(AditNetwork *self, guint64 seed)
{
    initialize(self, seed, FALSE);
    initialize(self, seed, TRUE);
}

void
adit_network_clear_slots(AditNetwork *self)
{
    gsize count = self->n_slots * self->layout->n_parameters;
    g_autofree double *zeros = g_new0(double, CHUNK);

    for (gsize i = 0; i < count; i += CHUNK)
        adit_memory_write(self->device, self->memory, ADIT_ARENA_OPTIMIZER, i,
                          MIN(count - i, CHUNK), zeros);
}

const AditLayout *
adit_network_get_layout(const AditNetwork *self)
{
    return self->layout;
}

AditMemory *
adit_network_get_memory(const AditNetwork *self)
{
    return self->memory;
}

AditDevice *
adit_network_get_device(const AditNetwork *self)
{
    return self->device;
}

const AditNetworkShape *
adit_network_get_shape(const AditNetwork *self)
{
    return &self->shape;
}

const AditExperiment *
adit_network_get_experiment(const AditNetwork *self)
{
    return self->experiment;
}

AditLoss *
adit_network_get_loss(const AditNetwork *self)
{
    return self->loss;
}

AditGraph *
adit_network_get_graph(const AditNetwork *self)
{
    return self->graph;
}

AditGraph *
adit_network_copy_graph(const AditNetwork *self, AditNetworkTensors *tensors)
{
    return adit_network_build(self->experiment, ADIT_MODE_EVALUATION, &self->shape,
                              &(AditNetworkUse){.loss = self->loss}, tensors);
}

/* Evaluation. */

static gboolean
ensure_evaluation(AditNetwork *self, gsize batch, GError **error)
{
    if (self->executable != NULL && self->executable_rows >= batch)
        return TRUE;
    drop_program(self);
    AditProgramOutput outputs[] = {
        {.kind = ADIT_OUTPUT_SUM, .tensor = self->answer.loss},
        {.kind = ADIT_OUTPUT_SUM, .tensor = self->answer.metric},
    };
    self->program =
        adit_compile(self->judged, self->layout, NULL, 0, outputs, G_N_ELEMENTS(outputs),
                     adit_device_get_compile_flags(self->device));
    self->executable = adit_device_prepare(self->device, self->program, self->memory, batch,
                                           self->experiment->seed, error);
    self->executable_rows = batch;
    return self->executable != NULL;
}

gboolean
adit_network_evaluate_part(AditNetwork *self, const AditSplit *split,
                           const AditEvaluationSetup *setup, AditScores *scores, GError **error)
{
    gsize rows = setup->rows, batch = MIN(setup->batch, rows);
    g_return_val_if_fail(self->loss != NULL && rows > 0 && rows <= split->rows, FALSE);
    if (!ensure_evaluation(self, batch, error))
        return FALSE;
    g_autofree double *lives = adit_lives_new(self->program, NULL);
    double sums[2] = {0, 0};
    gboolean goes_on = TRUE;
    adit_executable_set_sums(self->device, self->executable, sums);
    for (gsize first = 0; first < rows; first += batch) {
        AditFeed feeds[ADIT_N_FEEDS];
        goes_on = setup->func == NULL || setup->func(first, rows, setup->user_data, error);
        if (!goes_on)
            break;
        adit_feeds_set(feeds, self->program, split, setup->order, first);
        AditCall call = {.rows = MIN(batch, rows - first), .feeds = feeds, .lives = lives};
        adit_device_run(self->device, self->executable, &call);
    }
    adit_executable_read_sums(self->device, self->executable, sums);
    if (!adit_device_wait(self->device, goes_on ? error : NULL) || !goes_on)
        return FALSE;
    *scores = (AditScores){
        .rows = rows, .loss = sums[0] / (double) rows, .metric = sums[1] / (double) rows};
    return TRUE;
}

gboolean
adit_network_evaluate(AditNetwork *self, const AditSplit *split, gsize batch, AditScores *scores,
                      GError **error)
{
    AditEvaluationSetup setup = {.rows = split->rows, .batch = batch};
    return adit_network_evaluate_part(self, split, &setup, scores, error);
}

/* Prediction. */

static gboolean
predict_batches(AditNetwork *self, const AditProgram *program, AditExecutable *executable,
                const AditSplit *split, gsize batch, AditPredictionFunc func, gpointer user_data,
                GError **error)
{
    const AditTensor *logits = g_array_index(program->outputs, AditProgramOutput, 0).tensor;
    const AditTensor *predicted = g_array_index(program->outputs, AditProgramOutput, 1).tensor;
    gsize width = adit_shape_count(&logits->shape);
    g_autofree double *outputs = g_new(double, batch *width);
    g_autofree double *predictions = g_new(double, batch *adit_shape_count(&predicted->shape));
    g_autofree double *lives = adit_lives_new(program, NULL);
    for (gsize first = 0; first < split->rows; first += batch) {
        AditFeed feeds[ADIT_N_FEEDS];
        adit_feeds_set(feeds, program, split, NULL, first);
        AditCall call = {.rows = MIN(batch, split->rows - first), .feeds = feeds, .lives = lives};
        adit_device_run(self->device, executable, &call);
        adit_executable_read_output(self->device, executable, 0, outputs);
        adit_executable_read_output(self->device, executable, 1, predictions);
        if (!adit_device_wait(self->device, error) ||
            !func(first, call.rows, width, outputs, predictions, user_data, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
adit_network_predict(AditNetwork *self, const AditSplit *split, gsize batch,
                     AditPredictionFunc func, gpointer user_data, GError **error)
{
    AditTensor *predicted = self->answer.logits;
    batch = MAX(MIN(batch, split->rows), 1);
    if (self->loss != NULL && ADIT_LOSS_GET_CLASS(self->loss)->predict != NULL)
        predicted = ADIT_LOSS_GET_CLASS(self->loss)->predict(self->loss, self->judged, predicted);
    AditProgramOutput outputs[] = {
        {.kind = ADIT_OUTPUT_READ, .tensor = self->answer.logits},
        {.kind = ADIT_OUTPUT_READ, .tensor = predicted},
    };
    g_autoptr(AditProgram) program =
        adit_compile(self->judged, self->layout, NULL, 0, outputs, G_N_ELEMENTS(outputs),
                     adit_device_get_compile_flags(self->device));
    AditExecutable *executable = adit_device_prepare(self->device, program, self->memory, batch,
                                                     self->experiment->seed, error);
    if (executable == NULL)
        return FALSE;
    gboolean done =
        predict_batches(self, program, executable, split, batch, func, user_data, error);
    adit_executable_free(self->device, executable);
    return done;
}
