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
    g_clear_pointer(&self->origin, adit_experiment_free);
    g_clear_object(&self->device);
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

/* The run that @path names: its folder, or one of its checkpoints. */
static char *
find_run(const char *path, GError **error)
{
    g_autofree char *record = g_build_filename(path, "run.json", NULL);
    g_autofree char *above = g_path_get_dirname(path);
    g_autofree char *run = g_path_get_dirname(above);
    g_autofree char *other = g_build_filename(run, "run.json", NULL);

    if (g_file_test(record, G_FILE_TEST_EXISTS))
        return g_strdup(path);
    if (g_file_test(other, G_FILE_TEST_EXISTS))
        return g_steal_pointer(&run);
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_NOT_FOUND,
                "no run in '%s': it has no run.json, and is no checkpoint of a run", path);
    return NULL;
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

static void
take(gpointer *section, gpointer *from)
{
    if (*section == NULL)
        *section = g_steal_pointer(from);
}

/* Sections that the file does not write are the run's. */
static void
adopt(AditEvaluation *self)
{
    AditModel *model = &self->experiment->model, *from = &self->origin->model;

    take((gpointer *) &model->stem, (gpointer *) &from->stem);
    take((gpointer *) &model->trunk, (gpointer *) &from->trunk);
    take((gpointer *) &model->head, (gpointer *) &from->head);
}

/* The resolved pipeline of @run; overrides of the command line go to @overridden alone. */
static AditExperiment *
read_run(AditInvocation *self, const char *run, gboolean overridden, GError **error)
{
    g_autofree char *path = g_build_filename(run, "config.resolved.yaml", NULL);
    g_autoptr(GPtrArray) kept = g_ptr_array_ref(self->overrides);

    if (!overridden) {
        self->overrides = g_ptr_array_new();
        g_ptr_array_add(self->overrides, NULL);
    }
    AditExperiment *experiment = adit_tool_read(self, path, error);

    if (!overridden) {
        g_ptr_array_unref(self->overrides);
        self->overrides = g_ptr_array_ref(kept);
    }
    return experiment;
}

static gboolean
read_pipelines(AditEvaluation *self, AditInvocation *invocation, char **run, GError **error)
{
    const char *word = invocation->arguments->pdata[0];
    const char *path = word;
    gboolean is_folder = g_file_test(word, G_FILE_TEST_IS_DIR);

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
    *run = find_run(path, error);
    self->checkpoint = *run != NULL ? choose_checkpoint(invocation, path, *run, error) : NULL;
    if (self->checkpoint == NULL)
        return FALSE;
    if (is_folder) {
        self->experiment = read_run(invocation, *run, TRUE, error);
        return self->experiment != NULL;
    }
    self->origin = read_run(invocation, *run, FALSE, error);
    if (self->origin == NULL)
        return FALSE;
    adopt(self);
    return TRUE;
}

/* The loss of the last stage: the file's, else that of the run. */
static AditLoss *
find_loss(const AditEvaluation *self)
{
    const GPtrArray *stages = self->experiment->stages;

    if (stages->len == 0 && self->origin != NULL)
        stages = self->origin->stages;
    return stages->len > 0 ? ((const AditStage *) stages->pdata[stages->len - 1])->loss : NULL;
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

gboolean
adit_evaluation_open(AditEvaluation *self, AditInvocation *invocation, GError **error)
{
    g_autofree char *run = NULL;
    g_autoptr(JsonObject) members = NULL;

    self->device = adit_tool_open_device(invocation, error);
    if (self->device == NULL || !check_overrides(invocation, error) ||
        !read_pipelines(self, invocation, &run, error))
        return FALSE;
    members = adit_run_read(run, NULL, error);
    if (members == NULL)
        return FALSE;
    self->data = adit_tool_open_data(invocation, self->experiment, members, error);
    if (self->data == NULL || !choose_split(self, invocation, error))
        return FALSE;
    self->loss = find_loss(self);
    self->batch = invocation->options.batch > 0 ? (gsize) invocation->options.batch
                                                : (gsize) self->experiment->inference_batch;
    return load_weights(self, error);
}
