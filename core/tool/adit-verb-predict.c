/* core/tool/adit-verb-predict.c - SPDX-License-Identifier: MIT */
#include "adit-evaluation.h"

#include "adit-cascade.h"
#include "adit-exit-table.h"
#include "adit-output.h"

#include <string.h>

/**
 * Writer: the table under way.
 * @cascade: (nullable): how the rows leave; NULL: they all have the last answer
 * @output: (nullable): NULL: standard output
 * @terminal: that of the command
 */
typedef struct {
    AditEvaluation *evaluation;
    AditCascade *cascade;
    AditTerminal *terminal;
    AditOutput *output;
    gboolean has_head;
} Writer;

static gboolean
write_text(Writer *self, GString *text, GError **error)
{
    if (self->output != NULL)
        return adit_output_write(self->output, text->str, text->len, error);
    adit_terminal_print(self->terminal, "%s", text->str);
    return adit_terminal_flush(self->terminal, error);
}

static void
append_names(GString *text, const char *name, gsize width)
{
    for (gsize i = 0; i < width; i++) {
        if (width > 1)
            g_string_append_printf(text, ",%s.%" G_GSIZE_FORMAT, name, i);
        else
            g_string_append_printf(text, ",%s", name);
    }
}

static gsize
count_targets(const AditSplit *split)
{
    return split->targets != NULL ? adit_shape_count(&split->targets->shape) : 0;
}

static void
append_head(const Writer *self, GString *text, gsize width)
{
    const AditSplit *split = self->evaluation->split;

    g_string_append(text, "row");
    append_names(text, "target", count_targets(split));
    if (split->classes > 0) {
        g_string_append(text, ",class");
        append_names(text, "probability", width);
        append_names(text, "logit", width);
    } else {
        append_names(text, "value", width);
    }
    if (self->cascade != NULL)
        g_string_append(text, ",exit,confidence,cost");
    g_string_append_c(text, '\n');
}

static void
append_numbers(GString *text, const double *values, gsize n)
{
    char buffer[G_ASCII_DTOSTR_BUF_SIZE];

    for (gsize i = 0; i < n; i++)
        g_string_append_printf(text, ",%s",
                               g_ascii_formatd(buffer, sizeof buffer, "%.9g", values[i]));
}

/* The likeliest class; of a single probability, that of class 1, whether it is the larger half. */
static gsize
find_class(const double *probabilities, gsize width)
{
    gsize best = 0;

    if (width == 1)
        return probabilities[0] > 0.5;
    for (gsize i = 1; i < width; i++)
        best = probabilities[i] > probabilities[best] ? i : best;
    return best;
}

static void
append_departure(GString *text, const AditDeparture *departure)
{
    const double numbers[] = {departure->confidence, departure->cost};

    g_string_append_printf(text, ",%s", departure->name);
    append_numbers(text, numbers, G_N_ELEMENTS(numbers));
}

static gboolean
write_rows(gsize first_row, gsize rows, gsize width, const double *outputs,
           const double *predictions, gpointer user_data, GError **error)
{
    Writer *self = user_data;
    const AditSplit *split = self->evaluation->split;
    gsize n_targets = count_targets(split);
    g_autofree double *targets = g_new(double, MAX(n_targets, 1));
    g_autoptr(GString) text = g_string_new(NULL);

    if (!self->has_head)
        append_head(self, text, width);
    self->has_head = TRUE;
    for (gsize i = 0; i < rows; i++) {
        gsize row = first_row + i;

        g_string_append_printf(text, "%" G_GSIZE_FORMAT, adit_split_get_row(split, row));
        if (n_targets > 0)
            adit_split_gather_targets_f64(split, &row, 1, targets);
        append_numbers(text, targets, n_targets);
        if (split->classes > 0)
            g_string_append_printf(text, ",%" G_GSIZE_FORMAT,
                                   find_class(predictions + i * width, width));
        append_numbers(text, predictions + i * width, width);
        if (split->classes > 0)
            append_numbers(text, outputs + i * width, width);
        if (self->cascade != NULL)
            append_departure(text, adit_cascade_get_departure(self->cascade, i));
        g_string_append_c(text, '\n');
    }
    return write_text(self, text, error);
}

/* What the rows leave with, batch after batch. */
static gboolean
predict_leaving(Writer *self, GError **error)
{
    const AditEvaluation *evaluation = self->evaluation;
    const AditSplit *split = evaluation->split;
    gsize batch = MAX(MIN(evaluation->batch, split->rows), 1);
    g_autoptr(AditCascade) cascade =
        adit_cascade_new(evaluation->network, ADIT_CASCADE_PREDICTIONS, batch, error);

    if (cascade == NULL)
        return FALSE;
    self->cascade = cascade;
    gsize width = adit_cascade_get_width(cascade);
    g_autofree double *outputs = g_new(double, batch *width);
    g_autofree double *predictions = g_new(double, batch *width);

    for (gsize first = 0; first < split->rows; first += batch) {
        gsize rows = MIN(batch, split->rows - first);

        if (!adit_cascade_run(cascade, split, NULL, first, rows, error))
            return FALSE;
        for (gsize i = 0; i < rows; i++) {
            const float *logits = adit_cascade_get_logits(cascade, i);

            memcpy(predictions + i * width, adit_cascade_get_numbers(cascade, i),
                   width * sizeof(double));
            for (gsize j = 0; j < width; j++)
                outputs[i * width + j] = (double) logits[j];
        }
        if (!write_rows(first, rows, width, outputs, predictions, self, error))
            return FALSE;
    }
    return TRUE;
}

/* Whether the experiment's policy lets rows leave at all. */
static gboolean
lets_leave(const AditEvaluation *evaluation)
{
    AditPolicy *policy = evaluation->experiment->policy;
    const AditPolicyClass *klass = policy != NULL ? ADIT_POLICY_GET_CLASS(policy) : NULL;

    return klass != NULL && evaluation->loss != NULL &&
           adit_network_has_exits(evaluation->network) &&
           (klass->measure != NULL || klass->follow != NULL || klass->fix != NULL);
}

static gboolean
predict(Writer *self, const AditInvocation *invocation, GError **error)
{
    AditEvaluation *evaluation = self->evaluation;

    if (!lets_leave(evaluation))
        return adit_network_predict(evaluation->network, evaluation->split, evaluation->batch,
                                    write_rows, self, error);
    if (!adit_cascade_takes(evaluation->network)) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "rows cannot leave by '%s', which does not judge an answer by itself; "
                    "'adit exits eval' says what it is worth",
                    ADIT_COMPONENT_GET_CLASS(evaluation->experiment->policy)->name);
        return FALSE;
    }
    return adit_evaluation_fit(evaluation, invocation, error) && predict_leaving(self, error);
}

static gboolean
run(AditInvocation *self, GError **error)
{
    g_auto(AditEvaluation) evaluation = {0};
    Writer writer = {.evaluation = &evaluation, .terminal = &self->terminal};
    const char *path = self->options.output;

    if (!adit_evaluation_open(&evaluation, self, error) ||
        !adit_evaluation_choose_split(&evaluation, self, error))
        return FALSE;
    if (path == NULL || g_str_equal(path, "-"))
        return predict(&writer, self, error);
    g_autoptr(AditOutput) output = adit_output_new_replacing(path, error);

    writer.output = output;
    return output != NULL && predict(&writer, self, error) && adit_output_finish(output, error);
}

const AditVerb adit_verb_predict = {
    .name = "predict",
    .usage = "RUN | FILE [name=value ...] [-o path=value ...] [options]",
    .summary = "write the answers of a trained network",
    .about =
        "Writes one line of CSV for each row of a split: the row's number in its file, counted "
        "from 0, the target, and the answer: the class with probabilities and logits, or the "
        "value. Where the network has exits and 'inference' a policy, each row leaves at the "
        "exit that is sure enough, and only the others go on: the exit, the policy's measure of "
        "the answer and the multiply-adds it took, over those of the network without exits, "
        "stand behind it. The policies patience, ensemble, always and deadline do not judge an "
        "answer by itself and are refused; 'adit exits eval' says what they are worth. RUN and "
        "FILE are as for 'adit eval'.",
    .options = (const char *const[]){"override", "data", "split", "checkpoint", "batch", "output",
                                     "device", "strict-device", "threads", "color", "quiet",
                                     "verbose", "help", NULL},
    .min_arguments = 1,
    .max_arguments = 1,
    .has_overrides = TRUE,
    .run = run,
};
