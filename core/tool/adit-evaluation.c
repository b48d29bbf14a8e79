/* core/tool/adit-evaluation.c - SPDX-License-Identifier: MIT */
#include "adit-evaluation.h"

#include "adit-calibration.h"
#include "adit-checkpoint.h"
#include "adit-json.h"
#include "adit-origin.h"
#include "adit-settings.h"
#include "adit-weights.h"

#include <string.h>

void
adit_evaluation_clear(AditEvaluation *self)
{
    g_clear_pointer(&self->network, adit_network_free);
    g_clear_pointer(&self->data, g_ptr_array_unref);
    g_clear_pointer(&self->experiment, adit_experiment_free);
    g_clear_object(&self->loss);
    g_clear_object(&self->device);
    g_clear_pointer(&self->run, g_free);
    g_clear_pointer(&self->checkpoint, g_free);
}

/* What was trained stays; what it is asked about may be changed. */
static gboolean
check_overrides(AditInvocation *self, GError **error)
{
    static const char *const open[] = {"data", "inference", "probes", NULL};
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();

    for (guint i = 0; self->overrides->pdata[i] != NULL; i++) {
        const char *word = self->overrides->pdata[i];
        gboolean is_path = g_str_equal(word, "-o");
        const char *path = is_path ? self->overrides->pdata[i + 1] : word;
        g_autofree char *section = g_strndup(path, strcspn(path, ".+="));

        i += is_path;
        if (!is_path || g_strv_contains(open, section))
            continue;
        g_autoptr(AditSource) source =
            adit_source_new_argument(adit_invocation_get_first_word(self) + i, path);
        AditPlace place = {source, 1, 1, (guint) strlen(section)};

        adit_diagnostics_error(
            diagnostics, &place, ADIT_ERROR_INVALID,
            "'%s' cannot be turned after training; 'data', 'inference' and 'probes' "
            "can",
            section);
    }
    adit_terminal_show(&self->terminal, diagnostics);
    return adit_diagnostics_count_errors(diagnostics) == 0 ||
           adit_tool_fail_told(adit_diagnostics_get_code(diagnostics), error);
}

/* The checkpoint that the command line names; NULL without an error: none. */
static char *
choose_checkpoint(const AditInvocation *self, const char *run, GError **error)
{
    const char *which = self->options.checkpoint;
    guint64 step;

    if (which == NULL)
        return NULL;
    if (run == NULL)
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "'--checkpoint' chooses one of a run's, but 'from' names weights alone");
    else if (g_str_equal(which, "last") || g_str_equal(which, "best"))
        return g_build_filename(run, "checkpoints", which, NULL);
    else if (g_ascii_string_to_unsigned(which, 10, 0, G_MAXINT64, &step, NULL))
        return g_strdup_printf("%s/checkpoints/step-%08" G_GUINT64_FORMAT, run, step);
    else
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "'--checkpoint' must be last, best or the number of a step, got \"%s\"", which);
    return NULL;
}

/* The resolved pipeline of a run, and its newest checkpoint or the one named. */
static gboolean
read_run(AditEvaluation *self, AditInvocation *invocation, const char *path, GError **error)
{
    g_autoptr(GError) wrong = NULL;
    g_autofree char *config = NULL;

    self->run = adit_origin_find_run(path);
    if (self->run == NULL) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_NOT_FOUND,
                    "no run in '%s': it has no run.json, and is no checkpoint of a run", path);
        return FALSE;
    }
    g_autofree char *folder = g_canonicalize_filename(path, NULL);

    self->checkpoint = choose_checkpoint(invocation, self->run, &wrong);
    if (wrong != NULL) {
        g_propagate_error(error, g_steal_pointer(&wrong));
        return FALSE;
    }
    if (self->checkpoint == NULL)
        self->checkpoint = g_str_equal(folder, self->run)
                               ? g_build_filename(self->run, "checkpoints", "last", NULL)
                               : g_steal_pointer(&folder);
    self->is_run = TRUE;
    config = g_build_filename(self->run, "config.resolved.yaml", NULL);
    self->experiment = adit_tool_read(invocation, config, error);
    return self->experiment != NULL;
}

/* A file with `model.from`, whose weights are those it names or the checkpoint named. */
static gboolean
read_file(AditEvaluation *self, AditInvocation *invocation, const char *path, GError **error)
{
    g_autoptr(GError) wrong = NULL;

    self->experiment = adit_tool_read(invocation, path, error);
    if (self->experiment == NULL)
        return FALSE;
    if (self->experiment->from == NULL) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "%s has no weights: give a run directory, or set 'model.from' to one", path);
        return FALSE;
    }
    self->run = adit_origin_find_run(self->experiment->from);
    g_autofree char *checkpoint = choose_checkpoint(invocation, self->run, &wrong);

    if (wrong != NULL) {
        g_propagate_error(error, g_steal_pointer(&wrong));
        return FALSE;
    }
    if (checkpoint != NULL) {
        g_free(self->experiment->from);
        self->experiment->from = g_steal_pointer(&checkpoint);
    }
    return TRUE;
}

static gboolean
read_pipeline(AditEvaluation *self, AditInvocation *invocation, GError **error)
{
    const char *word = invocation->arguments->pdata[0];

    return g_file_test(word, G_FILE_TEST_IS_DIR) ? read_run(self, invocation, word, error)
                                                 : read_file(self, invocation, word, error);
}

static gboolean
open_data(AditEvaluation *self, AditInvocation *invocation, JsonObject *run, GError **error)
{
    self->data = adit_tool_open_data(invocation, self->experiment, run, error);
    if (self->data == NULL || self->data->len > 0)
        return self->data != NULL;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID, "%s has no section 'data'",
                self->experiment->path);
    return FALSE;
}

gboolean
adit_evaluation_choose_split(AditEvaluation *self, const AditInvocation *invocation, GError **error)
{
    const AditData *data = self->data->pdata[0];
    const char *name = invocation->options.split != NULL ? invocation->options.split : "test";

    self->split_name = name;
    self->split = g_str_equal(name, "train")        ? &data->train
                  : g_str_equal(name, "validation") ? &data->validation
                                                    : &data->test;
    if (self->split->rows > 0)
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID, "data '%s' has no %s split; --split=train",
                data->name, name);
    return FALSE;
}

/* All of a run's network is in its checkpoint. */
static gboolean
load_checkpoint(AditEvaluation *self, GError **error)
{
    g_auto(AditCheckpoint) checkpoint = {0};

    return adit_checkpoint_read(self->checkpoint, &checkpoint, error) &&
           adit_network_load(self->network, checkpoint.model, error);
}

static gboolean
take_weights(AditEvaluation *self, GError **error)
{
    g_auto(AditWeights) weights = {0};

    adit_network_initialize(self->network, self->experiment->seed);
    if (!adit_network_take_from(self->network, self->experiment, &weights, error))
        return FALSE;
    self->checkpoint = g_steal_pointer(&weights.path);
    return TRUE;
}

static gboolean
load_weights(AditEvaluation *self, GError **error)
{
    const AditData *data = self->data->pdata[0];
    AditNetworkShape shape = {data->input_shape, data->target_shape, data->classes};

    self->network =
        adit_network_new(self->experiment, &shape, data->train.targets != NULL ? self->loss : NULL,
                         self->device, 0, error);
    if (self->network == NULL)
        return FALSE;
    return self->checkpoint != NULL ? load_checkpoint(self, error) : take_weights(self, error);
}

/* The loss of the last stage; that of the run, if the file does not train. */
static void
choose_loss(AditEvaluation *self)
{
    const GPtrArray *stages = self->experiment->stages;

    if (stages->len > 0)
        g_set_object(&self->loss, ((const AditStage *) stages->pdata[stages->len - 1])->loss);
    else
        g_set_object(&self->loss, self->experiment->loss);
}

/* Weights may be asked about in another network than they were trained in, but not unnoticed. */
static void
warn_of_edits(const AditEvaluation *self, AditInvocation *invocation, JsonObject *members)
{
    g_autoptr(GError) failure = NULL;

    if (!adit_run_check_config(self->run, members, &failure))
        adit_terminal_warn(&invocation->terminal, "%s", failure->message);
}

/* Those that were fitted to this network, if the policy is still the one they are of. */
static gboolean
take_thresholds(AditEvaluation *self, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(AditCalibration) calibration =
        self->run != NULL ? adit_calibration_read(self->run, &failure) : NULL;

    if (failure != NULL) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (calibration != NULL && adit_calibration_is_for(calibration, self->experiment))
        adit_calibration_apply(calibration, self->experiment);
    return TRUE;
}

gboolean
adit_evaluation_open(AditEvaluation *self, AditInvocation *invocation, GError **error)
{
    g_autoptr(JsonObject) members = NULL;

    self->device = adit_tool_open_silently(invocation, error);
    if (self->device == NULL || !check_overrides(invocation, error) ||
        !read_pipeline(self, invocation, error))
        return FALSE;
    if (self->run != NULL) {
        members = adit_run_read(self->run, NULL, error);
        if (members == NULL)
            return FALSE;
        warn_of_edits(self, invocation, members);
    }
    if (!open_data(self, invocation, members, error))
        return FALSE;
    choose_loss(self);
    self->batch = invocation->options.batch > 0 ? (gsize) invocation->options.batch
                                                : (gsize) self->experiment->inference_batch;
    return load_weights(self, error) && take_thresholds(self, error);
}

gboolean
adit_evaluation_turns_data(const AditInvocation *invocation)
{
    for (guint i = 0; invocation->overrides->pdata[i] != NULL; i++) {
        const char *word = invocation->overrides->pdata[i];

        if (g_str_equal(word, "-o") &&
            g_str_has_prefix(invocation->overrides->pdata[i + 1], "data"))
            return TRUE;
    }
    return FALSE;
}

gboolean
adit_evaluation_fit(AditEvaluation *self, const AditInvocation *invocation, GError **error)
{
    const AditData *data = self->data->pdata[0];
    AditEvaluationSetup setup = {.rows = data->validation.rows, .batch = self->batch};
    AditPolicy *policy = self->experiment->policy;
    g_autoptr(AditCalibration) calibration = NULL;

    if (policy == NULL || ADIT_POLICY_GET_CLASS(policy)->share == NULL ||
        adit_policy_has_thresholds(policy))
        return TRUE;
    if (!self->is_run || setup.rows == 0 || adit_evaluation_turns_data(invocation)) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "the thresholds of '%s' are fitted to a validation split that training never "
                    "saw, and data '%s' has none; set its 'validation' before training",
                    ADIT_COMPONENT_GET_CLASS(policy)->name, data->name);
        return FALSE;
    }
    calibration = adit_calibrate(self->network, &data->validation, &setup, NULL, error);
    if (calibration != NULL)
        adit_calibration_apply(calibration, self->experiment);
    return calibration != NULL;
}
