/* tests/core/train/test-parity.c - SPDX-License-Identifier: MIT */
#include "adit-file.h"
#include "adit-train-step.h"
#include "adit-updater.h"
#include "rig.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One training step on the device that ADIT_TEST_DEVICE names beside the same step on the CPU, from
 * states that a run on the CPU passes through: after many steps of each, runs differ whatever the
 * devices do. The networks are those of pipelines/glonet/sgemm.yaml, with its data set if it lies
 * in ADIT_DATA, else with numbers of its shape.
 *
 * The short form is a test; `--full` is a benchmark (meson test --benchmark parity -v): the batch
 * and the depths of the pipeline, ten states. Both print a line for each state. */

#define MAX_LOSS 1e-5 /* relative */
#define MAX_NMSE 1e-9
#define INTERVAL 10 /* steps from one state to the next */

static struct {
    gsize batch;
    guint depth; /* at most */
    guint states;
} form = {128, 12, 5};

typedef struct {
    const char *arch;
    guint depth;
    const char *activation;
} Network;

static const Network networks[] = {
    {"glonet", 24, "silu"},        {"vanilla-no-bn", 24, "silu"},  {"resnetv2-no-bn", 24, "silu"},
    {"resnetv2", 24, "silu"},      {"vanilla", 10, "silu"},        {"glonet", 24, "relu"},
    {"vanilla-no-bn", 24, "relu"}, {"resnetv2-no-bn", 24, "relu"}, {"resnetv2", 24, "relu"},
    {"vanilla", 10, "relu"},
};

static char *folder; /* of what this test writes */

/* ---- data ---- */

static AditData *data;

/* log2 of a time, of 14 features: not linear, with some that act together. */
static double
compute_time(const double *x)
{
    return 7 + cos(x[0] / 40) * (x[2] / 32) + 0.5 * sin(x[3] + 0.3 * x[7]) -
           fabs(x[4] - x[5]) / 20 + 0.1 * x[8] * x[12];
}

static void
write_data(const char *path, gsize rows)
{
    static const guint levels[14] = {4, 4, 2, 3, 3, 3, 3, 2, 4, 4, 2, 2, 2, 2};
    static const guint lowest[14] = {16, 16, 16, 8, 8, 8, 8, 2, 1, 1, 0, 0, 0, 0};
    g_autoptr(GString) text = g_string_new("MWG,NWG,KWG,MDIMC,NDIMC,MDIMA,NDIMB,KWI,VWM,VWN,STRM,"
                                           "STRN,SA,SB,Run1 (ms),Run2 (ms),Run3 (ms),Run4 (ms)\n");
    AditRandom random;

    adit_random_init(&random, 1, "parity");
    for (gsize i = 0; i < rows; i++) {
        double x[14];

        for (guint j = 0; j < 14; j++) {
            guint level = adit_random_bits(&random) % levels[j];
            x[j] = lowest[j] > 0 ? lowest[j] << level : level;
            g_string_append_printf(text, "%g,", x[j]);
        }
        double time = exp2(compute_time(x) + 0.05 * adit_random_normal(&random));
        g_string_append_printf(text, "%.2f,%.2f,%.2f,%.2f\n", time, time, time + 0.1, time - 0.1);
    }
    g_assert_true(g_file_set_contents(path, text->str, (gssize) text->len, NULL));
}

/* The folder with the data set of the pipeline. */
static char *
find_data(void)
{
    const char *given = g_getenv("ADIT_DATA");
    g_autofree char *own = g_build_filename(folder, "sgemm", NULL);
    g_autofree char *path = g_build_filename(own, "sgemm_product.csv", NULL);

    if (given != NULL) {
        g_autofree char *packed = g_build_filename(given, "sgemm", "sgemm_product.csv.xz", NULL);
        g_autofree char *plain = g_build_filename(given, "sgemm", "sgemm_product.csv", NULL);

        if (g_file_test(packed, G_FILE_TEST_EXISTS) || g_file_test(plain, G_FILE_TEST_EXISTS))
            return g_strdup(given);
    }
    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_assert_cmpint(g_mkdir_with_parents(own, 0700), ==, 0);
        /* a fifth of it is the test set */
        write_data(path, form.batch * INTERVAL * form.states * 5 / 4 + 100);
    }
    return g_strdup(folder);
}

/* ---- the pipeline ---- */

/* Writes a file of `pipelines` into @folder with another activation, and @more behind its first
 * line. */
static char *
write_pipeline(const char *name, const char *activation, const char *more)
{
    g_autofree char *source = g_build_filename(g_getenv("ADIT_PIPELINES_DIR"), name, NULL);
    g_autofree char *base = g_path_get_basename(name);
    g_autofree char *wanted = g_strconcat("activation: ", activation, NULL);
    g_autofree char *begin = g_strconcat("\nadit: 1\n", more, NULL);
    g_autofree char *text = NULL;
    char *path = g_build_filename(folder, base, NULL);

    g_assert_true(g_file_get_contents(source, &text, NULL, NULL));
    g_autoptr(GString) edited = g_string_new(text);
    g_assert_cmpuint(g_string_replace(edited, "\nadit: 1\n", begin, 0), ==, 1);
    g_assert_cmpuint(g_string_replace(edited, "activation: relu", wanted, 0), ==, 1);
    g_assert_true(g_file_set_contents(path, edited->str, -1, NULL));
    return path;
}

static AditExperiment *
read_experiment(const Network *network)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    g_autofree char *part = write_pipeline("parts/residual-v2.yaml", network->activation, "");
    g_autofree char *path =
        write_pipeline("glonet/sgemm.yaml", network->activation, "include: residual-v2.yaml\n");
    g_autofree char *data_folder = find_data();
    g_autofree char *arch = g_strdup_printf("arch=%s", network->arch);
    g_autofree char *depth = g_strdup_printf("depth=%u", MIN(network->depth, form.depth));
    const char *arguments[] = {arch, depth, NULL};
    AditExperiment *experiment = adit_experiment_read(path, arguments, 3, data_folder, diagnostics);
    g_autofree char *text = adit_diagnostics_to_string(diagnostics, FALSE);
    g_autoptr(GError) error = NULL;

    g_assert_cmpstr(text, ==, "");
    if (data == NULL)
        data = adit_data_open(experiment->datasets->pdata[0], data_folder, &error);
    g_assert_no_error(error);
    return experiment;
}

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
side_init(Side *self, AditDevice *device, const AditExperiment *experiment)
{
    const AditStage *stage = experiment->stages->pdata[0];
    AditNetworkShape shape = {data->input_shape, data->target_shape, data->classes};
    g_autoptr(GError) error = NULL;

    self->device = device;
    self->network = adit_network_new(experiment, &shape, stage->loss, device,
                                     adit_stage_count_slots(stage), &error);
    g_assert_no_error(error);
    adit_network_initialize(self->network, experiment->seed);
    self->step = adit_train_step_new(experiment, stage, self->network, form.batch, &error);
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
    double sums[2] = {0, 0};

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

typedef struct {
    double loss; /* relative difference */
    double nmse;
} Parity;

static AditBatch
make_batch(const AditExperiment *experiment, const AditPermutation *order, guint step)
{
    const AditStage *stage = experiment->stages->pdata[0];
    gsize batches = data->train.rows / form.batch;
    AditClock clock = {.step = step, .steps = stage->epochs * batches, .steps_per_epoch = batches};

    return (AditBatch){.split = &data->train,
                       .order = order,
                       .first = step % batches * form.batch,
                       .rows = form.batch,
                       .step = step,
                       .clock = clock};
}

/* Goes on on the CPU and compares where it is time to. */
static void
run(const Network *network, const AditExperiment *experiment, Parity *parities)
{
    g_auto(Side) cpu = {0}, exact = {0}, device = {0};
    AditPermutation order;

    side_init(&cpu, adit_cpu_device_new(1, FALSE), experiment);
    side_init(&exact, adit_cpu_device_new(1, TRUE), experiment);
    side_init(&device, test_device(1), experiment);
    adit_permutation_init(&order, experiment->seed, "order.0.0", data->train.rows);
    for (guint step = 0; step <= INTERVAL * (form.states - 1); step++) {
        g_autoptr(AditTensorList) state = adit_network_save(cpu.network);
        AditBatch batch = make_batch(experiment, &order, step);
        Parity *parity = &parities[step / INTERVAL];

        side_step(&cpu, &batch);
        if (step % INTERVAL > 0)
            continue;
        side_step_from(&device, state, &batch);
        side_step_from(&exact, state, &batch);
        parity->loss = fabs(device.loss - cpu.loss) / fabs(cpu.loss);
        parity->nmse = compare_gradients(&device, &cpu);
        g_test_message("%-14s depth %2u  %s  step %2u  loss %9.6f off by %7.1e  NMSE %7.1e"
                       "  to float64: CPU %7.1e, device %7.1e",
                       network->arch, MIN(network->depth, form.depth), network->activation, step,
                       cpu.loss, parity->loss, parity->nmse, compare_gradients(&cpu, &exact),
                       compare_gradients(&device, &exact));
    }
}

static int
compare_nmse(gconstpointer a, gconstpointer b)
{
    double x = ((const Parity *) a)->nmse, y = ((const Parity *) b)->nmse;

    return (x > y) - (x < y);
}

/* Where rounding turns a rectifier off on one device alone the gradient jumps: half of the states
 * must be near then, else all. */
static void
test_parity(gconstpointer user_data)
{
    const Network *network = user_data;
    g_autoptr(AditExperiment) experiment = read_experiment(network);
    g_autofree Parity *parities = g_new0(Parity, form.states);
    gboolean has_kinks = g_str_equal(network->activation, "relu");

    run(network, experiment, parities);
    for (guint i = 0; i < form.states; i++)
        g_assert_cmpfloat(parities[i].loss, <=, MAX_LOSS);
    qsort(parities, form.states, sizeof *parities, compare_nmse);
    g_assert_cmpfloat(parities[has_kinks ? form.states / 2 : form.states - 1].nmse, <=, MAX_NMSE);
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_assert_nonnull(g_getenv("ADIT_TEST_DEVICE"));
    if (argc > 1 && g_str_equal(argv[1], "--full")) {
        form.batch = 1024;
        form.depth = 24;
        form.states = 10;
    }
    folder = g_dir_make_tmp("adit-parity-XXXXXX", NULL);
    for (guint i = 0; i < G_N_ELEMENTS(networks); i++) {
        g_autofree char *path =
            g_strdup_printf("/parity/%s/%s", networks[i].arch, networks[i].activation);

        g_test_add_data_func(path, &networks[i], test_parity);
    }
    int code = g_test_run();

    g_clear_pointer(&data, adit_data_free);
    adit_folder_remove(folder, NULL);
    g_free(folder);
    return code;
}
