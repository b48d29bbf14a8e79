/* core/tool/adit-resume.c - SPDX-License-Identifier: MIT */
#include "adit-tool.h"

#include "adit-checkpoint.h"
#include "adit-json.h"

/* Bits depend on the instruction set: the one the run began with is asked for. */
static void
keep_instruction_set(AditRun *run)
{
    JsonObject *device = adit_json_get_object(adit_run_get_members(run), "device");
    const char *wanted = device != NULL ? adit_json_get_text(device, "instruction-set") : NULL;

    if (wanted != NULL)
        g_setenv("ADIT_ISA", wanted, FALSE);
}

static void
compare_instruction_set(AditInvocation *self, AditRun *run, AditDevice *device)
{
    JsonObject *began = adit_json_get_object(adit_run_get_members(run), "device");
    const char *wanted = began != NULL ? adit_json_get_text(began, "instruction-set") : NULL;
    const char *got = adit_cpu_device_get_isa(device);

    if (wanted != NULL && !g_str_equal(wanted, got))
        adit_terminal_warn(&self->terminal,
                           "the run began with %s, this goes on with %s: the last bits differ",
                           wanted, got);
}

/* A run goes on with the data it began with. */
static gboolean
compare_data(AditRun *run, GPtrArray *data, GError **error)
{
    JsonArray *sets = adit_json_get_array(adit_run_get_members(run), "data");

    for (guint i = 0; sets != NULL && i < data->len && i < json_array_get_length(sets); i++) {
        const AditData *each = data->pdata[i];
        const char *expected =
            adit_json_get_text(json_array_get_object_element(sets, i), "fingerprint");

        if (expected == NULL || g_str_equal(expected, each->fingerprint))
            continue;
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED,
                    "data '%s' is not what the run began with: got %s, expected %s", each->name,
                    each->fingerprint, expected);
        return FALSE;
    }
    return TRUE;
}

static void
tell_checkpoint(AditInvocation *self, AditRun *run)
{
    g_auto(GStrv) reasons = NULL;
    g_autofree char *found = adit_checkpoint_find(adit_run_get_folder(run), &reasons);

    for (guint i = 0; reasons != NULL && reasons[i] != NULL; i++)
        adit_terminal_warn(&self->terminal, "passed over: %s", reasons[i]);
    if (found != NULL)
        adit_terminal_say(&self->terminal, "going on from %s", found);
    else
        adit_terminal_say(&self->terminal, "no checkpoint yet: starting from the beginning");
}

/* Whether the pipeline at @path is the one the run was made of. */
static gboolean
compare_pipeline(AditInvocation *self, AditRun *run, const char *path, GError **error)
{
    g_autoptr(AditExperiment) experiment = adit_tool_read(self, path, error);
    g_autofree char *config = NULL;

    if (experiment == NULL)
        return FALSE;
    config = adit_run_read_config(run, error);
    if (config == NULL)
        return FALSE;
    if (g_str_equal(config, experiment->resolved))
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "%s was made from another pipeline than %s with these parameters; 'adit resume' "
                "needs no file",
                adit_run_get_folder(run), path);
    return FALSE;
}

/* The run's own pipeline has nothing left to override. */
static AditExperiment *
read_config(AditInvocation *self, AditRun *run, AditCheck *check, GError **error)
{
    g_autofree char *path =
        g_build_filename(adit_run_get_folder(run), "config.resolved.yaml", NULL);

    g_ptr_array_set_size(self->overrides, 0);
    g_ptr_array_add(self->overrides, NULL);
    self->n_overrides = 0;
    return adit_tool_read_checked(self, path, check, error);
}

static gboolean
is_complete(AditInvocation *self, AditRun *run)
{
    const char *status = adit_json_get_text(adit_run_get_members(run), "status");

    if (g_strcmp0(status, adit_run_status_get_name(ADIT_RUN_COMPLETED)) != 0)
        return FALSE;
    adit_terminal_say(&self->terminal, "%s is complete: nothing to go on with",
                      adit_run_get_folder(run));
    return TRUE;
}

gboolean
adit_session_resume(AditInvocation *self, const char *folder, const char *path, GError **error)
{
    g_autoptr(AditRun) run = adit_run_open(folder, error);
    g_auto(AditCheck) check = {0};

    if (run == NULL || (path != NULL && !compare_pipeline(self, run, path, error)))
        return FALSE;
    if (is_complete(self, run))
        return TRUE;
    keep_instruction_set(run);
    g_autoptr(AditDevice) device = adit_tool_open_device(self, error);

    if (device == NULL)
        return FALSE;
    compare_instruction_set(self, run, device);
    g_autoptr(AditExperiment) experiment = read_config(self, run, &check, error);

    if (experiment == NULL)
        return FALSE;
    g_autoptr(GPtrArray) data = adit_tool_open_data(self, experiment, NULL, error);

    if (data == NULL || !compare_data(run, data, error))
        return FALSE;
    tell_checkpoint(self, run);
    AditSession session = {self, experiment, data, device, run};

    return adit_session_train(&session, error);
}
