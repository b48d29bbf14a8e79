/* core/tool/adit-verb-convert.c - SPDX-License-Identifier: MIT */
#include "adit-tool.h"

#include "adit-convert.h"

static gboolean
run(AditInvocation *self, GError **error)
{
    if (self->options.to == NULL) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "--to is needed: adit convert %s --to glonet",
                    (const char *) self->arguments->pdata[0]);
        return FALSE;
    }
    g_autoptr(AditExperiment) experiment = adit_tool_read(self, self->arguments->pdata[0], error);

    if (experiment == NULL)
        return FALSE;
    g_autofree char *text = adit_convert_skips(experiment, self->options.to, error);

    if (text == NULL)
        return FALSE;
    adit_terminal_print(&self->terminal, "%s", text);
    return TRUE;
}

const AditVerb adit_verb_convert = {
    .name = "convert",
    .usage = "FILE --to AGGREGATOR [name=value ...] [options]",
    .summary = "print a pipeline with skips as one without: --to glonet",
    .about = "Prints the pipeline FILE with another aggregator in place of its trunk's skips, as "
             "the GloNet paper converts networks. Where the trunk's own aggregator makes the "
             "skips, each of its blocks falls into simple blocks, which end with an affine map; "
             "where its blocks have skips inside, they lose them and stay whole. Norms that close "
             "a block are taken away.\n"
             "The weights stay as many, but for the norms taken away and what adapters had. "
             "Addresses stay as they are written and may lead elsewhere. Norms that open a block "
             "stay too; a file whose norm is a parameter is rid of them by its value 'identity'.",
    .options =
        (const char *const[]){"to", "override", "data", "color", "quiet", "verbose", "help", NULL},
    .min_arguments = 1,
    .max_arguments = 1,
    .has_overrides = TRUE,
    .run = run,
};
