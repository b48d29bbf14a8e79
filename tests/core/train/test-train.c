/* tests/core/train/test-train.c - SPDX-License-Identifier: MIT */
#include "adit-checkpoint.h"
#include "adit-file.h"
#include "adit-trainer.h"
#include "rig.h"

#include <math.h>
#include <string.h>

/* Small whole trainings on moons, told apart by what is written into `train`. */

static const char pipeline[] =
    "adit: 1\n"
    "data: {moons: {samples: 120, noise: 0.1, test: 25%, validation: 20}}\n"
    "model:\n"
    "  stem: [{dense: {units: 6}}]\n"
    "  trunk: {aggregator: glonet, blocks: [{repeat: {times: 5, blocks: [{dense: {units: 6, "
    "activation: relu}}]}}]}\n"
    "  head: [{dense: {units: 2}}]\n"
    "train: {loss: cross-entropy, optimizer: {adam: {lr: 0.01}}, batch: 16, epochs: 4}\n";

typedef struct {
    char *folder; /* of everything */
    char *run;
    AditTrainingResult result;
    AditTensorList *weights; /* of the last checkpoint */
    GError *error;
} Outcome;

static void
outcome_clear(Outcome *self)
{
    adit_folder_remove(self->folder, NULL);
    g_free(self->folder);
    g_free(self->run);
    g_clear_pointer(&self->weights, adit_tensor_list_unref);
    g_clear_error(&self->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Outcome, outcome_clear)

static GPtrArray *
open_data(const AditExperiment *experiment)
{
    GPtrArray *data = g_ptr_array_new_with_free_func((GDestroyNotify) adit_data_free);
    for (guint i = 0; i < experiment->datasets->len; i++) {
        g_autoptr(GError) error = NULL;
        AditData *set = adit_data_open(experiment->datasets->pdata[i], NULL, &error);
        g_assert_no_error(error);
        g_ptr_array_add(data, set);
    }
    return data;
}

static void
read_weights(Outcome *outcome)
{
    g_autofree char *path = adit_checkpoint_find(outcome->run, NULL);
    g_auto(AditCheckpoint) checkpoint = {0};
    if (path == NULL)
        return;
    g_assert_true(adit_checkpoint_read(path, &checkpoint, NULL));
    outcome->weights = adit_tensor_list_ref(checkpoint.model);
}

/* Trains the pipeline with overrides (`-o` each), from the beginning or from where a run stands. */
static void
train_told(Outcome *outcome, const char *const *overrides, guint threads, const gint *stop,
           AditProgressFunc progress)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    g_autoptr(GPtrArray) arguments = g_ptr_array_new();
    if (outcome->folder == NULL) {
        outcome->folder = g_dir_make_tmp("adit-train-XXXXXX", NULL);
        outcome->run = g_build_filename(outcome->folder, "run", NULL);
    }
    g_autofree char *file = g_build_filename(outcome->folder, "moons.yaml", NULL);
    g_assert_true(g_file_set_contents(file, pipeline, -1, NULL));
    for (guint i = 0; overrides != NULL && overrides[i] != NULL; i++) {
        g_ptr_array_add(arguments, (gpointer) "-o");
        g_ptr_array_add(arguments, (gpointer) overrides[i]);
    }
    g_ptr_array_add(arguments, NULL);
    g_autoptr(AditExperiment) experiment =
        adit_experiment_read(file, (const char *const *) arguments->pdata, 3, NULL, diagnostics);
    g_autofree char *text = adit_diagnostics_to_string(diagnostics, FALSE);
    g_assert_cmpstr(text, ==, "");

    g_autoptr(GPtrArray) data = open_data(experiment);
    g_autoptr(AditDevice) device = test_device(threads);
    AditRunSetup setup = {.folder = outcome->run,
                          .name = "moons",
                          .seed = experiment->seed,
                          .config = experiment->text,
                          .resolved = experiment->resolved};
    g_autoptr(AditRun) run = g_file_test(outcome->run, G_FILE_TEST_IS_DIR)
                                 ? adit_run_open(outcome->run, &outcome->error)
                                 : adit_run_create(&setup, &outcome->error);
    g_assert_no_error(outcome->error);
    AditTraining training = {.experiment = experiment,
                             .data = data,
                             .device = device,
                             .run = run,
                             .stop = stop,
                             .progress = progress};
    adit_train(&training, &outcome->result, &outcome->error);
    g_clear_pointer(&outcome->weights, adit_tensor_list_unref);
    read_weights(outcome);
}

static void
train(Outcome *outcome, const char *const *overrides, guint threads, const gint *stop)
{
    train_told(outcome, overrides, threads, stop, NULL);
}

/* Largest difference of two sets of weights. */
static double
compare(const AditTensorList *a, const AditTensorList *b)
{
    double most = 0;
    g_assert_cmpuint(adit_tensor_list_get_length(a), ==, adit_tensor_list_get_length(b));
    for (guint i = 0; i < adit_tensor_list_get_length(a); i++) {
        const AditStoredTensor *x = adit_tensor_list_get(a, i);
        const AditStoredTensor *y = adit_tensor_list_find(b, x->name);
        g_assert_nonnull(y);
        for (gsize j = 0; j < x->length / sizeof(float); j++)
            most = fmax(most, fabs((double) ((const float *) x->data)[j] -
                                   (double) ((const float *) y->data)[j]));
    }
    return most;
}

static double
compare_tensor(const Outcome *a, const Outcome *b, const char *name)
{
    const AditStoredTensor *x = adit_tensor_list_find(a->weights, name);
    const AditStoredTensor *y = adit_tensor_list_find(b->weights, name);
    g_assert_nonnull(x);
    return memcmp(x->data, y->data, x->length) == 0 ? 0 : 1;
}

#define OVERRIDES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void
test_threads(void)
{
    g_auto(Outcome) one = {0};
    g_auto(Outcome) three = {0};
    const char *const *overrides = OVERRIDES("train.clip=0.3", "train.batch=50");
    train(&one, overrides, 1, NULL);
    train(&three, overrides, 3, NULL);
    g_assert_no_error(three.error);
    g_assert_cmpfloat(compare(one.weights, three.weights), ==, 0);
}

static void
test_wide_clip(void)
{
    g_auto(Outcome) free = {0};
    g_auto(Outcome) clipped = {0};
    train(&free, NULL, 1, NULL);
    train(&clipped, OVERRIDES("train.clip=1000"), 2, NULL);
    g_assert_cmpfloat(compare(free.weights, clipped.weights), ==, 0);
}

static void
test_clip(void)
{
    g_auto(Outcome) free = {0};
    g_auto(Outcome) clipped = {0};
    /* one step of plain descent moves the weights by at most lr * clip in all */
    const char *const *overrides =
        OVERRIDES("train.optimizer={sgd: {lr: 1}}", "train.batch=100%", "train.epochs=1");
    train(&free, overrides, 1, NULL);
    train(&clipped,
          OVERRIDES("train.optimizer={sgd: {lr: 1}}", "train.batch=100%", "train.epochs=1",
                    "train.clip=1e-3"),
          1, NULL);
    g_assert_cmpfloat(compare(free.weights, clipped.weights), >, 1e-3);
    g_auto(Outcome) none = {0};
    train(&none, OVERRIDES("train.optimizer={sgd: {lr: 0}}", "train.epochs=1"), 1, NULL);
    double moved = compare(none.weights, clipped.weights);
    g_assert_cmpfloat(moved, >, 0);
    g_assert_cmpfloat(moved, <=, 1.0001e-3);
}

static void
test_micro_batch(void)
{
    g_auto(Outcome) whole = {0};
    g_auto(Outcome) parts = {0};
    train(&whole, OVERRIDES("train.optimizer={sgd: {lr: 0.1}}"), 1, NULL);
    train(&parts, OVERRIDES("train.optimizer={sgd: {lr: 0.1}}", "train.micro-batch=5"), 1, NULL);
    double difference = compare(whole.weights, parts.weights);
    g_assert_cmpfloat(difference, >, 0); /* another order of the sums */
    g_assert_cmpfloat(difference, <, 1e-5);
}

static void
test_freeze_and_rates(void)
{
    g_auto(Outcome) start = {0};
    g_auto(Outcome) frozen = {0};
    g_auto(Outcome) still = {0};
    train(&start, OVERRIDES("train.optimizer={sgd: {lr: 0}}", "train.epochs=1"), 1, NULL);
    train(&frozen, OVERRIDES("train.freeze=[stem, trunk.2..3]"), 1, NULL);
    g_assert_cmpfloat(compare_tensor(&start, &frozen, "stem.1.weight"), ==, 0);
    g_assert_cmpfloat(compare_tensor(&start, &frozen, "trunk.2.weight"), ==, 0);
    g_assert_cmpfloat(compare_tensor(&start, &frozen, "trunk.3.bias"), ==, 0);
    g_assert_cmpfloat(compare_tensor(&start, &frozen, "trunk.4.weight"), !=, 0);
    g_assert_cmpfloat(compare_tensor(&start, &frozen, "head.1.weight"), !=, 0);
    train(&still, OVERRIDES("train.rates=[{at: head, factor: 0}]"), 1, NULL);
    g_assert_cmpfloat(compare_tensor(&start, &still, "head.1.weight"), ==, 0);
    g_assert_cmpfloat(compare_tensor(&start, &still, "stem.1.weight"), !=, 0);
}

static void
test_patience(void)
{
    g_auto(Outcome) outcome = {0};
    train(&outcome,
          OVERRIDES("train.optimizer={sgd: {lr: 0}}", "train.epochs=40", "train.patience=3"), 1,
          NULL);
    g_assert_no_error(outcome.error);
    g_assert_cmpuint(outcome.result.epochs, ==, 4); /* the first is the best */
    g_assert_cmpuint(outcome.result.best_epoch, ==, 1);
}

static void
test_stage_time(void)
{
    g_auto(Outcome) outcome = {0};
    train(&outcome, OVERRIDES("train.max-time=0.01 ms", "train.epochs=50"), 1, NULL);
    g_assert_no_error(outcome.error);
    g_assert_cmpuint(outcome.result.epochs, ==, 1);
    train(&outcome, OVERRIDES("train.max-time=0.01 ms", "train.epochs=50"), 1, NULL);
    g_assert_no_error(outcome.error); /* it is done, not stopped */
    g_assert_cmpuint(outcome.result.epochs, ==, 1);
}

static void
test_result(void)
{
    g_auto(Outcome) outcome = {0};
    train(&outcome, OVERRIDES("train.epochs=30", "data.moons.samples=400"), 1, NULL);
    g_assert_no_error(outcome.error);
    g_assert_cmpstr(outcome.result.split, ==, "test");
    g_assert_cmpstr(outcome.result.metric, ==, "accuracy");
    g_assert_cmpfloat(outcome.result.best, >, 0.9);
    g_assert_cmpfloat(outcome.result.best, >=, outcome.result.last);
    g_assert_cmpfloat(outcome.result.majority, >=, 0.5);
    g_assert_cmpfloat(outcome.result.majority, <, 0.7);
    g_assert_false(outcome.result.is_dead);
}

static void
test_dead(void)
{
    g_auto(Outcome) outcome = {0};
    train(
        &outcome,
        OVERRIDES("model.initializer=zeros", "train.optimizer={sgd: {lr: 1e-4}}", "train.epochs=2"),
        1, NULL);
    g_assert_true(outcome.result.is_dead);
}

/* Asked to stop by each call's first step. */
static gint early_stop;

static void
stop_early(const AditProgress *progress, G_GNUC_UNUSED gpointer user_data)
{
    if (progress->phase == ADIT_TRAINING_STEPS && progress->steps_done > 0)
        early_stop = 1;
}

static void
train_to_step(Outcome *outcome, const char *const *overrides)
{
    early_stop = 0;
    train_told(outcome, overrides, 1, &early_stop, stop_early);
}

/* Ended behind steps and in evaluations. */
static void
test_stop_and_go_on(void)
{
    g_auto(Outcome) whole = {0};
    g_auto(Outcome) cut = {0};
    train(&whole, OVERRIDES("train.epochs=2"), 1, NULL);
    train_to_step(&cut, OVERRIDES("train.epochs=2"));
    for (guint cuts = 1; cut.error != NULL; cuts++) {
        g_assert_error(cut.error, ADIT_ERROR, ADIT_ERROR_STOPPED);
        g_assert_cmpuint(cuts, <, 12);
        g_clear_error(&cut.error);
        train_to_step(&cut, OVERRIDES("train.epochs=2"));
    }
    g_assert_cmpfloat(compare(whole.weights, cut.weights), ==, 0);
    g_assert_cmpfloat(whole.result.best, ==, cut.result.best);
}

/* Asked to stop while it tells of its third step. */
static gint late_stop;

static void
stop_late(const AditProgress *progress, gpointer user_data)
{
    if (progress->steps_done == 3)
        late_stop = 1;
}

/* The first figures of the run: of the training split. */
static char *
read_training_line(const Outcome *outcome)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    g_autofree char *path = g_build_filename(outcome->run, "metrics.jsonl", NULL);
    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    const char *values = strstr(text, "\"values\"");
    g_assert_nonnull(values);
    return g_strndup(values, strcspn(values, "\n"));
}

/* What is saved has been looked at: the figures of the epoch are whole. */
static void
test_stop_late(void)
{
    g_auto(Outcome) whole = {0};
    g_auto(Outcome) cut = {0};
    train(&whole, OVERRIDES("train.epochs=1"), 1, NULL);
    late_stop = 0;
    train_told(&cut, OVERRIDES("train.epochs=1"), 1, &late_stop, stop_late);
    g_assert_error(cut.error, ADIT_ERROR, ADIT_ERROR_STOPPED);
    g_clear_error(&cut.error);
    train(&cut, OVERRIDES("train.epochs=1"), 1, NULL);
    g_assert_no_error(cut.error);
    g_autofree char *expected = read_training_line(&whole);
    g_autofree char *got = read_training_line(&cut);
    g_assert_cmpfloat(compare(whole.weights, cut.weights), ==, 0);
    g_assert_cmpstr(got, ==, expected);
}

static void
test_not_finite(void)
{
    g_auto(Outcome) outcome = {0};
    train(&outcome, OVERRIDES("train.optimizer={sgd: {lr: 1e6}}", "data.moons.scale=1000"), 1,
          NULL);
    g_assert_error(outcome.error, ADIT_ERROR, ADIT_ERROR_NUMERIC);
    g_assert_nonnull(strstr(outcome.error->message, "the loss is not finite at step "));
    g_assert_nonnull(strstr(outcome.error->message, "no weight was changed by this step"));
}

static void
test_stages(void)
{
    g_auto(Outcome) outcome = {0};
    train(&outcome,
          OVERRIDES("train=[{loss: cross-entropy, optimizer: adam, batch: 16, epochs: 2}, "
                    "{optimizer: {sgd: {lr: 0.01, momentum: 0.9}}, epochs: 3, freeze: [stem]}]"),
          1, NULL);
    g_assert_no_error(outcome.error);
    g_assert_cmpuint(outcome.result.epochs, ==, 3);
}

/* What a stage has left in the arenas does not reach the next: a cut within it changes nothing. */
static void
test_stages_stop_and_go_on(void)
{
    const char *const *overrides =
        OVERRIDES("train=[{loss: cross-entropy, optimizer: {sgd: {lr: 0.5}}, batch: 16, epochs: 1},"
                  " {epochs: 1, freeze: [stem, trunk], clip: 0.1}]");
    g_auto(Outcome) whole = {0};
    g_auto(Outcome) cut = {0};
    train(&whole, overrides, 1, NULL);
    g_assert_no_error(whole.error);
    train_to_step(&cut, overrides);
    for (guint cuts = 1; cut.error != NULL; cuts++) {
        g_assert_error(cut.error, ADIT_ERROR, ADIT_ERROR_STOPPED);
        g_assert_cmpuint(cuts, <, 12);
        g_clear_error(&cut.error);
        train_to_step(&cut, overrides);
    }
    g_assert_cmpfloat(compare(whole.weights, cut.weights), ==, 0);
}

/* Checkpoints. */

static gboolean
has_checkpoint(const Outcome *outcome, guint step)
{
    g_autofree char *name = g_strdup_printf("step-%08u", step);
    g_autofree char *path = g_build_filename(outcome->run, "checkpoints", name, NULL);
    return g_file_test(path, G_FILE_TEST_IS_DIR);
}

/* The second best is one of them though it was not the best when it was made. */
static void
test_keep_best(void)
{
    g_auto(Outcome) outcome = {0};
    train(&outcome,
          OVERRIDES("train.optimizer={sgd: {lr: 0}}", "train.batch=100%",
                    "train.checkpoint={keep-last: 1, keep-best: 2}"),
          1, NULL);
    g_assert_no_error(outcome.error);
    g_assert_true(has_checkpoint(&outcome, 1));
    g_assert_true(has_checkpoint(&outcome, 2));
    g_assert_false(has_checkpoint(&outcome, 3));
    g_assert_true(has_checkpoint(&outcome, 4));
}

static void
test_checkpoint_spans(void)
{
    static const char *const spans[] = {"0.5 steps", "0.2", "1.5", "3 steps"};
    for (guint i = 0; i < G_N_ELEMENTS(spans); i++) {
        g_auto(Outcome) outcome = {0};
        g_autofree char *every = g_strdup_printf("train.checkpoint={every: %s}", spans[i]);
        train(&outcome, OVERRIDES(every, "train.epochs=2"), 1, NULL);
        g_assert_no_error(outcome.error);
    }
}

/* Probes at the end are run where the end is, early or not. */
static void
test_patience_probes(void)
{
    g_auto(Outcome) outcome = {0};
    train(&outcome,
          OVERRIDES("train.optimizer={sgd: {lr: 0}}", "train.epochs=40", "train.patience=1",
                    "probes=[block-norm]"),
          1, NULL);
    g_assert_no_error(outcome.error);
    g_autofree char *path = g_build_filename(outcome.run, "probes", "block-norm.csv", NULL);
    g_assert_true(g_file_test(path, G_FILE_TEST_IS_REGULAR));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/train/threads-do-not-matter", test_threads);
    g_test_add_func("/train/clip/wide-changes-nothing", test_wide_clip);
    g_test_add_func("/train/clip/bounds-a-step", test_clip);
    g_test_add_func("/train/micro-batch/is-the-batch", test_micro_batch);
    g_test_add_func("/train/freeze-and-rates", test_freeze_and_rates);
    g_test_add_func("/train/patience", test_patience);
    g_test_add_func("/train/stage-time", test_stage_time);
    g_test_add_func("/train/result", test_result);
    g_test_add_func("/train/dead", test_dead);
    g_test_add_func("/train/stop-and-go-on", test_stop_and_go_on);
    g_test_add_func("/train/stop-late", test_stop_late);
    g_test_add_func("/train/not-finite", test_not_finite);
    g_test_add_func("/train/stages", test_stages);
    g_test_add_func("/train/stages/stop-and-go-on", test_stages_stop_and_go_on);
    g_test_add_func("/train/checkpoint/keep-best", test_keep_best);
    g_test_add_func("/train/checkpoint/spans", test_checkpoint_spans);
    g_test_add_func("/train/patience/probes", test_patience_probes);
    return g_test_run();
}
