/* core/train/adit-kept.c - SPDX-License-Identifier: MIT */
#include "adit-kept.h"

#include "adit-feed.h"
#include "adit-settings.h"

/**
 * Keeping: a program that gives what crosses.
 */
typedef struct {
    AditNetwork *network;
    AditDevice *device;
    AditSplit *split;
    AditGraph *graph;
    AditCut cut;
    AditProgram *program;
    AditExecutable *executable;
} Keeping;

static void
keeping_clear(Keeping *self)
{
    adit_executable_free(self->device, self->executable);
    g_clear_pointer(&self->program, adit_program_free);
    g_clear_pointer(&self->graph, adit_graph_unref);
    adit_cut_clear(&self->cut);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Keeping, keeping_clear)

/* Numbers of a row in all tensors that cross. */
static gsize
count_numbers(const Keeping *self)
{
    gsize count = 0;

    for (guint i = 0; i < self->cut.crossing->len; i++)
        count += adit_shape_count(adit_tensor_get_shape(self->cut.crossing->pdata[i]));
    return count;
}

static gboolean
can_keep(const Keeping *self, double memory)
{
    const AditExperiment *experiment = adit_network_get_experiment(self->network);
    AditDataset *dataset = experiment->datasets->pdata[0];
    double bytes = (double) count_numbers(self) * (double) self->split->rows * sizeof(float);

    return adit_dataset_get_settings(dataset)->augment == NULL && bytes <= memory &&
           self->cut.crossing->len > 0 && self->cut.crossing->len <= ADIT_SPLIT_MAX_KEPT;
}

static gboolean
prepare(Keeping *self, gsize batch, GError **error)
{
    AditProgramOutput outputs[ADIT_SPLIT_MAX_KEPT] = {0};
    guint n = self->cut.crossing->len;

    for (guint i = 0; i < n; i++) {
        AditTensor *tensor = self->cut.crossing->pdata[i];

        outputs[i] = (AditProgramOutput){.kind = ADIT_OUTPUT_READ, .tensor = tensor};
        self->split->kept[i] = adit_array_new(ADIT_TYPE_CODE_F32, adit_tensor_get_shape(tensor),
                                              self->split->rows, error);
        if (self->split->kept[i] == NULL)
            return FALSE;
    }
    self->program = adit_compile(self->graph, adit_network_get_layout(self->network), NULL, 0,
                                 outputs, n, adit_device_get_compile_flags(self->device));
    self->executable =
        adit_device_prepare(self->device, self->program, adit_network_get_memory(self->network),
                            batch, adit_network_get_experiment(self->network)->seed, error);
    return self->executable != NULL;
}

static void
take(Keeping *self, gsize first, gsize rows, double *values)
{
    for (guint i = 0; i < self->cut.crossing->len; i++) {
        AditArray *kept = self->split->kept[i];
        gsize count = adit_shape_count(&kept->shape);
        float *out = (float *) kept->data + first * count;

        adit_executable_read_output(self->device, self->executable, i, values);
        for (gsize j = 0; j < rows * count; j++)
            out[j] = (float) values[j];
    }
}

static gboolean
run(Keeping *self, const AditEvaluationSetup *setup, gsize batch, GError **error)
{
    const AditSplit *split = self->split;
    g_autofree double *values = g_new(double, batch *count_numbers(self) + 1);
    g_autofree double *lives = adit_lives_new(self->program, NULL);

    for (gsize first = 0; first < split->rows; first += batch) {
        AditFeed feeds[ADIT_N_FEEDS];

        if (setup->func != NULL && !setup->func(first, split->rows, setup->user_data, error))
            return FALSE;
        adit_feeds_set(feeds, self->program, split, NULL, first);
        AditCall call = {.rows = MIN(batch, split->rows - first), .feeds = feeds, .lives = lives};

        adit_device_run(self->device, self->executable, &call);
        take(self, first, call.rows, values);
        if (!adit_device_wait(self->device, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
adit_kept_make(const AditStagePlan *plan, guint piece, AditNetwork *network, AditSplit *split,
               const AditEvaluationSetup *setup, gboolean *made, GError **error)
{
    g_auto(Keeping)
        self = {.network = network, .device = adit_network_get_device(network), .split = split};
    AditNetworkUse use = {.cut = &self.cut};
    AditNetworkTensors tensors;
    gsize batch = MIN(setup->batch, split->rows);
    double memory = adit_plan_get(plan->plan, piece)->cache;

    *made = FALSE;
    adit_cut_init(&self.cut);
    adit_stage_plan_cut(plan, piece, &self.cut);
    if (memory <= 0 || self.cut.frozen == NULL)
        return TRUE;
    self.cut.settled = FALSE; /* all of it is built for evaluation */
    self.graph = adit_network_build(adit_network_get_experiment(network), ADIT_MODE_EVALUATION,
                                    adit_network_get_shape(network), &use, &tensors);
    if (!can_keep(&self, memory))
        return TRUE;
    *made = prepare(&self, batch, error) && run(&self, setup, batch, error);
    return *made;
}
