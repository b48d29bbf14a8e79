/* tests/core/infer/test-cascade.c - SPDX-License-Identifier: MIT */
#include "adit-cascade.h"
#include "adit-exit-scores.h"
#include "adit-file.h"
#include "rig.h"

/* What leaves a network that is cut at its exits against all its answers, computed for all rows. */

static const char pipeline[] =
    "adit: 1\n"
    "data: {moons: {samples: 300, noise: 0.3, test: 50%%}}\n"
    "model:\n"
    "  stem: [{dense: {units: 16, activation: tanh}}]\n"
    "  trunk: %s\n"
    "  head: [{dense: {units: 2}}]\n"
    "exits: [%s]\n"
    "train: {loss: cross-entropy, optimizer: {adam: {lr: 0.01}}, batch: 8, epochs: 1}\n"
    "inference: {policy: {max-probability: {threshold: %s}}, fallback: %s}\n";

#define UNIT   "{dense: {units: 16, activation: tanh}}"
#define NORMED "{dense: {units: 16}}, batch-norm, relu"
#define LOOP   "[{repeat: {times: 8, blocks: [" UNIT "]}}]"
#define OWN    "head: [" UNIT ", {dense: {units: 2}}]"

/**
 * Case:
 * @middle: a threshold at which some rows leave early and some do not
 * @joined: the last exit's answer is the last answer, computed once and counted twice
 */
typedef struct {
    const char *name;
    const char *trunk;
    const char *exits;
    const char *middle;
    gboolean joined;
} Case;

static const Case cases[] = {
    {"every-block", "{aggregator: glonet, blocks: " LOOP "}", "{at: trunk.*, head: shared}", "0.85",
     TRUE},
    {"own-heads", "{aggregator: glonet, blocks: " LOOP "}", "{at: trunk.*, " OWN "}", "0.85"},
    {"some-blocks", "{aggregator: glonet, blocks: " LOOP "}",
     "{name: a, at: trunk.2, head: shared}, {name: b, at: trunk.6, " OWN "}", "0.8"},
    {"residual",
     "{aggregator: residual, blocks: [{repeat: {times: 6, blocks: [{sequence: {blocks: [" NORMED
     "]}}]}}]}",
     "{at: trunk.2..4, " OWN "}", "0.8"},
    {"concat", "{aggregator: concat, blocks: " LOOP "}", "{at: trunk.3..6/3, " OWN "}", "0.8"},
    {"loops-in-a-loop",
     "{blocks: [{repeat: {times: 3, blocks: [{sequence: {blocks: [{repeat: {times: 4, blocks: [" UNIT
     "]}}]}}]}}]}",
     "{at: trunk.*, " OWN "}", "0.8"},
    {"within-loops",
     "{blocks: [{repeat: {times: 3, blocks: [{sequence: {blocks: [" UNIT ", " UNIT "]}}]}}]}",
     "{at: trunk.*.*, " OWN "}", "0.8"},
    {"last-block", "{aggregator: glonet, blocks: " LOOP "}",
     "{at: [trunk.4, trunk.8], head: shared}", "0.85", TRUE},
    {"alike", "{aggregator: glonet, blocks: " LOOP "}",
     "{name: a, at: trunk.4, head: shared}, {name: b, at: trunk.4, head: shared}", "0.85", TRUE},
    {"stem", "[" UNIT ", " UNIT "]", "{at: stem, " OWN "}", "0.7"},
};

typedef struct {
    AditExperiment *experiment;
    AditData *data;
    AditDevice *device;
    AditNetwork *network;
} Trial;

static void
trial_clear(Trial *self)
{
    g_clear_pointer(&self->network, adit_network_free);
    g_clear_pointer(&self->data, adit_data_free);
    g_clear_object(&self->device);
    g_clear_pointer(&self->experiment, adit_experiment_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Trial, trial_clear)

static AditExperiment *
read_experiment(const Case *what, const char *threshold, const char *fallback)
{
    g_autofree char *folder = g_dir_make_tmp("adit-cascade-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "exits.yaml", NULL);
    g_autofree char *text =
        g_strdup_printf(pipeline, what->trunk, what->exits, threshold, fallback);
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    AditExperiment *experiment =
        adit_experiment_read(path, (const char *const[]){NULL}, 1, NULL, diagnostics);
    g_autofree char *messages = adit_diagnostics_to_string(diagnostics, FALSE);

    g_assert_cmpstr(messages, ==, "");
    adit_folder_remove(folder, NULL);
    return experiment;
}

static void
open_trial(Trial *self, const Case *what, const char *threshold, const char *fallback)
{
    g_autoptr(GError) error = NULL;

    self->experiment = read_experiment(what, threshold, fallback);
    self->data = adit_data_open(self->experiment->datasets->pdata[0], NULL, &error);
    g_assert_no_error(error);
    self->device = test_device(2);
    const AditStage *stage = self->experiment->stages->pdata[0];
    AditNetworkShape shape = {self->data->input_shape, self->data->target_shape,
                              self->data->classes};

    self->network =
        adit_network_new(self->experiment, &shape, stage->loss, self->device, 0, &error);
    g_assert_no_error(error);
    adit_network_initialize(self->network, 3);
}

static gboolean
is_exact(void)
{
    return g_getenv("ADIT_TEST_DEVICE") == NULL;
}

/* Figures of one device: on a graphics device a part of a network is not joined as the whole is. */
static void
assert_close(double got, double expected)
{
    if (is_exact())
        g_assert_cmpfloat(got, ==, expected);
    g_assert_cmpfloat_with_epsilon(got, expected, 1e-5);
}

static void
check_departures(AditCascade *cascade, const Trial *trial, const Case *what, gsize batch,
                 const AditExitScores *expected)
{
    const AditSplit *split = &trial->data->test;
    g_autofree gsize *left = g_new0(gsize, expected->answers->len);
    double cost = 0;

    for (gsize first = 0; first < split->rows; first += batch) {
        gsize rows = MIN(batch, split->rows - first);
        g_autoptr(GError) error = NULL;

        g_assert_true(adit_cascade_run(cascade, split, NULL, first, rows, &error));
        for (gsize row = 0; row < rows; row++) {
            const AditDeparture *departure = adit_cascade_get_departure(cascade, row);

            left[departure->exit]++;
            cost += departure->cost;
        }
    }
    for (guint i = 0; i < expected->answers->len; i++)
        g_assert_cmpuint(left[i], ==, g_array_index(expected->answers, AditAnswer, i).taken.rows);
    cost /= (double) split->rows;
    if (what->joined)
        g_assert_cmpfloat(cost, <=, expected->cost + 1e-12);
    else
        g_assert_cmpfloat_with_epsilon(cost, expected->cost, 1e-12);
}

static void
check(const Trial *trial, const Case *what, const AditExitScores *expected)
{
    static const gsize batches[] = {1, 7, 64, 1000};
    const AditSplit *split = &trial->data->test;
    AditCascadeScores first = {0};

    for (guint i = 0; i < G_N_ELEMENTS(batches); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(AditCascade) cascade =
            adit_cascade_new(trial->network, ADIT_CASCADE_SCORES, batches[i], &error);
        AditEvaluationSetup setup = {.rows = split->rows, .batch = batches[i]};
        AditCascadeScores scores;

        g_assert_no_error(error);
        g_assert_true(adit_cascade_evaluate(cascade, split, &setup, &scores, &error));
        assert_close(scores.taken.loss, expected->taken.loss);
        assert_close(scores.taken.metric, expected->taken.metric);
        first = i == 0 ? scores : first;
        g_assert_cmpfloat(scores.taken.loss, ==, first.taken.loss);
        check_departures(cascade, trial, what, batches[i], expected);
    }
}

/* Where rows leave: by the answers. */
static guint
count_places(const AditExitScores *scores)
{
    guint n = 0;

    for (guint i = 0; i < scores->answers->len; i++)
        n += g_array_index(scores->answers, AditAnswer, i).taken.rows > 0;
    return n;
}

static void
test_same_answers(gconstpointer data)
{
    const Case *what = data;
    const char *const thresholds[] = {"1.01", "0", what->middle, what->middle};

    for (guint i = 0; i < G_N_ELEMENTS(thresholds); i++) {
        g_auto(Trial) trial = {0};
        g_autoptr(GError) error = NULL;

        open_trial(&trial, what, thresholds[i], i % 2 == 0 ? "last" : "most-confident");
        const AditSplit *split = &trial.data->test;
        AditEvaluationSetup setup = {.rows = split->rows, .batch = 40};
        g_autoptr(AditExitScores) scores =
            adit_exit_scores_new(trial.network, split, &setup, &error);

        g_assert_no_error(error);
        if (i < 2)
            g_assert_cmpuint(count_places(scores), ==, 1);
        else
            g_assert_cmpuint(count_places(scores), >, 1);
        check(&trial, what, scores);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strdup_printf("/cascade/%s", cases[i].name);

        g_test_add_data_func(path, &cases[i], test_same_answers);
    }
    return g_test_run();
}
