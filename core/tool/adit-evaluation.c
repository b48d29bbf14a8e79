/* core/tool/adit-evaluation.c - SPDX-License-Identifier: MIT */
#include "adit-evaluation.h"

#include "adit-checkpoint.h"
#include "adit-json.h"

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
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();

    for (guint i = 0; self->overrides->pdata[i] != NULL; i++) {
        const char *word = self->overrides->pdata[i];
        gboolean is_path = g_str_equal(word, "-o");
        const char *path = is_path ? self->overrides->pdata[i + 1] : word;
        g_autofree char *section = g_strndup(path, strcspn(path, ".+="));

        i += is_path;
        if (!is_path || g_str_equal(section, "data") || g_str_equal(section, "inference"))
            continue;
        g_autoptr(AditSource) source = adit_source_new_argument(ADIT_FIRST_WORD + i, path);
        AditPlace place = {source, 1, 1, (guint) strlen(section)};

        adit_diagnostics_error(diagnostics, &place, ADIT_ERROR_INVALID,
                               "'%s' cannot be turned after training; 'data' and 'inference' can",
                               section);
    }
    adit_terminal_show(&self->terminal, diagnostics);
    return adit_diagnostics_count_errors(diagnostics) == 0 ||
           adit_tool_fail_told(adit_diagnostics_get_code(diagnostics), error);
}

static char *
choose_checkpoint(const AditInvocation *self, const char *path, const char *run, GError **error)
{
    const char *which = self->options.checkpoint;
    guint64 step;

    if (which == NULL)
        return g_str_equal(path, run) ? g_build_filename(run, "checkpoints", "last", NULL)
                                      : g_strdup(path);
    if (g_str_equal(which, "last") || g_str_equal(which, "best"))
        return g_build_filename(run, "checkpoints", which, NULL);
    if (g_ascii_string_to_unsigned(which, 10, 0, G_MAXINT64, &step, NULL)) {
        g_autofree char *name = g_strdup_printf("step-%08" G_GUINT64_FORMAT, step);

        return g_build_filename(run, "checkpoints", name, NULL);
    }
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "'--checkpoint' must be last, best or the number of a step, got \"%s\"", which);
    return NULL;
}

/* The resolved pipeline of the run, or the file as it stands with what the run has. */
static gboolean
read_pipeline(AditEvaluation *self, AditInvocation *invocation, GError **error)
{
    const char *word = invocation->arguments->pdata[0];
    gboolean is_folder = g_file_test(word, G_FILE_TEST_IS_DIR);
    g_autofree char *config = NULL;
    const char *path = word;

    if (!is_folder) {
        self->experiment = adit_tool_read(invocation, word, error);
        if (self->experiment == NULL)
            return FALSE;
        path = self->experiment->from;
    }
    if (path == NULL) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "%s has no weights: give a run directory, or set 'model.from' to one", word);
        return FALSE;
    }
    self->run = adit_tool_find_run(path, error);
    self->checkpoint =
        self->run != NULL ? choose_checkpoint(invocation, path, self->run, error) : NULL;
    if (self->checkpoint == NULL)
        return FALSE;
    if (!is_folder)
        return adit_tool_adopt(invocation, self->experiment, &self->loss, error);
    config = g_build_filename(self->run, "config.resolved.yaml", NULL);
    self->experiment = adit_tool_read(invocation, config, error);
    return self->experiment != NULL;
}

static gboolean
choose_split(AditEvaluation *self, const AditInvocation *invocation, GError **error)
{
    const AditData *data = self->data->len > 0 ? self->data->pdata[0] : NULL;
    const char *name = invocation->options.split != NULL ? invocation->options.split : "test";

    if (data == NULL) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID, "%s has no section 'data'",
                    self->experiment->path);
        return FALSE;
    }
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

static gboolean
load_weights(AditEvaluation *self, GError **error)
{
    g_auto(AditCheckpoint) checkpoint = {0};
    const AditData *data = self->data->pdata[0];
    AditNetworkShape shape = {data->input_shape, data->target_shape, data->classes};

    if (!adit_checkpoint_read(self->checkpoint, &checkpoint, error))
        return FALSE;
    self->network =
        adit_network_new(self->experiment, &shape, self->split->targets != NULL ? self->loss : NULL,
                         self->device, 0, error);
    return self->network != NULL && adit_network_load(self->network, checkpoint.model, error);
}

/* The loss of the last stage; that of the run, if the file does not train. */
static void
choose_loss(AditEvaluation *self)
{
    const GPtrArray *stages = self->experiment->stages;

    if (stages->len > 0)
        g_set_object(&self->loss, ((const AditStage *) stages->pdata[stages->len - 1])->loss);
}

gboolean
adit_evaluation_open(AditEvaluation *self, AditInvocation *invocation, GError **error)
{
    g_autoptr(JsonObject) members = NULL;

    self->device = adit_tool_open_device(invocation, error);
    if (self->device == NULL || !check_overrides(invocation, error) ||
        !read_pipeline(self, invocation, error))
        return FALSE;
    members = adit_run_read(self->run, NULL, error);
    if (members == NULL)
        return FALSE;
    self->data = adit_tool_open_data(invocation, self->experiment, members, error);
    if (self->data == NULL || !choose_split(self, invocation, error))
        return FALSE;
    choose_loss(self);
    self->batch = invocation->options.batch > 0 ? (gsize) invocation->options.batch
                                                : (gsize) self->experiment->inference_batch;
    return load_weights(self, error);
}
