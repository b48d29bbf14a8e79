/* core/tool/adit-origin.c - SPDX-License-Identifier: MIT */
#include "adit-tool.h"

/* What `model.from` names (LANGUAGE 2.3): the network of a finished run. */

char *
adit_tool_find_run(const char *path, GError **error)
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

/* The pipeline of a run, alone: overrides of the command line are not meant for it. */
static AditExperiment *
read_run(AditInvocation *self, const char *run, GError **error)
{
    g_autofree char *path = g_build_filename(run, "config.resolved.yaml", NULL);
    GPtrArray *kept = self->overrides;

    self->overrides = g_ptr_array_new();
    g_ptr_array_add(self->overrides, NULL);
    AditExperiment *origin = adit_tool_read(self, path, error);

    g_ptr_array_unref(self->overrides);
    self->overrides = kept;
    return origin;
}

static void
take(AditBlock **section, AditBlock **from)
{
    if (*section == NULL)
        *section = g_steal_pointer(from);
}

gboolean
adit_tool_adopt(AditInvocation *self, AditExperiment *experiment, AditLoss **loss, GError **error)
{
    g_autofree char *run = adit_tool_find_run(experiment->from, error);
    g_autoptr(AditExperiment) origin = run != NULL ? read_run(self, run, error) : NULL;

    if (origin == NULL)
        return FALSE;
    take(&experiment->model.stem, &origin->model.stem);
    take(&experiment->model.trunk, &origin->model.trunk);
    take(&experiment->model.head, &origin->model.head);
    /* places of what was taken point into them */
    for (guint i = 0; i < origin->sources->len; i++)
        g_ptr_array_add(experiment->sources, adit_source_ref(origin->sources->pdata[i]));
    if (loss != NULL && origin->stages->len > 0) {
        const AditStage *last = origin->stages->pdata[origin->stages->len - 1];

        *loss = g_object_ref(last->loss);
    }
    return TRUE;
}
