/* core/infer/adit-exit-scores.c - SPDX-License-Identifier: MIT */
#include "adit-exit-scores.h"

#include <adit/adit-ops.h>

#include "adit-component-private.h"
#include "adit-cost.h"
#include "adit-feed.h"
#include "adit-selection.h"
#include "adit-settings.h"

#include <string.h>

/* What is read of every answer of a row. */
typedef enum { READ_LOSS, READ_METRIC, READ_MEASURE, N_READ } Read;

/**
 * Session: one call of adit_exit_scores_new().
 * @picks: (element-type AditPick): logits of all answers, the last one at the end
 * @n_read: numbers read of each
 * @outputs: (element-type AditProgramOutput): one for each tensor, all iterations of its loops
 * @output: of each pick
 * @thresholds: (nullable): of each exit; NULL: no policy
 */
typedef struct {
    AditNetwork *network;
    const AditExperiment *experiment;
    AditGraph *graph;
    AditNetworkTensors tensors;
    GArray *picks;
    guint n_read;
    GArray *outputs;
    guint *output;
    double *thresholds;
    gboolean rises;
    gboolean most_confident;
    AditExitScores *scores;
} Session;

gboolean
adit_network_has_exits(const AditNetwork *network)
{
    const GPtrArray *exits = adit_network_get_experiment(network)->model.exits;

    return exits != NULL && exits->len > 0;
}

static void
clear_answer(gpointer data)
{
    g_free(((AditAnswer *) data)->name);
}

void
adit_exit_scores_free(AditExitScores *self)
{
    g_array_unref(self->answers);
    g_free(self);
}

static void
session_clear(Session *self)
{
    g_clear_pointer(&self->graph, adit_graph_unref);
    g_clear_pointer(&self->picks, g_array_unref);
    g_clear_pointer(&self->outputs, g_array_unref);
    g_free(self->output);
    g_free(self->thresholds);
    g_clear_pointer(&self->scores, adit_exit_scores_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Session, session_clear)

/* ---- the graph ---- */

/* (nullable): the name of one exit alone */
static const char *
find_own_name(const AditGraph *graph, const GArray *exits, guint exit)
{
    const GArray *taps = graph->root->taps;
    const AditPick *picks = (const AditPick *) exits->data;
    const char *name = g_array_index(taps, AditTap, picks[exit].order).scope->name;

    for (guint i = 0; name != NULL && i < exits->len; i++) {
        const AditScope *scope = g_array_index(taps, AditTap, picks[i].order).scope;

        if (i != exit && g_strcmp0(scope->name, name) == 0)
            return NULL;
    }
    return name;
}

const char *
adit_exit_find_name(const AditGraph *graph, const GArray *exits, guint exit)
{
    const char *name = find_own_name(graph, exits, exit);
    const AditPick *pick = &g_array_index(exits, AditPick, exit);

    return name != NULL ? name : pick->address + strlen(ADIT_EXITS_ROOT ".");
}

static void
pick_answers(Session *self)
{
    AditPick last = {.address = g_strdup("head"), .tensor = self->tensors.logits};

    self->picks = adit_graph_pick(self->graph, ADIT_EXITS_ROOT ".*");
    for (guint i = 0; i < self->picks->len; i++) {
        AditAnswer answer = {.name = g_strdup(adit_exit_find_name(self->graph, self->picks, i))};

        g_array_append_val(self->scores->answers, answer);
    }
    AditAnswer answer = {.name = g_strdup(ADIT_LAST_ANSWER)};

    g_array_append_val(self->picks, last);
    g_array_append_val(self->scores->answers, answer);
}

/* Probabilities of all classes: of two, a loss may predict that of the second. */
static AditTensor *
predict(const AditNetwork *network, AditTensor *logits)
{
    AditLoss *loss = adit_network_get_loss(network);
    AditGraph *graph = adit_tensor_get_graph(logits);
    AditTensor *y;

    if (ADIT_LOSS_GET_CLASS(loss)->predict == NULL || adit_network_get_shape(network)->classes == 0)
        return adit_graph_fail(
            graph, "a policy needs the probabilities of classes; the loss '%s' gives none",
            ADIT_COMPONENT_GET_CLASS(loss)->name);
    y = ADIT_LOSS_GET_CLASS(loss)->predict(loss, graph, logits);
    if (adit_shape_count(adit_tensor_get_shape(y)) > 1)
        return y;
    y = adit_reshape(y, &ADIT_SHAPE(1));
    return adit_concat((AditTensor *[]){adit_offset(adit_neg(y), 1), y}, 2, 0);
}

AditTensor *
adit_exit_build_measure(const AditNetwork *network, AditTensor *logits)
{
    AditPolicy *policy = adit_network_get_experiment(network)->policy;
    AditGraph *graph = adit_tensor_get_graph(logits);
    AditTensor *y;

    adit_graph_enter_component(graph, policy);
    y = predict(network, logits);
    if (!adit_tensor_has_failed(y))
        y = ADIT_POLICY_GET_CLASS(policy)->measure(policy, graph, y);
    adit_graph_leave_component(graph);
    return y;
}

/* [loss, metric, measure] of every row. */
static AditTensor *
build_numbers(Session *self, AditTensor *logits)
{
    AditNetworkTensors answer = {.logits = logits, .targets = self->tensors.targets};
    AditTensor *numbers[N_READ];

    adit_network_build_loss(adit_network_get_loss(self->network), &answer);
    numbers[READ_LOSS] = answer.loss;
    numbers[READ_METRIC] = answer.metric;
    if (self->experiment->policy != NULL)
        numbers[READ_MEASURE] = adit_exit_build_measure(self->network, logits);
    for (guint i = 0; i < self->n_read; i++)
        numbers[i] = adit_reshape(numbers[i], &ADIT_SHAPE(1));
    return adit_concat(numbers, self->n_read, 0);
}

static gboolean
build(Session *self, GError **error)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);

    self->outputs = g_array_new(FALSE, TRUE, sizeof(AditProgramOutput));
    self->output = g_new0(guint, self->picks->len);
    for (guint i = 0; i < self->picks->len; i++) {
        AditTensor *logits = g_array_index(self->picks, AditPick, i).tensor;
        gpointer number = g_hash_table_lookup(seen, logits);

        if (number == NULL) {
            AditProgramOutput output = {.kind = ADIT_OUTPUT_READ,
                                        .tensor = adit_tensor_unroll(build_numbers(self, logits))};

            g_array_append_val(self->outputs, output);
            number = GUINT_TO_POINTER(self->outputs->len);
            g_hash_table_insert(seen, logits, number);
        }
        self->output[i] = GPOINTER_TO_UINT(number) - 1;
    }
    adit_network_diagnose(self->graph, diagnostics);
    return !adit_diagnostics_fail(diagnostics, error);
}

gboolean
adit_experiment_read_thresholds(const AditExperiment *experiment, guint n_exits, double *thresholds,
                                AditDiagnostics *diagnostics)
{
    AditPolicy *policy = experiment->policy;
    g_autoptr(GError) wrong = NULL;

    if (policy == NULL || adit_policy_get_thresholds(policy, thresholds, n_exits, &wrong))
        return TRUE;
    const AditPlace *place = adit_experiment_find_place(experiment, policy, "threshold", 0);

    if (place == NULL)
        place = adit_component_get_place(ADIT_COMPONENT(policy));
    adit_diagnostics_error(diagnostics, place, wrong->code, "%s", wrong->message);
    return FALSE;
}

static gboolean
read_policy(Session *self, GError **error)
{
    AditPolicy *policy = self->experiment->policy;
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    guint n_exits = self->picks->len - 1;

    self->n_read = policy != NULL ? N_READ : READ_MEASURE;
    if (policy == NULL)
        return TRUE;
    self->rises = ADIT_POLICY_GET_CLASS(policy)->rises;
    self->most_confident = g_str_equal(self->experiment->fallback, "most-confident");
    self->thresholds = g_new0(double, n_exits + 1);
    adit_experiment_read_thresholds(self->experiment, n_exits, self->thresholds, diagnostics);
    return !adit_diagnostics_fail(diagnostics, error);
}

/* ---- costs ---- */

/* Multiply-adds of a row, of all that @tensors need. */
static double
count_work(const Session *self, const GPtrArray *tensors)
{
    g_autoptr(GArray) outputs = g_array_new(FALSE, TRUE, sizeof(AditProgramOutput));
    AditWork work = {0};

    for (guint i = 0; i < tensors->len; i++) {
        AditProgramOutput output = {.kind = ADIT_OUTPUT_READ, .tensor = tensors->pdata[i]};

        g_array_append_val(outputs, output);
    }
    g_autoptr(AditProgram) program =
        adit_compile(self->graph, adit_network_get_layout(self->network), NULL, 0,
                     (AditProgramOutput *) outputs->data, outputs->len, 0);

    adit_program_add_work(program, 1, &work);
    return (double) work.multiply_adds;
}

/* What the outermost loop around @tensor begins with is added to @known; returns its iterations,
 * those of loops inside included. */
static guint
enter_loops(const AditTensor *tensor, GPtrArray *known)
{
    guint n = 1;

    for (const AditLoop *loop = tensor->graph->loop; loop != NULL; loop = loop->parent->loop) {
        n *= loop->n;
        for (guint i = 0; loop->parent->loop == NULL && i < loop->carries->len; i++) {
            const AditTensor *carry = loop->carries->pdata[i];

            if (carry->initial->kind == ADIT_TENSOR_OP || carry->initial->kind == ADIT_TENSOR_LAST)
                g_ptr_array_add(known, carry->initial);
        }
    }
    return n;
}

/* An iteration costs what the next one does. Without a policy exits need not be computed. */
static void
count_costs(Session *self)
{
    AditAnswer *last = &g_array_index(self->scores->answers, AditAnswer, self->picks->len - 1);
    g_autoptr(GPtrArray) known = g_ptr_array_new();
    const AditTensor *of = NULL;
    double before = 0, after = 0, whole;
    guint n = 1;

    g_ptr_array_add(known, self->tensors.logits);
    whole = MAX(count_work(self, known), 1);
    g_ptr_array_set_size(known, 0);
    for (guint i = 0; i < self->picks->len; i++) {
        const AditPick *pick = &g_array_index(self->picks, AditPick, i);

        if (pick->tensor != of) {
            n = enter_loops(pick->tensor, known);
            before = n > 1 && known->len > 0 ? count_work(self, known) : 0;
            g_ptr_array_add(known, adit_tensor_unroll(pick->tensor));
            after = count_work(self, known);
            of = pick->tensor;
        }
        g_array_index(self->scores->answers, AditAnswer, i).cost =
            (before + (after - before) * (pick->instance + 1) / n) / whole;
    }
    if (self->thresholds == NULL)
        last->cost = 1;
}

/* ---- rows ---- */

/* Of answer @i of row @row, among @rows that were computed. */
static const double *
get_numbers(const Session *self, double *const *values, guint i, gsize rows, gsize row)
{
    const AditPick *pick = &g_array_index(self->picks, AditPick, i);

    return values[self->output[i]] + (pick->instance * rows + row) * self->n_read;
}

static gboolean
is_sure(const Session *self, double measure, guint exit)
{
    return self->rises ? measure >= self->thresholds[exit] : measure < self->thresholds[exit];
}

static gboolean
is_surer(const Session *self, double measure, double than)
{
    return self->rises ? measure > than : measure < than;
}

/* The answer that a row leaves with; @reached: how far it went for it. */
static guint
choose(const Session *self, double *const *values, gsize rows, gsize row, guint *reached)
{
    guint last = self->picks->len - 1, surest = last;

    *reached = last;
    if (self->thresholds == NULL)
        return last;
    double best = get_numbers(self, values, last, rows, row)[READ_MEASURE];

    for (guint i = 0; i < last; i++) {
        double measure = get_numbers(self, values, i, rows, row)[READ_MEASURE];

        if (is_sure(self, measure, i)) {
            *reached = i;
            return i;
        }
        if (is_surer(self, measure, best)) {
            best = measure;
            surest = i;
        }
    }
    return self->most_confident ? surest : last;
}

static void
add_numbers(AditScores *scores, const double *numbers)
{
    scores->rows++;
    scores->loss += numbers[READ_LOSS];
    scores->metric += numbers[READ_METRIC];
}

static void
add_rows(Session *self, double *const *values, gsize rows)
{
    GArray *answers = self->scores->answers;

    for (gsize row = 0; row < rows; row++) {
        guint reached, taken = choose(self, values, rows, row, &reached);
        const double *numbers = get_numbers(self, values, taken, rows, row);

        for (guint i = 0; i < answers->len; i++)
            add_numbers(&g_array_index(answers, AditAnswer, i).all,
                        get_numbers(self, values, i, rows, row));
        add_numbers(&g_array_index(answers, AditAnswer, taken).taken, numbers);
        add_numbers(&self->scores->taken, numbers);
        self->scores->cost += g_array_index(answers, AditAnswer, reached).cost;
    }
}

static gboolean
run_batches(Session *self, const AditProgram *program, AditExecutable *executable,
            const AditSplit *split, const AditEvaluationSetup *setup, double *const *values,
            GError **error)
{
    AditDevice *device = adit_network_get_device(self->network);
    g_autofree double *lives = adit_lives_new(program, NULL);
    gsize batch = MIN(setup->batch, setup->rows);

    for (gsize first = 0; first < setup->rows; first += batch) {
        AditFeed feeds[ADIT_N_FEEDS];

        if (setup->func != NULL && !setup->func(first, setup->rows, setup->user_data, error))
            return FALSE;
        adit_feeds_set(feeds, program, split, setup->order, first);
        AditCall call = {.rows = MIN(batch, setup->rows - first), .feeds = feeds, .lives = lives};

        adit_device_run(device, executable, &call);
        for (guint i = 0; i < self->outputs->len; i++)
            adit_executable_read_output(device, executable, i, values[i]);
        if (!adit_device_wait(device, error))
            return FALSE;
        add_rows(self, values, call.rows);
    }
    return TRUE;
}

static void
divide(AditScores *scores)
{
    scores->loss /= (double) MAX(scores->rows, 1);
    scores->metric /= (double) MAX(scores->rows, 1);
}

static gboolean
evaluate(Session *self, const AditSplit *split, const AditEvaluationSetup *setup, GError **error)
{
    AditDevice *device = adit_network_get_device(self->network);
    gsize batch = MIN(setup->batch, setup->rows);
    g_autoptr(AditProgram) program =
        adit_compile(self->graph, adit_network_get_layout(self->network), NULL, 0,
                     (AditProgramOutput *) self->outputs->data, self->outputs->len,
                     adit_device_get_compile_flags(device));
    AditExecutable *executable =
        adit_device_prepare(device, program, adit_network_get_memory(self->network), batch,
                            self->experiment->seed, error);
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);

    if (executable == NULL)
        return FALSE;
    for (guint i = 0; i < self->outputs->len; i++) {
        const AditTensor *tensor = g_array_index(self->outputs, AditProgramOutput, i).tensor;

        g_ptr_array_add(values, g_new(double, adit_shape_count(&tensor->shape) * batch));
    }
    gboolean done = run_batches(self, program, executable, split, setup,
                                (double *const *) values->pdata, error);

    adit_executable_free(device, executable);
    for (guint i = 0; i < self->scores->answers->len; i++) {
        divide(&g_array_index(self->scores->answers, AditAnswer, i).all);
        divide(&g_array_index(self->scores->answers, AditAnswer, i).taken);
    }
    self->scores->cost /= (double) MAX(self->scores->taken.rows, 1);
    divide(&self->scores->taken);
    return done;
}

AditExitScores *
adit_exit_scores_new(AditNetwork *network, const AditSplit *split, const AditEvaluationSetup *setup,
                     GError **error)
{
    g_auto(Session) self = {.network = network, .experiment = adit_network_get_experiment(network)};

    g_return_val_if_fail(adit_network_get_loss(network) != NULL && setup->rows > 0, NULL);
    self.scores = g_new0(AditExitScores, 1);
    self.scores->answers = g_array_new(FALSE, FALSE, sizeof(AditAnswer));
    g_array_set_clear_func(self.scores->answers, clear_answer);
    self.graph = adit_network_copy_graph(network, &self.tensors);
    pick_answers(&self);
    if (!read_policy(&self, error) || !build(&self, error))
        return NULL;
    count_costs(&self);
    return evaluate(&self, split, setup, error) ? g_steal_pointer(&self.scores) : NULL;
}
