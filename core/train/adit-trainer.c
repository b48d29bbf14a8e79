/* core/train/adit-trainer.c - SPDX-License-Identifier: MIT */
#include "adit-trainer.h"

#include "adit-calibration.h"
#include "adit-checkpoint.h"
#include "adit-component-private.h"
#include "adit-course.h"
#include "adit-json.h"
#include "adit-metrics.h"
#include "adit-pieces.h"
#include "adit-probes.h"
#include "adit-scoreboard.h"
#include "adit-updater.h"
#include "adit-weights.h"

#include <math.h>
#include <string.h>

/* Longest time between two looks at what has come of the steps that were queued. */
#define SETTLE_INTERVAL (G_USEC_PER_SEC / 20)

typedef struct {
    const AditTraining *training;
    const AditExperiment *experiment;
    AditNetwork *network;
    AditMetrics *metrics;
    AditCourse course;
    AditTrainingResult *result;
    gint64 started;       /* monotonic, of this process */
    double seconds_then;  /* of the course when this process took it up */
    guint64 epochs_here;  /* epochs this process has done of the stage */
    gint64 settled;       /* monotonic: when the device was last waited for */
    double loss;          /* of the epoch until then */
    gboolean has_stepped; /* in this process */

    AditTrainingPhase phase;
    const char *evaluated; /* the split under way */
    gsize rows_done;
    gsize rows;

    const AditStage *stage;
    const AditData *data;
    AditPieces *pieces;
    AditTrainStep *step; /* of the piece under way */
    gsize batch;
    guint64 steps_per_epoch;
    const char *metric; /* of the loss's class */
    gboolean rises;
    const char *split;    /* that is reported */
    const char *ranking;  /* the figure that ranks checkpoints: "test.loss" */
    gboolean ranks_rises; /* more of it is better */
    double score;         /* its value at the epoch's end */
} Trainer;

static double
get_seconds(const Trainer *self)
{
    return self->seconds_then + (double) (g_get_monotonic_time() - self->started) * 1e-6;
}

static gboolean
is_better(double value, double than, gboolean rises)
{
    if (isnan(value))
        return FALSE;
    return isnan(than) || (rises ? value > than : value < than);
}

static AditClock
get_clock(const Trainer *self)
{
    return adit_pieces_get_clock(self->pieces, &self->course);
}

/* Setting a stage up. */

static gboolean
choose_ranking(Trainer *self, GError **error)
{
    const AditLossClass *klass = ADIT_LOSS_GET_CLASS(self->stage->loss);
    self->metric = klass->metric_name;
    self->rises = klass->metric_rises;
    gboolean has_validation = self->data->validation.rows > 0;
    gboolean has_test = self->data->test.rows > 0;
    self->split = has_test ? "test" : has_validation ? "validation" : "train";
    self->ranking = has_validation ? "validation.loss" : has_test ? "test.loss" : "train.loss";
    if (self->stage->best == NULL)
        return TRUE;
    self->ranking = self->stage->best;
    const char *figure = strrchr(self->ranking, '.');
    gboolean is_metric = figure != NULL && g_strcmp0(figure + 1, self->metric) == 0;
    gboolean known = is_metric || (figure != NULL && g_str_equal(figure, ".loss"));
    gboolean has_split = g_str_has_prefix(self->ranking, "train.") ||
                         (has_test && g_str_has_prefix(self->ranking, "test.")) ||
                         (has_validation && g_str_has_prefix(self->ranking, "validation."));
    if (!known || !has_split) {
        g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
        adit_diagnostics_error(diagnostics, &self->stage->best_place, ADIT_ERROR_INVALID,
                               "'best' must be one of the run's figures, such as %s.loss or %s.%s, "
                               "got \"%s\"",
                               self->split, self->split,
                               self->metric != NULL ? self->metric : "loss", self->ranking);
        adit_diagnostics_fail(diagnostics, error);
        return FALSE;
    }
    self->ranks_rises = is_metric && self->rises;
    return TRUE;
}

static gboolean go_on_evaluating(gsize done, gsize rows, gpointer user_data, GError **error);

static gboolean
begin_piece(Trainer *self, GError **error)
{
    AditEvaluationSetup setup = {
        .batch = self->experiment->inference_batch, .func = go_on_evaluating, .user_data = self};

    self->phase = ADIT_TRAINING_EVALUATION;
    self->evaluated = "train";
    if (!adit_pieces_begin(self->pieces, &self->course, &setup, error))
        return FALSE;
    self->step = self->pieces->step;
    adit_train_step_set_sums(self->step, self->course.sums);
    return TRUE;
}

static gboolean
begin_stage(Trainer *self, GError **error)
{
    const AditTraining *training = self->training;
    self->stage = self->experiment->stages->pdata[self->course.stage];
    self->data = adit_stage_find_data(self->stage, training->data);
    self->batch = adit_stage_count_batch(self->stage, self->data->train.rows);
    self->steps_per_epoch = (self->data->train.rows + self->batch - 1) / self->batch;
    if (training->limit_batches > 0)
        self->steps_per_epoch = MIN(self->steps_per_epoch, training->limit_batches);
    if (training->overfit_batches > 0)
        self->steps_per_epoch = MIN(self->steps_per_epoch, training->overfit_batches);
    self->epochs_here = 0;
    g_clear_pointer(&self->pieces, adit_pieces_free);
    self->pieces = adit_pieces_new(self->experiment, self->stage, self->network, &self->data->train,
                                   self->batch, self->steps_per_epoch, self->course.piece, error);
    return self->pieces != NULL && choose_ranking(self, error) && begin_piece(self, error);
}

/* Checkpoints. */

static gboolean
save(Trainer *self, GError **error)
{
    g_autoptr(AditTensorList) model = adit_network_save(self->network);
    g_autoptr(AditTensorList) optimizer =
        adit_network_save_slots(self->network, adit_stage_count_slots(self->stage));
    if (!adit_device_wait(self->training->device, error))
        return FALSE;
    self->course.seconds = get_seconds(self);
    g_autoptr(JsonObject) state = adit_course_to_json(&self->course);
    json_object_set_string_member(state, "version", ADIT_VERSION);
    gboolean ranks = self->course.position == 0 && adit_pieces_is_last(self->pieces, &self->course);
    double score = ranks ? self->score : (double) NAN;
    AditCheckpoint checkpoint = {.step = self->course.step,
                                 .model = model,
                                 .optimizer = optimizer,
                                 .state = state,
                                 .score = self->ranks_rises ? -score : score};
    AditRetention retention = {.last = MAX(self->stage->keep_last, 1),
                               .best = self->stage->keep_best};
    return adit_metrics_sync(self->metrics, error) &&
           adit_checkpoint_write(adit_run_get_folder(self->training->run), &checkpoint, &retention,
                                 error);
}

static gboolean
restore(Trainer *self, const char *path, GError **error)
{
    g_auto(AditCheckpoint) checkpoint = {0};
    if (!adit_checkpoint_read(path, &checkpoint, error) ||
        !adit_course_from_json(&self->course, checkpoint.state, error) ||
        !adit_network_load(self->network, checkpoint.model, error))
        return FALSE;
    if (self->course.stage >= self->experiment->stages->len) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED,
                    "%s is of stage %" G_GUINT64_FORMAT ", the pipeline has %u", path,
                    self->course.stage + 1, self->experiment->stages->len);
        return FALSE;
    }
    const AditStage *stage = self->experiment->stages->pdata[self->course.stage];
    self->seconds_then = self->course.seconds;
    return checkpoint.optimizer == NULL ||
           adit_network_load_slots(self->network, adit_stage_count_slots(stage),
                                   checkpoint.optimizer, error);
}

/* The weights that the run begins with. */
static gboolean
begin(Trainer *self, GError **error)
{
    g_auto(AditWeights) weights = {0};
    adit_network_initialize(self->network, self->experiment->seed);
    if (self->experiment->from == NULL)
        return TRUE;
    if (!adit_network_take_from(self->network, self->experiment, &weights, error))
        return FALSE;
    JsonObject *source = json_object_new();
    json_object_set_string_member(source, "path", weights.path);
    json_object_set_string_member(source, "sha256", weights.sha256);
    JsonNode *node = json_node_init_object(json_node_alloc(), source);
    json_object_unref(source);
    adit_run_set_member(self->training->run, "from", node);
    return TRUE;
}

/* What convolutions are computed by is known when they have been prepared. A run that is killed
 * must not lack it, or nobody could tell with what to go on. */
static gboolean
note_convolutions(Trainer *self, GError **error)
{
    AditRun *run = self->training->run;
    JsonObject *kept = adit_json_get_object(adit_run_get_members(run), "device");
    g_autoptr(JsonObject) now = json_object_new();
    const char *name;

    adit_device_describe(self->training->device, now);
    name = adit_json_get_text(now, "convolutions");
    if (kept == NULL || name == NULL ||
        g_strcmp0(adit_json_get_text(kept, "convolutions"), name) == 0)
        return TRUE;
    json_object_set_string_member(kept, "convolutions", name);
    return adit_run_save(run, error);
}

/* Takes the run up where its newest valid checkpoint left it. */
static gboolean
take_up(Trainer *self, GError **error)
{
    const char *folder = adit_run_get_folder(self->training->run);
    g_autofree char *path = adit_checkpoint_find(folder, NULL);
    adit_course_begin_stage(&self->course, 0);
    if (path == NULL ? !begin(self, error) : !restore(self, path, error))
        return FALSE;
    if (!adit_checkpoint_discard_after(folder, self->course.step, error))
        return FALSE;
    self->metrics = adit_metrics_open(folder, error);
    if (self->metrics == NULL)
        return FALSE;
    g_autoptr(GPtrArray) lines = adit_metrics_read(folder, error);
    if (lines == NULL)
        return FALSE;
    return (path == NULL && lines->len == 0) ||
           adit_metrics_resume(self->metrics, self->course.step, error);
}

/* An epoch. */

static gboolean
stop_for_numbers(Trainer *self, const AditBatch *batch, GError **error)
{
    g_autofree char *address = adit_train_step_locate(self->step, batch, error);
    if (address == NULL)
        return FALSE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_NUMERIC,
                "the loss is not finite at step %" G_GUINT64_FORMAT " (epoch %" G_GUINT64_FORMAT
                "): '%s' is the first that is not; no weight was changed by this step",
                self->course.step + 1, self->course.epoch + 1, address);
    return FALSE;
}

static gboolean
is_told_to_stop(const Trainer *self)
{
    const gint *stop = self->training->stop;
    return stop != NULL && g_atomic_int_get(stop) != 0;
}

static gboolean
is_call_over(const Trainer *self)
{
    double limit = self->training->max_time;
    return limit > 0 && get_seconds(self) - self->seconds_then >= limit;
}

static gboolean
is_asked_to_stop(const Trainer *self)
{
    return is_told_to_stop(self) || is_call_over(self);
}

static gboolean
stop(Trainer *self, GError **error)
{
    if (!save(self, error))
        return FALSE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_STOPPED,
                "stopped after step %" G_GUINT64_FORMAT "; the state is saved", self->course.step);
    return FALSE;
}

/* @line, @warning: (nullable): as AditProgress has them */
static void
report(Trainer *self, const char *line, const char *warning)
{
    const AditCourse *course = &self->course;
    if (self->training->progress == NULL)
        return;
    double here = get_seconds(self) - self->seconds_then;
    double done =
        (double) self->epochs_here + (double) course->position / (double) self->steps_per_epoch;
    double left = (double) (self->pieces->epochs - course->epoch) -
                  (double) course->position / (double) self->steps_per_epoch;
    AditProgress progress = {
        .phase = self->phase,
        .stage = (guint) course->stage + 1,
        .n_stages = self->experiment->stages->len,
        .epoch = course->epoch,
        .epochs = self->pieces->epochs,
        .steps_done = course->position,
        .steps_per_epoch = self->steps_per_epoch,
        .split = self->evaluated,
        .rows_done = self->rows_done,
        .rows = self->rows,
        .loss = self->loss,
        .seconds = get_seconds(self),
        .eta = done > 0 ? here / done * left : (double) NAN,
        .finished = line != NULL,
        .line = line,
        .warning = warning,
    };
    self->training->progress(&progress, self->training->user_data);
}

static void
tell(Trainer *self, const char *line)
{
    report(self, line, NULL);
}

/* Whether a multiple of @every lies in the last @steps steps of the stage. */
static gboolean
has_come(const Trainer *self, AditAmount every, guint64 steps)
{
    AditClock clock = get_clock(self);
    double span = MAX(adit_clock_span(&clock, every), 1), rounding = 1e-9;
    double now = (double) self->course.stage_step;
    return every.value > 0 &&
           floor(now / span + rounding) > floor((now - (double) steps) / span + rounding);
}

/* Checkpoints and heartbeats within an epoch. @stops: as it was asked before the device was waited
 * for: what is saved is what was looked at. */
static gboolean
pause_step(Trainer *self, gboolean stops, GError **error)
{
    if (!adit_run_beat(self->training->run, error))
        return FALSE;
    if (has_come(self, self->stage->checkpoint_every, 1) && !save(self, error))
        return FALSE;
    return stops ? stop(self, error) : TRUE;
}

static AditBatch
make_batch(const Trainer *self, const AditPermutation *order)
{
    const AditSplit *split = &self->pieces->train;
    gsize first = self->course.position * self->batch;
    return (AditBatch){.split = split,
                       .order = order,
                       .first = first,
                       .rows = MIN(self->batch, split->rows - first),
                       .step = self->course.step,
                       .clock = get_clock(self)};
}

/* Steps are queued; now and then, and before anything is told or written, the device is waited for.
 */
static gboolean
is_settling(const Trainer *self)
{
    return self->course.position == self->steps_per_epoch ||
           has_come(self, self->stage->checkpoint_every, 1) ||
           g_get_monotonic_time() - self->settled >= SETTLE_INTERVAL;
}

/* Nothing was changed from step @failed on: the course is there again. */
static gboolean
go_back(Trainer *self, guint64 failed, const AditPermutation *order, GError **error)
{
    AditCourse *course = &self->course;
    guint64 steps = course->step - failed;
    course->step -= steps;
    course->stage_step -= steps;
    course->position -= steps;
    AditBatch batch = make_batch(self, order);
    return stop_for_numbers(self, &batch, error);
}

static gboolean
settle(Trainer *self, const AditPermutation *order, GError **error)
{
    guint64 failed;
    if (!adit_device_wait(self->training->device, error))
        return FALSE;
    if (!adit_memory_is_finite(self->training->device, adit_network_get_memory(self->network),
                               &failed))
        return go_back(self, failed, order, error);
    adit_train_step_read_sums(self->step, self->course.sums);
    self->settled = g_get_monotonic_time();
    self->loss = self->course.sums[0] / (double) self->course.rows;
    return adit_device_wait(self->training->device, error);
}

/* Pieces that go on with optimizer and clock begin at any step. */
static gboolean
ensure_piece(Trainer *self, const AditPermutation *order, GError **error)
{
    if (adit_pieces_is_at(self->pieces, &self->course))
        return TRUE;
    return settle(self, order, error) && begin_piece(self, error);
}

static gboolean
run_steps(Trainer *self, GError **error)
{
    AditCourse *course = &self->course;
    const AditSplit *split = &self->data->train;
    AditPermutation order;
    g_autofree char *stream = g_strdup_printf("order.%" G_GUINT64_FORMAT ".%" G_GUINT64_FORMAT,
                                              course->stage, course->epoch);
    adit_permutation_init(&order, self->experiment->seed, stream, split->rows);
    gboolean shuffle = self->stage->shuffle && self->training->overfit_batches == 0;
    adit_train_step_set_sums(self->step, course->sums);
    self->loss = (double) NAN;
    self->settled = g_get_monotonic_time();
    if (course->position < self->steps_per_epoch) {
        self->phase = ADIT_TRAINING_STEPS;
        tell(self, NULL);
    }
    while (course->position < self->steps_per_epoch) {
        if (!ensure_piece(self, shuffle ? &order : NULL, error))
            return FALSE;
        AditBatch batch = make_batch(self, shuffle ? &order : NULL);
        adit_train_step_run(self->step, &batch);
        course->rows += batch.rows;
        course->step++;
        course->stage_step++;
        course->position++;
        self->has_stepped = TRUE;
        gboolean stops = is_asked_to_stop(self);
        if ((stops || is_settling(self)) && !settle(self, shuffle ? &order : NULL, error))
            return FALSE;
        tell(self, NULL);
        if (course->position < self->steps_per_epoch && !pause_step(self, stops, error))
            return FALSE;
    }
    return TRUE;
}

/* The figures of an epoch. */

/* An evaluation that was ended is begun anew from the checkpoint behind the epoch's last step. */
static gboolean
go_on_evaluating(gsize done, gsize rows, gpointer user_data, GError **error)
{
    Trainer *self = user_data;
    self->rows_done = done;
    self->rows = rows;
    tell(self, NULL);
    if (!is_told_to_stop(self) && !(self->has_stepped && is_call_over(self)))
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_STOPPED, "stopped while the %s split was evaluated",
                self->evaluated);
    return FALSE;
}

/* A limit on the batches of an epoch is one on those of an evaluation: that many rows, drawn, for a
 * test set may be in the order of its classes. */
static gsize
count_evaluated(const Trainer *self, const AditSplit *split)
{
    guint64 batches = self->training->limit_batches;
    return batches > 0 && batches < split->rows / self->batch ? (gsize) batches * self->batch
                                                              : split->rows;
}

static gboolean
add_split(Trainer *self, AditScoreboard *board, const char *set, const char *name,
          const AditSplit *split, GError **error)
{
    AditScores scores;
    AditPermutation order;
    if (split->rows == 0)
        return TRUE;
    gsize rows = count_evaluated(self, split);
    adit_permutation_init(&order, self->experiment->seed, "limit", split->rows);
    AditEvaluationSetup setup = {.rows = rows,
                                 .order = rows < split->rows ? &order : NULL,
                                 .batch = self->experiment->inference_batch,
                                 .func = go_on_evaluating,
                                 .user_data = self};
    self->phase = ADIT_TRAINING_EVALUATION;
    self->evaluated = name;
    if (!adit_network_evaluate_part(self->network, split, &setup, &scores, error))
        return FALSE;
    adit_scoreboard_add_scores(board, set, name, self->metric, &scores);
    return TRUE;
}

static double
get_learning_rate(const Trainer *self)
{
    g_autoptr(AditLive) live = NULL;
    AditClock clock = get_clock(self);
    if (g_object_class_find_property(G_OBJECT_GET_CLASS(self->stage->optimizer), "lr") == NULL)
        return (double) NAN;
    g_object_get(self->stage->optimizer, "lr", &live, NULL);
    if (clock.step > 0)
        clock.step--; /* the one the last update was made with */
    return live != NULL ? adit_live_get(live, &clock) : (double) NAN;
}

/* What regularizers tell of the epoch's batches. */
static void
add_figures(const Trainer *self, AditScoreboard *board)
{
    const char *const *names = adit_train_step_get_figures(self->step);
    for (guint i = 0; names[i] != NULL; i++) {
        g_autofree char *name = g_strconcat("train.", names[i], NULL);
        adit_scoreboard_add(board, name, self->course.sums[2 + i] / (double) self->course.rows);
    }
}

static gboolean
measure(Trainer *self, AditScoreboard *board, GError **error)
{
    AditScores train = {.rows = self->course.rows,
                        .loss = self->course.sums[0] / (double) self->course.rows,
                        .metric = self->course.sums[1] / (double) self->course.rows};
    if (self->experiment->stages->len > 1)
        adit_scoreboard_add(board, "stage", (double) self->course.stage + 1);
    if (self->pieces->plan->plan->pieces->len > 1)
        adit_scoreboard_add(board, "piece", (double) self->pieces->part.piece + 1);
    adit_scoreboard_add_scores(board, NULL, "train", self->metric, &train);
    add_figures(self, board);
    for (guint i = 0; i < self->training->data->len; i++) {
        const AditData *data = self->training->data->pdata[i];
        const char *set = data == self->data ? NULL : data->name;
        if (!add_split(self, board, set, "validation", &data->validation, error) ||
            !add_split(self, board, set, "test", &data->test, error))
            return FALSE;
    }
    double rate = get_learning_rate(self);
    if (!isnan(rate))
        adit_scoreboard_add(board, "learning-rate", rate);
    adit_scoreboard_add(board, "seconds", get_seconds(self));
    return TRUE;
}

/* A line of metrics.jsonl for each split. */
static gboolean
write_splits(Trainer *self, const AditScoreboard *board, GError **error)
{
    const GArray *figures = board->figures;
    for (guint i = 0; i < figures->len;) {
        const char *name = g_array_index(figures, AditMetric, i).name;
        const char *dot = strrchr(name, '.');
        if (dot == NULL) {
            i++;
            continue;
        }
        g_autofree char *split = g_strndup(name, (gsize) (dot - name));
        AditMetric values[ADIT_COURSE_SUMS];
        guint n = 0;
        for (; i < figures->len && n < ADIT_COURSE_SUMS; i++) {
            const AditMetric *figure = &g_array_index(figures, AditMetric, i);
            const char *end = strrchr(figure->name, '.');
            if (end == NULL || (gsize) (end - figure->name) != strlen(split) ||
                !g_str_has_prefix(figure->name, split))
                break;
            values[n] = *figure;
            values[n++].name = end + 1;
        }
        if (!adit_metrics_write(self->metrics, self->course.step, self->course.epoch, split, values,
                                n, error))
            return FALSE;
    }
    return TRUE;
}

static char *
make_line(const Trainer *self, const AditScoreboard *board)
{
    GString *line = g_string_new(NULL);
    if (self->experiment->stages->len > 1)
        g_string_append_printf(line, "stage %" G_GUINT64_FORMAT "/%u ", self->course.stage + 1,
                               self->experiment->stages->len);
    if (self->pieces->plan->plan->pieces->len > 1)
        g_string_append_printf(line, "piece %u/%u ", self->pieces->part.piece + 1,
                               self->pieces->plan->plan->pieces->len);
    g_string_append_printf(line, "epoch %" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT,
                           self->course.epoch, self->pieces->epochs);
    for (guint i = 0; i < board->figures->len; i++) {
        const AditMetric *figure = &g_array_index(board->figures, AditMetric, i);
        if (g_str_equal(figure->name, "stage") || g_str_equal(figure->name, "piece"))
            continue;
        if (g_str_equal(figure->name, "seconds"))
            g_string_append_printf(line, "  %.1f s", figure->value);
        else
            g_string_append_printf(line, "  %s %.5g", figure->name, figure->value);
    }
    return g_string_free(line, FALSE);
}

static void
note_scores(Trainer *self, const AditScoreboard *board)
{
    AditCourse *course = &self->course;
    g_autofree char *metric =
        g_strconcat(self->split, ".", self->metric != NULL ? self->metric : "loss", NULL);
    g_autofree char *loss = g_strconcat(self->split, ".loss", NULL);
    course->last = adit_scoreboard_get(board, metric);
    course->last_loss = adit_scoreboard_get(board, loss);
    if (is_better(course->last, course->best, self->rises)) {
        course->best = course->last;
        course->best_epoch = course->epoch;
    }
    self->score = adit_scoreboard_get(board, self->ranking);
    if (is_better(self->score, course->score, self->ranks_rises)) {
        course->score = self->score;
        course->score_epoch = course->epoch;
    }
}

/* Probes. */

static gboolean
is_due(const Trainer *self, const AditProbe *probe, gboolean last)
{
    guint64 epoch = self->course.epoch;
    const AditProbeSettings *settings = adit_probe_get_settings((AditProbe *) probe);
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, epoch);
    const char *const at_end[] = {"end", NULL};
    const char *const *when =
        settings->when != NULL ? (const char *const *) settings->when : at_end;
    gboolean regular = epoch == 0 ? settings->every.value > 0
                                  : has_come(self, settings->every, self->steps_per_epoch);
    return g_strv_contains(when, number) || (epoch == 0 && g_strv_contains(when, "start")) ||
           (last && g_strv_contains(when, "end")) || regular;
}

/* How a table calls the moment: epochs are counted in each stage. */
static char *
name_moment(const Trainer *self, gboolean last)
{
    if (last)
        return g_strdup("end");
    if (self->experiment->stages->len == 1)
        return g_strdup_printf("%" G_GUINT64_FORMAT, self->course.epoch);
    return g_strdup_printf("%s.%" G_GUINT64_FORMAT, self->stage->name, self->course.epoch);
}

static gboolean
run_probe(Trainer *self, AditProbe *probe, const char *folder, const char *moment, GError **error)
{
    gboolean was_there;
    g_autoptr(AditProbeTable) table = adit_probe_run(probe, self->network, self->training->data,
                                                     folder, moment, &was_there, error);
    return table != NULL;
}

/* The stage's own limit ends it, as its last epoch does; it counts all processes that trained it.
 */
static gboolean
is_out_of_time(const Trainer *self)
{
    return self->stage->max_time > 0 &&
           get_seconds(self) - self->course.stage_began >= self->stage->max_time;
}

/* @done: the pieces with this optimizer are */
static gboolean
run_probes(Trainer *self, gboolean done, GError **error)
{
    gboolean last = done &&
                    (adit_pieces_is_last(self->pieces, &self->course) || is_out_of_time(self)) &&
                    self->course.stage + 1 == self->experiment->stages->len;
    g_autofree char *folder =
        g_build_filename(adit_run_get_folder(self->training->run), "probes", NULL);
    g_autofree char *moment = name_moment(self, last);
    for (guint i = 0; i < self->experiment->probes->len; i++) {
        AditProbe *probe = self->experiment->probes->pdata[i];
        if (!is_due(self, probe, last))
            continue;
        self->phase = ADIT_TRAINING_PROBES;
        tell(self, NULL);
        if (!run_probe(self, probe, folder, moment, error))
            return FALSE;
    }
    return TRUE;
}

/* Stages. */

static gboolean
is_out_of_patience(const Trainer *self)
{
    AditClock clock = get_clock(self);
    double patience = adit_clock_span(&clock, self->stage->patience);
    return patience > 0 && (double) ((self->course.epoch - self->course.score_epoch) *
                                     self->steps_per_epoch) >= patience;
}

/* The pieces with this optimizer and clock. */
static gboolean
is_over(const Trainer *self)
{
    const AditCourse *course = &self->course;

    if (course->epoch - course->piece_epoch >=
        adit_pieces_count_epochs(self->pieces, course->piece))
        return TRUE;
    return course->epoch > course->piece_epoch &&
           (is_out_of_patience(self) || is_out_of_time(self));
}

static gboolean
finish_epoch(Trainer *self, gboolean *done, GError **error)
{
    AditCourse *course = &self->course;
    g_autoptr(AditScoreboard) board = adit_scoreboard_new();
    g_autoptr(GError) failure = NULL;
    if (!measure(self, board, &failure)) {
        if (g_error_matches(failure, ADIT_ERROR, ADIT_ERROR_STOPPED))
            return stop(self, error);
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    course->epoch++;
    note_scores(self, board);
    if (!write_splits(self, board, error) ||
        !adit_metrics_write_row(self->metrics, course->step, course->epoch,
                                (AditMetric *) board->figures->data, board->figures->len, error))
        return FALSE;
    course->position = 0;
    course->rows = 0;
    memset(course->sums, 0, sizeof course->sums);
    self->epochs_here++;
    g_autofree char *line = make_line(self, board);
    tell(self, line);

    *done = is_over(self);
    if (!run_probes(self, *done, error) || !adit_run_beat(self->training->run, error))
        return FALSE;
    if ((*done || has_come(self, self->stage->checkpoint_every, 1)) && !save(self, error))
        return FALSE;
    return *done || !is_asked_to_stop(self) ? TRUE : stop(self, error);
}

static gboolean
run_pieces(Trainer *self, GError **error)
{
    gboolean done = is_over(self);

    while (!done) {
        if (!run_steps(self, error) || !finish_epoch(self, &done, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
run_stage(Trainer *self, GError **error)
{
    if (!begin_stage(self, error) || !note_convolutions(self, error))
        return FALSE;
    if (self->course.epoch == 0 && self->course.position == 0 && !run_probes(self, FALSE, error))
        return FALSE;
    for (;;) {
        if (!run_pieces(self, error))
            return FALSE;
        if (adit_pieces_is_last(self->pieces, &self->course) || is_out_of_time(self))
            return TRUE;
        adit_course_begin_piece(&self->course, adit_pieces_find_next(self->pieces, &self->course));
        adit_network_clear_slots(self->network);
        if (!begin_piece(self, error))
            return FALSE;
    }
}

static void
fill_result(const Trainer *self)
{
    const AditSplit *split = g_str_equal(self->split, "test")         ? &self->data->test
                             : g_str_equal(self->split, "validation") ? &self->data->validation
                                                                      : &self->data->train;
    AditTrainingResult *result = self->result;
    *result = (AditTrainingResult){
        .split = self->split,
        .metric = self->metric != NULL ? self->metric : "loss",
        .rises = self->rises,
        .best = self->course.best,
        .best_epoch = self->course.best_epoch,
        .last = self->course.last,
        .last_loss = self->course.last_loss,
        .epochs = self->course.epoch,
        .target_variance = adit_split_get_target_variance(split),
        .majority = adit_split_get_commonest_share(split),
        .seconds = get_seconds(self),
    };
    gboolean is_error = g_str_equal(result->metric, "mse");
    /* a quick look says nothing of what the network would come to */
    gboolean is_whole = self->course.epoch >= self->pieces->epochs &&
                        self->training->limit_batches == 0 && self->training->overfit_batches == 0;
    result->is_dead =
        is_whole &&
        ((is_error && result->target_variance > 0 &&
          fabs(result->best - result->target_variance) <= 0.01 * result->target_variance) ||
         (self->rises && split->classes > 0 && result->best <= 1.01 * result->majority));
}

/* What a probe will not be able to do is told before anything is trained. */
static gboolean
check_probes(const Trainer *self, GError **error)
{
    const GPtrArray *probes = self->experiment->probes;

    for (guint i = 0; i < probes->len; i++) {
        if (!adit_probe_check_data(probes->pdata[i], self->network, self->training->data, error))
            return FALSE;
    }
    return TRUE;
}

/* Thresholds of exits, fitted when all else is done: the rows are none that was trained on. What
 * was trained stays when none come to the goal; others can be fitted to it later. */
static gboolean
calibrate(Trainer *self, GError **error)
{
    const AditData *data = self->training->data->pdata[0];
    AditEvaluationSetup setup = {.rows = data->validation.rows,
                                 .batch = self->experiment->inference_batch,
                                 .func = go_on_evaluating,
                                 .user_data = self};
    g_autoptr(AditCalibration) calibration = NULL;
    g_autoptr(GError) failure = NULL;

    if (!adit_experiment_calibrates(self->experiment) || setup.rows == 0)
        return TRUE;
    self->phase = ADIT_TRAINING_EVALUATION;
    self->evaluated = "validation";
    calibration =
        adit_calibrate(self->network, &data->validation, &setup, &self->experiment->goal, &failure);
    if (calibration != NULL)
        return adit_calibration_write(calibration, adit_run_get_folder(self->training->run), error);
    if (!g_error_matches(failure, ADIT_ERROR, ADIT_ERROR_INVALID)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    g_autofree char *warning =
        g_strconcat("the exits are left without thresholds: ", failure->message, NULL);

    report(self, NULL, warning);
    return TRUE;
}

static gboolean
train(Trainer *self, GError **error)
{
    if (!check_probes(self, error) || !take_up(self, error))
        return FALSE;
    for (;;) {
        if (!run_stage(self, error))
            return FALSE;
        if (self->course.stage + 1 >= self->experiment->stages->len)
            break;
        self->course.seconds = get_seconds(self);
        adit_course_begin_stage(&self->course, self->course.stage + 1);
        adit_network_clear_slots(self->network);
    }
    fill_result(self);
    return calibrate(self, error);
}

gboolean
adit_train(const AditTraining *training, AditTrainingResult *result, GError **error)
{
    const AditExperiment *experiment = training->experiment;
    g_return_val_if_fail(experiment->stages->len > 0 && training->data->len > 0, FALSE);

    Trainer self = {.training = training, .experiment = experiment, .result = result};
    self.started = g_get_monotonic_time();
    const AditData *data = training->data->pdata[0];
    AditNetworkShape shape = {data->input_shape, data->target_shape, data->classes};
    const AditStage *first = experiment->stages->pdata[0];
    self.network = adit_network_new(experiment, &shape, first->loss, training->device,
                                    adit_experiment_count_slots(experiment), error);
    gboolean done = self.network != NULL && train(&self, error);
    g_clear_pointer(&self.pieces, adit_pieces_free);
    g_clear_pointer(&self.metrics, adit_metrics_free);
    g_clear_pointer(&self.network, adit_network_free);
    return done;
}
