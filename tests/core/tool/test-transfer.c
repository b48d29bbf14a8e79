/* tests/core/tool/test-transfer.c - SPDX-License-Identifier: MIT */
#include "adit-checkpoint.h"
#include "command.h"

#include <glib/gstdio.h>
#include <string.h>

/* `model.from` and `model.load` through the command: a run goes on from another. */

#define DATA "data: {moons: {samples: 200, noise: 0.2, test: 25%, split-seed: 3}}\n"
#define HEAD "[{dense: {units: 8, activation: relu}}, {dense: {units: 2}}]"

static const char old_file[] =
    "adit: 1\n"
    "seed: 5\n"
    "data: {moons: {samples: 400, noise: 0.1, test: 25%}}\n"
    "parts: {unit: {params: {units: 8}, blocks: {dense: {units: $units, norm: batch-norm, "
    "activation: relu}}}}\n"
    "model:\n"
    "  initializer: glorot-uniform\n"
    "  stem: [{dense: {units: 8}}]\n"
    "  trunk: {aggregator: residual, blocks: [{repeat: {times: 4, blocks: [unit]}}]}\n"
    "  head: [{dense: {units: 2}}]\n"
    "train: {loss: cross-entropy, optimizer: {adam: {lr: 0.01}}, batch: 32, epochs: 3}\n";

/* A new head on the old trunk: first alone, then all of it, the trunk slowly. */
static const char new_file[] =
    "adit: 1\n"
    "params: {run: ~}\n" DATA "model: {from: $run, head: " HEAD "}\n"
    "train:\n"
    "  - {name: head, loss: cross-entropy, optimizer: {adam: {lr: 0.01}}, batch: 32, epochs: 2,\n"
    "     freeze: [stem, trunk], checkpoint: {keep-last: 9}}\n"
    "  - {name: all, freeze: [], rates: [{at: trunk, factor: 0.1}]}\n";

/* The same network, none of it taken. */
static const char fresh_file[] =
    "adit: 1\n" DATA "parts: {unit: {params: {units: 8}, blocks: {dense: {units: $units, norm: "
    "batch-norm, activation: relu}}}}\n"
    "model:\n"
    "  initializer: glorot-uniform\n"
    "  stem: [{dense: {units: 8}}]\n"
    "  trunk: {aggregator: residual, blocks: [{repeat: {times: 4, blocks: [unit]}}]}\n"
    "  head: " HEAD "\n"
    "train: {loss: cross-entropy, optimizer: {sgd: {lr: 0}}, batch: 32, epochs: 1}\n";

static void
ensure_old(void)
{
    g_autofree char *path = command_make_path("old/run.json");

    command_write("new.yaml", new_file);
    if (g_file_test(path, G_FILE_TEST_EXISTS))
        return;
    command_write("old.yaml", old_file);
    g_auto(Command) command = RUN("run", "old.yaml", "-q", "--run-dir", "old");

    assert_code(&command, 0);
}

static AditTensorList *
read_weights(const char *checkpoint)
{
    g_autofree char *path = command_make_path(checkpoint);
    g_auto(AditCheckpoint) read = {0};
    g_autoptr(GError) error = NULL;

    adit_checkpoint_read(path, &read, &error);
    g_assert_no_error(error);
    return g_steal_pointer(&read.model);
}

static gboolean
is_equal(const AditStoredTensor *a, const AditStoredTensor *b)
{
    return b != NULL && a->length == b->length && memcmp(a->data, b->data, a->length) == 0;
}

static gboolean
is_statistic(const AditStoredTensor *tensor)
{
    return strstr(tensor->name, "mean") != NULL || strstr(tensor->name, "variance") != NULL;
}

/* How many of the tensors below @prefix are in both lists and the same. */
static guint
count_equal(const AditTensorList *a, const AditTensorList *b, const char *prefix,
            gboolean statistics, guint *n)
{
    guint equal = 0;

    *n = 0;
    for (guint i = 0; i < adit_tensor_list_get_length(a); i++) {
        const AditStoredTensor *tensor = adit_tensor_list_get(a, i);

        if (!g_str_has_prefix(tensor->name, prefix) || is_statistic(tensor) != statistics)
            continue;
        *n += 1;
        equal += is_equal(tensor, adit_tensor_list_find(b, tensor->name));
    }
    g_assert_cmpuint(*n, >, 0);
    return equal;
}

static void
assert_same(const AditTensorList *a, const AditTensorList *b, const char *prefix,
            gboolean statistics)
{
    guint n, equal = count_equal(a, b, prefix, statistics, &n);

    g_assert_cmpuint(equal, ==, n);
}

static void
assert_other(const AditTensorList *a, const AditTensorList *b, const char *prefix)
{
    guint n;

    g_assert_cmpuint(count_equal(a, b, prefix, FALSE, &n), ==, 0);
}

/* 150 rows in batches of 32 are 5 steps an epoch: 10 of the first stage, 10 of the second. */
static void
test_stages(void)
{
    ensure_old();
    g_auto(Command) run = RUN("run", "new.yaml", "run=old", "-q", "--run-dir", "new");
    g_autofree char *record = command_read("new/run.json");

    assert_code(&run, 0);
    g_autoptr(AditTensorList) old = read_weights("old/checkpoints/best");
    g_autoptr(AditTensorList) first = read_weights("new/checkpoints/step-00000010");
    g_autoptr(AditTensorList) second = read_weights("new/checkpoints/step-00000020");

    /* what is frozen stays the old run's */
    assert_same(old, first, "stem.", FALSE);
    assert_same(old, first, "trunk.", FALSE);
    g_assert_cmpuint(adit_tensor_list_find(first, "head.1.weight")->length, ==,
                     8 * 8 * sizeof(float));
    assert_other(first, second, "stem.");
    assert_other(first, second, "head.");
    assert_other(first, second, "trunk.1.weight");
    /* which weights they were is noted */
    assert_contains(record, "\"sha256\"");
    assert_contains(record, "old/checkpoints/step-000000");
}

/* With a rate of 0 nothing moves: what is taken is the old run's, the rest is drawn by the seed. */
static void
test_fresh(void)
{
    ensure_old();
    command_write("fresh.yaml", fresh_file);
    g_auto(Command) fresh = RUN("run", "fresh.yaml", "-q", "--run-dir", "fresh");
    g_auto(Command) taken =
        RUN("run", "new.yaml", "run=old/checkpoints/last", "-q", "--run-dir", "taken", "-o",
            "train=[{loss: cross-entropy, optimizer: {sgd: {lr: "
            "0}}, batch: 32, epochs: 1}]");
    g_autofree char *config = command_read("taken/config.resolved.yaml");

    assert_code(&fresh, 0);
    assert_code(&taken, 0);
    assert_contains(config, "glorot-uniform");
    g_autoptr(AditTensorList) old = read_weights("old/checkpoints/last");
    g_autoptr(AditTensorList) drawn = read_weights("fresh/checkpoints/last");
    g_autoptr(AditTensorList) got = read_weights("taken/checkpoints/last");

    assert_same(old, got, "stem.", FALSE);
    assert_same(old, got, "trunk.", FALSE);
    assert_same(drawn, got, "head.", FALSE);
    assert_other(drawn, got, "stem.1.weight");
}

/* The resolved pipeline runs alone and gives the same numbers. */
static void
test_resolved(void)
{
    ensure_old();
    g_auto(Command) run = RUN("run", "new.yaml", "run=old", "-q", "--run-dir", "first");
    g_auto(Command) again = RUN("run", "first/config.resolved.yaml", "-q", "--run-dir", "again");
    g_autofree char *config = command_read("first/config.resolved.yaml");
    g_autofree char *other = command_read("again/config.resolved.yaml");

    assert_code(&run, 0);
    assert_code(&again, 0);
    g_assert_cmpstr(config, ==, other);
    g_autoptr(AditTensorList) first = read_weights("first/checkpoints/last");
    g_autoptr(AditTensorList) second = read_weights("again/checkpoints/last");

    assert_same(first, second, "", FALSE);
    assert_same(first, second, "", TRUE);
}

/* A run that goes on has its own weights, and needs the old run no more. */
static void
test_resume(void)
{
    g_autofree char *old = command_make_path("old"), *away = command_make_path("away");

    ensure_old();
    g_auto(Command) whole = RUN("run", "new.yaml", "run=old", "-q", "--run-dir", "whole");
    g_auto(Command) cut =
        RUN("run", "new.yaml", "run=old", "-q", "--run-dir", "cut", "--max-time", "1 ms");

    assert_code(&whole, 0);
    assert_code(&cut, 75);
    g_assert_cmpint(g_rename(old, away), ==, 0);
    g_auto(Command) resumed = RUN("resume", "cut", "-q");
    g_auto(Command) scores = RUN("eval", "cut");
    g_auto(Command) begun = RUN("run", "cut/config.resolved.yaml", "-q", "--run-dir", "begun");

    g_assert_cmpint(g_rename(away, old), ==, 0);
    assert_code(&resumed, 0);
    assert_code(&scores, 0);
    g_autoptr(AditTensorList) first = read_weights("whole/checkpoints/last");
    g_autoptr(AditTensorList) second = read_weights("cut/checkpoints/last");

    assert_same(first, second, "", FALSE);
    assert_same(first, second, "", TRUE);
    /* one that begins does */
    assert_code(&begun, 3);
    assert_contains(begun.err, "config.resolved.yaml:");
}

/* Running statistics come along: the answers are the old run's. */
static void
test_answers(void)
{
    ensure_old();
    command_write("same.yaml", "adit: 1\n"
                               "data: {moons: {samples: 400, noise: 0.1, test: 25%}}\n"
                               "model: {from: old, head: [{dense: {units: 2}}], load: head}\n");
    command_write("file.yaml",
                  "adit: 1\n"
                  "data: {moons: {samples: 400, noise: 0.1, test: 25%}}\n"
                  "model:\n"
                  "  from: old/checkpoints/best/model.safetensors\n"
                  "  load: [stem, trunk, head.1]\n"
                  "  stem: [{dense: {units: 8}}]\n"
                  "  trunk: {aggregator: residual, blocks: [{repeat: {times: 4, blocks: [{dense: "
                  "{units: 8, norm: batch-norm, activation: relu}}]}}]}\n"
                  "  head: [{dense: {units: 2}}]\n"
                  "train: {loss: cross-entropy, optimizer: adam, batch: 32, epochs: 1}\n");
    g_auto(Command) own = RUN("eval", "old", "--checkpoint=best");
    g_auto(Command) newest = RUN("eval", "old");
    g_auto(Command) same = RUN("eval", "same.yaml");
    g_auto(Command) last = RUN("eval", "same.yaml", "--checkpoint=last");
    g_auto(Command) file = RUN("eval", "file.yaml");
    g_auto(Command) other = RUN("eval", "file.yaml", "-o", "data.moons.noise=0.3");
    g_auto(Command) choice = RUN("eval", "file.yaml", "--checkpoint=best");
    g_auto(Command) answers = RUN("predict", "old", "--checkpoint=best");
    g_auto(Command) answered = RUN("predict", "file.yaml");

    assert_code(&own, 0);
    assert_code(&same, 0);
    assert_code(&file, 0);
    g_assert_cmpstr(same.out, ==, own.out);
    g_assert_cmpstr(last.out, ==, newest.out);
    g_assert_cmpstr(file.out, ==, own.out);
    g_assert_cmpstr(other.out, !=, own.out);
    assert_code(&choice, 2);
    g_assert_cmpstr(answered.out, ==, answers.out);
}

/* What cannot be loaded is said where it is asked for, and nothing is started. */
static void
test_refused(void)
{
    static const struct {
        const char *override;
        const char *message;
        int code;
    } rows[] = {
        {"model.load=[stem, head]",
         "command-line:6:20: error: 'head.1.weight' is 8x8 here, but F32 of 8x2 in ", 2},
        {"model.load=head.2", "command-line:6:13: error: no 'head.2.", 2},
        {"model.load=head.1",
         "command-line:6:13: error: 'head.1.weight' is 8x8 here, but F32 of 8x2 in ", 2},
        {"model.load=trunk.25",
         "command-line:6:13: error: nothing is at 'trunk.25'; 'trunk' has 4 items", 2},
        {"model.load=trunk.3.weight", "command-line:6:13: error: nothing is at ", 2},
        {"model.from=nowhere", "command-line:6:13: error: no run, checkpoint or file 'nowhere'", 3},
        {"model.from=broken", "command-line:6:13: error: ", 4},
        {"data.moons.transform=[{dense: {units: 3}}]",
         "command-line:3:6: error: 'stem.1.weight' is 3x8 here, but F32 of 2x8 in ", 2},
    };

    ensure_old();
    g_auto(Command) broken = RUN("run", "old.yaml", "-q", "--run-dir", "broken");
    g_autofree char *link = command_make_path("broken/checkpoints/best/model.safetensors");

    assert_code(&broken, 0);
    g_assert_true(g_file_set_contents(link, "no tensors", -1, NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Command) check = RUN("check", "new.yaml", "run=old", "-q", "-o", rows[i].override);
        g_auto(Command) run =
            RUN("run", "new.yaml", "run=old", "-q", "-o", rows[i].override, "--run-dir", "refused");
        g_auto(GStrv) parts = g_strsplit(rows[i].message, "%s", 2);
        g_autofree char *folder = command_make_path("refused");

        assert_code(&check, rows[i].code);
        assert_code(&run, rows[i].code);
        assert_contains(run.err, parts[0]);
        g_assert_false(g_file_test(folder, G_FILE_TEST_EXISTS));
    }
}

/* A file of weights that is missing or damaged. */
static void
test_files(void)
{
    ensure_old();
    command_write("weights.yaml",
                  "adit: 1\n" DATA "model: {from: w.safetensors, stem: [], trunk: [{dense: {units: "
                  "2}}], head: [], load: trunk}\n");
    g_auto(Command) missing = RUN("check", "weights.yaml");
    command_write("w.safetensors", "\x08\1\1\1\1\1\1\1{}");
    g_auto(Command) damaged = RUN("check", "weights.yaml");
    g_auto(Command) bare = RUN("check", "weights.yaml", "-o", "model.head=~");

    assert_code(&missing, 3);
    assert_contains(missing.err, "weights.yaml:3:15: error: ");
    assert_code(&damaged, 4);
    assert_contains(damaged.err, "weights.yaml:3:15: error: ");
    assert_code(&bare, 2);
    assert_contains(bare.err, "holds weights without a network; write 'head' here");
}

/* A run that keeps no best checkpoint stands for its newest. */
static void
test_newest(void)
{
    g_autofree char *best = NULL;

    ensure_old();
    g_auto(Command) run =
        RUN("run", "old.yaml", "-q", "--run-dir", "plain", "-o", "train.checkpoint={keep-best: 0}");
    g_auto(Command) eval = RUN("eval", "answer.yaml", "run=plain", "--json");

    best = command_make_path("plain/checkpoints/best");
    g_assert_false(g_file_test(best, G_FILE_TEST_EXISTS));
    assert_code(&run, 0);
    assert_code(&eval, 0);
    /* 3 epochs of 300 rows in batches of 32 */
    assert_contains(eval.out, "plain/checkpoints/step-00000030\"");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tool/transfer/stages", test_stages);
    g_test_add_func("/tool/transfer/fresh", test_fresh);
    g_test_add_func("/tool/transfer/resolved", test_resolved);
    g_test_add_func("/tool/transfer/resume", test_resume);
    g_test_add_func("/tool/transfer/answers", test_answers);
    g_test_add_func("/tool/transfer/refused", test_refused);
    g_test_add_func("/tool/transfer/files", test_files);
    g_test_add_func("/tool/transfer/newest", test_newest);
    int result = g_test_run();

    command_remove_folder();
    return result;
}
