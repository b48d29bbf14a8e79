/* core/infer/adit-exit-answers.c - SPDX-License-Identifier: MIT */
#include "adit-exit-private.h"

#include <adit/adit-ops.h>

#include "adit-component-private.h"
#include "adit-settings.h"

#include <string.h>

/* The answers of a network as a graph: for each the numbers that its rows are judged by. Answers
 * within a loop are judged in a loop of their own behind it: what is compared with the last answer,
 * or goes from answer to answer, cannot be in theirs. */

void
adit_exit_answers_init(AditExitAnswers *self, AditNetwork *network)
{
    AditPick last = {.address = g_strdup("head")};

    self->network = network;
    self->experiment = adit_network_get_experiment(network);
    self->graph = adit_network_copy_graph(network, &self->tensors);
    self->layout = adit_network_get_layout(network);
    self->picks = adit_graph_pick(self->graph, ADIT_EXITS_ROOT ".*");
    last.tensor = self->tensors.logits;
    g_array_append_val(self->picks, last);
}

void
adit_exit_answers_clear(AditExitAnswers *self)
{
    g_clear_pointer(&self->graph, adit_graph_unref);
    g_clear_pointer(&self->picks, g_array_unref);
    g_clear_pointer(&self->outputs, g_array_unref);
    g_clear_pointer(&self->output, g_free);
}

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

    return name != NULL
               ? name
               : g_array_index(exits, AditPick, exit).address + strlen(ADIT_EXITS_ROOT ".");
}

/* ---- one answer ---- */

static gboolean
has_probabilities(const AditNetwork *network)
{
    AditLoss *loss = adit_network_get_loss(network);

    return ADIT_LOSS_GET_CLASS(loss)->predict != NULL &&
           adit_network_get_shape(network)->classes > 0;
}

/* Probabilities of all classes: of two, a loss may predict that of the second. */
static AditTensor *
predict(const AditNetwork *network, AditTensor *logits)
{
    AditLoss *loss = adit_network_get_loss(network);
    AditGraph *graph = adit_tensor_get_graph(logits);
    AditTensor *y;

    if (!has_probabilities(network))
        return adit_graph_fail(
            graph, "a policy needs the probabilities of classes; the loss '%s' gives none",
            ADIT_COMPONENT_GET_CLASS(loss)->name);
    if (adit_network_get_shape(network)->classes < 2)
        return adit_graph_fail(graph, "a policy chooses among classes, but the data has one class");
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
    if (ADIT_POLICY_GET_CLASS(policy)->measure == NULL)
        y = adit_graph_fail(graph, "'%s' does not say how sure an answer is by itself",
                            ADIT_COMPONENT_GET_CLASS(policy)->name);
    else if (!adit_tensor_has_failed(y))
        y = ADIT_POLICY_GET_CLASS(policy)->measure(policy, graph, y);
    adit_graph_leave_component(graph);
    return y;
}

/* The other way round: logits of which these are the probabilities. */
static AditTensor *
unpredict(AditTensor *probabilities, const AditShape *shape)
{
    AditGraph *graph = adit_tensor_get_graph(probabilities);
    AditTensor *logs = adit_log(adit_max(probabilities, adit_constant(graph, 1e-30)));

    if (adit_shape_count(shape) > 1)
        return adit_reshape(logs, shape);
    return adit_reshape(adit_sub(adit_slice(logs, 0, 1, 2, 1), adit_slice(logs, 0, 0, 1, 1)),
                        shape);
}

/**
 * Course: what answers need besides their logits.
 * @last: (nullable): probabilities of the last answer; NULL: there are no classes
 * @state: (nullable): of the policy, of the graph that is being added to
 * @goes: the policy goes from answer to answer
 */
typedef struct {
    AditExitAnswers *answers;
    AditTensor *last;
    AditTensor *state;
    gboolean goes;
} Course;

static AditTensor *
find_distance(const Course *self, AditTensor *logits)
{
    AditTensor *y = predict(self->answers->network, logits);

    return adit_sum_last(
        adit_abs(adit_sub(y, adit_graph_import(adit_tensor_get_graph(y), self->last))));
}

/* The same of a policy that goes from answer to answer. @exit: its number, a scalar; @logits:
 * (inout): what is answered */
static AditTensor *
follow(Course *self, AditTensor *exit, AditTensor **logits)
{
    AditPolicy *policy = self->answers->experiment->policy;
    AditGraph *graph = adit_tensor_get_graph(*logits);
    AditTensor *y, *probabilities;

    adit_graph_enter_component(graph, policy);
    y = probabilities = predict(self->answers->network, *logits);
    if (!adit_tensor_has_failed(y)) {
        AditExitStep step = {.probabilities = y,
                             .exit = exit,
                             .n_exits = self->answers->picks->len - 1,
                             .state = self->state};

        y = ADIT_POLICY_GET_CLASS(policy)->follow(policy, graph, &step);
        self->state = step.state;
        if (step.probabilities != probabilities)
            *logits = unpredict(step.probabilities, adit_tensor_get_shape(*logits));
    }
    adit_graph_leave_component(graph);
    return y;
}

/* What is read of every row. @exit: (nullable): for a policy that asks */
static AditTensor *
judge(Course *self, AditTensor *exit, AditTensor *logits)
{
    AditExitAnswers *answers = self->answers;
    AditTensor *numbers[ADIT_EXIT_N_READ] = {NULL}, *read[ADIT_EXIT_N_READ];

    if (self->last != NULL)
        numbers[ADIT_EXIT_DISTANCE] = find_distance(self, logits);
    if (answers->asks)
        numbers[ADIT_EXIT_MEASURE] = self->goes ? follow(self, exit, &logits)
                                                : adit_exit_build_measure(answers->network, logits);
    AditNetworkTensors judged = {.logits = logits, .targets = answers->tensors.targets};

    adit_network_build_loss(adit_network_get_loss(answers->network), &judged);
    numbers[ADIT_EXIT_LOSS] = judged.loss;
    numbers[ADIT_EXIT_METRIC] = judged.metric;
    for (guint i = 0; i < answers->n_read; i++)
        read[i] = adit_reshape(numbers[answers->reads[i]], &ADIT_SHAPE(1));
    return adit_concat(read, answers->n_read, 0);
}

/* ---- all of them ---- */

static void
add_output(AditExitAnswers *self, AditTensor *numbers)
{
    AditProgramOutput output = {.kind = ADIT_OUTPUT_READ, .tensor = adit_tensor_unroll(numbers)};

    g_array_append_val(self->outputs, output);
}

/* Picks from @first on that lie in the same body, and their tensors: t1@0 t2@0 t1@1 t2@1 .. */
static guint
count_group(const GArray *picks, guint first, guint *n_tensors)
{
    const AditTensor *tensor = g_array_index(picks, AditPick, first).tensor;
    guint n = 0;

    *n_tensors = 0;
    while (first + n < picks->len &&
           g_array_index(picks, AditPick, first + n).tensor->graph == tensor->graph) {
        *n_tensors += g_array_index(picks, AditPick, first + n).instance == 0;
        n++;
    }
    return n;
}

/**
 * Nest: the loops around a group of answers, once more.
 * @loops: (array length=depth): outermost first
 * @carries: (array length=depth): (nullable): the policy's state in each
 */
typedef struct {
    guint depth;
    AditLoop *loops[ADIT_MAX_LOOPS];
    AditTensor *carries[ADIT_MAX_LOOPS];
} Nest;

static AditGraph *
enter_nest(Nest *self, Course *course, const AditTensor *like)
{
    AditGraph *graph = course->answers->graph;
    guint counts[ADIT_MAX_LOOPS];

    for (const AditLoop *loop = like->graph->loop; loop != NULL; loop = loop->parent->loop)
        counts[self->depth++] = loop->n;
    for (guint i = 0; i < self->depth; i++) {
        self->loops[i] = adit_loop_new(graph, counts[self->depth - 1 - i], FALSE);
        graph = self->loops[i]->body;
        if (course->state != NULL)
            course->state = self->carries[i] = adit_loop_carry(self->loops[i], course->state);
    }
    return graph;
}

static void
leave_nest(const Nest *self, Course *course)
{
    for (guint i = self->depth; course->state != NULL && i > 0; i--) {
        adit_loop_set_next(self->loops[i - 1], self->carries[i - 1], course->state);
        course->state = adit_loop_last(self->loops[i - 1], self->carries[i - 1]);
    }
}

/* An iteration's part of @stack, whose leading axes are those of the nest. */
static AditTensor *
take_each(const Nest *self, AditTensor *stack)
{
    for (guint i = 0; i < self->depth; i++)
        stack = adit_loop_each(self->loops[i], stack);
    return stack;
}

/* Numbers of the answers @first, @first + @step, ..., an array with an axis for each loop. */
static AditTensor *
make_numbers(AditGraph *graph, const Nest *nest, guint first, guint step, guint n)
{
    g_autofree double *numbers = g_new(double, n);
    AditShape shape = {.rank = nest->depth};

    for (guint i = 0; i < n; i++)
        numbers[i] = first + i * step;
    for (guint i = 0; i < nest->depth; i++)
        shape.size[i] = nest->loops[i]->n;
    return adit_constant_array(graph, &shape, numbers);
}

/* Answers in one loop, one iteration after the other. */
static void
judge_group(Course *self, guint first, guint n, guint n_tensors)
{
    AditExitAnswers *answers = self->answers;
    AditTensor *const tensor = g_array_index(answers->picks, AditPick, first).tensor;
    Nest nest = {0};
    AditGraph *graph = enter_nest(&nest, self, tensor);

    for (guint j = 0; j < n_tensors; j++) {
        AditTensor *logits = g_array_index(answers->picks, AditPick, first + j).tensor;
        AditTensor *exit = self->goes ? make_numbers(nest.depth > 0 ? answers->graph : graph, &nest,
                                                     first + j, n_tensors, n / n_tensors)
                                      : NULL;

        logits = take_each(&nest, adit_tensor_unroll(logits));
        add_output(answers, judge(self, exit != NULL ? take_each(&nest, exit) : NULL, logits));
    }
    leave_nest(&nest, self);
    for (guint i = 0; i < n; i++)
        answers->output[first + i] = answers->outputs->len - n_tensors + i % n_tensors;
}

/* Answers that are judged by themselves: all iterations of each tensor at once. */
static void
judge_each(Course *self)
{
    AditExitAnswers *answers = self->answers;
    const AditPick *picks = (const AditPick *) answers->picks->data;
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);

    for (guint i = 0; i < answers->picks->len; i++) {
        gpointer number = g_hash_table_lookup(seen, picks[i].tensor);

        if (number == NULL) {
            judge_group(self, i, 1, 1);
            number = GUINT_TO_POINTER(answers->outputs->len);
            g_hash_table_insert(seen, picks[i].tensor, number);
        }
        answers->output[i] = GPOINTER_TO_UINT(number) - 1;
    }
}

/* The state before the first answer: zeros of every row. */
static AditTensor *
make_state(const AditExitAnswers *self)
{
    AditPolicy *policy = self->experiment->policy;
    AditPolicyClass *klass = ADIT_POLICY_GET_CLASS(policy);
    AditTensor *logits = self->tensors.logits;
    guint classes = adit_network_get_shape(self->network)->classes;
    guint n = klass->follow != NULL && klass->count_state != NULL
                  ? klass->count_state(policy, classes)
                  : 0;

    if (n == 0)
        return NULL;
    AditTensor *zero = adit_sum_last(adit_reshape(
        adit_less(logits, logits), &ADIT_SHAPE(adit_shape_count(adit_tensor_get_shape(logits)))));

    return adit_broadcast(adit_reshape(zero, &ADIT_SHAPE(1)), &ADIT_SHAPE(n));
}

/* Whether a group's answers are those of its tensors in turn: else bodies lie inside one another.
 */
static gboolean
is_in_turn(const AditExitAnswers *self, guint first, guint n, guint n_tensors)
{
    const AditPick *picks = &g_array_index(self->picks, AditPick, first);

    for (guint i = 0; i < n && n_tensors > 0; i++) {
        if (picks[i].tensor != picks[i % n_tensors].tensor || picks[i].instance != i / n_tensors)
            return FALSE;
    }
    return n_tensors > 0;
}

/* Answers that are judged with those before them. */
static void
judge_in_turn(Course *self)
{
    AditExitAnswers *answers = self->answers;

    self->state = make_state(answers);
    for (guint i = 0; i < answers->picks->len && adit_graph_get_error(answers->graph) == NULL;) {
        guint n_tensors, n = count_group(answers->picks, i, &n_tensors);

        if (is_in_turn(answers, i, n, n_tensors))
            judge_group(self, i, n, n_tensors);
        else
            adit_graph_fail(answers->graph,
                            "from the exit at '%s' on they lie in repeats inside one another, "
                            "where '%s' cannot go from exit to exit",
                            g_array_index(answers->picks, AditPick, i).address,
                            ADIT_COMPONENT_GET_CLASS(answers->experiment->policy)->name);
        i += MAX(n, 1);
    }
}

static void
set_reads(AditExitAnswers *self)
{
    AditPolicy *policy = self->experiment->policy;
    const AditPolicyClass *klass = policy != NULL ? ADIT_POLICY_GET_CLASS(policy) : NULL;

    self->asks = klass != NULL && (klass->measure != NULL || klass->follow != NULL);
    self->reads[self->n_read++] = ADIT_EXIT_LOSS;
    self->reads[self->n_read++] = ADIT_EXIT_METRIC;
    if (has_probabilities(self->network))
        self->reads[self->n_read++] = ADIT_EXIT_DISTANCE;
    if (self->asks)
        self->reads[self->n_read++] = ADIT_EXIT_MEASURE;
}

gboolean
adit_exit_answers_build(AditExitAnswers *self, GError **error)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    Course course = {.answers = self};

    self->outputs = g_array_new(FALSE, TRUE, sizeof(AditProgramOutput));
    self->output = g_new0(guint, self->picks->len);
    set_reads(self);
    if (has_probabilities(self->network))
        course.last = predict(self->network, self->tensors.logits);
    course.goes = self->asks && ADIT_POLICY_GET_CLASS(self->experiment->policy)->follow != NULL;
    if (course.goes)
        judge_in_turn(&course);
    else
        judge_each(&course);
    adit_network_diagnose(self->graph, diagnostics);
    return !adit_diagnostics_fail(diagnostics, error);
}
