/* core/tool/adit-exits.c - SPDX-License-Identifier: MIT */
#include "adit-exits.h"

#include "adit-json.h"

#include <math.h>

static void
add_answer(GPtrArray *table, const char *name, const AditScores *all, const AditScores *taken,
           double cost, gsize rows)
{
    char **row = g_new0(char *, 8);

    row[0] = g_strdup(name);
    row[1] = all != NULL ? g_strdup_printf("%.9g", all->loss) : g_strdup("");
    row[2] = all != NULL ? g_strdup_printf("%.9g", all->metric) : g_strdup("");
    row[3] = g_strdup_printf("%.2f%%", 100.0 * (double) taken->rows / (double) rows);
    row[4] = taken->rows > 0 ? g_strdup_printf("%.9g", taken->loss) : g_strdup("");
    row[5] = taken->rows > 0 ? g_strdup_printf("%.9g", taken->metric) : g_strdup("");
    row[6] = g_strdup_printf("%.4f", cost);
    g_ptr_array_add(table, row);
}

void
adit_exits_print(AditInvocation *self, const AditEvaluation *evaluation,
                 const AditExitScores *scores)
{
    g_autoptr(GPtrArray) table = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
    const char *metric = ADIT_LOSS_GET_CLASS(evaluation->loss)->metric_name;
    g_autofree char *of_all = g_strconcat("all: ", metric, NULL);
    g_autofree char *of_taken = g_strconcat("left: ", metric, NULL);
    const char *const head[] = {"exit",       "all: loss", of_all, "left",
                                "left: loss", of_taken,    "cost", NULL};

    g_ptr_array_add(table, g_strdupv((char **) head));
    for (guint i = 0; i < scores->answers->len; i++) {
        const AditAnswer *answer = &g_array_index(scores->answers, AditAnswer, i);

        add_answer(table, answer->name, &answer->all, &answer->taken, answer->cost,
                   scores->taken.rows);
    }
    add_answer(table, "as left", NULL, &scores->taken, scores->cost, scores->taken.rows);
    adit_tool_print_table(self, table, "lrrrrrr");
}

static void
set_scores(JsonObject *object, const AditScores *scores)
{
    adit_json_set_unsigned(object, "rows", scores->rows);
    adit_json_set_double(object, "loss", scores->rows > 0 ? scores->loss : (double) NAN);
    adit_json_set_double(object, "value", scores->rows > 0 ? scores->metric : (double) NAN);
}

JsonObject *
adit_exits_describe(const AditExitScores *scores)
{
    JsonObject *object = json_object_new();
    JsonArray *answers = json_array_new();

    set_scores(object, &scores->taken);
    adit_json_set_double(object, "cost", scores->cost);
    for (guint i = 0; i < scores->answers->len; i++) {
        const AditAnswer *answer = &g_array_index(scores->answers, AditAnswer, i);
        JsonObject *element = json_object_new(), *taken = json_object_new();

        json_object_set_string_member(element, "name", answer->name);
        set_scores(element, &answer->all);
        set_scores(taken, &answer->taken);
        json_object_set_object_member(element, "left", taken);
        adit_json_set_double(element, "cost", answer->cost);
        json_array_add_object_element(answers, element);
    }
    json_object_set_array_member(object, "answers", answers);
    return object;
}

const AditSplit *
adit_exits_choose_validation(const AditInvocation *self, const AditEvaluation *evaluation,
                             GError **error)
{
    const AditData *data = evaluation->data->pdata[0];
    const char *split = self->options.split;

    if (split != NULL && !g_str_equal(split, "validation")) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "thresholds are fitted to the validation split, got --split=%s; the test split "
                    "is what they are judged by",
                    split);
        return NULL;
    }
    if (adit_evaluation_turns_data(self)) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "'data' cannot be turned for calibration; rows of another split may be ones "
                    "that training saw");
        return NULL;
    }
    if (data->validation.rows > 0)
        return &data->validation;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "calibration needs a validation split that training never sees; set 'validation' "
                "of '%s' before training",
                data->name);
    return NULL;
}
