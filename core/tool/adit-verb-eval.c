/* core/tool/adit-verb-eval.c - SPDX-License-Identifier: MIT */
#include "adit-evaluation.h"

#include "adit-cascade.h"
#include "adit-exits.h"
#include "adit-json.h"

/**
 * Clocked: what the clock says of a split, in seconds.
 * @trunk: of the network without its exits, all rows to its end
 * @left: of the rows as the policy lets them leave: heads, decisions and copies included
 */
typedef struct {
    double trunk;
    double left;
} Clocked;

static void
print_scores(AditInvocation *self, const AditEvaluation *evaluation, const AditScores *scores)
{
    g_autoptr(GPtrArray) table = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
    const char *metric = ADIT_LOSS_GET_CLASS(evaluation->loss)->metric_name;
    const char *const head[] = {"split", "rows", "loss", metric, NULL};
    char **row = g_new0(char *, 5);

    row[0] = g_strdup(evaluation->split_name);
    row[1] = g_strdup_printf("%" G_GSIZE_FORMAT, scores->rows);
    row[2] = g_strdup_printf("%.9g", scores->loss);
    row[3] = g_strdup_printf("%.9g", scores->metric);
    g_ptr_array_add(table, g_strdupv((char **) head));
    g_ptr_array_add(table, row);
    adit_tool_print_table(self, table, "lrrr");
}

static void
add_time(GPtrArray *table, const char *name, double seconds, gsize rows, double trunk)
{
    char **row = g_new0(char *, 5);

    row[0] = g_strdup(name);
    row[1] = g_strdup_printf("%.4g", seconds);
    row[2] = g_strdup_printf("%.3g", 1e6 * seconds / (double) rows);
    row[3] = g_strdup_printf("%.2f", trunk / seconds);
    g_ptr_array_add(table, row);
}

static void
print_time(AditInvocation *self, const Clocked *clocked, gsize rows)
{
    g_autoptr(GPtrArray) table = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
    const char *const head[] = {"time", "seconds", "us a row", "times as fast", NULL};

    g_ptr_array_add(table, g_strdupv((char **) head));
    add_time(table, "trunk alone", clocked->trunk, rows, clocked->trunk);
    add_time(table, "as left", clocked->left, rows, clocked->trunk);
    adit_tool_print_table(self, table, "lrrr");
}

static void
print_scores_json(AditInvocation *self, const AditEvaluation *evaluation, const AditScores *scores,
                  const AditExitScores *exits, const Clocked *clocked)
{
    JsonObject *object = json_object_new();

    json_object_set_string_member(object, "checkpoint", evaluation->checkpoint);
    json_object_set_string_member(object, "split", evaluation->split_name);
    adit_json_set_unsigned(object, "rows", scores->rows);
    adit_json_set_double(object, "loss", scores->loss);
    json_object_set_string_member(object, "metric",
                                  ADIT_LOSS_GET_CLASS(evaluation->loss)->metric_name);
    adit_json_set_double(object, "value", scores->metric);
    if (exits != NULL)
        json_object_set_object_member(object, "exits", adit_exits_describe(exits));
    if (clocked->left > 0) {
        JsonObject *time = json_object_new();

        adit_json_set_double(time, "trunk", clocked->trunk);
        adit_json_set_double(time, "left", clocked->left);
        json_object_set_object_member(object, "time", time);
    }
    adit_tool_print_json(self, object);
}

/* How many of how many rows, lest a share that was held out be taken for all. */
static void
tell_rows(AditInvocation *self, const AditEvaluation *evaluation)
{
    const AditData *data = evaluation->data->pdata[0];
    g_autofree char *rows = adit_tool_format_count(evaluation->split->rows);
    g_autofree char *all =
        adit_tool_format_count(data->train.rows + data->validation.rows + data->test.rows);

    adit_terminal_say(&self->terminal, "evaluating the %s split of '%s': %s of its %s rows",
                      evaluation->split_name, data->name, rows, all);
}

static gboolean
tell_batch(gsize done, gsize rows, gpointer user_data, G_GNUC_UNUSED GError **error)
{
    g_autofree char *text =
        g_strdup_printf("evaluating %" G_GSIZE_FORMAT "/%" G_GSIZE_FORMAT, done, rows);

    adit_terminal_draw_bar(user_data, text);
    return TRUE;
}

/* Both ways once more: what they need has been prepared. Where rows cannot leave, that is told. */
static gboolean
clock_exits(AditInvocation *self, const AditEvaluation *evaluation,
            const AditEvaluationSetup *setup, Clocked *clocked, GError **error)
{
    gsize batch = MIN(setup->batch, setup->rows);
    g_autoptr(GError) reason = NULL;
    g_autoptr(AditCascade) cascade =
        adit_cascade_new(evaluation->network, ADIT_CASCADE_SCORES, batch, &reason);
    AditCascadeScores left;
    AditScores scores;

    if (cascade == NULL) {
        adit_terminal_say(&self->terminal, "not timed: %s", reason->message);
        return TRUE;
    }
    if (!adit_cascade_run(cascade, evaluation->split, setup->order, 0, batch, error) ||
        !adit_cascade_evaluate(cascade, evaluation->split, setup, &left, error))
        return FALSE;
    gint64 start = g_get_monotonic_time();

    if (!adit_network_evaluate_part(evaluation->network, evaluation->split, setup, &scores, error))
        return FALSE;
    *clocked = (Clocked){.trunk = (double) (g_get_monotonic_time() - start) / G_USEC_PER_SEC,
                         .left = left.seconds};
    return TRUE;
}

static gboolean
run(AditInvocation *self, GError **error)
{
    g_auto(AditEvaluation) evaluation = {0};
    Clocked clocked = {0};
    AditScores scores;

    if (!adit_evaluation_open(&evaluation, self, error) ||
        !adit_evaluation_choose_split(&evaluation, self, error))
        return FALSE;
    if (evaluation.loss == NULL || evaluation.split->targets == NULL) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "nothing to compare with: the data has no targets, or the pipeline no loss; "
                    "adit predict writes the answers");
        return FALSE;
    }
    tell_rows(self, &evaluation);
    AditEvaluationSetup setup = {.rows = evaluation.split->rows,
                                 .batch = evaluation.batch,
                                 .func = tell_batch,
                                 .user_data = &self->terminal};
    g_autoptr(AditExitScores) exits = NULL;
    gboolean done =
        adit_network_evaluate_part(evaluation.network, evaluation.split, &setup, &scores, error);

    done = done && adit_evaluation_fit(&evaluation, self, error);
    if (done && adit_network_has_exits(evaluation.network)) {
        exits = adit_exit_scores_new(evaluation.network, evaluation.split, &setup, error);
        done = exits != NULL;
    }
    if (done && adit_cascade_takes(evaluation.network))
        done = clock_exits(self, &evaluation, &setup, &clocked, error);
    adit_terminal_clear_bar(&self->terminal);
    if (!done)
        return FALSE;
    if (self->options.json)
        print_scores_json(self, &evaluation, &scores, exits, &clocked);
    else
        print_scores(self, &evaluation, &scores);
    if (!self->options.json && exits != NULL)
        adit_exits_print(self, &evaluation, exits);
    if (!self->options.json && clocked.left > 0)
        print_time(self, &clocked, scores.rows);
    return TRUE;
}

const AditVerb adit_verb_eval = {
    .name = "eval",
    .usage = "RUN | FILE [name=value ...] [-o path=value ...] [options]",
    .summary = "loss and metric of a trained network",
    .about =
        "Evaluates the weights of the run directory RUN, or those that a pipeline FILE with "
        "'model.from' names, on a split of the data. Of RUN it takes the newest checkpoint; a "
        "run that 'from' names stands for its best. The batch size changes no figure. Where the "
        "network has exits, and 'inference' a policy that looks at answers one by one, it says "
        "too how long the rows take that leave there, heads, decisions and copies included, "
        "beside the trunk alone. After training only 'data', 'inference' and 'probes' can be overridden; inputs stay "
        "standardised as they were in training.",
    .options = (const char *const[]){"override", "data", "split", "checkpoint", "batch", "device",
                                     "strict-device", "threads", "json", "color", "quiet",
                                     "verbose", "help", NULL},
    .min_arguments = 1,
    .max_arguments = 1,
    .has_overrides = TRUE,
    .run = run,
};
