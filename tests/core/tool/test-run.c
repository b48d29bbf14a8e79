/* tests/core/tool/test-run.c - SPDX-License-Identifier: MIT */
#include "command.h"

#include "adit-file.h"
#include "adit-run.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

static AditRunStatus
read_status(const char *name)
{
    g_autofree char *path = command_make_path(name);
    AditRunStatus status;
    g_autoptr(JsonObject) members = adit_run_read(path, &status, NULL);

    g_assert_nonnull(members);
    return status;
}

static void
assert_same_file(const char *a, const char *b)
{
    g_autofree char *first = command_make_path(a);
    g_autofree char *second = command_make_path(b);
    g_autofree char *left = adit_file_hash(first, NULL);
    g_autofree char *right = adit_file_hash(second, NULL);

    g_assert_nonnull(left);
    g_assert_cmpstr(left, ==, right);
}

static void
assert_same_weights(const char *a, const char *b)
{
    static const char *const files[] = {"model.safetensors", "optimizer.safetensors"};

    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *left = g_build_filename(a, "checkpoints", "last", files[i], NULL);
        g_autofree char *right = g_build_filename(b, "checkpoints", "last", files[i], NULL);

        assert_same_file(left, right);
    }
}

static void
assert_exists(const char *name, gboolean expected)
{
    g_autofree char *path = command_make_path(name);

    g_assert_cmpint(g_file_test(path, G_FILE_TEST_EXISTS), ==, expected);
}

static void
test_whole(void)
{
    static const char *const files[] = {
        "config.yaml",      "config.resolved.yaml", "overrides.txt", "run.json",
        "metrics.jsonl",    "metrics.csv",          "console.log",   "checkpoints/last",
        "checkpoints/best", "probes/block-norm.csv"};
    g_auto(Command) command = RUN("run", "first.yaml", "--threads", "1", "--run-dir", "whole",
                                  "depth=5", "-o", "train.batch=25");
    g_autofree char *written = command_read("first.yaml");
    g_autofree char *config = command_read("whole/config.yaml");
    g_autofree char *overrides = command_read("whole/overrides.txt");
    g_autofree char *console = command_read("whole/console.log");
    g_autofree char *record = command_read("whole/run.json");

    assert_code(&command, 0);
    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *name = g_build_filename("whole", files[i], NULL);

        assert_exists(name, TRUE);
    }
    g_assert_true(g_str_has_prefix(command.out, "best test accuracy "));
    assert_contains(command.out, "share of the commonest class ");
    assert_contains(command.out, "4 epochs in 0:0");
    g_assert_true(g_str_has_suffix(command.out, "\nwhole\n"));
    g_assert_true(g_str_has_prefix(command.err, "run whole\nepoch 1/4 "));
    assert_contains(command.err, "\nepoch 4/4 ");
    assert_lacks(command.err, "\033");
    g_assert_cmpstr(config, ==, written);
    g_assert_cmpstr(overrides, ==, "depth=5\n-o train.batch=25\n");
    g_assert_true(g_str_has_prefix(console, command.err));
    g_assert_true(g_str_has_suffix(console, command.out));
    g_assert_cmpint(read_status("whole"), ==, ADIT_RUN_COMPLETED);
    assert_contains(record, "\"fingerprint\" : \"sha256:");
    assert_contains(record, "\"instruction-set\" : ");
    assert_contains(record, "\"block-dense\" : \"1.0\"");
    assert_contains(record, "\"exit-code\" : 0");
}

static void
test_quiet(void)
{
    g_auto(Command) command = RUN("run", "first.yaml", "-q", "--json", "--runs", "many");
    g_auto(Command) bar = RUN("run", "first.yaml", "--progress=always", "--run-dir", "bar");
    g_autofree char *console = command_read("bar/console.log");

    assert_code(&command, 0);
    g_assert_cmpstr(command.err, ==, "");
    assert_contains(command.out, "\"run\" : \"many/");
    assert_contains(command.out, "\"metric\" : \"accuracy\"");
    assert_contains(command.out, "\"dead\" : false");
    assert_contains(bar.err, "\r\033[K[");
    assert_contains(bar.err, "epoch 1/4 step ");
    assert_lacks(bar.err, "nan");
    assert_lacks(console, "\033");
    assert_contains(console, "\nepoch 4/4 ");
}

static void
test_same_bits(void)
{
    g_auto(Command) one = RUN("run", "first.yaml", "-q", "--threads=1", "--run-dir", "one");
    g_auto(Command) two = RUN("run", "first.yaml", "-q", "--threads=2", "--run-dir", "two");

    assert_code(&one, 0);
    assert_code(&two, 0);
    assert_same_weights("one", "two");
}

/* What a run keeps as config.resolved.yaml runs alone and gives the same numbers. */
static void
test_resolved(void)
{
    g_auto(Command) one =
        RUN("run", "first.yaml", "-q", "--run-dir", "original", "depth=4", "width=5");
    g_auto(Command) two =
        RUN("run", "original/config.resolved.yaml", "-q", "--run-dir", "repeated");

    assert_code(&one, 0);
    assert_code(&two, 0);
    assert_same_weights("original", "repeated");
}

/* Reads standard error up to a line that begins with @prefix. */
static void
wait_for_line(GSubprocess *process, const char *prefix)
{
    g_autoptr(GDataInputStream) lines =
        g_data_input_stream_new(g_subprocess_get_stderr_pipe(process));

    while (TRUE) {
        g_autofree char *line = g_data_input_stream_read_line(lines, NULL, NULL, NULL);

        g_assert_nonnull(line);
        if (g_str_has_prefix(line, prefix))
            return;
    }
}

static void
stop_by(int number, const char *folder)
{
    const char *words[] = {"run",       "first.yaml", "--threads=1", "-o", "train.epochs=60",
                           "--run-dir", folder,       NULL};
    g_autoptr(GSubprocess) process =
        command_start(words, G_SUBPROCESS_FLAGS_STDERR_PIPE | G_SUBPROCESS_FLAGS_STDOUT_SILENCE);

    wait_for_line(process, "epoch 3/60");
    g_subprocess_send_signal(process, number);
    g_assert_true(g_subprocess_wait(process, NULL, NULL));
    g_assert_true(g_subprocess_get_if_exited(process));
    g_assert_cmpint(g_subprocess_get_exit_status(process), ==, 75);
}

static void
test_stop_and_resume(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGUSR1};
    g_auto(Command) through = RUN("run", "first.yaml", "-q", "--threads=1", "-o", "train.epochs=60",
                                  "--run-dir", "through");

    assert_code(&through, 0);
    for (guint i = 0; i < G_N_ELEMENTS(signals); i++) {
        g_autofree char *folder = g_strdup_printf("stopped-%u", i);

        stop_by(signals[i], folder);
        g_assert_cmpint(read_status(folder), ==, ADIT_RUN_STOPPED);
        g_auto(Command) resumed = RUN("resume", folder);

        assert_code(&resumed, 0);
        g_assert_true(g_str_has_prefix(resumed.err, "going on from stopped-"));
        g_assert_cmpint(read_status(folder), ==, ADIT_RUN_COMPLETED);
        assert_same_weights("through", folder);
        g_auto(Command) again = RUN("resume", folder);

        assert_code(&again, 0);
        assert_contains(again.err, " is complete: nothing to go on with\n");
    }
}

/* A second signal ends the command at once; the run goes on from the checkpoint before. */
static void
test_second_signal(void)
{
    static const char *const words[] = {
        "run", "first.yaml", "--threads=1", "-o", "train.epochs=60", "--run-dir", "cut", NULL};
    g_autoptr(GSubprocess) process =
        command_start(words, G_SUBPROCESS_FLAGS_STDERR_PIPE | G_SUBPROCESS_FLAGS_STDOUT_SILENCE);

    wait_for_line(process, "epoch 3/60");
    g_subprocess_send_signal(process, SIGINT);
    g_subprocess_send_signal(process, SIGTERM);
    g_assert_true(g_subprocess_wait(process, NULL, NULL));
    g_assert_true(g_subprocess_get_if_exited(process));
    g_assert_cmpint(g_subprocess_get_exit_status(process), ==, 128 + SIGTERM);
    g_auto(Command) resumed = RUN("resume", "cut");

    assert_code(&resumed, 0);
    assert_same_weights("through", "cut");
}

/* A checkpoint that is damaged is passed over, and named. */
static void
test_damaged_checkpoint(void)
{
    g_autofree char *last = command_make_path("damaged/checkpoints/last/model.safetensors");

    stop_by(SIGINT, "damaged");
    g_assert_true(g_file_set_contents(last, "no weights", -1, NULL));
    g_auto(Command) resumed = RUN("resume", "damaged");

    assert_code(&resumed, 0);
    g_assert_true(g_str_has_prefix(resumed.err, "warning: passed over: "));
    assert_contains(resumed.err, "\ngoing on from damaged/checkpoints/step-");
    assert_same_weights("through", "damaged");
}

static void
test_max_time(void)
{
    g_auto(Command) command = RUN("run", "first.yaml", "--max-time=300 ms", "-o",
                                  "train.epochs=100000", "--run-dir", "short");

    assert_code(&command, 75);
    g_assert_true(
        g_str_has_suffix(command.err, "stopped, state saved; adit resume short goes on\n"));
    g_assert_cmpint(read_status("short"), ==, ADIT_RUN_STOPPED);
}

/* --resume=auto starts where there is nothing and goes on where there is something. */
static void
test_resume_option(void)
{
    g_auto(Command) must = RUN("run", "first.yaml", "--resume=must", "--run-dir", "requeued");
    g_auto(Command) start = RUN("run", "first.yaml", "--resume=auto", "--run-dir", "requeued",
                                "--max-time=100 ms", "-o", "train.epochs=60");
    g_auto(Command) on =
        RUN("run", "first.yaml", "--resume=auto", "--run-dir", "requeued", "-o", "train.epochs=60");
    g_auto(Command) other =
        RUN("run", "first.yaml", "--resume=auto", "--run-dir", "requeued", "depth=3");
    g_auto(Command) nowhere = RUN("run", "first.yaml", "--resume=auto");

    assert_code(&must, 3);
    assert_code(&start, 75);
    assert_code(&on, 0);
    assert_contains(on.err, "going on from requeued/checkpoints/");
    assert_code(&other, 2);
    assert_contains(other.err, "requeued was made from another pipeline than first.yaml");
    assert_code(&nowhere, 2);
}

static void
test_run_directory(void)
{
    g_autofree char *text = NULL;

    command_write("occupied", "a file\n");
    g_auto(Command) file = RUN("run", "first.yaml", "--run-dir", "occupied");
    g_auto(Command) below = RUN("run", "first.yaml", "--run-dir", "occupied/run");
    g_auto(Command) unwritable = RUN("run", "first.yaml", "--run-dir", "/proc/adit-run");
    g_auto(Command) again = RUN("run", "first.yaml", "--run-dir", "whole");

    assert_code(&file, 2);
    text = command_read("occupied");
    g_assert_cmpstr(text, ==, "a file\n");
    assert_code(&below, 5);
    assert_code(&unwritable, 5);
    assert_contains(unwritable.err, "/proc/adit-run");
    assert_code(&again, 2);
    g_assert_cmpstr(again.err, ==,
                    "adit run: error: whole: expected a new or empty folder for the run, got one "
                    "with files in it\n");
}

static void
test_dry_run(void)
{
    g_auto(Command) command = RUN("run", "first.yaml", "--dry-run", "--runs", "dry");

    assert_code(&command, 0);
    g_assert_cmpstr(command.out, ==,
                    "first.yaml: ok: 1,482 parameters, 300 rows to train on; nothing was "
                    "started\n");
    assert_exists("dry", FALSE);
}

/* The network's best is no better than a constant: it is said so. */
static void
test_dead(void)
{
    g_auto(Command) command = RUN("run", "first.yaml", "-o", "train.optimizer.adam.lr=0", "-o",
                                  "model.initializer=zeros", "-o", "train.epochs=1", "-q");

    assert_code(&command, 0);
    assert_contains(command.out, ": dead, the network does no better\n");
}

/* A loss that is not finite ends the run as failed, with its own code. */
static void
test_not_finite(void)
{
    g_auto(Command) command = RUN("run", "first.yaml", "--run-dir", "burst", "-o",
                                  "train.optimizer={sgd: {lr: 1e6}}", "-o", "train.epochs=50");

    assert_code(&command, 9);
    assert_contains(command.err, "adit run: error: ");
    g_assert_cmpint(read_status("burst"), ==, ADIT_RUN_FAILED);
}

static void
test_changed_data(void)
{
    command_write("values.csv", "x,y\n1,2\n2,4\n3,6\n4,8\n5,10\n6,12\n7,14\n8,16\n");
    g_auto(Command) start = RUN("run", "values.yaml", "--run-dir", "values", "--max-time=50 ms",
                                "-o", "train.epochs=100000");

    assert_code(&start, 75);
    command_write("values.csv", "x,y\n1,2\n2,4\n3,6\n4,8\n5,10\n6,12\n7,14\n8,17\n");
    g_auto(Command) resumed = RUN("resume", "values");

    assert_code(&resumed, 4);
    assert_contains(resumed.err, "data 'csv' is not what the run began with: got sha256:");
    g_auto(Command) nowhere = RUN("resume", "no-such-run");

    assert_code(&nowhere, 3);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tool/run/whole", test_whole);
    g_test_add_func("/tool/run/quiet", test_quiet);
    g_test_add_func("/tool/run/same-bits", test_same_bits);
    g_test_add_func("/tool/run/resolved", test_resolved);
    g_test_add_func("/tool/run/stop-and-resume", test_stop_and_resume);
    g_test_add_func("/tool/run/second-signal", test_second_signal);
    g_test_add_func("/tool/run/damaged-checkpoint", test_damaged_checkpoint);
    g_test_add_func("/tool/run/max-time", test_max_time);
    g_test_add_func("/tool/run/resume-option", test_resume_option);
    g_test_add_func("/tool/run/run-directory", test_run_directory);
    g_test_add_func("/tool/run/dry-run", test_dry_run);
    g_test_add_func("/tool/run/dead", test_dead);
    g_test_add_func("/tool/run/not-finite", test_not_finite);
    g_test_add_func("/tool/run/changed-data", test_changed_data);
    int result = g_test_run();

    command_remove_folder();
    return result;
}
