/* tests/core/tool/test-evaluation.c - SPDX-License-Identifier: MIT */
#include "command.h"

#include <stdlib.h>
#include <string.h>

static void
ensure_run(void)
{
    g_autofree char *path = command_make_path("trained/run.json");

    if (g_file_test(path, G_FILE_TEST_EXISTS))
        return;
    g_auto(Command) command = RUN("run", "first.yaml", "-q", "--run-dir", "trained");

    assert_code(&command, 0);
}

static void
test_scores(void)
{
    ensure_run();
    g_auto(Command) scores = RUN("eval", "trained");
    g_auto(Command) train = RUN("eval", "trained", "--split=train", "--checkpoint=best");
    g_auto(Command) json = RUN("eval", "trained", "--json");
    g_auto(Command) missing = RUN("eval", "trained", "--split=validation");
    g_auto(Command) unknown = RUN("eval", "trained", "--split=tset");
    g_auto(Command) step = RUN("eval", "trained", "--checkpoint=12345");

    assert_code(&scores, 0);
    g_assert_true(g_str_has_prefix(scores.out, "split  rows "));
    assert_contains(scores.out, "\ntest    100  ");
    assert_contains(train.out, "\ntrain   300  ");
    assert_contains(json.out, "\"rows\" : 100");
    assert_contains(json.out, "\"metric\" : \"accuracy\"");
    assert_code(&missing, 2);
    assert_contains(missing.err, "data 'moons' has no validation split");
    assert_code(&unknown, 2);
    assert_code(&step, 3);
}

/* The figures of `eval` are those the run measured at its end, whatever the batch. */
static void
test_batches(void)
{
    static const char *const batches[] = {"1", "7", "64", "1000"};
    g_autofree char *metrics = NULL;

    ensure_run();
    g_auto(Command) first = RUN("eval", "trained");
    g_auto(GStrv) lines = g_strsplit(first.out, "\n", -1);
    g_auto(GStrv) cells = g_regex_split_simple(" +", lines[1], 0, 0);

    metrics = command_read("trained/metrics.csv");
    assert_contains(metrics, cells[2]);
    for (guint i = 0; i < G_N_ELEMENTS(batches); i++) {
        g_auto(Command) command = RUN("eval", "trained", "--batch", batches[i]);

        assert_code(&command, 0);
        g_assert_cmpstr(command.out, ==, first.out);
    }
}

static void
test_overrides(void)
{
    ensure_run();
    g_auto(Command) more = RUN("eval", "trained", "-o", "data.moons.samples=4000");
    g_auto(Command) train = RUN("eval", "trained", "-o", "train.epochs=9");
    g_auto(Command) name = RUN("eval", "trained", "depth=9");

    assert_code(&more, 0);
    assert_contains(more.out, "\ntest   1000  ");
    assert_code(&train, 2);
    g_assert_true(g_str_has_prefix(
        train.err, "command-line:4:1: error: 'train' cannot be turned after training; 'data', "
                   "'inference' and 'probes' can\n"));
    assert_code(&name, 2);
}

/* A pipeline without `train` takes the network of a run. */
static void
test_from(void)
{
    ensure_run();
    g_auto(Command) own = RUN("eval", "trained");
    g_auto(Command) best = RUN("eval", "trained", "--checkpoint=best");
    g_auto(Command) file = RUN("eval", "answer.yaml", "run=trained");
    g_auto(Command) checkpoint = RUN("eval", "answer.yaml", "run=trained/checkpoints/last");
    g_auto(Command) none = RUN("eval", "answer.yaml", "run=nowhere");
    g_auto(Command) weightless = RUN("eval", "first.yaml");
    g_auto(Command) trained = RUN("check", "first.yaml", "-o", "model.from=trained");

    assert_code(&file, 0);
    g_assert_cmpstr(file.out, ==, best.out);
    g_assert_cmpstr(checkpoint.out, ==, own.out);
    assert_code(&none, 3);
    assert_code(&weightless, 2);
    assert_contains(weightless.err, "first.yaml has no weights");
    assert_code(&trained, 0);
}

/* Share of lines whose class is the target. */
static double
measure_accuracy(const char *table)
{
    g_auto(GStrv) lines = g_strsplit(table, "\n", -1);
    guint right = 0, n = 0;

    for (guint i = 1; lines[i] != NULL && *lines[i] != '\0'; i++, n++) {
        g_auto(GStrv) cells = g_strsplit(lines[i], ",", -1);

        g_assert_cmpuint(g_strv_length(cells), ==, 7);
        g_assert_cmpfloat_with_epsilon(
            g_ascii_strtod(cells[3], NULL) + g_ascii_strtod(cells[4], NULL), 1, 1e-6);
        right += g_str_equal(cells[1], cells[2]);
    }
    g_assert_cmpuint(n, ==, 100);
    return (double) right / n;
}

static void
test_predictions(void)
{
    ensure_run();
    g_auto(Command) scores = RUN("eval", "trained", "--json");
    g_auto(Command) command = RUN("predict", "trained");
    g_auto(Command) small = RUN("predict", "trained", "--batch=3");
    g_auto(Command) file = RUN("predict", "trained", "--output", "answers.csv");
    g_auto(Command) bad = RUN("predict", "trained", "--output", "nowhere/answers.csv");
    g_autofree char *written = command_read("answers.csv");
    const char *value = strstr(scores.out, "\"value\" : ");

    assert_code(&command, 0);
    g_assert_true(g_str_has_prefix(
        command.out, "row,target,class,probability.0,probability.1,logit.0,logit.1\n"));
    g_assert_nonnull(value);
    g_assert_cmpfloat_with_epsilon(measure_accuracy(command.out),
                                   g_ascii_strtod(value + strlen("\"value\" : "), NULL), 1e-9);
    g_assert_cmpstr(small.out, ==, command.out);
    assert_code(&file, 0);
    g_assert_cmpstr(file.out, ==, "");
    g_assert_cmpstr(written, ==, command.out);
    assert_code(&bad, 5);
}

/* New rows are standardised as those of training were: a value keeps its answer. */
static void
test_standardization(void)
{
    command_write("values.csv", "x,y\n1,2\n2,4\n3,6\n4,8\n5,10\n6,12\n7,14\n8,16\n");
    command_write("new.csv", "x,y\n5,10\n500,1000\n-500,1\n7,14\n");
    g_auto(Command) run = RUN("run", "values.yaml", "-q", "--run-dir", "values");
    g_auto(Command) old = RUN("predict", "values", "--split=train", "-o", "data.csv.test=0");
    g_auto(Command) other = RUN("predict", "values", "--split=train", "-o", "data.csv.path=new.csv",
                                "-o", "data.csv.test=0");
    /* as well through a file that takes the run's network */
    command_write("through.yaml",
                  "adit: 1\n"
                  "data: {csv: {path: new.csv, target: y, standardize: features, test: 0}}\n"
                  "model: {from: values/checkpoints/last}\n");
    g_auto(Command) through = RUN("predict", "through.yaml", "--split=train");
    g_auto(Command) raw =
        RUN("predict", "through.yaml", "--split=train", "-o", "data.csv.standardize=none");
    g_auto(GStrv) lines = g_strsplit(old.out, "\n", -1);
    g_auto(GStrv) others = g_strsplit(other.out, "\n", -1);

    assert_code(&run, 0);
    assert_code(&old, 0);
    assert_code(&other, 0);
    assert_code(&through, 0);
    assert_code(&raw, 0);
    g_assert_cmpstr(through.out, ==, other.out);
    assert_lacks(through.err, "standardised");
    g_assert_cmpstr(raw.out, !=, other.out);
    assert_contains(raw.err, "the network was trained on standardised inputs");
    g_assert_cmpstr(lines[0], ==, "row,target,value");
    g_assert_true(g_str_has_prefix(lines[5], "4,10,"));
    g_assert_true(g_str_has_prefix(others[1], "0,10,"));
    g_assert_cmpstr(strrchr(others[1], ','), ==, strrchr(lines[5], ','));
    g_assert_cmpstr(strrchr(others[4], ','), ==, strrchr(lines[7], ','));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tool/evaluation/scores", test_scores);
    g_test_add_func("/tool/evaluation/batches", test_batches);
    g_test_add_func("/tool/evaluation/overrides", test_overrides);
    g_test_add_func("/tool/evaluation/from", test_from);
    g_test_add_func("/tool/evaluation/predictions", test_predictions);
    g_test_add_func("/tool/evaluation/standardization", test_standardization);
    int result = g_test_run();

    command_remove_folder();
    return result;
}
