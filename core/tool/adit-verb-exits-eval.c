/* core/tool/adit-verb-exits-eval.c - SPDX-License-Identifier: MIT */
#include "adit-exits.h"

#include "adit-json.h"
#include "adit-overthinking.h"

#include <math.h>

/**
 * Findings: what is told besides the scores.
 * @overthinking, @confusion: (nullable): NULL: answers are neither right nor wrong
 */
typedef struct {
    AditExitScores *scores;
    AditOverthinking *overthinking;
    AditConfusion *confusion;
} Findings;

static void
findings_clear(Findings *self)
{
    g_clear_pointer(&self->scores, adit_exit_scores_free);
    g_clear_pointer(&self->overthinking, adit_overthinking_free);
    g_free(self->confusion);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Findings, findings_clear)

static gboolean
tell_batch(gsize done, gsize rows, gpointer user_data, G_GNUC_UNUSED GError **error)
{
    g_autofree char *text =
        g_strdup_printf("evaluating %" G_GSIZE_FORMAT "/%" G_GSIZE_FORMAT, done, rows);

    adit_terminal_draw_bar(user_data, text);
    return TRUE;
}

static AditExitTable *
tabulate(AditInvocation *self, AditEvaluation *evaluation, const AditSplit *split, GError **error)
{
    AditEvaluationSetup setup = {.rows = split->rows,
                                 .batch = evaluation->batch,
                                 .func = tell_batch,
                                 .user_data = &self->terminal};
    AditExitTable *table = adit_exit_table_new(evaluation->network, split, &setup, error);

    adit_terminal_clear_bar(&self->terminal);
    return table;
}

/* Confusion scores are told in deviations from the training split's. */
static gboolean
measure(AditInvocation *self, AditEvaluation *evaluation, const AditExitTable *table,
        Findings *findings, GError **error)
{
    const AditData *data = evaluation->data->pdata[0];

    findings->scores = adit_exit_scores_new_from_table(table, NULL);
    if (table->distances == NULL)
        return TRUE;
    findings->overthinking = adit_overthinking_new(table);
    g_autoptr(AditExitTable) training = tabulate(self, evaluation, &data->train, error);

    if (training == NULL)
        return FALSE;
    AditConfusion scale = adit_confusion_measure(training);
    AditConfusion confusion = adit_confusion_measure(table);

    adit_confusion_standardize(&confusion, &scale);
    findings->confusion = g_memdup2(&confusion, sizeof confusion);
    return TRUE;
}

/* ---- what is told ---- */

static void
print_overthinking(AditInvocation *self, const Findings *findings)
{
    const AditOverthinking *overthinking = findings->overthinking;
    g_autoptr(GPtrArray) table = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
    const char *const head[] = {"exit", "right here or before", "right here first", NULL};

    g_ptr_array_add(table, g_strdupv((char **) head));
    for (guint i = 0; i < overthinking->n; i++) {
        char **row = g_new0(char *, 4);

        row[0] = g_strdup(g_array_index(findings->scores->answers, AditAnswer, i).name);
        row[1] = g_strdup_printf("%.2f%%", 100 * overthinking->any[i]);
        row[2] = g_strdup_printf("%.2f%%", 100 * overthinking->first[i]);
        g_ptr_array_add(table, row);
    }
    adit_terminal_print(&self->terminal, "\n");
    adit_tool_print_table(self, table, "lrr");
    adit_terminal_print(&self->terminal,
                        "wasteful overthinking %.2f%%: right at the end, and at an exit already\n"
                        "destructive overthinking %.2f%%: right at an exit, wrong at the end\n",
                        100 * overthinking->wasteful, 100 * overthinking->destructive);
    adit_terminal_print(&self->terminal,
                        "confusion, in deviations from the training split's: %.3g of rows that are "
                        "right at the end, %.3g of rows that are wrong\n",
                        findings->confusion->right, findings->confusion->wrong);
}

static JsonObject *
describe_overthinking(const Findings *findings)
{
    JsonObject *object = json_object_new(), *confusion = json_object_new();
    JsonArray *answers = json_array_new();

    for (guint i = 0; i < findings->overthinking->n; i++) {
        JsonObject *answer = json_object_new();

        json_object_set_string_member(answer, "name",
                                      g_array_index(findings->scores->answers, AditAnswer, i).name);
        adit_json_set_double(answer, "any", findings->overthinking->any[i]);
        adit_json_set_double(answer, "first", findings->overthinking->first[i]);
        json_array_add_object_element(answers, answer);
    }
    json_object_set_array_member(object, "answers", answers);
    adit_json_set_double(object, "wasteful", findings->overthinking->wasteful);
    adit_json_set_double(object, "destructive", findings->overthinking->destructive);
    adit_json_set_double(confusion, "right", findings->confusion->right);
    adit_json_set_double(confusion, "wrong", findings->confusion->wrong);
    json_object_set_object_member(object, "confusion", confusion);
    return object;
}

static void
print_json(AditInvocation *self, const AditEvaluation *evaluation, const Findings *findings)
{
    JsonObject *object = json_object_new();

    json_object_set_string_member(object, "checkpoint", evaluation->checkpoint);
    json_object_set_string_member(object, "split", evaluation->split_name);
    json_object_set_string_member(object, "metric",
                                  ADIT_LOSS_GET_CLASS(evaluation->loss)->metric_name);
    json_object_set_object_member(object, "exits", adit_exits_describe(findings->scores));
    if (findings->overthinking != NULL)
        json_object_set_object_member(object, "overthinking", describe_overthinking(findings));
    adit_tool_print_json(self, object);
}

static gboolean
run(AditInvocation *self, GError **error)
{
    g_auto(AditEvaluation) evaluation = {0};
    g_auto(Findings) findings = {0};

    if (!adit_evaluation_open(&evaluation, self, error) ||
        !adit_evaluation_choose_split(&evaluation, self, error))
        return FALSE;
    if (evaluation.loss == NULL || evaluation.split->targets == NULL) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "nothing to compare with: the data has no targets, or the pipeline no loss");
        return FALSE;
    }
    if (!adit_network_has_exits(evaluation.network)) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID, "the network has no exits");
        return FALSE;
    }
    if (!adit_evaluation_fit(&evaluation, self, error))
        return FALSE;
    g_autoptr(AditExitTable) table = tabulate(self, &evaluation, evaluation.split, error);

    if (table == NULL || !measure(self, &evaluation, table, &findings, error))
        return FALSE;
    if (self->options.json) {
        print_json(self, &evaluation, &findings);
        return TRUE;
    }
    adit_exits_print(self, &evaluation, findings.scores);
    if (findings.overthinking != NULL)
        print_overthinking(self, &findings);
    return TRUE;
}

const AditVerb adit_verb_exits_eval = {
    .name = "exits eval",
    .usage = "RUN | FILE [-o path=value ...] [options]",
    .summary = "what the exits of a trained network are worth",
    .about =
        "Tells of every exit its accuracy had all rows left there, the share of rows that do by "
        "the policy, theirs, and its cost: multiply-adds of a row, heads on its way included, over "
        "those of the network without exits. The last line is of all rows as they leave; its cost "
        "is their mean (equation 12 of the survey, divided by the number of rows).\n"
        "Overthinking (shallow-deep networks): which rows are right at an exit or before it, which "
        "there first; wasteful: rows that are right at the end and were at an exit already; "
        "destructive: rows that were right at an exit and are wrong at the end. The confusion of a "
        "row sums the distances of the exits' probabilities from the last answer's.",
    .options = (const char *const[]){"override", "data", "split", "checkpoint", "batch", "device",
                                     "strict-device", "threads", "json", "color", "quiet",
                                     "verbose", "help", NULL},
    .min_arguments = 1,
    .max_arguments = 1,
    .has_overrides = TRUE,
    .run = run,
};
