/* tests/core/train/test-parity.c - SPDX-License-Identifier: MIT */
#include "adit-file.h"
#include "adit-philox.h"
#include "parity.h"

#include <math.h>
#include <string.h>

/* The networks of pipelines/glonet/sgemm.yaml, with its data set if it lies in ADIT_DATA, else with
 * numbers of its shape.
 *
 * The short form is a test; `--full` is a benchmark (meson test --benchmark parity -v): the batch
 * and the depths of the pipeline, ten states. Both print a line for each state. */

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
    g_autofree char *text = parity_read_pipeline(name);
    g_autofree char *base = g_path_get_basename(name);
    g_autofree char *wanted = g_strconcat("activation: ", activation, NULL);
    g_autofree char *begin = g_strconcat("\nadit: 1\n", more, NULL);
    char *path = g_build_filename(folder, base, NULL);

    g_autoptr(GString) edited = g_string_new(text);
    g_assert_cmpuint(g_string_replace(edited, "\nadit: 1\n", begin, 0), ==, 1);
    g_assert_cmpuint(g_string_replace(edited, "activation: relu", wanted, 0), ==, 1);
    g_assert_true(g_file_set_contents(path, edited->str, -1, NULL));
    return path;
}

static AditExperiment *
read_experiment(const Network *network)
{
    g_autofree char *part = write_pipeline("parts/residual-v2.yaml", network->activation, "");
    g_autofree char *path =
        write_pipeline("glonet/sgemm.yaml", network->activation, "include: residual-v2.yaml\n");
    g_autofree char *data_folder = find_data();
    g_autofree char *arch = g_strdup_printf("arch=%s", network->arch);
    g_autofree char *depth = g_strdup_printf("depth=%u", MIN(network->depth, form.depth));
    const char *arguments[] = {arch, depth, NULL};
    AditExperiment *experiment = parity_read(path, arguments, data_folder);
    g_autoptr(GError) error = NULL;

    if (data == NULL)
        data = adit_data_open(experiment->datasets->pdata[0], data_folder, &error);
    g_assert_no_error(error);
    return experiment;
}

static void
test_parity(gconstpointer user_data)
{
    const Network *network = user_data;
    g_autoptr(AditExperiment) experiment = read_experiment(network);
    g_autofree Parity *parities = g_new0(Parity, form.states);
    g_autofree char *name = g_strdup_printf("%-14s depth %2u  %s", network->arch,
                                            MIN(network->depth, form.depth), network->activation);
    ParityRun run = {name, experiment, data, form.batch, 0, INTERVAL, form.states};

    parity_measure(&run, parities);
    parity_check(&run, parities, g_str_equal(network->activation, "relu"));
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
