/* core/infer/adit-exit-table.c - SPDX-License-Identifier: MIT */
#include "adit-exit-private.h"

#include "adit-component-private.h"
#include "adit-feed.h"
#include "adit-settings.h"

#include <math.h>
#include <string.h>

gboolean
adit_network_has_exits(const AditNetwork *network)
{
    const GPtrArray *exits = adit_network_get_experiment(network)->model.exits;

    return exits != NULL && exits->len > 0;
}

void
adit_exit_table_free(AditExitTable *self)
{
    g_clear_pointer(&self->names, g_ptr_array_unref);
    g_free(self->costs);
    g_free(self->losses);
    g_free(self->metrics);
    g_free(self->measures);
    g_free(self->distances);
    g_free(self->thresholds);
    g_free(self);
}

/* ---- the policy ---- */

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

/* The one answer that the policy lets all rows leave with. */
static gboolean
read_fixed(AditExitTable *self, AditExitAnswers *answers, const AditSplit *split, gsize batch,
           GError **error)
{
    AditPolicy *policy = answers->experiment->policy;
    g_autofree double *seconds = g_new0(double, self->n);

    if (ADIT_POLICY_GET_CLASS(policy)->is_timed &&
        !adit_exit_table_measure_seconds(self, answers->network, ADIT_EXIT_ALONE, split, batch,
                                         seconds, error))
        return FALSE;
    self->fixed = ADIT_POLICY_GET_CLASS(policy)->fix(policy, self->n - 1, seconds);
    return TRUE;
}

static gboolean
read_policy(AditExitTable *self, AditExitAnswers *answers, const AditSplit *split, gsize batch,
            GError **error)
{
    const AditExperiment *experiment = answers->experiment;
    AditPolicy *policy = experiment->policy;
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    g_autofree double *thresholds = g_new0(double, self->n);

    self->fixed = policy != NULL ? self->n : self->n - 1;
    if (policy == NULL)
        return TRUE;
    adit_experiment_read_thresholds(experiment, self->n - 1, thresholds, diagnostics);
    if (adit_diagnostics_fail(diagnostics, error))
        return FALSE;
    if (ADIT_POLICY_GET_CLASS(policy)->fix != NULL)
        return read_fixed(self, answers, split, batch, error);
    self->rises = ADIT_POLICY_GET_CLASS(policy)->rises;
    self->most_confident = g_str_equal(experiment->fallback, "most-confident");
    self->thresholds = g_steal_pointer(&thresholds);
    return TRUE;
}

/* Of every answer over that of the network without exits. */
static void
count_costs(AditExitTable *self, const AditExitAnswers *answers)
{
    g_autoptr(GPtrArray) own = g_ptr_array_new();
    double whole;

    g_ptr_array_add(own, answers->tensors.logits);
    whole = MAX(adit_exit_answers_count_work(answers, own, NULL), 1);
    adit_exit_answers_gauge(answers, !answers->asks, adit_exit_answers_count_work, NULL,
                            self->costs);
    for (guint i = 0; i < self->n; i++)
        self->costs[i] /= whole;
}

/* ---- rows ---- */

/* Where the numbers of one kind are kept. */
static double *
get_kept(const AditExitTable *self, AditExitRead read)
{
    double *const kept[] = {[ADIT_EXIT_LOSS] = self->losses,
                            [ADIT_EXIT_METRIC] = self->metrics,
                            [ADIT_EXIT_DISTANCE] = self->distances,
                            [ADIT_EXIT_MEASURE] = self->measures};

    return kept[read];
}

/* Numbers of @rows rows that were computed, from row @first on. */
static void
keep_rows(AditExitTable *self, const AditExitAnswers *answers, double *const *values, gsize first,
          gsize rows)
{
    for (guint i = 0; i < self->n; i++) {
        const AditPick *pick = &g_array_index(answers->picks, AditPick, i);
        const double *numbers =
            values[answers->output[i]] + pick->instance * rows * answers->n_read;

        for (guint read = 0; read < answers->n_read; read++) {
            double *kept = get_kept(self, answers->reads[read]) + first * self->n + i;

            for (gsize row = 0; row < rows; row++)
                kept[row * self->n] = numbers[row * answers->n_read + read];
        }
    }
}

static gboolean
run_batches(AditExitTable *self, const AditExitAnswers *answers, const AditProgram *program,
            AditExecutable *executable, const AditSplit *split, const AditEvaluationSetup *setup,
            double *const *values, GError **error)
{
    AditDevice *device = adit_network_get_device(answers->network);
    g_autofree double *lives = adit_lives_new(program, NULL);
    gsize batch = MIN(setup->batch, setup->rows);

    for (gsize first = 0; first < setup->rows; first += batch) {
        AditFeed feeds[ADIT_N_FEEDS];

        if (setup->func != NULL && !setup->func(first, setup->rows, setup->user_data, error))
            return FALSE;
        adit_feeds_set(feeds, program, split, setup->order, first);
        AditCall call = {.rows = MIN(batch, setup->rows - first), .feeds = feeds, .lives = lives};

        adit_device_run(device, executable, &call);
        for (guint i = 0; i < answers->outputs->len; i++)
            adit_executable_read_output(device, executable, i, values[i]);
        if (!adit_device_wait(device, error))
            return FALSE;
        keep_rows(self, answers, values, first, call.rows);
    }
    return TRUE;
}

static gboolean
evaluate(AditExitTable *self, const AditExitAnswers *answers, const AditSplit *split,
         const AditEvaluationSetup *setup, GError **error)
{
    AditNetwork *network = answers->network;
    AditDevice *device = adit_network_get_device(network);
    gsize batch = MIN(setup->batch, setup->rows);
    g_autoptr(AditProgram) program =
        adit_compile(answers->graph, adit_network_get_layout(network), NULL, 0,
                     (AditProgramOutput *) answers->outputs->data, answers->outputs->len,
                     adit_device_get_compile_flags(device));
    AditExecutable *executable = adit_device_prepare(
        device, program, adit_network_get_memory(network), batch, answers->experiment->seed, error);
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);

    if (executable == NULL)
        return FALSE;
    for (guint i = 0; i < answers->outputs->len; i++) {
        const AditTensor *tensor = g_array_index(answers->outputs, AditProgramOutput, i).tensor;

        g_ptr_array_add(values, g_new(double, adit_shape_count(&tensor->shape) * batch));
    }
    gboolean done = run_batches(self, answers, program, executable, split, setup,
                                (double *const *) values->pdata, error);

    adit_executable_free(device, executable);
    return done;
}

static AditExitTable *
make_table(const AditExitAnswers *answers, gsize rows)
{
    AditExitTable *self = g_new0(AditExitTable, 1);
    gsize count;

    self->rows = rows;
    self->n = answers->picks->len;
    self->names = g_ptr_array_new_with_free_func(g_free);
    self->costs = g_new0(double, self->n);
    g_autoptr(GArray) exits = adit_graph_pick(answers->graph, ADIT_EXITS_ROOT ".*");

    for (guint i = 0; i < exits->len; i++)
        g_ptr_array_add(self->names, g_strdup(adit_exit_find_name(answers->graph, exits, i)));
    g_ptr_array_add(self->names, g_strdup(ADIT_LAST_ANSWER));
    count = rows * self->n;
    for (guint i = 0; i < answers->n_read; i++) {
        double **const kept[] = {[ADIT_EXIT_LOSS] = &self->losses,
                                 [ADIT_EXIT_METRIC] = &self->metrics,
                                 [ADIT_EXIT_DISTANCE] = &self->distances,
                                 [ADIT_EXIT_MEASURE] = &self->measures};

        *kept[answers->reads[i]] = g_new0(double, count);
    }
    return self;
}

AditExitTable *
adit_exit_table_new(AditNetwork *network, const AditSplit *split, const AditEvaluationSetup *setup,
                    GError **error)
{
    g_auto(AditExitAnswers) answers = {0};

    g_return_val_if_fail(adit_network_get_loss(network) != NULL && setup->rows > 0, NULL);
    adit_exit_answers_init(&answers, network);
    if (!adit_exit_answers_build(&answers, error))
        return NULL;
    g_autoptr(AditExitTable) self = make_table(&answers, setup->rows);

    if (!read_policy(self, &answers, split, setup->batch, error))
        return NULL;
    count_costs(self, &answers);
    return evaluate(self, &answers, split, setup, error) ? g_steal_pointer(&self) : NULL;
}

/* ---- leaving ---- */

static gboolean
is_surer(const AditExitTable *self, double measure, double than)
{
    return self->rises ? measure > than : measure < than;
}

guint
adit_exit_table_fall_back(const AditExitTable *self, gsize row)
{
    guint surest = self->n - 1;

    for (guint i = 0; self->most_confident && i + 1 < self->n; i++) {
        if (is_surer(self, self->measures[row * self->n + i],
                     self->measures[row * self->n + surest]))
            surest = i;
    }
    return surest;
}

guint
adit_exit_table_choose(const AditExitTable *self, const double *thresholds, gsize row,
                       guint *reached)
{
    const double *measures = self->measures != NULL ? self->measures + row * self->n : NULL;

    if (thresholds == NULL)
        thresholds = self->thresholds;
    *reached = self->fixed < self->n ? self->fixed : self->n - 1;
    if (measures == NULL)
        return *reached;
    for (guint i = 0; i + 1 < self->n; i++) {
        if (self->rises ? measures[i] >= thresholds[i] : measures[i] < thresholds[i]) {
            *reached = i;
            return i;
        }
    }
    return adit_exit_table_fall_back(self, row);
}
