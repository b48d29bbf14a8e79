/* tests/core/train/test-parity.c - SPDX-License-Identifier: MIT */
#include "adit-data.h"
#include "adit-devices.h"
#include "adit-train-step.h"
#include "components.h"
#include "rig.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One step from the same states of a run, on the CPU and on the device that ADIT_TEST_DEVICE names:
 * devices are compared by this and never after many steps, as reordering rows alone changes what
 * becomes of a run.
 *
 * By default small nets on drawn numbers; with ADIT_PARITY=full those of the GloNet paper at its
 * batch, on its data (ADIT_DATA), from ten states. A table of what was found is printed. */

#define WIDTH      16
#define FEATURES   14
#define MAX_STATES 10
#define LOSS_BOUND 1e-5 /* relative */
#define NMSE_BOUND 1e-9 /* of the gradient of the whole network */

typedef struct {
    const char *name;
    const char *aggregator;
    const char *norm;
    guint affine; /* maps a block */
    gboolean is_pre;
    guint full_depth;
} Net;

static const Net nets[] = {
    {"glonet", "glonet", NULL, 1, FALSE, 24},
    {"vanilla-no-bn", "chain", NULL, 2, TRUE, 24},
    {"resnetv2-no-bn", "residual", NULL, 2, TRUE, 24},
    {"resnetv2", "residual", "batch-norm", 2, TRUE, 24},
    {"vanilla", "chain", "batch-norm", 2, TRUE, 10},
};

static gboolean
is_full(void)
{
    return g_strcmp0(g_getenv("ADIT_PARITY"), "full") == 0;
}

static gsize
get_batch(void)
{
    return is_full() ? 1024 : 128;
}

static AditBlock *
make_block(const Net *net, const char *activation)
{
    if (!net->is_pre)
        return test_dense(WIDTH, activation);
    AditSequence *block = test_sequence(test_component("aggregator", "chain", NULL));
    test_add_repeat(block, net->affine, FALSE, FALSE, test_dense_pre(WIDTH, net->norm, activation),
                    "dense");
    return ADIT_BLOCK(block);
}

static void
make_model(AditModel *model, const Net *net, const char *activation)
{
    guint depth = is_full() ? net->full_depth : MIN(net->full_depth, 12);
    AditSequence *trunk = test_sequence(test_component("aggregator", net->aggregator, NULL));

    test_add_repeat(trunk, depth / net->affine, FALSE, FALSE, make_block(net, activation), "block");
    model->stem = test_dense(WIDTH, NULL);
    model->trunk = ADIT_BLOCK(trunk);
    model->head = test_dense(1, NULL);
    model->initializer = test_component("initializer", "he-normal", NULL);
}

/* ---- data ---- */

static AditSplit *
draw_split(void)
{
    gsize rows = 8 * get_batch();
    AditSplit *split = g_new0(AditSplit, 1);

    split->inputs = test_array_f32(&ADIT_SHAPE(FEATURES), rows, 1);
    split->targets = test_array_f32(&ADIT_SHAPE(1), rows, 2);
    split->index = adit_array_new(ADIT_TYPE_CODE_I32, &ADIT_SCALAR, rows, NULL);
    split->rows = rows;
    for (gsize i = 0; i < rows; i++)
        ((gint32 *) split->index->data)[i] = (gint32) i;
    return split;
}

/* The training rows of pipelines/glonet/sgemm.yaml. */
static AditSplit *
load_split(void)
{
    const char *folder = g_getenv("ADIT_DATA");
    g_autofree char *path =
        g_build_filename(g_getenv("ADIT_PIPELINES_DIR"), "glonet", "sgemm.yaml", NULL);
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    const char *const none[] = {NULL};
    g_autoptr(GError) error = NULL;

    if (!is_full() || folder == NULL)
        return draw_split();
    g_autoptr(AditExperiment) experiment = adit_experiment_read(path, none, 3, folder, diagnostics);
    g_assert_nonnull(experiment);
    g_autoptr(AditData) data = adit_data_open(experiment->datasets->pdata[0], folder, &error);
    g_assert_no_error(error);
    AditSplit *split = g_new0(AditSplit, 1);
    *split = data->train;
    data->train = (AditSplit){0};
    return split;
}

/* ---- a network on a device ---- */

typedef struct {
    AditDevice *device;
    AditNetwork *network;
    AditTrainStep *step;
    gsize counts[3]; /* parameters, states, slots */
} Side;

typedef struct {
    double *arenas[3];
} State;

static const AditArena arenas[] = {ADIT_ARENA_PARAMETERS, ADIT_ARENA_STATES, ADIT_ARENA_OPTIMIZER};

static void
side_init(Side *self, const AditExperiment *experiment, const AditStage *stage, AditDevice *device)
{
    AditNetworkShape shape = {ADIT_SHAPE(FEATURES), ADIT_SHAPE(1), 0};
    g_autoptr(GError) error = NULL;

    self->device = device;
    self->network = adit_network_new(experiment, &shape, stage->loss, device, 2, &error);
    g_assert_no_error(error);
    self->step = adit_train_step_new(experiment, stage, self->network, get_batch(), &error);
    g_assert_no_error(error);
    const AditLayout *layout = adit_network_get_layout(self->network);
    self->counts[0] = layout->n_parameters;
    self->counts[1] = layout->n_states;
    self->counts[2] = 2 * layout->n_parameters;
}

static void
side_clear(Side *self)
{
    adit_train_step_free(self->step);
    adit_network_free(self->network);
    g_object_unref(self->device);
}

static void
transfer(Side *self, State *state, gboolean write)
{
    AditMemory *memory = adit_network_get_memory(self->network);

    for (guint i = 0; i < G_N_ELEMENTS(arenas); i++) {
        if (write) {
            adit_memory_write(self->device, memory, arenas[i], 0, self->counts[i],
                              state->arenas[i]);
            continue;
        }
        state->arenas[i] = g_new0(double, self->counts[i] + 1);
        adit_memory_read(self->device, memory, arenas[i], 0, self->counts[i], state->arenas[i]);
    }
}

static AditBatch
make_batch(const AditSplit *split, guint64 step)
{
    gsize batch = get_batch(), batches = split->rows / batch;

    return (AditBatch){.split = split,
                       .first = step % batches * batch,
                       .rows = batch,
                       .step = step,
                       .clock = {.step = step, .steps = 1000, .steps_per_epoch = batches}};
}

/* (transfer full): the gradient of one step; @loss: (out): its mean loss */
static double *
run_step(Side *self, const AditSplit *split, guint64 step, double *loss)
{
    AditBatch batch = make_batch(split, step);
    double sums[2] = {0, 0}, *gradient = g_new0(double, self->counts[0] + 1);
    g_autoptr(GError) error = NULL;

    adit_train_step_set_sums(self->step, sums);
    adit_train_step_run(self->step, &batch);
    adit_train_step_read_sums(self->step, sums);
    adit_memory_read(self->device, adit_network_get_memory(self->network), ADIT_ARENA_GRADIENTS, 0,
                     self->counts[0], gradient);
    adit_device_wait(self->device, &error);
    g_assert_no_error(error);
    g_assert_true(adit_device_is_finite(self->device, NULL));
    *loss = sums[0] / (double) batch.rows;
    return gradient;
}

static double
get_nmse(const double *got, const double *expected, gsize n)
{
    double error = 0, power = 0;

    for (gsize i = 0; i < n; i++) {
        error += (got[i] - expected[i]) * (got[i] - expected[i]);
        power += expected[i] * expected[i];
    }
    return power > 0 ? error / power : error;
}

/* ---- the comparison ---- */

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

static int
compare_numbers(const void *a, const void *b)
{
    const double *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

/* Ten steps on the CPU between the states; @nmse: (out): of each. Gives the largest difference of a
 * loss. */
static double
compare_states(Side *cpu, Side *other, const AditSplit *split, guint n, double *nmse)
{
    double worst = 0;

    for (guint i = 0; i < n; i++) {
        guint64 step = 10 * i;
        double losses[2];
        State state;

        transfer(cpu, &state, FALSE);
        transfer(other, &state, TRUE);
        g_autofree double *expected = run_step(cpu, split, step, &losses[0]);
        g_autofree double *got = run_step(other, split, step, &losses[1]);
        double difference = fabs(losses[1] - losses[0]) / fabs(losses[0]);
        nmse[i] = get_nmse(got, expected, cpu->counts[0]);
        g_test_message("state %2" G_GUINT64_FORMAT ": loss %.6g, relative difference %.2g, "
                       "gradient NMSE %.2g",
                       step, losses[0], difference, nmse[i]);
        worst = MAX(worst, difference);
        for (guint j = 0; j < G_N_ELEMENTS(arenas); j++)
            g_free(state.arenas[j]);
        for (guint64 next = step + 1; next < step + 10; next++)
            g_free(run_step(cpu, split, next, &losses[0]));
    }
    return worst;
}

static void
compare_net(const Net *net, const char *activation)
{
    guint n = is_full() ? MAX_STATES : 3;
    double nmse[MAX_STATES];
    g_autoptr(GError) error = NULL;
    AditExperiment experiment = {.datasets = g_ptr_array_new_with_free_func(g_object_unref)};
    AditStage *stage = make_stage();
    AditSplit *split = load_split();
    Side cpu, other;

    g_ptr_array_add(experiment.datasets, test_component("dataset", "moons", NULL));
    make_model(&experiment.model, net, activation);
    side_init(&cpu, &experiment, stage, adit_cpu_device_new(1, FALSE));
    AditDevice *device = adit_device_open(g_getenv("ADIT_TEST_DEVICE"), 1, NULL, &error);
    g_assert_no_error(error);
    side_init(&other, &experiment, stage, device);
    adit_network_initialize(cpu.network, 1);
    double loss = compare_states(&cpu, &other, split, n, nmse);
    qsort(nmse, n, sizeof *nmse, compare_numbers);
    gboolean is_smooth = strcmp(activation, "silu") == 0;
    double judged = is_smooth ? nmse[n - 1] : nmse[n / 2];
    g_test_message("%s, %s: loss at most %.2g apart, gradient NMSE median %.2g, worst %.2g",
                   net->name, activation, loss, nmse[n / 2], nmse[n - 1]);
    g_assert_cmpfloat(loss, <=, LOSS_BOUND);
    g_assert_cmpfloat(judged, <=, NMSE_BOUND);
    side_clear(&cpu);
    side_clear(&other);
    adit_model_clear(&experiment.model);
    g_ptr_array_unref(experiment.datasets);
    adit_split_clear(split);
    g_free(split);
    free_stage(stage);
}

static void
test_smooth(gconstpointer data)
{
    compare_net(data, "silu");
}

static void
test_kinked(gconstpointer data)
{
    compare_net(data, "relu");
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(nets); i++) {
        g_autofree char *smooth = g_strconcat("/parity/silu/", nets[i].name, NULL);
        g_autofree char *kinked = g_strconcat("/parity/relu/", nets[i].name, NULL);

        g_test_add_data_func(smooth, &nets[i], test_smooth);
        g_test_add_data_func(kinked, &nets[i], test_kinked);
    }
    return g_test_run();
}
