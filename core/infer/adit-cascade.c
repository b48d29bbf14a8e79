/* core/infer/adit-cascade.c - SPDX-License-Identifier: MIT */
#include "adit-cascade.h"

#include <adit/adit-ops.h>

#include "adit-component-private.h"
#include "adit-cost.h"
#include "adit-exit-scores.h"
#include "adit-feed.h"
#include "adit-segments.h"

#include <string.h>

/* Of an answer's numbers: how sure it is; its logits come behind. */
#define MEASURE 0
#define LOGITS  1

/* Of a program's outputs: the answer's numbers; what is handed on comes behind them. */
#define ANSWER 0

/**
 * Handed: where a value lies between two stages.
 * @width: elements a row
 * @read: (nullable): all rows of the stage before, if the host has it
 * @kept: (nullable): those that are left of them
 */
typedef struct {
    gsize width;
    double *read;
    AditArray *kept;
} Handed;

/**
 * Stage: a program of the network up to an exit, or up to its end.
 * @taken: (element-type Handed): by the number of the value, as @feeds say
 * @cost: of all up to its end
 */
typedef struct {
    AditSegment *segment;
    AditProgram *program;
    AditExecutable *executable;
    double *lives;
    AditFeed *feeds;
    GArray *taken;
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
 * @answers: what the stage under way says of its rows
 * @rows, @n_rows: which rows of the batch these are
 * @local: which rows of the stage before they were
 * @numbers: which rows of the data they are
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
    gboolean stays;
    double *thresholds;

    double *answers;
    gsize *rows;
    gsize n_rows;
    AditArray *local;
    AditArray *numbers;
    AditDeparture *departures;
};

static Stage *
get_stage(const AditCascade *self, guint i)
{
    return &g_array_index(self->stages, Stage, i);
}

static void
clear_handed(gpointer data)
{
    Handed *self = data;

    g_free(self->read);
    g_clear_pointer(&self->kept, adit_array_unref);
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
        g_clear_pointer(&stage->taken, g_array_unref);
        g_free(stage->lives);
        g_free(stage->feeds);
        g_free(stage->name);
    }
    clear_verdict(&self->verdict, device);
    g_clear_pointer(&self->stages, g_array_unref);
    g_clear_pointer(&self->segments, g_ptr_array_unref);
    g_clear_pointer(&self->graph, adit_graph_unref);
    g_clear_pointer(&self->local, adit_array_unref);
    g_clear_pointer(&self->numbers, adit_array_unref);
    g_free(self->thresholds);
    g_free(self->answers);
    g_free(self->rows);
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

/* The number of the value that the segment takes by that input; FALSE: it comes from the data. */
static gboolean
find_taken(const Stage *self, guint feed, guint *number)
{
    return g_ptr_array_find(self->segment->taken, self->program->feeds->pdata[feed], number);
}

/* Where the host has what is handed on. */
static gboolean
make_room(const AditCascade *self, Stage *stage, GError **error)
{
    for (guint i = 0; i < stage->segment->taken->len; i++) {
        const AditTensor *tensor = stage->segment->taken->pdata[i];
        Handed handed = {.width = adit_shape_count(&tensor->shape)};

        if (!self->stays) {
            handed.kept = adit_array_new(ADIT_TYPE_CODE_F32, &tensor->shape, self->batch, error);
            if (handed.kept == NULL)
                return FALSE;
            handed.read = g_new(double, handed.width * self->batch);
        }
        g_array_append_val(stage->taken, handed);
    }
    return TRUE;
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
    stage.taken = g_array_new(FALSE, TRUE, sizeof(Handed));
    g_array_set_clear_func(stage.taken, clear_handed);
    stage.executable =
        adit_device_prepare(device, stage.program, adit_network_get_memory(self->network),
                            self->batch, self->experiment->seed, error);
    g_array_append_val(self->stages, stage);
    return stage.executable != NULL &&
           make_room(self, get_stage(self, self->stages->len - 1), error);
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
    self->local = adit_array_new(ADIT_TYPE_CODE_I32, &ADIT_SCALAR, self->batch, error);
    if (self->local == NULL)
        return FALSE;
    self->numbers = adit_array_new(ADIT_TYPE_CODE_I32, &ADIT_SCALAR, self->batch, error);
    return self->numbers != NULL && prepare_verdict(self, error);
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
    g_return_val_if_fail(self->experiment->policy != NULL, NULL);
    self->stays = adit_device_takes_outputs(adit_network_get_device(network));
    self->graph = adit_network_copy_graph(network, &self->tensors);
    g_autoptr(GArray) exits = adit_graph_pick(self->graph, ADIT_EXITS_ROOT ".*");

    if (!read_policy(self, exits->len, error) || !cut(self, exits, error) ||
        !prepare(self, exits, error))
        return NULL;
    return g_steal_pointer(&self);
}

gboolean
adit_cascade_stays_on_device(const AditCascade *self)
{
    return self->stays;
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

/* Whether a row of the batch leaves at a stage that offers it @answer: it is sure enough, or the
 * last. What it takes along is that answer, or the surest that it was offered. */
static gboolean
decide(AditCascade *self, gsize row, guint exit, const double *answer)
{
    double measure = answer[MEASURE], threshold = self->thresholds[exit];
    double best = self->departures[row].confidence;
    gboolean is_last = exit + 1 == self->stages->len;
    gboolean is_sure = !is_last && (self->rises ? measure >= threshold : measure < threshold);

    self->departures[row].cost = get_stage(self, exit)->cost;
    if (is_sure || exit == 0)
        take_answer(self, row, exit, answer);
    else if (self->most_confident ? !is_surer(self, best, measure) : is_last)
        take_answer(self, row, exit, answer);
    return is_sure || is_last;
}

/* The rows that stay are kept, in their order. Returns how many they are. */
static gsize
keep_rows(AditCascade *self, guint exit)
{
    gint32 *local = self->local->data, *numbers = self->numbers->data;
    gsize n = 0;

    for (gsize i = 0; i < self->n_rows; i++) {
        if (decide(self, self->rows[i], exit, self->answers + i * self->width))
            continue;
        self->rows[n] = self->rows[i];
        numbers[n] = numbers[i];
        local[n++] = (gint32) i;
    }
    return n;
}

/* ---- running ---- */

/* The values that a stage is to be given, from the host: of the rows that are left. */
static void
pass_through_host(AditCascade *self, const Stage *before, Stage *stage, gsize rows)
{
    AditDevice *device = adit_network_get_device(self->network);
    const gint32 *local = self->local->data;

    for (guint i = 0; i < stage->taken->len; i++) {
        const Handed *handed = &g_array_index(stage->taken, Handed, i);
        float *kept = handed->kept->data;

        adit_executable_read_output(device, before->executable, ANSWER + 1 + i, handed->read);
        for (gsize row = 0; row < rows; row++) {
            const double *from = handed->read + (gsize) local[row] * handed->width;

            for (gsize j = 0; j < handed->width; j++)
                *kept++ = (float) from[j];
        }
    }
}

static AditFeed
feed_taken(const AditCascade *self, const Stage *before, const Stage *stage, guint number)
{
    if (self->stays)
        return (AditFeed){
            .subset = self->local, .source = before->executable, .output = ANSWER + 1 + number};
    return (AditFeed){.array = g_array_index(stage->taken, Handed, number).kept,
                      .is_streamed = TRUE};
}

/* What comes from the data, by the numbers of the rows there. */
static AditFeed
feed_data(const AditCascade *self, const AditSplit *split, const AditTensor *tensor)
{
    gboolean is_target = g_str_equal(tensor->name, "targets");

    return (AditFeed){.array = is_target ? split->targets : split->inputs,
                      .subset = self->numbers,
                      .is_streamed = TRUE};
}

static void
run_stage(AditCascade *self, const AditSplit *split, guint i)
{
    AditDevice *device = adit_network_get_device(self->network);
    const Stage *before = i > 0 ? get_stage(self, i - 1) : NULL;
    Stage *stage = get_stage(self, i);
    guint number;

    for (guint j = 0; j < stage->program->feeds->len; j++)
        stage->feeds[j] = find_taken(stage, j, &number)
                              ? feed_taken(self, before, stage, number)
                              : feed_data(self, split, stage->program->feeds->pdata[j]);
    AditCall call = {.rows = self->n_rows, .feeds = stage->feeds, .lives = stage->lives};

    adit_device_run(device, stage->executable, &call);
    adit_executable_read_output(device, stage->executable, ANSWER, self->answers);
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
    const AditFeed feed = {.subset = split->index, .order = order, .first = first};
    gint32 *numbers = self->numbers->data;

    g_return_val_if_fail(rows <= self->batch, FALSE);
    self->n_rows = rows;
    for (gsize i = 0; i < rows; i++) {
        self->rows[i] = i;
        numbers[i] = (gint32) adit_feed_get_row(&feed, i);
    }
    for (guint i = 0; self->n_rows > 0; i++) {
        run_stage(self, split, i);
        if (!adit_device_wait(device, error))
            return FALSE;
        gsize left = keep_rows(self, i);

        if (!self->stays && left > 0)
            pass_through_host(self, get_stage(self, i), get_stage(self, i + 1), left);
        self->n_rows = left;
    }
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
