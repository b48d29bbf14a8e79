/* core/tool/adit-verb-config.c - SPDX-License-Identifier: MIT */
#include "adit-tool.h"

static gboolean
run(AditInvocation *self, GError **error)
{
    g_autoptr(AditExperiment) experiment = adit_tool_read(self, self->arguments->pdata[0], error);

    if (experiment == NULL)
        return FALSE;
    adit_terminal_print(&self->terminal, "%s",
                        self->options.resolved || self->n_overrides > 0 ? experiment->resolved
                                                                        : experiment->text);
    return TRUE;
}

const AditVerb adit_verb_config = {
    .name = "config",
    .usage = "FILE [--resolved] [name=value ...] [options]",
    .summary = "print a pipeline, as written or with everything filled in",
    .about = "Prints the pipeline FILE if it is right. With --resolved, or with anything "
             "overridden: parameters bound, defaults filled in and parts copied in, as a run keeps "
             "it in config.resolved.yaml.",
    .options = (const char *const[]){"override", "resolved", "data", "color", "quiet", "verbose",
                                     "help", NULL},
    .min_arguments = 1,
    .max_arguments = 1,
    .has_overrides = TRUE,
    .run = run,
};
