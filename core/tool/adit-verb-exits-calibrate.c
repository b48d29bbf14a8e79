/* core/tool/adit-verb-exits-calibrate.c - SPDX-License-Identifier: MIT */
#include "adit-exits.h"

#include "adit-calibration.h"
#include "adit-json.h"

#include <math.h>

/* ---- the goal ---- */

/* That of the options; of no kind if they say none. */
static gboolean
read_goal(const AditOptions *options, AditGoal *goal, GError **error)
{
    guint n =
        (options->accuracy_drop != NULL) + (options->budget != NULL) + (options->latency != NULL);

    goal->each = options->thresholds == 1;
    if (n > 1) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "give one of --accuracy-drop, --budget and --latency, got %u", n);
        return FALSE;
    }
    if (options->accuracy_drop != NULL) {
        goal->kind = ADIT_GOAL_ACCURACY_DROP;
        return adit_tool_parse_share("accuracy-drop", options->accuracy_drop, &goal->value, error);
    }
    if (options->budget != NULL) {
        goal->kind = ADIT_GOAL_BUDGET;
        return adit_tool_parse_share("budget", options->budget, &goal->value, error);
    }
    if (options->latency == NULL)
        return TRUE;
    goal->kind = ADIT_GOAL_LATENCY;
    return adit_tool_parse_time("latency", options->latency, &goal->value, error);
}

/* The options' goal, else the pipeline's; a policy that says shares needs none. */
static gboolean
choose_goal(const AditInvocation *self, const AditExperiment *experiment, AditGoal *goal,
            GError **error)
{
    AditPolicy *policy = experiment->policy;
    gboolean shares = policy != NULL && ADIT_POLICY_GET_CLASS(policy)->share != NULL;

    if (!read_goal(&self->options, goal, error))
        return FALSE;
    if (goal->kind != ADIT_GOAL_NONE && shares) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "'%s' says itself how many rows leave; leave --accuracy-drop, --budget and "
                    "--latency out",
                    ADIT_COMPONENT_GET_CLASS(policy)->name);
        return FALSE;
    }
    if (goal->kind == ADIT_GOAL_NONE && !shares)
        *goal = experiment->goal;
    if (goal->kind != ADIT_GOAL_NONE || shares || policy == NULL)
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "say what the thresholds are fitted to: --accuracy-drop=0.5%%, --budget=40%% or "
                "--latency='2 ms'");
    return FALSE;
}

/* ---- what is told ---- */

static void
print_table(AditInvocation *self, const AditCalibration *calibration)
{
    g_autoptr(GPtrArray) table = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);

    g_ptr_array_add(table, g_strdupv((char *[]){(char *) "exit", (char *) "threshold", NULL}));
    for (guint i = 0; i < calibration->n; i++) {
        char **row = g_new0(char *, 3);

        row[0] = g_strdup(calibration->names->pdata[i]);
        row[1] = g_strdup_printf("%.6g", calibration->thresholds[i]);
        g_ptr_array_add(table, row);
    }
    adit_tool_print_table(self, table, "lr");
    adit_terminal_print(&self->terminal,
                        "on %" G_GSIZE_FORMAT " validation rows: accuracy %.6g (last answer %.6g), "
                        "mean cost %.4g of the network without exits",
                        calibration->rows, calibration->metric, calibration->last,
                        calibration->cost);
    if (!isnan(calibration->seconds))
        adit_terminal_print(&self->terminal, ", %.4g ms a row by itself",
                            1e3 * calibration->seconds);
    adit_terminal_print(&self->terminal, "\n");
}

static void
print_json(AditInvocation *self, const AditCalibration *calibration, const char *folder)
{
    JsonObject *object = json_object_new();
    JsonArray *exits = json_array_new();

    json_object_set_string_member(object, "run", folder);
    json_object_set_string_member(object, "policy", calibration->policy);
    adit_json_set_unsigned(object, "rows", calibration->rows);
    adit_json_set_double(object, "accuracy", calibration->metric);
    adit_json_set_double(object, "last-accuracy", calibration->last);
    adit_json_set_double(object, "cost", calibration->cost);
    adit_json_set_double(object, "seconds", calibration->seconds);
    for (guint i = 0; i < calibration->n; i++) {
        JsonObject *exit = json_object_new();

        json_object_set_string_member(exit, "name", calibration->names->pdata[i]);
        adit_json_set_double(exit, "threshold", calibration->thresholds[i]);
        json_array_add_object_element(exits, exit);
    }
    json_object_set_array_member(object, "exits", exits);
    adit_tool_print_json(self, object);
}

static gboolean
run(AditInvocation *self, GError **error)
{
    g_auto(AditEvaluation) evaluation = {0};
    AditGoal goal = {0};
    const AditSplit *split;

    if (!adit_evaluation_open(&evaluation, self, error) ||
        !choose_goal(self, evaluation.experiment, &goal, error))
        return FALSE;
    if (!evaluation.is_run || evaluation.loss == NULL) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "thresholds are stored with a run; give a run directory");
        return FALSE;
    }
    split = adit_exits_choose_validation(self, &evaluation, error);
    if (split == NULL)
        return FALSE;
    AditEvaluationSetup setup = {.rows = split->rows, .batch = evaluation.batch};
    g_autoptr(AditCalibration) calibration =
        adit_calibrate(evaluation.network, split, &setup, &goal, error);

    if (calibration == NULL || !adit_calibration_write(calibration, evaluation.run, error))
        return FALSE;
    if (self->options.json)
        print_json(self, calibration, evaluation.run);
    else
        print_table(self, calibration);
    adit_terminal_say(&self->terminal,
                      "stored in %s/" ADIT_EXITS_FOLDER ", with the whole curve; adit report %s "
                      "draws it",
                      evaluation.run, evaluation.run);
    return TRUE;
}

const AditVerb adit_verb_exits_calibrate = {
    .name = "exits calibrate",
    .usage = "RUN --accuracy-drop=SHARE | --budget=SHARE | --latency=TIME [options]",
    .summary = "fit the thresholds of a run's exits",
    .about =
        "Fits the thresholds of the run's policy to the validation split, which training never "
        "saw, and stores them with the run: from then on 'eval', 'predict' and 'exits eval' take "
        "them, unless -o sets a threshold or another policy. Another policy is fitted by "
        "-o inference.policy=... here, and used with the same -o there. Without a goal that of "
        "the pipeline's 'calibrate' is taken; 'share' and 'budget' say themselves how many rows "
        "leave and need none.\n"
        "Writes exits/thresholds.json and exits/curve.csv: what one threshold for all exits comes "
        "to, from where nobody leaves early to where all do.",
    .options =
        (const char *const[]){"accuracy-drop", "budget", "latency", "thresholds", "override",
                              "data", "split", "checkpoint", "batch", "device", "strict-device",
                              "threads", "json", "color", "quiet", "verbose", "help", NULL},
    .min_arguments = 1,
    .max_arguments = 1,
    .has_overrides = TRUE,
    .run = run,
};
