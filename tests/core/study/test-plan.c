/* tests/core/study/test-plan.c - SPDX-License-Identifier: MIT */
#include <glib/gstdio.h>
#include <string.h>

#include "adit-study-folder.h"
#include "adit-study-table.h"

#define NET                                                                                        \
    "adit: 1\n"                                                                                    \
    "params: {depth: 3, rate: 0.1, unused: 1}\n"                                                   \
    "data: {moons: {samples: 80, noise: 0.1, test: 25%}}\n"                                        \
    "model:\n"                                                                                     \
    "  trunk: [{repeat: {times: $depth, blocks: [{dense: {units: 4, activation: relu}}]}}]\n"      \
    "  head: {dense: {units: 2}}\n"                                                                \
    "train: {loss: cross-entropy, optimizer: {sgd: {lr: $rate}}, batch: 16, epochs: 5}\n"          \
    "probes: [{block-norm: {name: norm, at: trunk.1}}, {block-norm: {name: all, at: trunk.*}}]\n"

/**
 * Fixture: a study of NET in a folder of its own, which is the working directory.
 */
typedef struct {
    char *folder;
    char *before;
    AditDiagnostics *diagnostics;
    AditStudy *study;
    AditStudyPlan *plan;
} Fixture;

static void
remove_all(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *inner = g_build_filename(path, name, NULL);

        remove_all(inner);
    }
    g_remove(path);
}

static void
fixture_init(Fixture *self, const char *study)
{
    g_autofree char *text = g_strdup_printf("adit: 1\nstudy: {%s}\n", study);

    self->before = g_get_current_dir();
    self->folder = g_dir_make_tmp("adit-XXXXXX", NULL);
    g_assert_cmpint(g_chdir(self->folder), ==, 0);
    g_assert_true(g_file_set_contents("net.yaml", NET, -1, NULL));
    g_assert_true(g_file_set_contents("study.yaml", text, -1, NULL));
    self->diagnostics = adit_diagnostics_new();
    self->study = adit_study_read("study.yaml", NULL, 2, self->diagnostics);
    g_assert_nonnull(self->study);
    self->plan = adit_study_plan_new(self->study, NULL, self->diagnostics);
}

static void
fixture_clear(Fixture *self)
{
    g_clear_pointer(&self->plan, adit_study_plan_free);
    adit_study_free(self->study);
    adit_diagnostics_free(self->diagnostics);
    g_assert_cmpint(g_chdir(self->before), ==, 0);
    remove_all(self->folder);
    g_free(self->before);
    g_free(self->folder);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

/* A run is named by the hash of its pipeline, and told to the command by the words that make it. */
static void
test_runs(void)
{
    g_auto(Fixture) self = {0};

    fixture_init(&self, "vary: {pipeline: net.yaml, depth: [2, 5], seed: 7}");
    g_assert_cmpuint(self.plan->runs->len, ==, 2);
    const AditStudyRun *run = self.plan->runs->pdata[1];
    const char *const words[] = {"depth=5", "-o", "seed=7", NULL};
    g_autoptr(AditExperiment) experiment =
        adit_experiment_read("net.yaml", words, 2, NULL, self.diagnostics);
    g_autofree char *hash =
        g_compute_checksum_for_string(G_CHECKSUM_SHA256, experiment->resolved, -1);
    g_autofree char *folder = g_strdup_printf("runs/net-%.12s", hash);

    g_assert_true(g_strv_equal((const char *const *) run->arguments, words));
    g_assert_cmpstr(run->id, ==, hash);
    g_assert_cmpstr(run->folder, ==, folder);
    g_assert_cmpuint(run->epochs, ==, 5);
    g_assert_cmpint(run->status, ==, ADIT_STUDY_PENDING);
    g_assert_cmpstr(run->rising->pdata[0], ==, "accuracy");
    /* 2 x 4 + 4, four times 4 x 4 + 4, 4 x 2 + 2 */
    g_assert_cmpuint(run->group->parameters, ==, 12 + 4 * 20 + 10);
    g_assert_cmpfloat(run->cost, >, ((AditStudyRun *) self.plan->runs->pdata[0])->cost);
}

static void
test_groups(void)
{
    g_auto(Fixture) self = {0};

    fixture_init(&self, "vary: {pipeline: net.yaml, depth: [2, 5], rate: [0.1, 0.2], seed: 1..3}");
    g_assert_cmpuint(self.plan->runs->len, ==, 12);
    g_assert_cmpuint(self.plan->groups->len, ==, 2);
    for (guint i = 0; i < 12; i++) {
        const AditStudyRun *run = self.plan->runs->pdata[i];

        g_assert_true(run->group == self.plan->groups->pdata[i / 6]);
        g_assert_true(run == run->group->runs->pdata[i % 6]);
    }
}

static void
test_equal(void)
{
    g_auto(Fixture) self = {0};

    fixture_init(&self, "vary: {pipeline: net.yaml, depth: [2, 5], unused: [1, 2]}");
    g_assert_null(self.plan);
    g_assert_cmpuint(adit_diagnostics_count_errors(self.diagnostics), ==, 1);
    g_autofree char *line = adit_diagnostics_get_line(self.diagnostics, 0);

    g_assert_cmpstr(line, ==,
                    "study.yaml:1:1: error: points 'depth=2 unused=1' and 'depth=2 unused=2' are "
                    "equal; what they differ in changes nothing in net.yaml");
}

static void
test_shards(void)
{
    g_auto(Fixture) self = {0};
    guint taken[7] = {0};

    fixture_init(&self, "vary: {pipeline: net.yaml, seed: 1..7}");
    for (guint shard = 1; shard <= 3; shard++) {
        adit_study_plan_take_shard(self.plan, shard, 3);
        for (guint i = 0; i < 7; i++)
            taken[i] += ((AditStudyRun *) self.plan->runs->pdata[i])->mine ? shard : 0;
        g_assert_cmpuint(adit_study_plan_count(self.plan, ADIT_STUDY_PENDING, TRUE), ==,
                         shard == 1 ? 3 : 2);
    }
    for (guint i = 0; i < 7; i++)
        g_assert_cmpuint(taken[i], ==, i % 3 + 1);
}

static void
tell_never(gpointer user_data)
{
    g_assert_not_reached();
}

/* A whole sweep has the directory for itself, shards share it. */
static void
test_locks(void)
{
    g_autofree char *folder = g_dir_make_tmp("adit-XXXXXX", NULL);
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < 2; i++) {
        g_autoptr(AditStudyFolder) one =
            adit_study_folder_open(folder, i, 2 * i, tell_never, NULL, &error);

        g_assert_no_error(error);
        g_assert_null(adit_study_folder_open(folder, 0, 0, tell_never, NULL, &error));
        g_assert_error(error, ADIT_ERROR, ADIT_ERROR_FAILED);
        g_clear_error(&error);
        g_assert_null(adit_study_folder_open(folder, 1, 2, tell_never, NULL, &error));
        g_assert_error(error, ADIT_ERROR, ADIT_ERROR_FAILED);
        g_clear_error(&error);
        AditStudyFolder *other = adit_study_folder_open(folder, 2, 2, tell_never, NULL, &error);

        g_assert_true((other != NULL) == (i == 1));
        g_clear_pointer(&other, adit_study_folder_free);
        g_clear_error(&error);
    }
    remove_all(folder);
}

/* The first line of what is wrong with @report, a list; NULL: nothing is. */
static char *
find_fault(const char *report)
{
    g_auto(Fixture) self = {0};
    g_autofree char *study =
        g_strdup_printf("vary: {pipeline: net.yaml, rate: [0.1, 0.2]}, report: %s", report);

    fixture_init(&self, study);
    if (adit_diagnostics_count_errors(self.diagnostics) +
            adit_diagnostics_count_warnings(self.diagnostics) ==
        0)
        return NULL;
    g_assert_true((self.plan == NULL) == (adit_diagnostics_count_errors(self.diagnostics) > 0));
    return adit_diagnostics_get_line(self.diagnostics, 0);
}

static void
assert_fault(const char *report, const char *expected)
{
    g_autofree char *line = find_fault(report);
    const char *message = line != NULL ? strstr(line, ": ") + strlen(": ") : NULL;

    g_assert_cmpstr(message, ==, expected);
}

/* What no run will have is told before anything is trained. */
static void
test_columns(void)
{
    assert_fault("[{table: {rows: rate, value: [best.test.accuracy, last.train.loss, seconds]}}]",
                 NULL);
    assert_fault("[{curves: {x: epoch, value: [test.loss, learning-rate], lines: rate}}]", NULL);
    assert_fault("[{curves: {x: rate, value: best.test.loss}}]", NULL);
    assert_fault("[{table: {rows: rate, value: best.test.acc}}]",
                 "error: 'best.test.acc' will be no column of sweep.csv; did you mean "
                 "'best.test.accuracy'?");
    assert_fault("[{scatter: {x: parameters, y: best.test.los}}]",
                 "error: 'best.test.los' will be no column of sweep.csv; did you mean "
                 "'best.test.loss'?");
    /* an axis is across: the values are those of sweep.csv */
    assert_fault("[{curves: {x: rate, value: test.loss}}]",
                 "error: 'test.loss' will be no column of sweep.csv; did you mean "
                 "'best.test.loss'?");
    assert_fault("[{curves: {x: epoch, value: validation.accuracy, lines: rate}}]",
                 "error: 'validation.accuracy' will be no column of the runs' metrics.csv; there "
                 "will be step, epoch, seconds, train.loss, train.accuracy, test.loss, "
                 "test.accuracy, learning-rate");
    assert_fault("[{table: {rows: rate, value: probes.norms.l1}}]",
                 "error: 'probes.norms.l1' will be no column of sweep.csv; did you mean "
                 "'probes.norm.l1'?");
    assert_fault("[{table: {rows: rate, value: probes.norm.l1}}]", NULL);
    assert_fault("[{table: {rows: rate, value: probes.all.l1}}]",
                 "warning: 'probes.all.l1' may be no column of sweep.csv; of a probe only what "
                 "gives one row is a column, and this one may give several");
    assert_fault("[{curves: {x: block, value: probes.all.l1, lines: rate}}]", NULL);
    assert_fault("[{curves: {x: block, value: probes.all.l3, lines: rate}}]",
                 "error: 'probes.all.l3' will be no column of the runs' probes; did you mean "
                 "'probes.all.l1'?");
}

/* Cells that hold commas, quotes and line breaks are quoted; what is not done is empty. */
static void
test_table(void)
{
    g_auto(Fixture) self = {0};
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL, *expected = NULL;

    fixture_init(&self, "vary: {cases: {a: {title: 'a \"b\", c'}, \"d\\ne\": {seed: 3}}, "
                        "pipeline: net.yaml}");
    g_autoptr(AditStudyFolder) folder =
        adit_study_folder_open("here", 0, 0, tell_never, NULL, &error);
    g_autoptr(AditStudyTable) table = adit_study_table_new(folder, self.plan);

    g_assert_true(adit_study_table_write(table, TRUE, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(adit_study_table_get_path(table), ==, "here/sweep.csv");
    g_assert_true(g_file_get_contents("here/sweep.csv", &text, NULL, NULL));
    expected = g_strdup_printf(
        "cases,title,seed,pipeline,status,run,epochs,seconds,seconds-per-epoch,parameters,reason,"
        "best.train.loss,last.train.loss,best.train.accuracy,last.train.accuracy,"
        "best.test.loss,last.test.loss,best.test.accuracy,last.test.accuracy\n"
        "a,\"a \"\"b\"\", c\",,net.yaml,pending,%s,,,,62,,,,,,,,,\n"
        "\"d\ne\",,3,net.yaml,pending,%s,,,,62,,,,,,,,,\n",
        ((AditStudyRun *) self.plan->runs->pdata[0])->folder,
        ((AditStudyRun *) self.plan->runs->pdata[1])->folder);
    g_assert_cmpstr(text, ==, expected);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/study/plan/runs", test_runs);
    g_test_add_func("/study/plan/groups", test_groups);
    g_test_add_func("/study/plan/equal", test_equal);
    g_test_add_func("/study/plan/shards", test_shards);
    g_test_add_func("/study/folder/locks", test_locks);
    g_test_add_func("/study/columns", test_columns);
    g_test_add_func("/study/table/cells", test_table);
    return g_test_run();
}
