/* core/train/adit-updater.c - SPDX-License-Identifier: MIT */
#include "adit-updater.h"

#include <adit/adit-ops.h>

#include "adit-feed.h"
#include "adit-graph-private.h"

#include <math.h>

/**
 * Part: one program over the elements of arenas.
 */
typedef struct {
    AditProgram *program;
    AditExecutable *executable;
} Part;

struct _AditUpdater {
    const AditStage *stage;
    AditNetwork *network;
    const GArray *ranges;
    guint n_slots;
    AditArena arena; /* where the gradient that counts lies, and its offset */
    gsize offset;

    Part accumulation;
    Part masking;
    Part clipping;
    Part update;
    AditLive *share;
    AditLive *keep;
    AditLive *factor;
    double **lives; /* of each range's update */
};

guint
adit_stage_count_slots(const AditStage *stage)
{
    AditOptimizerClass *klass = ADIT_OPTIMIZER_GET_CLASS(stage->optimizer);
    return klass->count_slots != NULL ? klass->count_slots(stage->optimizer) : 0;
}

gboolean
adit_stage_accumulates(const AditStage *stage)
{
    return stage->micro_batch > 0;
}

guint
adit_experiment_count_slots(const AditExperiment *experiment)
{
    guint n_slots = 0;
    for (guint i = 0; i < experiment->stages->len; i++) {
        const AditStage *stage = experiment->stages->pdata[i];
        n_slots =
            MAX(n_slots, adit_stage_count_slots(stage) + (adit_stage_accumulates(stage) ? 1 : 0));
    }
    return n_slots;
}

gsize
adit_stage_count_batch(const AditStage *stage, gsize rows)
{
    double count = stage->batch.unit == ADIT_UNIT_PERCENT ? stage->batch.value * (double) rows
                                                          : stage->batch.value;
    return (gsize) CLAMP(count, 1.0, (double) rows);
}

const AditData *
adit_stage_find_data(const AditStage *stage, GPtrArray *data)
{
    for (guint i = 0; stage->data != NULL && i < data->len; i++) {
        const AditData *each = data->pdata[i];
        if (g_str_equal(each->name, stage->data))
            return each;
    }
    return data->pdata[0];
}

static AditProgramInput
make_input(AditGraph *graph, const char *name, AditArena arena, gsize offset)
{
    return (AditProgramInput){
        .tensor = adit_input(graph, name, &ADIT_SCALAR, 0), .arena = arena, .offset = offset};
}

static gboolean
prepare(AditUpdater *self, Part *part, AditGraph *graph, const AditProgramInput *inputs,
        guint n_inputs, const AditProgramOutput *outputs, guint n_outputs, gsize rows,
        GError **error)
{
    if (adit_graph_get_error(graph) != NULL) {
        g_propagate_error(error, g_error_copy(adit_graph_get_error(graph)));
        return FALSE;
    }
    AditDevice *device = adit_network_get_device(self->network);

    part->program = adit_compile(graph, adit_network_get_layout(self->network), inputs, n_inputs,
                                 outputs, n_outputs, adit_device_get_compile_flags(device));
    part->executable = adit_device_prepare(
        device, part->program, adit_network_get_memory(self->network), MAX(rows, 1), 0, error);
    return part->executable != NULL;
}

/* sum <- keep sum + share gradient */
static gboolean
prepare_accumulation(AditUpdater *self, GError **error)
{
    gsize n = adit_network_get_layout(self->network)->n_parameters;
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditProgramInput inputs[] = {
        make_input(graph, "sum", ADIT_ARENA_OPTIMIZER, self->n_slots * n),
        make_input(graph, "gradient", ADIT_ARENA_GRADIENTS, 0),
    };
    AditTensor *sum = adit_mul((AditTensor *) inputs[0].tensor, adit_live(graph, self->keep));
    AditTensor *part = adit_mul((AditTensor *) inputs[1].tensor, adit_live(graph, self->share));
    AditProgramOutput output = {.kind = ADIT_OUTPUT_ARENA,
                                .tensor = adit_add(sum, part),
                                .arena = ADIT_ARENA_OPTIMIZER,
                                .offset = self->n_slots * n};
    self->arena = ADIT_ARENA_OPTIMIZER;
    self->offset = self->n_slots * n;
    return prepare(self, &self->accumulation, graph, inputs, G_N_ELEMENTS(inputs), &output, 1, n,
                   error);
}

/* gradient <- 0 gradient, of what is frozen: its norm is not clipped. Instances of a loop that are
 * frozen have a gradient like the others; parameters of which nothing is trained keep that of the
 * stage before. */
static gboolean
prepare_masking(AditUpdater *self, GError **error)
{
    gsize longest = 0;
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditProgramInput input = make_input(graph, "gradient", self->arena, self->offset);
    AditProgramOutput output = {.kind = ADIT_OUTPUT_ARENA,
                                .tensor = adit_scale((AditTensor *) input.tensor, 0),
                                .arena = self->arena,
                                .offset = self->offset};
    for (guint i = 0; i < self->ranges->len; i++) {
        const AditUpdateRange *range = &g_array_index(self->ranges, AditUpdateRange, i);
        if (range->factor == 0)
            longest = MAX(longest, range->end - range->begin);
    }
    return longest == 0 ||
           prepare(self, &self->masking, graph, &input, 1, &output, 1, longest, error);
}

/* gradient <- gradient min(1, clip / norm): Pascanu, Mikolov and Bengio 2013, algorithm 1. */
static gboolean
prepare_clipping(AditUpdater *self, GError **error)
{
    gsize n = adit_network_get_layout(self->network)->n_parameters;
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditProgramInput input = make_input(graph, "gradient", self->arena, self->offset);
    AditTensor *gradient = (AditTensor *) input.tensor;
    AditTensor *limit = adit_constant(graph, self->stage->clip);
    AditTensor *norm = adit_sqrt(adit_reduce_rows(adit_square(gradient), ADIT_REDUCE_SUM));
    AditTensor *factor = adit_div(limit, adit_max(norm, limit));
    AditProgramOutput output = {.kind = ADIT_OUTPUT_ARENA,
                                .tensor = adit_mul(gradient, factor),
                                .arena = ADIT_ARENA_GRADIENTS};
    self->arena = ADIT_ARENA_GRADIENTS;
    self->offset = 0;
    return prepare(self, &self->clipping, graph, &input, 1, &output, 1, n, error);
}

static gboolean
prepare_update(AditUpdater *self, GError **error)
{
    gsize n = adit_network_get_layout(self->network)->n_parameters, longest = 0;
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditProgramInput inputs[ADIT_MAX_SLOTS + 2] = {
        make_input(graph, "value", ADIT_ARENA_PARAMETERS, 0),
        make_input(graph, "gradient", self->arena, self->offset),
    };
    AditProgramOutput outputs[ADIT_MAX_SLOTS + 1];
    AditUpdate update = {.value = (AditTensor *) inputs[0].tensor,
                         .gradient = (AditTensor *) inputs[1].tensor,
                         .factor = adit_live(graph, self->factor),
                         .step = adit_step(graph)};
    for (guint i = 0; i < self->n_slots; i++) {
        inputs[2 + i] = make_input(graph, "slot", ADIT_ARENA_OPTIMIZER, i * n);
        update.slots[i] = (AditTensor *) inputs[2 + i].tensor;
    }
    adit_graph_enter_component(graph, self->stage->optimizer);
    ADIT_OPTIMIZER_GET_CLASS(self->stage->optimizer)
        ->update(self->stage->optimizer, graph, &update);
    adit_graph_leave_component(graph);

    outputs[0] = (AditProgramOutput){
        .kind = ADIT_OUTPUT_ARENA, .tensor = update.value, .arena = ADIT_ARENA_PARAMETERS};
    for (guint i = 0; i < self->n_slots; i++)
        outputs[1 + i] = (AditProgramOutput){.kind = ADIT_OUTPUT_ARENA,
                                             .tensor = update.slots[i],
                                             .arena = ADIT_ARENA_OPTIMIZER,
                                             .offset = i * n};
    for (guint i = 0; i < self->ranges->len; i++) {
        const AditUpdateRange *range = &g_array_index(self->ranges, AditUpdateRange, i);
        longest = MAX(longest, range->end - range->begin);
    }
    return prepare(self, &self->update, graph, inputs, 2 + self->n_slots, outputs,
                   1 + self->n_slots, longest, error);
}

AditUpdater *
adit_updater_new(const AditStage *stage, AditNetwork *network, const GArray *ranges, GError **error)
{
    g_autoptr(AditUpdater) self = g_new0(AditUpdater, 1);
    self->stage = stage;
    self->network = network;
    self->ranges = ranges;
    self->n_slots = adit_stage_count_slots(stage);
    self->arena = ADIT_ARENA_GRADIENTS;
    self->share = adit_live_new(1);
    self->keep = adit_live_new(0);
    self->factor = adit_live_new(1);
    self->lives = g_new0(double *, ranges->len + 1);
    if (adit_stage_accumulates(stage) && !prepare_accumulation(self, error))
        return NULL;
    if (stage->clip > 0 && (!prepare_masking(self, error) || !prepare_clipping(self, error)))
        return NULL;
    return prepare_update(self, error) ? g_steal_pointer(&self) : NULL;
}

void
adit_updater_free(AditUpdater *self)
{
    Part *parts[] = {&self->accumulation, &self->masking, &self->clipping, &self->update};
    for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
        adit_executable_free(adit_network_get_device(self->network), parts[i]->executable);
        g_clear_pointer(&parts[i]->program, adit_program_free);
    }
    for (guint i = 0; i < self->ranges->len; i++)
        g_free(self->lives[i]);
    g_free(self->lives);
    adit_live_unref(self->share);
    adit_live_unref(self->keep);
    adit_live_unref(self->factor);
    g_free(self);
}

static void
set_live(const Part *part, double *lives, AditLive *live, double value)
{
    guint index;
    if (g_ptr_array_find(part->program->lives, live, &index))
        lives[index] = value;
}

static void
run(AditUpdater *self, const Part *part, const double *lives, guint64 step, const AditClock *clock,
    gsize begin, gsize end)
{
    AditCall call = {.step = step,
                     .update = clock != NULL ? clock->step + 1 : 0,
                     .rows = end - begin,
                     .first_row = begin,
                     .lives = lives};
    if (end > begin)
        adit_device_run(adit_network_get_device(self->network), part->executable, &call);
}

void
adit_updater_accumulate(AditUpdater *self, guint64 step, double share, gboolean first)
{
    g_autofree double *lives = adit_lives_new(self->accumulation.program, NULL);
    set_live(&self->accumulation, lives, self->share, share);
    set_live(&self->accumulation, lives, self->keep, first ? 0 : 1);
    run(self, &self->accumulation, lives, step, NULL, 0,
        adit_network_get_layout(self->network)->n_parameters);
}

/* Brock et al. 2017, "FreezeOut", section 3: lr(t) = lr(0)/2 (1 + cos(pi t / t_i)); equation 10 of
 * the survey. */
static double
get_factor(const AditUpdateRange *range, const AditClock *clock)
{
    double end = range->until * (double) clock->steps;

    if (range->until <= 0)
        return range->factor;
    return range->factor * 0.5 * (1 + cos(G_PI * MIN((double) clock->step / end, 1)));
}

/* The update of a range, behind what runs before it. */
static void
add_run(AditUpdater *self, guint number, guint64 step, const AditClock *clock, GArray *runs)
{
    const AditUpdateRange *range = &g_array_index(self->ranges, AditUpdateRange, number);
    AditDeviceRun run = {.executable = self->update.executable,
                         .call = {.step = step,
                                  .update = clock->step + 1,
                                  .rows = range->end - range->begin,
                                  .first_row = range->begin}};

    if (range->factor == 0 || range->end == range->begin)
        return;
    g_free(self->lives[number]);
    self->lives[number] = adit_lives_new(self->update.program, clock);
    set_live(&self->update, self->lives[number], self->factor, get_factor(range, clock));
    run.call.lives = self->lives[number];
    g_array_append_val(runs, run);
}

void
adit_updater_run(AditUpdater *self, guint64 step, const AditClock *clock, GArray *runs)
{
    const AditDeviceRun *first = (const AditDeviceRun *) runs->data;
    AditDevice *device = adit_network_get_device(self->network);

    if (self->masking.executable != NULL || self->clipping.executable != NULL) {
        adit_device_run_all(device, first, runs->len);
        g_array_set_size(runs, 0);
    }
    for (guint i = 0; self->masking.executable != NULL && i < self->ranges->len; i++) {
        const AditUpdateRange *range = &g_array_index(self->ranges, AditUpdateRange, i);
        if (range->factor == 0)
            run(self, &self->masking, NULL, step, clock, range->begin, range->end);
    }
    if (self->clipping.executable != NULL)
        run(self, &self->clipping, NULL, step, clock, 0,
            adit_network_get_layout(self->network)->n_parameters);
    for (guint i = 0; i < self->ranges->len; i++)
        add_run(self, i, step, clock, runs);
    adit_device_run_all(device, (const AditDeviceRun *) runs->data, runs->len);
}

void
adit_updater_add_work(const AditUpdater *self, gsize n_micro, AditWork *work)
{
    gsize n = adit_network_get_layout(self->network)->n_parameters;
    for (gsize i = 0; self->accumulation.program != NULL && i < n_micro; i++)
        adit_program_add_work(self->accumulation.program, n, work);
    if (self->clipping.program != NULL)
        adit_program_add_work(self->clipping.program, n, work);
    for (guint i = 0; i < self->ranges->len; i++) {
        const AditUpdateRange *range = &g_array_index(self->ranges, AditUpdateRange, i);
        const Part *part = range->factor == 0 ? &self->masking : &self->update;
        if (part->program != NULL)
            adit_program_add_work(part->program, range->end - range->begin, work);
    }
}
