/* tests/bench/step.c - SPDX-License-Identifier: MIT */
#include "adit-train-step.h"
#include "components.h"
#include "rig.h"

#include <stdlib.h>

/* Time of a training step (loss, gradients, update) of the GloNet of sgemm.yaml on one thread, by
 * the way that `adit run` goes. */

#define FEATURES 14
#define WIDTH    16
#define BATCH    1024

static AditStage *
make_stage(void)
{
    AditStage *stage = g_new0(AditStage, 1);

    stage->loss = test_component("loss", "mse", NULL);
    stage->optimizer = test_component("optimizer", "adam", NULL);
    stage->strategy = test_component("strategy", "plain", NULL);
    stage->regularizers = g_ptr_array_new();
    return stage;
}

static void
free_stage(AditStage *stage)
{
    g_object_unref(stage->loss);
    g_object_unref(stage->optimizer);
    g_object_unref(stage->strategy);
    g_ptr_array_unref(stage->regularizers);
    g_free(stage);
}

static void
make_model(AditModel *model, guint depth)
{
    AditSequence *trunk = test_sequence(test_component("aggregator", "glonet", NULL));

    test_add_repeat(trunk, depth, FALSE, FALSE, test_dense(WIDTH, "relu"), "dense");
    model->stem = test_dense(WIDTH, NULL);
    model->trunk = ADIT_BLOCK(trunk);
    model->head = test_dense(1, NULL);
    model->initializer = test_component("initializer", "he-normal", NULL);
}

/* Shortest of 5 means of at least 0.1 s, in seconds. */
static double
measure(AditTrainStep *step, const AditSplit *split)
{
    double best = G_MAXDOUBLE;
    AditBatch batch = {
        .split = split, .rows = BATCH, .clock = {.steps = G_MAXUINT32, .steps_per_epoch = 1}};

    for (guint round = 0; round < 5; round++) {
        gint64 begin = g_get_monotonic_time(), now;
        guint n = 0;
        do {
            adit_train_step_run(step, &batch);
            batch.step = ++batch.clock.step;
            n++;
            now = g_get_monotonic_time();
        } while (now - begin < 100000);
        best = MIN(best, 1e-6 * (double) (now - begin) / n);
    }
    return best;
}

/* Products alone, forward and twice backward; the features need no gradient. */
static double
count_flop(guint depth)
{
    return 2.0 * BATCH * (2.0 * FEATURES * WIDTH + 3.0 * depth * WIDTH * WIDTH + 3.0 * WIDTH);
}

static void
run_depth(guint depth)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AditDevice) device = adit_cpu_device_new(1, FALSE);
    g_autoptr(AditArray) inputs = test_array_f32(&ADIT_SHAPE(FEATURES), BATCH, 1);
    g_autoptr(AditArray) targets = test_array_f32(&ADIT_SHAPE(1), BATCH, 2);
    AditNetworkShape shape = {ADIT_SHAPE(FEATURES), ADIT_SHAPE(1), 0};
    g_autoptr(AditArray) index = adit_array_new(ADIT_TYPE_CODE_I32, &ADIT_SCALAR, BATCH, &error);
    AditSplit split = {.inputs = inputs, .targets = targets, .index = index, .rows = BATCH};
    AditExperiment experiment = {.datasets = g_ptr_array_new_with_free_func(g_object_unref)};
    AditStage *stage = make_stage();

    g_assert_no_error(error);
    for (gsize i = 0; i < BATCH; i++)
        ((gint32 *) index->data)[i] = (gint32) i;
    g_ptr_array_add(experiment.datasets, test_component("dataset", "moons", NULL));
    make_model(&experiment.model, depth);
    g_autoptr(AditNetwork) network =
        adit_network_new(&experiment, &shape, stage->loss, device, 2, &error);
    g_assert_no_error(error);
    adit_network_initialize(network, 1);
    g_autoptr(AditTrainStep) step = adit_train_step_new(&experiment, stage, network, BATCH, &error);
    g_assert_no_error(error);

    double seconds = measure(step, &split);
    g_print("glonet depth %3u  width %d  batch %d  %s  %9.4f ms  %7.2f GFLOP/s\n", depth, WIDTH,
            BATCH, adit_cpu_device_get_isa(device), 1e3 * seconds,
            1e-9 * count_flop(depth) / seconds);
    adit_model_clear(&experiment.model);
    g_ptr_array_unref(experiment.datasets);
    free_stage(stage);
}

int
main(int argc, char *argv[])
{
    static const guint depths[] = {10, 24, 50, 100, 200};

    for (int i = 1; i < argc; i++)
        run_depth((guint) strtoul(argv[i], NULL, 10));
    for (guint i = 0; argc == 1 && i < G_N_ELEMENTS(depths); i++)
        run_depth(depths[i]);
    return 0;
}
