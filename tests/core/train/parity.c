/* tests/core/train/parity.c - SPDX-License-Identifier: MIT */
#include "parity.h"

#include "adit-course.h"
#include "adit-train-step.h"
#include "adit-updater.h"
#include "rig.h"

#include <math.h>
#include <stdlib.h>

/* ---- one step ---- */

/**
 * Side: the network on one device.
 * @loss: mean over the batch of the last step, @gradient: of all parameters
 */
typedef struct {
    AditDevice *device;
    AditNetwork *network;
    AditTrainStep *step;
    gsize n;
    double loss;
    double *gradient;
} Side;

/* @device: taken */
static void
side_init(Side *self, AditDevice *device, const ParityRun *run)
{
    const AditExperiment *experiment = run->experiment;
    const AditData *data = run->data;
    const AditStage *stage = experiment->stages->pdata[0];
    AditNetworkShape shape = {data->input_shape, data->target_shape, data->classes};
    g_autoptr(GError) error = NULL;

    self->device = device;
    self->network = adit_network_new(experiment, &shape, stage->loss, device,
                                     adit_stage_count_slots(stage), &error);
    g_assert_no_error(error);
    adit_network_initialize(self->network, experiment->seed);
    self->step = adit_train_step_new(experiment, stage, self->network, NULL, run->batch, &error);
    g_assert_no_error(error);
    self->n = adit_network_get_layout(self->network)->n_parameters;
    self->gradient = g_new0(double, self->n);
}

static void
side_clear(Side *self)
{
    adit_train_step_free(self->step);
    adit_network_free(self->network);
    g_object_unref(self->device);
    g_free(self->gradient);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Side, side_clear)

static void
side_step(Side *self, const AditBatch *batch)
{
    double sums[ADIT_COURSE_SUMS] = {0};

    adit_train_step_set_sums(self->step, sums);
    adit_train_step_run(self->step, batch);
    adit_train_step_read_sums(self->step, sums);
    g_assert_true(
        adit_memory_is_finite(self->device, adit_network_get_memory(self->network), NULL));
    self->loss = sums[0] / (double) batch->rows;
    adit_memory_read(self->device, adit_network_get_memory(self->network), ADIT_ARENA_GRADIENTS, 0,
                     self->n, self->gradient);
}

/* The step from where another side stands. */
static void
side_step_from(Side *self, const AditTensorList *state, const AditBatch *batch)
{
    g_autoptr(GError) error = NULL;

    adit_network_load(self->network, state, &error);
    g_assert_no_error(error);
    side_step(self, batch);
}

/* Squares of the differences over the squares of @expected, summed over all parameters. */
static double
compare_gradients(const Side *got, const Side *expected)
{
    double error = 0, power = 0;

    for (gsize i = 0; i < expected->n; i++) {
        double off = got->gradient[i] - expected->gradient[i];

        error += off * off;
        power += expected->gradient[i] * expected->gradient[i];
    }
    g_assert_cmpfloat(power, >, 0);
    return error / power;
}

/* ---- the run ---- */

static AditBatch
make_batch(const ParityRun *self, const AditPermutation *order, guint step)
{
    const AditStage *stage = self->experiment->stages->pdata[0];
    gsize batches = self->data->train.rows / self->batch;
    AditClock clock = {.step = step, .steps = stage->epochs * batches, .steps_per_epoch = batches};

    return (AditBatch){.split = &self->data->train,
                       .order = order,
                       .first = step % batches * self->batch,
                       .rows = self->batch,
                       .step = step,
                       .clock = clock};
}

void
parity_measure(const ParityRun *self, Parity *parities)
{
    g_auto(Side) cpu = {0}, exact = {0}, device = {0};
    guint64 seed = self->experiment->seed;
    AditPermutation order;

    side_init(&cpu, adit_cpu_device_new(1, FALSE), self);
    side_init(&exact, adit_cpu_device_new(1, TRUE), self);
    side_init(&device, test_device(1), self);
    adit_permutation_init(&order, seed, "order.0.0", self->data->train.rows);
    for (guint step = 0; step <= self->first + self->interval * (self->states - 1); step++) {
        g_autoptr(AditTensorList) state = adit_network_save(cpu.network);
        AditBatch batch = make_batch(self, &order, step);

        side_step(&cpu, &batch);
        if (step < self->first || (step - self->first) % self->interval > 0)
            continue;
        Parity *parity = &parities[(step - self->first) / self->interval];
        side_step_from(&device, state, &batch);
        side_step_from(&exact, state, &batch);
        parity->loss = fabs(device.loss - cpu.loss) / fabs(cpu.loss);
        parity->nmse = compare_gradients(&device, &cpu);
        g_test_message("%s  step %2u  loss %9.6f off by %7.1e  NMSE %7.1e"
                       "  to float64: CPU %7.1e, device %7.1e",
                       self->name, step, cpu.loss, parity->loss, parity->nmse,
                       compare_gradients(&cpu, &exact), compare_gradients(&device, &exact));
    }
}

static int
compare_nmse(gconstpointer a, gconstpointer b)
{
    double x = ((const Parity *) a)->nmse, y = ((const Parity *) b)->nmse;

    return (x > y) - (x < y);
}

void
parity_check(const ParityRun *self, Parity *parities, gboolean has_kinks)
{
    const Parity *last = &parities[self->states - 1], *median = &parities[self->states / 2];
    double loss = 0;

    for (guint i = 0; i < self->states; i++)
        loss = MAX(loss, parities[i].loss);
    qsort(parities, self->states, sizeof *parities, compare_nmse);
    g_test_message("%s  at most: loss off by %.2g, NMSE %.2g (median %.2g)", self->name, loss,
                   last->nmse, median->nmse);
    g_assert_cmpfloat(loss, <=, PARITY_MAX_LOSS);
    g_assert_cmpfloat(has_kinks ? median->nmse : last->nmse, <=, PARITY_MAX_NMSE);
}

/* ---- the pipeline ---- */

AditExperiment *
parity_read(const char *path, const char *const *arguments, const char *data)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    AditExperiment *experiment = adit_experiment_read(path, arguments, 3, data, diagnostics);
    g_autofree char *text = adit_diagnostics_to_string(diagnostics, FALSE);

    g_assert_cmpstr(text, ==, "");
    return experiment;
}

char *
parity_read_pipeline(const char *name)
{
    g_autofree char *path = g_build_filename(g_getenv("ADIT_PIPELINES_DIR"), name, NULL);
    char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}
