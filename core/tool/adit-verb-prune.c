/* core/tool/adit-verb-prune.c - SPDX-License-Identifier: MIT */
#include "adit-tool.h"

#include "adit-prune.h"
#include "adit-receptive-field.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static AditPruning *
prune(AditInvocation *self, const AditExperiment *experiment, const AditCheck *check,
      GError **error)
{
    g_autoptr(AditGraph) graph = adit_tool_build_at_resolution(self, experiment, check, error);
    g_autoptr(GHashTable) fields = NULL;

    if (graph != NULL)
        fields = adit_graph_find_receptive_fields(graph, self->options.except_1x1, error);
    return fields != NULL ? adit_prune_border_layers(experiment, fields, error) : NULL;
}

/* The first error: its place is in a text that nobody sees. */
static void
set_reason(const AditDiagnostics *diagnostics, gboolean probed, GError **error)
{
    g_autofree char *line = NULL;
    const char *reason = NULL;
    guint n =
        adit_diagnostics_count_errors(diagnostics) + adit_diagnostics_count_warnings(diagnostics);

    for (guint i = 0; reason == NULL && i < n; i++) {
        g_free(line);
        line = adit_diagnostics_get_line(diagnostics, i);
        reason = strstr(line, "error: ");
    }
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "without its border layers this is no pipeline that runs: %s%s",
                reason != NULL ? reason + strlen("error: ") : "",
                probed ? "; -o 'probes=~' leaves the probes out" : "");
}

/* Reads what is left as a file would be read; its resolved form has the parts alone that it uses.
 */
static AditExperiment *
read_back(AditInvocation *self, const char *text, gboolean probed, AditCheck *check, GError **error)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    const char *folder = adit_tool_get_data_folder(self);
    const char *const nothing[] = {NULL};
    g_autofree char *path = NULL;
    int file = g_file_open_tmp("pruned-XXXXXX.yaml", &path, error);

    if (file < 0)
        return NULL;
    close(file);
    gboolean written = g_file_set_contents(path, text, -1, error);
    g_autoptr(AditExperiment) experiment =
        written ? adit_experiment_read(path, nothing, 0, folder, diagnostics) : NULL;

    g_unlink(path);
    if (!written)
        return NULL;
    if (experiment != NULL && adit_check_experiment(experiment, folder, check, diagnostics))
        return g_steal_pointer(&experiment);
    set_reason(diagnostics, probed, error);
    return NULL;
}

static void
tell_layers(AditInvocation *self, const char *what, GPtrArray *addresses)
{
    g_autofree char *list = NULL;
    guint n = addresses->len;

    if (n == 0)
        return;
    g_ptr_array_add(addresses, NULL);
    list = g_strjoinv(", ", (char **) addresses->pdata);
    adit_terminal_say(&self->terminal, "%u border layer%s %s: %s", n, n == 1 ? "" : "s", what,
                      list);
}

static void
tell(AditInvocation *self, AditPruning *pruning, const AditCheck *before, const AditCheck *after)
{
    g_autofree char *parameters = adit_tool_format_count(before->parameters);
    g_autofree char *left = adit_tool_format_count(after->parameters);
    g_autofree char *work = adit_tool_format_count(before->multiply_adds);
    g_autofree char *less = adit_tool_format_count(after->multiply_adds);

    if (pruning->dropped->len + pruning->narrowed->len == 0) {
        adit_terminal_say(&self->terminal, "no layer of stem and trunk is a border layer; nothing "
                                           "is dropped");
        return;
    }
    tell_layers(self, "dropped", pruning->dropped);
    tell_layers(self, "kept as 1x1, for their shape", pruning->narrowed);
    adit_terminal_say(&self->terminal, "parameters %s -> %s, multiply-adds %s -> %s", parameters,
                      left, work, less);
}

static gboolean
run(AditInvocation *self, GError **error)
{
    const char *path = self->arguments->pdata[0];
    g_auto(AditCheck) check = {0}, left = {0};

    if (!self->options.border_layers) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "say what is dropped: adit prune FILE --border-layers");
        return FALSE;
    }
    g_autoptr(AditExperiment) experiment = adit_tool_read_shaped(self, path, &check, error);

    if (experiment == NULL)
        return FALSE;
    g_autoptr(AditPruning) pruning = prune(self, experiment, &check, error);
    g_autoptr(AditExperiment) pruned =
        pruning != NULL ? read_back(self, pruning->text, experiment->probes->len > 0, &left, error)
                        : NULL;

    if (pruned == NULL)
        return FALSE;
    tell(self, pruning, &check, &left);
    adit_terminal_print(&self->terminal, "%s", pruned->resolved);
    return TRUE;
}

const AditVerb adit_verb_prune = {
    .name = "prune",
    .usage = "FILE --border-layers [name=value ...] [options]",
    .summary = "print a pipeline without the layers that see nothing new",
    .about =
        "Prints the pipeline FILE without the border layers of its stem and trunk, with everything "
        "filled in, to be trained anew: convolutions and poolings that look beyond the input where "
        "all that feeds them has seen the whole of it already (adit inspect FILE --receptive-field "
        "shows them). A path, an item of a residual sequence or a box that holds nothing else goes "
        "with them, and so do norms and activations behind a layer that is gone. Where what a layer "
        "gives is joined with something else and the layer changes its shape, it stays with a "
        "kernel of 1x1. The head stays.\n"
        "What is printed passes adit check; if it would not, the reason is told instead. Standard "
        "error says what was dropped.",
    .options = (const char *const[]){"border-layers", "resolution", "except-1x1", "override",
                                     "data", "color", "quiet", "verbose", "help", NULL},
    .min_arguments = 1,
    .max_arguments = 1,
    .has_overrides = TRUE,
    .run = run,
};
