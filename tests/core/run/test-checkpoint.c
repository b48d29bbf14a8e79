/* tests/core/run/test-checkpoint.c - SPDX-License-Identifier: MIT */
#include "adit-checkpoint.h"
#include "adit-file.h"
#include "fault.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_WEIGHTS 1000

static const AditRetention keep_two_and_best = {.last = 2, .best = 1};

/* A checkpoint whose every number follows from its step. */
typedef struct {
    AditCheckpoint checkpoint;
    float weights[N_WEIGHTS];
    double moments[N_WEIGHTS];
} Sample;

static void
fill_sample(Sample *self, guint64 step)
{
    const AditShape shape = ADIT_SHAPE(N_WEIGHTS);

    for (guint i = 0; i < N_WEIGHTS; i++) {
        self->weights[i] = (float) step + 1 / (float) (i + 1);
        self->moments[i] = (double) step / (i + 3);
    }
    self->checkpoint.step = step;
    self->checkpoint.model = adit_tensor_list_new();
    self->checkpoint.optimizer = adit_tensor_list_new();
    self->checkpoint.state = json_object_new();
    self->checkpoint.score = 1.0 / (double) (step + 1);
    adit_tensor_list_add(self->checkpoint.model, "trunk.1.weight", ADIT_DTYPE_F32, &shape,
                         self->weights);
    adit_tensor_list_add(self->checkpoint.optimizer, "trunk.1.weight:m", ADIT_DTYPE_F64, &shape,
                         self->moments);
    adit_json_set_unsigned(self->checkpoint.state, "step", step);
    adit_json_set_double(self->checkpoint.state, "sum", 1.0 / (double) (step + 3));
}

static void
clear_sample(Sample *self)
{
    adit_checkpoint_clear(&self->checkpoint);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sample, clear_sample)

static gboolean
write_scored(const char *folder, guint64 step, double score, const AditRetention *retention,
             GError **error)
{
    g_auto(Sample) sample = {0};

    fill_sample(&sample, step);
    sample.checkpoint.score = score;
    return adit_checkpoint_write(folder, &sample.checkpoint, retention, error);
}

static void
write_step(const char *folder, guint64 step)
{
    g_autoptr(GError) error = NULL;

    write_scored(folder, step, 1.0 / (double) (step + 1), &keep_two_and_best, &error);
    g_assert_no_error(error);
}

static char *
step_path(const char *folder, guint64 step)
{
    return g_strdup_printf("%s/checkpoints/step-%08" G_GUINT64_FORMAT, folder, step);
}

/* Whether @path is what fill_sample() makes of its step. */
static void
assert_sample(const char *path)
{
    g_auto(AditCheckpoint) read = {0};
    g_auto(Sample) sample = {0};
    g_autoptr(GError) error = NULL;
    const AditStoredTensor *tensor;
    guint64 step = 0;
    double sum = 0;

    adit_checkpoint_read(path, &read, &error);
    g_assert_no_error(error);
    fill_sample(&sample, read.step);
    tensor = adit_tensor_list_find(read.model, "trunk.1.weight");
    g_assert_cmpmem(tensor->data, tensor->length, sample.weights, sizeof(sample.weights));
    tensor = adit_tensor_list_find(read.optimizer, "trunk.1.weight:m");
    g_assert_cmpmem(tensor->data, tensor->length, sample.moments, sizeof(sample.moments));
    g_assert_true(adit_json_get_unsigned(read.state, "step", &step));
    g_assert_cmpuint(step, ==, read.step);
    g_assert_true(adit_json_get_double(read.state, "sum", &sum));
    g_assert_true(sum == 1.0 / (double) (step + 3));
}

static void
assert_link(const char *folder, const char *name, const char *expected)
{
    g_autofree char *path = g_build_filename(folder, "checkpoints", name, NULL);
    g_autofree char *target = g_file_read_link(path, NULL);

    g_assert_cmpstr(target, ==, expected);
}

static void
assert_steps(const char *folder, const char *expected)
{
    g_autofree char *path = g_build_filename(folder, "checkpoints", NULL);
    g_autoptr(GString) found = g_string_new(NULL);

    for (guint64 step = 0; step < 100; step++) {
        g_autofree char *checkpoint = step_path(folder, step);

        if (g_file_test(checkpoint, G_FILE_TEST_IS_DIR))
            g_string_append_printf(found, "%s%d", found->len > 0 ? " " : "", (int) step);
    }
    g_assert_cmpstr(found->str, ==, expected);
    g_assert_cmpuint(fault_count_entries(path, "."), ==, 0);
}

static void
test_round_trip(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autofree char *path = step_path(folder, 1200);
    g_autofree char *last = g_build_filename(folder, "checkpoints", "last", NULL);
    g_autofree char *found = NULL;
    g_auto(GStrv) reasons = NULL;

    write_step(folder, 1200);
    assert_sample(path);
    assert_sample(last);
    g_assert_true(adit_checkpoint_verify(path, NULL));
    g_assert_cmpuint(fault_count_entries(path, ""), ==, 4);
    found = adit_checkpoint_find(folder, &reasons);
    g_assert_cmpstr(found, ==, path);
    g_assert_cmpuint(g_strv_length(reasons), ==, 0);
}

static void
test_none(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_auto(GStrv) reasons = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_null(adit_checkpoint_find(folder, &reasons));
    g_assert_cmpuint(g_strv_length(reasons), ==, 0);
    adit_checkpoint_clean(folder, &error);
    g_assert_no_error(error);
    adit_checkpoint_discard_after(folder, 0, &error);
    g_assert_no_error(error);
    g_assert_false(adit_checkpoint_verify(folder, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_NOT_FOUND);
}

/* Two that were written the same way are the same bytes. */
static void
test_same_bytes(void)
{
    static const char *const names[] = {"model.safetensors", "optimizer.safetensors", "state.json",
                                        "MANIFEST.json"};
    g_auto(FaultFolder) one = fault_make_folder();
    g_auto(FaultFolder) two = fault_make_folder();

    write_step(one, 7);
    write_step(two, 5);
    write_step(two, 7);
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *one_folder = step_path(one, 7);
        g_autofree char *two_folder = step_path(two, 7);
        g_autofree char *one_path = g_build_filename(one_folder, names[i], NULL);
        g_autofree char *two_path = g_build_filename(two_folder, names[i], NULL);
        g_autofree char *one_hash = adit_file_hash(one_path, NULL);
        g_autofree char *two_hash = adit_file_hash(two_path, NULL);

        g_assert_nonnull(one_hash);
        g_assert_cmpstr(one_hash, ==, two_hash);
    }
}

static void
test_retention(void)
{
    static const double scores[] = {(double) NAN, 5, 3, 4, 3, 6, 7, 8};
    static const struct {
        AditRetention retention;
        const char *steps;
        const char *best;
    } cases[] = {
        {{2, 1}, "2 6 7", "step-00000002"},
        {{1, 2}, "2 4 7", "step-00000002"},
        {{3, 0}, "5 6 7", NULL},
        {{0, 0}, "7", NULL},
        {{1, 9}, "1 2 3 4 5 6 7", "step-00000002"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(FaultFolder) folder = fault_make_folder();

        for (guint step = 0; step < G_N_ELEMENTS(scores); step++)
            g_assert_true(write_scored(folder, step, scores[step], &cases[i].retention, NULL));
        assert_steps(folder, cases[i].steps);
        assert_link(folder, "last", "step-00000007");
        assert_link(folder, "best", cases[i].best);
    }
}

/* Weights that became NaN push the last good ones out of no retention. */
static void
test_keeps_finite(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    const AditRetention one = {.last = 1, .best = 0};

    write_step(folder, 1);
    write_step(folder, 2);
    for (guint64 step = 3; step < 6; step++) {
        g_auto(Sample) sample = {0};
        g_autoptr(GError) error = NULL;

        fill_sample(&sample, step);
        sample.weights[17] = NAN;
        adit_checkpoint_write(folder, &sample.checkpoint, &one, &error);
        g_assert_no_error(error);
    }
    assert_steps(folder, "2 5");
    g_assert_true(write_scored(folder, 6, 1, &one, NULL));
    assert_steps(folder, "6");
}

static void
damage(const char *folder, const char *name, gssize cut, gsize flip)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *text = NULL;
    gsize length;

    g_assert_true(adit_file_read(path, 1000000, &text, &length, NULL));
    text[flip] = (char) (text[flip] ^ 1);
    g_assert_true(adit_file_write(path, text, length - (gsize) cut, NULL));
}

/* A damaged checkpoint is passed over, and the reason says why. */
static void
test_find_passes_over(void)
{
    static const struct {
        const char *name;
        gssize cut;
        gsize flip;
        const char *reason;
    } cases[] = {
        {"model.safetensors", 1, 0, "model.safetensors: expected "},
        {"model.safetensors", 0, 1000, "model.safetensors: expected SHA-256 "},
        {"optimizer.safetensors", 0, 200, "optimizer.safetensors: expected SHA-256 "},
        {"state.json", 0, 4, "state.json: expected SHA-256 "},
        {"MANIFEST.json", 40, 0, "MANIFEST.json: byte "},
        {"MANIFEST.json", 0, 6, "MANIFEST.json: expected the format"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(FaultFolder) folder = fault_make_folder();
        g_autofree char *newest = step_path(folder, 2);
        g_autofree char *older = step_path(folder, 1);
        g_autofree char *found = NULL;
        g_auto(GStrv) reasons = NULL;
        g_auto(AditCheckpoint) read = {0};
        g_autoptr(GError) error = NULL;

        write_step(folder, 1);
        write_step(folder, 2);
        damage(newest, cases[i].name, cases[i].cut, cases[i].flip);
        found = adit_checkpoint_find(folder, &reasons);
        g_assert_cmpstr(found, ==, older);
        g_assert_cmpuint(g_strv_length(reasons), ==, 1);
        g_test_message("%s", reasons[0]);
        g_assert_nonnull(strstr(reasons[0], cases[i].reason));
        g_assert_false(adit_checkpoint_read(newest, &read, &error));
        g_assert_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED);
        /* training comes to that step again */
        write_step(folder, 2);
        assert_sample(newest);
    }
}

static void
test_refuses_paths_in_manifest(void)
{
    static const char *const names[] = {"../secret", "/etc/passwd", "", ".", "a/b", ".hidden"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_auto(FaultFolder) folder = fault_make_folder();
        g_autofree char *path = g_build_filename(folder, "MANIFEST.json", NULL);
        g_autofree char *text = g_strdup_printf(
            "{\"format\":\"adit-checkpoint\",\"version\":1,\"step\":1,\"score\":1,\"finite\":true,"
            "\"files\":[{\"name\":\"%s\",\"size\":1,\"sha256\":\"x\"}]}",
            names[i]);
        g_autoptr(GError) error = NULL;

        g_assert_true(adit_file_write(path, text, strlen(text), NULL));
        g_assert_false(adit_checkpoint_verify(folder, &error));
        g_assert_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED);
        g_assert_nonnull(strstr(error->message, "plain names"));
    }
}

/* Each state that a kill can leave: the unfinished folder with some of its files, the finished one
 * without its links, links that are gone. */
static void
test_crash_states(void)
{
    static const char *const names[] = {"model.safetensors", "optimizer.safetensors", "state.json",
                                        "MANIFEST.json"};

    for (guint n_files = 0; n_files <= G_N_ELEMENTS(names); n_files++) {
        g_auto(FaultFolder) folder = fault_make_folder();
        g_autofree char *one = step_path(folder, 1);
        g_autofree char *two = step_path(folder, 2);
        g_autofree char *unfinished =
            g_build_filename(folder, "checkpoints", ".tmp-step-00000002-1-0", NULL);
        g_autofree char *found = NULL;
        g_autoptr(GError) error = NULL;

        write_step(folder, 1);
        write_step(folder, 2);
        g_assert_cmpint(g_rename(two, unfinished), ==, 0);
        for (guint i = n_files; i < G_N_ELEMENTS(names); i++) {
            g_autofree char *path = g_build_filename(unfinished, names[i], NULL);

            g_assert_cmpint(g_unlink(path), ==, 0);
        }
        found = adit_checkpoint_find(folder, NULL);
        g_assert_cmpstr(found, ==, one);
        adit_checkpoint_clean(folder, &error);
        g_assert_no_error(error);
        assert_steps(folder, "1");
        write_step(folder, 2);
        assert_link(folder, "last", "step-00000002");
        assert_sample(two);
    }
}

static void
test_discard_after(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    const AditRetention many = {.last = 9, .best = 1};
    g_autoptr(GError) error = NULL;

    for (guint64 step = 1; step <= 5; step++)
        g_assert_true(write_scored(folder, step, 10 - (double) step, &many, NULL));
    assert_link(folder, "best", "step-00000005");
    adit_checkpoint_discard_after(folder, 3, &error);
    g_assert_no_error(error);
    assert_steps(folder, "1 2 3");
    assert_link(folder, "last", "step-00000003");
    assert_link(folder, "best", "step-00000003");
    adit_checkpoint_discard_after(folder, 0, &error);
    g_assert_no_error(error);
    assert_steps(folder, "");
    assert_link(folder, "last", NULL);
    assert_link(folder, "best", NULL);
}

/* @data: whether the file system cannot exchange two names. Every call in turn fails, of the
 * writing of a new step and of one that is there: after the next start there is a whole checkpoint,
 * the new one if success was reported, and nothing else lies about. */
static void
test_faults(gconstpointer data)
{
    static const int numbers[] = {ENOSPC, EIO};

    fault_forbid_exchange(GPOINTER_TO_INT(data));
    for (guint i = 0; i < 2 * G_N_ELEMENTS(numbers); i++) {
        gboolean rewrite = i % 2 != 0, struck = TRUE;
        guint64 step = rewrite ? 3 : 4;

        for (guint nth = 1; struck; nth++) {
            g_auto(FaultFolder) folder = fault_make_folder();
            g_autofree char *path = step_path(folder, step);
            g_autofree char *before = step_path(folder, 3);
            g_autofree char *found = NULL;
            g_autoptr(GError) error = NULL;
            gboolean written;

            for (guint64 earlier = 2; earlier <= 3; earlier++)
                write_step(folder, earlier);
            fault_arm(nth, numbers[i / 2]);
            written = write_scored(folder, step, 0.01, &keep_two_and_best, &error);
            struck = fault_disarm();
            if (!written)
                g_assert_error(error, ADIT_ERROR, ADIT_ERROR_OUTPUT);
            adit_checkpoint_clean(folder, NULL);
            found = adit_checkpoint_find(folder, NULL);
            g_assert_nonnull(found);
            g_assert_true(g_str_equal(found, path) || (!written && g_str_equal(found, before)));
            assert_sample(found);
            write_step(folder, 5);
            assert_link(folder, "last", "step-00000005");
            g_assert_true(nth < 200);
        }
    }
    fault_forbid_exchange(FALSE);
}

static void
test_full_disk(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autofree char *path = step_path(folder, 1);
    g_autoptr(GError) error = NULL;
    struct rlimit limit, small;

    write_step(folder, 1);
    signal(SIGXFSZ, SIG_IGN);
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &limit), ==, 0);
    small = limit;
    small.rlim_cur = 6000;
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &small), ==, 0);
    g_assert_false(write_scored(folder, 2, 1, &keep_two_and_best, &error));
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_OUTPUT);
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, g_strerror(EFBIG)));
    assert_steps(folder, "1");
    assert_sample(path);
}

static void
test_refused_folder(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autofree char *file = g_build_filename(folder, "file", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(adit_file_write(file, "x", 1, NULL));
    g_assert_false(write_scored(file, 1, 1, &keep_two_and_best, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_OUTPUT);
    g_clear_error(&error);
    g_assert_false(write_scored("/proc", 1, 1, &keep_two_and_best, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_OUTPUT);
}

/* Takes up what is there and writes on until it is killed; steps come round again, so that some are
 * rewritten. */
static void
write_until_killed(const char *folder)
{
    for (guint64 step = 1;; step = step % 8 + 1) {
        g_auto(Sample) sample = {0};

        fill_sample(&sample, step);
        if (!adit_checkpoint_clean(folder, NULL) ||
            !adit_checkpoint_write(folder, &sample.checkpoint, &keep_two_and_best, NULL))
            _exit(1);
    }
}

/* @data: whether the file system cannot exchange two names */
static void
test_kills(gconstpointer data)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autofree char *checkpoints = g_build_filename(folder, "checkpoints", NULL);

    fault_forbid_exchange(GPOINTER_TO_INT(data));
    write_step(folder, 1);
    for (guint i = 0; i < 50; i++) {
        g_autofree char *found = NULL;
        g_autoptr(GError) error = NULL;
        pid_t child = fork();
        int status;

        g_assert_cmpint(child, >=, 0);
        if (child == 0)
            write_until_killed(folder);
        g_usleep((gulong) g_test_rand_int_range(500, 40000));
        g_assert_cmpint(kill(child, SIGKILL), ==, 0);
        g_assert_cmpint(waitpid(child, &status, 0), ==, child);
        g_assert_true(WIFSIGNALED(status));
        adit_checkpoint_clean(folder, &error);
        g_assert_no_error(error);
        found = adit_checkpoint_find(folder, NULL);
        g_assert_nonnull(found);
        assert_sample(found);
        g_assert_cmpuint(fault_count_entries(checkpoints, "."), ==, 0);
    }
    fault_forbid_exchange(FALSE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/run/checkpoint/round-trip", test_round_trip);
    g_test_add_func("/run/checkpoint/none", test_none);
    g_test_add_func("/run/checkpoint/same-bytes", test_same_bytes);
    g_test_add_func("/run/checkpoint/retention", test_retention);
    g_test_add_func("/run/checkpoint/keeps-finite-weights", test_keeps_finite);
    g_test_add_func("/run/checkpoint/find-passes-over-damage", test_find_passes_over);
    g_test_add_func("/run/checkpoint/refuses-paths-in-manifest", test_refuses_paths_in_manifest);
    g_test_add_func("/run/checkpoint/crash-states", test_crash_states);
    g_test_add_func("/run/checkpoint/discard-after", test_discard_after);
    g_test_add_data_func("/run/checkpoint/faults", GINT_TO_POINTER(FALSE), test_faults);
    g_test_add_data_func("/run/checkpoint/faults-without-exchange", GINT_TO_POINTER(TRUE),
                         test_faults);
    g_test_add_func("/run/checkpoint/full-disk", test_full_disk);
    g_test_add_func("/run/checkpoint/refused-folder", test_refused_folder);
    g_test_add_data_func("/run/checkpoint/kills", GINT_TO_POINTER(FALSE), test_kills);
    g_test_add_data_func("/run/checkpoint/kills-without-exchange", GINT_TO_POINTER(TRUE),
                         test_kills);
    return g_test_run();
}
