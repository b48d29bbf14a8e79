/* core/infer/adit-cascade.c - SPDX-License-Identifier: MIT */
#include "adit-cascade.h"

#include <adit/adit-ops.h>

#include "adit-component-private.h"
#include "adit-cost.h"
#include "adit-exit-table.h"
#include "adit-feed.h"
#include "adit-segments.h"

#include <math.h>
#include <string.h>

/* Of an answer's numbers: how sure it is; its logits come behind. */
#define MEASURE 0
#define LOGITS  1

/* Of a program's outputs: the answer's numbers; what is handed on comes behind them. */
#define ANSWER 0

/**
 * Stage: a program of the network up to an exit, or up to its end.
 * @feeds: of all but the first: what the stage before has handed on
 * @sift: of all but the first: which rows it has left
 * @cost: of all up to its end
 */
typedef struct {
    AditSegment *segment;
    AditProgram *program;
    AditExecutable *executable;
    double *lives;
    AditFeed *feeds;
    AditSift sift;
    char *name;
    double cost;
} Stage;

/**
 * Verdict: the program that says of the answers taken what was asked for: once for all rows.
 * @logits: of the answer that each row has or, so far, of the surest
 * @numbers: what was asked for, @width a row
 */
typedef struct {
    AditGraph *graph;
    AditProgram *program;
    AditExecutable *executable;
    double *lives;
    AditArray *logits;
    double *numbers;
    gsize width;
} Verdict;

/**
 * AditCascade:
 * @stages: (element-type Stage): one for each exit, and the last
 * @width: numbers of an answer: its measure and its logits
 * @answers: what a stage said of its rows
 * @rows: which rows of the batch these were
 * @left: which of them went on
 * @departures: of all rows
 */
struct _AditCascade {
    AditNetwork *network;
    const AditExperiment *experiment;
    AditCascadeNumbers kind;
    gsize batch;
    AditGraph *graph;
    AditNetworkTensors tensors;
    GPtrArray *segments;
    GArray *stages;
    Verdict verdict;
    gsize width;
    gboolean rises;
    gboolean most_confident;
    double *thresholds;

    double *answers;
    gsize *rows;
    gint32 *left;
    AditDeparture *departures;
};

static Stage *
get_stage(const AditCascade *self, guint i)
{
    return &g_array_index(self->stages, Stage, i);
}

static void
clear_verdict(Verdict *self, AditDevice *device)
{
    adit_executable_free(device, self->executable);
    g_clear_pointer(&self->program, adit_program_free);
    g_clear_pointer(&self->graph, adit_graph_unref);
    g_clear_pointer(&self->logits, adit_array_unref);
    g_free(self->lives);
    g_free(self->numbers);
}

void
adit_cascade_free(AditCascade *self)
{
    AditDevice *device = adit_network_get_device(self->network);

    for (guint i = 0; self->stages != NULL && i < self->stages->len; i++) {
        Stage *stage = get_stage(self, i);

        adit_executable_free(device, stage->executable);
        g_clear_pointer(&stage->program, adit_program_free);
        g_free(stage->lives);
        g_free(stage->feeds);
        g_free(stage->name);
    }
    clear_verdict(&self->verdict, device);
    g_clear_pointer(&self->stages, g_array_unref);
    g_clear_pointer(&self->segments, g_ptr_array_unref);
    g_clear_pointer(&self->graph, adit_graph_unref);
    g_free(self->thresholds);
    g_free(self->answers);
    g_free(self->rows);
    g_free(self->left);
    g_free(self->departures);
    g_free(self);
}

/* ---- the graph ---- */

static AditTensor *
flatten(AditTensor *x)
{
    return adit_reshape(x, &ADIT_SHAPE(adit_shape_count(adit_tensor_get_shape(x))));
}

static AditTensor *
build_answer(const AditCascade *self, AditTensor *logits)
{
    AditTensor *numbers[] = {flatten(adit_exit_build_measure(self->network, logits)),
                             flatten(logits)};

    return adit_concat(numbers, G_N_ELEMENTS(numbers), 0);
}

static gboolean
diagnose(AditGraph *graph, GError **error)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();

    adit_network_diagnose(graph, diagnostics);
    return !adit_diagnostics_fail(diagnostics, error);
}

/* @exits: (element-type AditPick) */
static gboolean
cut(AditCascade *self, GArray *exits, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    g_autofree AditSegmentEnd *ends = g_new0(AditSegmentEnd, exits->len + 1);

    for (guint i = 0; i <= exits->len; i++) {
        const AditPick *pick = i < exits->len ? &g_array_index(exits, AditPick, i) : NULL;
        AditTensor *logits = pick != NULL ? pick->tensor : self->tensors.logits;

        ends[i].instance = pick != NULL ? pick->instance : 0;
        ends[i].tensor = g_hash_table_lookup(seen, logits);
        if (ends[i].tensor == NULL)
            ends[i].tensor = build_answer(self, logits);
        g_hash_table_insert(seen, logits, ends[i].tensor);
    }
    if (!diagnose(self->graph, error))
        return FALSE;
    self->width = adit_shape_count(adit_tensor_get_shape(ends[0].tensor));
    self->segments = adit_graph_cut(self->graph, ends, exits->len + 1, error);
    return self->segments != NULL;
}

static gboolean
read_policy(AditCascade *self, guint n_exits, GError **error)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();

    self->rises = ADIT_POLICY_GET_CLASS(self->experiment->policy)->rises;
    self->most_confident = g_str_equal(self->experiment->fallback, "most-confident");
    self->thresholds = g_new0(double, n_exits + 1);
    adit_experiment_read_thresholds(self->experiment, n_exits, self->thresholds, diagnostics);
    return !adit_diagnostics_fail(diagnostics, error);
}

/* ---- programs ---- */

static double
count_work(const AditProgram *program)
{
    AditWork work = {0};

    adit_program_add_work(program, 1, &work);
    return (double) work.multiply_adds;
}

/* Multiply-adds of a row of the network without exits. */
static double
count_trunk(const AditCascade *self)
{
    AditProgramOutput output = {.kind = ADIT_OUTPUT_READ, .tensor = self->tensors.logits};
    g_autoptr(AditProgram) program =
        adit_compile(self->graph, adit_network_get_layout(self->network), NULL, 0, &output, 1, 0);

    return MAX(count_work(program), 1);
}

static AditProgram *
compile(const AditCascade *self, const AditSegment *segment)
{
    AditDevice *device = adit_network_get_device(self->network);
    g_autofree AditProgramOutput *outputs = g_new0(AditProgramOutput, segment->handed->len + 1);

    outputs[ANSWER] = (AditProgramOutput){.kind = ADIT_OUTPUT_READ, .tensor = segment->end};
    for (guint i = 0; i < segment->handed->len; i++)
        outputs[ANSWER + 1 + i] =
            (AditProgramOutput){.kind = ADIT_OUTPUT_HANDED, .tensor = segment->handed->pdata[i]};
    return adit_compile(segment->graph, adit_network_get_layout(self->network), NULL, 0, outputs,
                        segment->handed->len + 1, adit_device_get_compile_flags(device));
}

/* What a stage takes lies as the stage before has left it. */
static void
set_layouts(AditSegment *segment, const AditProgram *before)
{
    for (guint i = 0; i < segment->taken->len; i++) {
        AditTensor *tensor = segment->taken->pdata[i];

        tensor->channels_last =
            g_array_index(before->outputs, AditProgramOutput, ANSWER + 1 + i).channels_last;
    }
}

/* All that a stage is fed with is what the one before has handed on, of the rows it has left. */
static void
set_feeds(const AditCascade *self, Stage *stage, guint number)
{
    const Stage *before = get_stage(self, number - 1);
    guint handed;

    stage->sift = (AditSift){.source = before->executable,
                             .output = ANSWER,
                             .threshold = self->thresholds[number - 1],
                             .rises = self->rises};
    for (guint i = 0; i < stage->program->feeds->len; i++) {
        if (g_ptr_array_find(stage->segment->taken, stage->program->feeds->pdata[i], &handed))
            stage->feeds[i] =
                (AditFeed){.source = before->executable, .output = ANSWER + 1 + handed};
    }
}

static gboolean
add_stage(AditCascade *self, AditSegment *segment, const char *name, double before, double trunk,
          GError **error)
{
    AditDevice *device = adit_network_get_device(self->network);
    Stage stage = {.segment = segment, .name = g_strdup(name)};

    if (self->stages->len > 0)
        set_layouts(segment, get_stage(self, self->stages->len - 1)->program);
    stage.program = compile(self, segment);
    stage.cost = before + count_work(stage.program) / trunk;
    stage.lives = adit_lives_new(stage.program, NULL);
    stage.feeds = g_new0(AditFeed, stage.program->feeds->len + 1);
    stage.executable =
        adit_device_prepare(device, stage.program, adit_network_get_memory(self->network),
                            self->batch, self->experiment->seed, error);
    if (self->stages->len > 0)
        set_feeds(self, &stage, self->stages->len);
    g_array_append_val(self->stages, stage);
    return stage.executable != NULL;
}

/* Loss and metric, or what is predicted. */
static AditTensor *
build_verdict(const AditCascade *self, AditTensor *logits)
{
    const AditNetworkShape *shape = adit_network_get_shape(self->network);
    AditLoss *loss = adit_network_get_loss(self->network);
    AditGraph *graph = adit_tensor_get_graph(logits);
    AditNetworkTensors answer = {.logits = logits};

    if (self->kind == ADIT_CASCADE_PREDICTIONS)
        return flatten(ADIT_LOSS_GET_CLASS(loss)->predict(loss, graph, logits));
    answer.targets = adit_input(graph, "targets", &shape->targets, shape->classes);
    adit_network_build_loss(loss, &answer);
    AditTensor *numbers[] = {flatten(answer.loss), flatten(answer.metric)};

    return adit_concat(numbers, G_N_ELEMENTS(numbers), 0);
}

static gboolean
prepare_verdict(AditCascade *self, GError **error)
{
    AditDevice *device = adit_network_get_device(self->network);
    const AditShape *shape = adit_tensor_get_shape(self->tensors.logits);
    Verdict *verdict = &self->verdict;

    verdict->graph = adit_graph_new(ADIT_MODE_EVALUATION);
    AditProgramOutput output = {
        .kind = ADIT_OUTPUT_READ,
        .tensor = build_verdict(self, adit_input(verdict->graph, "logits", shape, 0))};

    if (!diagnose(verdict->graph, error))
        return FALSE;
    verdict->width = adit_shape_count(adit_tensor_get_shape(output.tensor));
    verdict->program = adit_compile(verdict->graph, adit_network_get_layout(self->network), NULL, 0,
                                    &output, 1, adit_device_get_compile_flags(device));
    verdict->lives = adit_lives_new(verdict->program, NULL);
    verdict->numbers = g_new(double, self->batch * verdict->width);
    verdict->logits = adit_array_new(ADIT_TYPE_CODE_F32, shape, self->batch, error);
    if (verdict->logits == NULL)
        return FALSE;
    verdict->executable =
        adit_device_prepare(device, verdict->program, adit_network_get_memory(self->network),
                            self->batch, self->experiment->seed, error);
    return verdict->executable != NULL;
}

static gboolean
prepare(AditCascade *self, const GArray *exits, GError **error)
{
    double trunk = count_trunk(self), cost = 0;

    self->stages = g_array_new(FALSE, TRUE, sizeof(Stage));
    for (guint i = 0; i <= exits->len; i++) {
        const char *name =
            i < exits->len ? adit_exit_find_name(self->graph, exits, i) : ADIT_LAST_ANSWER;

        if (!add_stage(self, self->segments->pdata[i], name, cost, trunk, error))
            return FALSE;
        cost = get_stage(self, i)->cost;
    }
    self->answers = g_new(double, self->batch * self->width);
    self->rows = g_new(gsize, self->batch);
    self->departures = g_new0(AditDeparture, self->batch);
    self->left = g_new(gint32, self->batch);
    return prepare_verdict(self, error);
}

gboolean
adit_cascade_takes(const AditNetwork *network)
{
    AditPolicy *policy = adit_network_get_experiment(network)->policy;

    return adit_network_has_exits(network) && policy != NULL &&
           ADIT_POLICY_GET_CLASS(policy)->measure != NULL;
}

AditCascade *
adit_cascade_new(AditNetwork *network, AditCascadeNumbers numbers, gsize batch, GError **error)
{
    g_autoptr(AditCascade) self = g_new0(AditCascade, 1);

    self->network = network;
    self->experiment = adit_network_get_experiment(network);
    self->kind = numbers;
    self->batch = MAX(batch, 1);
    g_return_val_if_fail(adit_network_get_loss(network) != NULL, NULL);
    g_return_val_if_fail(adit_cascade_takes(network), NULL);
    if (!adit_device_can_sift(adit_network_get_device(network))) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_NO_DEVICE,
                    "rows cannot leave on this device; use --device cpu");
        return NULL;
    }
    self->graph = adit_network_copy_graph(network, &self->tensors);
    g_autoptr(GArray) exits = adit_graph_pick(self->graph, ADIT_EXITS_ROOT ".*");

    if (!read_policy(self, exits->len, error) || !cut(self, exits, error) ||
        !prepare(self, exits, error))
        return NULL;
    return g_steal_pointer(&self);
}

const float *
adit_cascade_get_logits(const AditCascade *self, gsize row)
{
    return (const float *) self->verdict.logits->data + row * (self->width - LOGITS);
}

gsize
adit_cascade_get_width(const AditCascade *self)
{
    return self->verdict.width;
}

/* ---- decisions ---- */

static gboolean
is_surer(const AditCascade *self, double measure, double than)
{
    return self->rises ? measure > than : measure < than;
}

static void
take_answer(AditCascade *self, gsize row, guint exit, const double *answer)
{
    AditDeparture *departure = &self->departures[row];
    float *logits = (float *) self->verdict.logits->data + row * (self->width - LOGITS);

    for (gsize i = LOGITS; i < self->width; i++)
        *logits++ = (float) answer[i];
    departure->exit = exit;
    departure->name = get_stage(self, exit)->name;
    departure->confidence = answer[MEASURE];
}

/* Whether @measure takes the place of @best: as adit_exit_table_fall_back() has it, the last answer
 * counts unless one before it is surer, and of those the first; a number that is none never does.
 */
static gboolean
takes_place(const AditCascade *self, double measure, double best, gboolean is_last)
{
    if (is_last)
        return !self->most_confident || !is_surer(self, best, measure);
    return self->most_confident && (isnan(best) || is_surer(self, measure, best));
}

/* A row of the batch was offered @answer, and leaves or goes on. What it takes along is the answer
 * it leaves with, or the surest that it was offered. */
static void
offer(AditCascade *self, gsize row, guint exit, const double *answer, gboolean leaves)
{
    gboolean is_last = exit + 1 == self->stages->len;
    double best = self->departures[row].confidence;

    self->departures[row].cost = get_stage(self, exit)->cost;
    if (exit == 0 || (leaves && !is_last) || takes_place(self, answer[MEASURE], best, is_last))
        take_answer(self, row, exit, answer);
}

/* What a stage said of its rows, of which there are @n; returns how many of them went on. */
static gsize
collect(AditCascade *self, guint exit, gsize n)
{
    AditDevice *device = adit_network_get_device(self->network);
    AditExecutable *executable = get_stage(self, exit)->executable;
    gsize n_left = 0, kept = 0;

    adit_executable_read_output(device, executable, ANSWER, self->answers);
    if (exit + 1 < self->stages->len)
        n_left = adit_executable_read_left(device, executable, self->left);
    for (gsize i = 0; i < n; i++) {
        gboolean stays = kept < n_left && (gsize) self->left[kept] == i;

        offer(self, self->rows[i], exit, self->answers + i * self->width, !stays);
        if (stays)
            self->rows[kept++] = self->rows[i];
    }
    return kept;
}

/* ---- running ---- */

/* All stages are queued, each for the rows that the one before leaves: what these are nobody waits
 * for. */
static void
run_stages(AditCascade *self, const AditSplit *split, const AditPermutation *order, gsize first,
           gsize rows)
{
    AditDevice *device = adit_network_get_device(self->network);

    for (guint i = 0; i < self->stages->len; i++) {
        Stage *stage = get_stage(self, i);
        AditCall call = {.rows = rows, .feeds = stage->feeds, .lives = stage->lives};

        if (i == 0)
            adit_feeds_set(stage->feeds, stage->program, split, order, first);
        else
            call.sift = &stage->sift;
        adit_device_run(device, stage->executable, &call);
    }
}

/* What was asked for, of the answers that all rows have. */
static void
run_verdict(AditCascade *self, const AditSplit *split, const AditPermutation *order, gsize first,
            gsize rows)
{
    AditDevice *device = adit_network_get_device(self->network);
    const Verdict *verdict = &self->verdict;
    AditFeed feeds[ADIT_N_FEEDS];

    adit_feeds_set(feeds, verdict->program, split, order, first);
    for (guint i = 0; i < verdict->program->feeds->len; i++) {
        const AditTensor *tensor = verdict->program->feeds->pdata[i];

        if (g_str_equal(tensor->name, "logits"))
            feeds[i] = (AditFeed){.array = verdict->logits, .is_streamed = TRUE};
    }
    AditCall call = {.rows = rows, .feeds = feeds, .lives = verdict->lives};

    adit_device_run(device, verdict->executable, &call);
    adit_executable_read_output(device, verdict->executable, 0, verdict->numbers);
}

gboolean
adit_cascade_run(AditCascade *self, const AditSplit *split, const AditPermutation *order,
                 gsize first, gsize rows, GError **error)
{
    AditDevice *device = adit_network_get_device(self->network);
    gsize n = rows;

    g_return_val_if_fail(rows <= self->batch, FALSE);
    run_stages(self, split, order, first, rows);
    for (gsize i = 0; i < rows; i++)
        self->rows[i] = i;
    for (guint i = 0; n > 0 && i < self->stages->len; i++)
        n = collect(self, i, n);
    if (!adit_device_wait(device, error))
        return FALSE;
    run_verdict(self, split, order, first, rows);
    return adit_device_wait(device, error);
}

const AditDeparture *
adit_cascade_get_departure(const AditCascade *self, gsize row)
{
    return &self->departures[row];
}

const double *
adit_cascade_get_numbers(const AditCascade *self, gsize row)
{
    return self->verdict.numbers + row * self->verdict.width;
}

gboolean
adit_cascade_evaluate(AditCascade *self, const AditSplit *split, const AditEvaluationSetup *setup,
                      AditCascadeScores *scores, GError **error)
{
    gsize batch = MIN(setup->batch, setup->rows);
    gint64 start = g_get_monotonic_time();

    *scores = (AditCascadeScores){0};
    for (gsize first = 0; first < setup->rows; first += batch) {
        gsize rows = MIN(batch, setup->rows - first);

        if (setup->func != NULL && !setup->func(first, setup->rows, setup->user_data, error))
            return FALSE;
        if (!adit_cascade_run(self, split, setup->order, first, rows, error))
            return FALSE;
        for (gsize row = 0; row < rows; row++) {
            const double *numbers = adit_cascade_get_numbers(self, row);

            scores->taken.loss += numbers[0];
            scores->taken.metric += numbers[1];
            scores->cost += self->departures[row].cost;
        }
    }
    scores->seconds = (double) (g_get_monotonic_time() - start) / G_USEC_PER_SEC;
    scores->taken.rows = setup->rows;
    scores->taken.loss /= (double) setup->rows;
    scores->taken.metric /= (double) setup->rows;
    scores->cost /= (double) setup->rows;
    return TRUE;
}
