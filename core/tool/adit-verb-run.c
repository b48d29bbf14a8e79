/* core/tool/adit-verb-run.c - SPDX-License-Identifier: MIT */
#include "adit-tool.h"

#include "adit-file.h"

/* Whether there is a run in @folder. */
static gboolean
is_run(const char *folder)
{
    g_autofree char *record = g_build_filename(folder, "run.json", NULL);

    return g_file_test(record, G_FILE_TEST_EXISTS);
}

/* The short name of a pipeline: its file's, without its ending. */
static char *
make_name(const char *path)
{
    char *name = g_path_get_basename(path);
    char *dot = strrchr(name, '.');

    if (dot != NULL && dot != name)
        *dot = '\0';
    return name;
}

/* As given, one a line: "depth=3", "-o train.epochs=5". */
static GStrv
list_overrides(const AditInvocation *self)
{
    GStrvBuilder *builder = g_strv_builder_new();

    for (guint i = 0; self->overrides->pdata[i] != NULL; i++) {
        const char *word = self->overrides->pdata[i];
        g_autofree char *path = NULL;

        if (g_str_equal(word, "-o"))
            word = path = g_strconcat("-o ", self->overrides->pdata[++i], NULL);
        if (*word != '\0')
            g_strv_builder_add(builder, word);
    }
    GStrv overrides = g_strv_builder_end(builder);

    g_strv_builder_unref(builder);
    return overrides;
}

static AditRun *
create_run(AditInvocation *self, const AditExperiment *experiment, GPtrArray *data,
           AditDevice *device, GError **error)
{
    g_autofree char *name = make_name(experiment->path);
    g_auto(GStrv) overrides = list_overrides(self);
    g_autoptr(JsonObject) details = adit_session_describe(self, data, device);
    AditRunSetup setup = {
        .folder = self->options.run_dir,
        .parent = self->options.runs,
        .name = name,
        .seed = experiment->seed,
        .config = experiment->text,
        .resolved = experiment->resolved,
        .overrides = (const char *const *) overrides,
        .command_line = self->command_line,
        .details = details,
    };

    return adit_run_create(&setup, error);
}

static void
tell_dry_run(AditInvocation *self, const AditCheck *check, GPtrArray *data)
{
    g_autofree char *parameters = adit_tool_format_count(check->parameters);
    const AditData *first = data->pdata[0];
    g_autofree char *rows = adit_tool_format_count(first->train.rows);

    adit_terminal_print(&self->terminal,
                        "%s: ok: %s parameters, %s rows to train on; nothing was started\n",
                        (const char *) self->arguments->pdata[0], parameters, rows);
}

/* Everything that can be found wrong before anything is started is looked at here. */
static gboolean
start(AditInvocation *self, const char *path, GError **error)
{
    g_auto(AditCheck) check = {0};
    g_autoptr(AditDevice) device = adit_tool_open_device(self, error);
    double max_time;

    if (device == NULL ||
        (self->options.max_time != NULL &&
         !adit_tool_parse_time("max-time", self->options.max_time, &max_time, error)))
        return FALSE;
    g_autoptr(AditExperiment) experiment = adit_tool_read_ready(self, path, &check, error);

    if (experiment == NULL)
        return FALSE;
    if (experiment->stages->len == 0) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "%s has no section 'train': nothing to run; adit eval and adit predict take it",
                    path);
        return FALSE;
    }
    g_autoptr(GPtrArray) data = adit_tool_open_data(self, experiment, NULL, error);

    if (data == NULL)
        return FALSE;
    if (self->options.dry_run) {
        tell_dry_run(self, &check, data);
        return TRUE;
    }
    g_autoptr(AditRun) run = create_run(self, experiment, data, device, error);

    if (run == NULL)
        return FALSE;
    AditSession session = {self, experiment, data, g_steal_pointer(&device), run};

    return adit_session_train(&session, error);
}

static gboolean
run(AditInvocation *self, GError **error)
{
    const AditOptions *options = &self->options;

    if (options->resume == ADIT_RESUME_NEVER)
        return start(self, self->arguments->pdata[0], error);
    if (options->run_dir == NULL) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "'--resume' needs the run's directory: --run-dir DIR");
        return FALSE;
    }
    if (is_run(options->run_dir))
        return adit_session_resume(self, options->run_dir, self->arguments->pdata[0], error);
    if (options->resume == ADIT_RESUME_MUST) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_NOT_FOUND, "no run in '%s'", options->run_dir);
        return FALSE;
    }
    return start(self, self->arguments->pdata[0], error);
}

const AditVerb adit_verb_run = {
    .name = "run",
    .usage = "FILE [name=value ...] [-o path=value ...] [options]",
    .summary = "train a pipeline",
    .about =
        "Checks the pipeline FILE whole, then trains it and writes a run directory: the pipeline, "
        "metrics, checkpoints and what the probes found. name=value sets one of the file's "
        "parameters.\n"
        "Ctrl-C once, SIGTERM or SIGUSR1 finishes the step, writes a checkpoint and exits with "
        "75; 'adit resume' goes on from there to the same numbers. A second signal stops at once.",
    .options = (const char *const[]){"override", "data", "device", "strict-device", "threads",
                                     "run-dir", "runs", "resume", "limit-batches",
                                     "overfit-batches", "max-time", "dry-run", "json", "color",
                                     "progress", "quiet", "verbose", "help", NULL},
    .min_arguments = 1,
    .max_arguments = 1,
    .has_overrides = TRUE,
    .run = run,
};
