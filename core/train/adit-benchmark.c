/* core/train/adit-benchmark.c - SPDX-License-Identifier: MIT */
#include "adit-benchmark.h"

#include "adit-train-step.h"
#include "adit-updater.h"

#include <stdlib.h>
#include <time.h>

/* Steps that are run and not timed: the first of a kind make what later ones find. */
#define WARM_UP 2

typedef struct {
    const AditExperiment *experiment;
    const AditStage *stage;
    const AditData *data;
    AditDevice *device;
    AditNetwork *network;
    AditTrainStep *step;
    AditPermutation order; /* of the epoch under way */
    gsize rows;            /* of a batch */
    guint64 steps_per_epoch;
    guint64 done;
} Bench;

static double
seconds_since(gint64 begin)
{
    return 1e-6 * (double) (g_get_monotonic_time() - begin);
}

/* Time that this process's threads have had a core for. */
static double
get_processor_seconds(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double) time.tv_sec + 1e-9 * (double) time.tv_nsec;
}

/* ---- a stage ready to be trained ---- */

static void
clear(Bench *self)
{
    g_clear_pointer(&self->step, adit_train_step_free);
    g_clear_pointer(&self->network, adit_network_free);
    self->done = 0;
}

static gboolean
make(Bench *self, GError **error)
{
    const AditData *data = self->data;
    AditNetworkShape shape = {data->input_shape, data->target_shape, data->classes};

    self->network = adit_network_new(self->experiment, &shape, self->stage->loss, self->device,
                                     adit_experiment_count_slots(self->experiment), error);
    if (self->network == NULL)
        return FALSE;
    adit_network_initialize(self->network, self->experiment->seed);
    self->step =
        adit_train_step_new(self->experiment, self->stage, self->network, NULL, self->rows, error);
    return self->step != NULL;
}

/* ---- steps ---- */

/* Full batches alone, whatever the data leaves over. */
static void
run_step(Bench *self)
{
    const AditSplit *split = &self->data->train;
    guint64 position = self->done % self->steps_per_epoch;
    guint64 steps = MAX(self->stage->epochs * self->steps_per_epoch, 1);

    if (position == 0) {
        g_autofree char *stream =
            g_strdup_printf("order.0.%" G_GUINT64_FORMAT, self->done / self->steps_per_epoch);

        adit_permutation_init(&self->order, self->experiment->seed, stream, split->rows);
    }
    AditBatch batch = {.split = split,
                       .order = self->stage->shuffle ? &self->order : NULL,
                       .first = position * self->rows,
                       .rows = self->rows,
                       .step = self->done,
                       .clock = {.step = MIN(self->done, steps - 1),
                                 .steps = steps,
                                 .steps_per_epoch = self->steps_per_epoch}};

    adit_train_step_run(self->step, &batch);
    self->done++;
}

/* A step after a loss that is not finite does nothing, in no time. */
static gboolean
settle(Bench *self, GError **error)
{
    guint64 failed;

    if (!adit_device_wait(self->device, error))
        return FALSE;
    if (adit_memory_is_finite(self->device, adit_network_get_memory(self->network), &failed))
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_NUMERIC,
                "the loss is not finite at step %" G_GUINT64_FORMAT
                ": what follows it cannot be timed",
                failed + 1);
    return FALSE;
}

static gboolean
begin(Bench *self, double *make_seconds, double *first_seconds, GError **error)
{
    gint64 now = g_get_monotonic_time();

    if (!make(self, error))
        return FALSE;
    *make_seconds = seconds_since(now);
    now = g_get_monotonic_time();
    run_step(self);
    if (!settle(self, error))
        return FALSE;
    *first_seconds = seconds_since(now);
    return TRUE;
}

/* Mean time of a step; what is queued when the time is up is waited for. */
static gboolean
run_round(Bench *self, double seconds, double *mean, GError **error)
{
    gint64 now = g_get_monotonic_time();
    guint64 before = self->done;

    do {
        run_step(self);
    } while (seconds_since(now) < seconds);
    if (!settle(self, error))
        return FALSE;
    *mean = seconds_since(now) / (double) (self->done - before);
    return TRUE;
}

static int
compare(const void *a, const void *b)
{
    const double *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

static gboolean
run_rounds(Bench *self, double seconds, AditBenchmark *result, GError **error)
{
    AditDeviceCounts before, after;

    for (guint i = 0; i < WARM_UP; i++)
        run_step(self);
    if (!settle(self, error))
        return FALSE;
    guint64 done = self->done;
    gint64 now = g_get_monotonic_time();
    double processor = get_processor_seconds();

    adit_device_count(self->device, &before);
    for (guint i = 0; i < ADIT_BENCHMARK_ROUNDS; i++) {
        if (!run_round(self, seconds, &result->rounds[i], error))
            return FALSE;
    }
    adit_device_count(self->device, &after);
    qsort(result->rounds, ADIT_BENCHMARK_ROUNDS, sizeof *result->rounds, compare);
    result->processor = (get_processor_seconds() - processor) / seconds_since(now);
    result->steps = self->done - done;
    result->calls = (after.calls - before.calls) / result->steps;
    result->held = after.bytes;
    return TRUE;
}

/* ---- what is known without running ---- */

/* Bytes of a row as the data holds it. */
static gsize
count_row(const AditArray *array)
{
    return array != NULL ? adit_shape_count(&array->shape) * adit_type_code_get_size(array->type)
                         : 0;
}

/* Without what lies between them in the arena. */
static guint64
count_parameters(const AditLayout *layout)
{
    guint64 count = 0;

    for (guint i = 0; i < layout->slots->len; i++) {
        const AditSlot *slot = layout->slots->pdata[i];

        if (!slot->is_state)
            count += slot->n * adit_shape_count(&slot->shape);
    }
    return count;
}

static void
count_work(const Bench *self, AditBenchmark *result)
{
    const AditSplit *split = &self->data->train;
    guint64 slots = adit_stage_count_slots(self->stage);
    guint64 row = count_row(split->inputs) + count_row(split->targets);
    AditWork work = {0};

    adit_train_step_add_work(self->step, self->rows, &work);
    result->rows = self->rows;
    result->parameters = count_parameters(adit_network_get_layout(self->network));
    result->flop = 2 * work.multiply_adds;
    result->planned = work.bytes;
    result->compulsory = 2 * (1 + slots) * result->parameters * sizeof(float) + self->rows * row;
}

static gboolean
run(Bench *self, double seconds, AditBenchmark *result, GError **error)
{
    if (!begin(self, &result->make, &result->first, error) ||
        !run_rounds(self, seconds, result, error))
        return FALSE;
    count_work(self, result);
    clear(self);
    return begin(self, &result->make_again, &result->first_again, error);
}

gboolean
adit_benchmark_run(const AditExperiment *experiment, GPtrArray *data, AditDevice *device,
                   double seconds, AditBenchmark *result, GError **error)
{
    g_return_val_if_fail(experiment->stages->len > 0 && data->len > 0, FALSE);

    const AditStage *stage = experiment->stages->pdata[0];
    Bench self = {.experiment = experiment, .stage = stage, .device = device};

    *result = (AditBenchmark){0};
    self.data = adit_stage_find_data(stage, data);
    self.rows = adit_stage_count_batch(stage, self.data->train.rows);
    self.steps_per_epoch = self.data->train.rows / self.rows;
    gboolean good = run(&self, seconds, result, error);

    clear(&self);
    return good;
}
