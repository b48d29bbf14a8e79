/* core/infer/adit-calibration.c - SPDX-License-Identifier: MIT */
#include "adit-calibration.h"

#include "adit-component-private.h"
#include "adit-file.h"
#include "adit-json.h"
#include "adit-settings.h"

#include <math.h>

static const char *const goals[] = {"shares", "accuracy-drop", "budget", "latency"};

void
adit_calibration_free(AditCalibration *self)
{
    g_free(self->policy);
    g_clear_pointer(&self->names, g_ptr_array_unref);
    g_free(self->thresholds);
    g_clear_pointer(&self->curve, adit_exit_curve_free);
    g_free(self);
}

/* ---- whether it can be done ---- */

static gboolean
says_shares(const AditExperiment *experiment)
{
    return experiment->policy != NULL && ADIT_POLICY_GET_CLASS(experiment->policy)->share != NULL;
}

gboolean
adit_experiment_calibrates(const AditExperiment *experiment)
{
    return experiment->goal.kind != ADIT_GOAL_NONE ||
           (says_shares(experiment) && !adit_policy_has_thresholds(experiment->policy));
}

static void
check_policy(const AditExperiment *experiment, const AditPlace *place, AditDiagnostics *diagnostics)
{
    AditPolicy *policy = experiment->policy;

    if (policy == NULL) {
        adit_diagnostics_error(diagnostics, place, ADIT_ERROR_INVALID,
                               "'calibrate' fits a policy's thresholds; set 'policy'");
        return;
    }
    const AditPolicyClass *klass = ADIT_POLICY_GET_CLASS(policy);
    const char *name = ADIT_COMPONENT_GET_CLASS(policy)->name;

    if (klass->share != NULL && experiment->goal.kind != ADIT_GOAL_NONE)
        adit_diagnostics_error(diagnostics, place, ADIT_ERROR_INVALID,
                               "'%s' says itself how many rows leave; 'calibrate' has no threshold "
                               "to choose",
                               name);
    else if (klass->fix != NULL)
        adit_diagnostics_error(diagnostics, place, ADIT_ERROR_INVALID,
                               "'%s' lets all rows leave at one exit; it has no thresholds to fit",
                               name);
}

void
adit_calibration_check(const AditExperiment *experiment, guint n_exits,
                       AditDiagnostics *diagnostics)
{
    const AditPlace *place = &experiment->goal.place;

    if (!adit_experiment_calibrates(experiment))
        return;
    if (experiment->goal.kind == ADIT_GOAL_NONE)
        place = adit_component_get_place(ADIT_COMPONENT(experiment->policy));
    check_policy(experiment, place, diagnostics);
    if (n_exits == 0)
        adit_diagnostics_error(diagnostics, place, ADIT_ERROR_INVALID,
                               "there is nothing to calibrate; the network has no exits");
    AditDataset *dataset = experiment->datasets->pdata[0];

    if (!(adit_dataset_get_settings(dataset)->validation.value > 0))
        adit_diagnostics_error(diagnostics, place, ADIT_ERROR_INVALID,
                               "calibration needs a validation split that training never sees; set "
                               "'validation' of '%s'",
                               ADIT_COMPONENT_GET_CLASS(dataset)->name);
}

/* ---- fitting ---- */

static AditCalibration *
make(const AditExitTable *table, const AditExperiment *experiment)
{
    AditCalibration *self = g_new0(AditCalibration, 1);

    self->policy = g_strdup(experiment->policy_text);
    self->n = table->n - 1;
    self->thresholds = g_new0(double, table->n);
    self->names = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i + 1 < table->n; i++)
        g_ptr_array_add(self->names, g_strdup(table->names->pdata[i]));
    self->rows = table->rows;
    self->seconds = (double) NAN;
    for (gsize row = 0; row < table->rows; row++)
        self->last += table->metrics[row * table->n + table->n - 1];
    self->last /= (double) MAX(table->rows, 1);
    return self;
}

/* @seconds: (nullable): of each answer, where they are the goal */
static gboolean
fit_goal(AditCalibration *self, const AditExitTable *table, const AditGoal *goal,
         const double *seconds, GError **error)
{
    gboolean drops = goal->kind == ADIT_GOAL_ACCURACY_DROP;
    AditExitAim aim = {.costs = seconds != NULL ? seconds : table->costs,
                       .budget = drops ? -1 : goal->value,
                       .metric = drops ? self->last - goal->value : (double) NAN,
                       .each = goal->each};

    self->goal = goal->kind;
    self->value = goal->value;
    self->each = goal->each;
    if (adit_exit_fit(table, &aim, self->thresholds))
        return TRUE;
    AditExitPoint point = adit_exit_table_weigh(table, self->thresholds, aim.costs);

    if (drops)
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "no thresholds come to an accuracy of %.6g; the nearest come to %.6g",
                    aim.metric, point.metric);
    else if (seconds == NULL)
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "no thresholds come to a budget of %.4g%%; rows that all leave at the first "
                    "exit cost %.4g%%",
                    100 * aim.budget, 100 * point.cost);
    else
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "no thresholds come to a latency of %.4g ms; rows that all leave at the first "
                    "exit take %.4g ms",
                    1e3 * aim.budget, 1e3 * point.cost);
    return FALSE;
}

static void
fit_shares(AditCalibration *self, const AditExitTable *table, AditPolicy *policy)
{
    g_autofree double *shares = g_new0(double, table->n);

    ADIT_POLICY_GET_CLASS(policy)->share(policy, self->n, shares);
    adit_exit_fit_shares(table, shares, self->thresholds);
}

/* That the policy asks, and there is an exit to ask at. */
static gboolean
check_table(const AditExitTable *table, const AditExperiment *experiment, GError **error)
{
    if (table->n > 1 && table->measures != NULL)
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                table->n == 1 ? "there is nothing to calibrate: the network has no exits"
                : experiment->policy == NULL ? "no policy is set whose thresholds could be fitted; "
                                               "-o inference.policy=entropy"
                                             : "the policy lets all rows leave at one exit; it has "
                                               "no thresholds to fit");
    return FALSE;
}

AditCalibration *
adit_calibrate(AditNetwork *network, const AditSplit *validation, const AditEvaluationSetup *setup,
               const AditGoal *goal, GError **error)
{
    const AditExperiment *experiment = adit_network_get_experiment(network);
    g_autoptr(AditExitTable) table = adit_exit_table_new(network, validation, setup, error);
    g_autofree double *seconds = NULL;

    if (table == NULL || !check_table(table, experiment, error))
        return NULL;
    g_autoptr(AditCalibration) self = make(table, experiment);

    if (goal != NULL && goal->kind == ADIT_GOAL_LATENCY) {
        seconds = g_new0(double, table->n);
        if (!adit_exit_table_measure_seconds(table, network, ADIT_EXIT_TOGETHER, validation, 1,
                                             seconds, error))
            return NULL;
    }
    if (says_shares(experiment))
        fit_shares(self, table, experiment->policy);
    else if (!fit_goal(self, table, goal, seconds, error))
        return NULL;
    AditExitPoint point = adit_exit_table_weigh(table, self->thresholds, table->costs);

    self->metric = point.metric;
    self->cost = point.cost;
    if (seconds != NULL)
        self->seconds = adit_exit_table_weigh(table, self->thresholds, seconds).cost;
    self->curve = adit_exit_curve_new(table, table->costs, ADIT_EXIT_CURVE_STEPS);
    return g_steal_pointer(&self);
}

/* ---- files ---- */

static JsonObject *
to_json(const AditCalibration *self)
{
    JsonObject *object = json_object_new();
    JsonArray *exits = json_array_new();

    json_object_set_string_member(object, "policy", self->policy);
    json_object_set_string_member(object, "goal", goals[self->goal]);
    adit_json_set_double(object, "value", self->value);
    json_object_set_string_member(object, "thresholds", self->each ? "each" : "one");
    adit_json_set_unsigned(object, "rows", self->rows);
    adit_json_set_double(object, "accuracy", self->metric);
    adit_json_set_double(object, "last-accuracy", self->last);
    adit_json_set_double(object, "cost", self->cost);
    adit_json_set_double(object, "seconds", self->seconds);
    for (guint i = 0; i < self->n; i++) {
        JsonObject *exit = json_object_new();

        json_object_set_string_member(exit, "name", self->names->pdata[i]);
        adit_json_set_double(exit, "threshold", self->thresholds[i]);
        json_array_add_object_element(exits, exit);
    }
    json_object_set_array_member(object, "exits", exits);
    return object;
}

static GString *
write_curve(const AditCalibration *self)
{
    GString *text = g_string_new("threshold,accuracy,cost");
    const AditExitCurve *curve = self->curve;

    for (guint i = 0; i < self->n; i++)
        g_string_append_printf(text, ",share.%s", (const char *) self->names->pdata[i]);
    g_string_append(text, ",share.last\n");
    for (guint i = 0; i < curve->points->len; i++) {
        const AditExitPoint *point = &g_array_index(curve->points, AditExitPoint, i);

        g_string_append_printf(text, "%.9g,%.9g,%.9g", point->threshold, point->metric,
                               point->cost);
        for (guint j = 0; j <= self->n; j++)
            g_string_append_printf(text, ",%.9g",
                                   g_array_index(curve->shares, double, i *(self->n + 1) + j));
        g_string_append_c(text, '\n');
    }
    return text;
}

gboolean
adit_calibration_write(const AditCalibration *self, const char *folder, GError **error)
{
    g_autofree char *exits = g_build_filename(folder, ADIT_EXITS_FOLDER, NULL);
    g_autofree char *thresholds = g_build_filename(exits, ADIT_THRESHOLDS_FILE, NULL);
    g_autofree char *path = g_build_filename(exits, ADIT_EXIT_CURVE_FILE, NULL);
    g_autoptr(JsonObject) object = to_json(self);
    g_autoptr(GString) curve = self->curve != NULL ? write_curve(self) : NULL;

    return adit_folder_create(exits, error) &&
           (curve == NULL || adit_file_write(path, curve->str, curve->len, error)) &&
           adit_json_write(thresholds, object, error);
}

static gboolean
from_json(AditCalibration *self, JsonObject *object)
{
    JsonArray *exits = adit_json_get_array(object, "exits");
    guint64 rows = 0;

    self->policy = g_strdup(adit_json_get_text(object, "policy"));
    adit_json_get_double(object, "accuracy", &self->metric);
    adit_json_get_double(object, "last-accuracy", &self->last);
    adit_json_get_double(object, "cost", &self->cost);
    adit_json_get_unsigned(object, "rows", &rows);
    self->rows = rows;
    self->n = exits != NULL ? json_array_get_length(exits) : 0;
    self->thresholds = g_new0(double, self->n + 1);
    for (guint i = 0; i < self->n; i++) {
        JsonNode *node = json_array_get_element(exits, i);
        JsonObject *exit = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
        const char *name = exit != NULL ? adit_json_get_text(exit, "name") : NULL;

        if (name == NULL || !adit_json_get_double(exit, "threshold", &self->thresholds[i]))
            return FALSE;
        g_ptr_array_add(self->names, g_strdup(name));
    }
    return self->policy != NULL && self->n > 0;
}

AditCalibration *
adit_calibration_read(const char *folder, GError **error)
{
    g_autofree char *path = g_build_filename(folder, ADIT_EXITS_FOLDER, ADIT_THRESHOLDS_FILE, NULL);
    g_autoptr(AditCalibration) self = g_new0(AditCalibration, 1);
    g_autoptr(JsonObject) object = NULL;

    self->names = g_ptr_array_new_with_free_func(g_free);
    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        return NULL;
    object = adit_json_read(path, error);
    if (object == NULL)
        return NULL;
    if (from_json(self, object))
        return g_steal_pointer(&self);
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED,
                "'%s' holds no thresholds: expected 'policy' and 'exits', each with 'name' and "
                "'threshold'",
                path);
    return NULL;
}

/* ---- using it ---- */

/* Whether @place is on the command line. */
static gboolean
is_turned(const AditPlace *place)
{
    return place != NULL && place->source != NULL && place->source->is_argument;
}

gboolean
adit_calibration_is_for(const AditCalibration *self, const AditExperiment *experiment)
{
    AditPolicy *policy = experiment->policy;

    return policy != NULL && g_strcmp0(self->policy, experiment->policy_text) == 0 &&
           !is_turned(adit_experiment_find_place(experiment, policy, "threshold", 0));
}

void
adit_calibration_apply(const AditCalibration *self, const AditExperiment *experiment)
{
    adit_policy_set_thresholds(experiment->policy, self->thresholds, self->n);
}
