/* core/infer/adit-weights.c - SPDX-License-Identifier: MIT */
#include "adit-weights.h"

#include "adit-checkpoint.h"
#include "adit-file.h"
#include "adit-origin.h"
#include "adit-safetensors.h"
#include "adit-selection.h"

/* ---- reading ---- */

void
adit_weights_clear(AditWeights *self)
{
    g_clear_pointer(&self->path, g_free);
    g_clear_pointer(&self->sha256, g_free);
    g_clear_pointer(&self->tensors, adit_tensor_list_unref);
}

/* The checkpoint that a run stands for. */
static char *
choose_checkpoint(const char *run, GError **error)
{
    g_autofree char *folder = g_build_filename(run, "checkpoints", NULL);
    g_autofree char *link = g_build_filename(folder, "best", NULL);
    g_autofree char *best = g_file_read_link(link, NULL);
    g_auto(GStrv) reasons = NULL;
    char *newest;

    if (best != NULL)
        return g_canonicalize_filename(best, folder);
    newest = adit_checkpoint_find(run, &reasons);
    if (newest == NULL && reasons[0] != NULL)
        g_set_error_literal(error, ADIT_ERROR, ADIT_ERROR_DAMAGED, reasons[0]);
    else if (newest == NULL)
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_NOT_FOUND, "run '%s' has no checkpoint", run);
    return newest;
}

static gboolean
read_checkpoint(AditWeights *self, GError **error)
{
    g_auto(AditCheckpoint) checkpoint = {0};
    g_autofree char *file = g_build_filename(self->path, "model.safetensors", NULL);

    if (!adit_checkpoint_read(self->path, &checkpoint, error))
        return FALSE;
    self->tensors = g_steal_pointer(&checkpoint.model);
    self->sha256 = adit_file_hash(file, error);
    return self->sha256 != NULL;
}

gboolean
adit_weights_read(const char *from, AditWeights *weights, GError **error)
{
    g_auto(AditWeights) read = {0};
    g_autofree char *run = adit_origin_find_run(from);
    g_autofree char *path = g_canonicalize_filename(from, NULL);

    *weights = (AditWeights){0};
    if (run != NULL && g_str_equal(run, path))
        read.path = choose_checkpoint(run, error);
    else
        read.path = g_steal_pointer(&path);
    if (read.path == NULL)
        return FALSE;
    if (g_file_test(read.path, G_FILE_TEST_IS_DIR)) {
        if (!read_checkpoint(&read, error))
            return FALSE;
    } else {
        read.tensors = adit_safetensors_read(read.path, &read.sha256, error);
        if (read.tensors == NULL)
            return FALSE;
    }
    *weights = read;
    read = (AditWeights){0};
    return TRUE;
}

/* ---- comparing ---- */

/**
 * Match: one instance of a parameter or state, and the stored tensor of its name.
 * @stored: (nullable): there is none
 */
typedef struct {
    const AditSlot *slot;
    guint instance;
    const AditStoredTensor *stored;
} Match;

/* (element-type Match): everything of @graph that lies at or below an address. */
static GArray *
list_matches(const AditWeights *self, AditGraph *graph, const AditLayout *layout,
             const char *address)
{
    GArray *matches = g_array_new(FALSE, FALSE, sizeof(Match));
    const GPtrArray *tensors = graph->root->tensors;

    for (guint i = 0; i < tensors->len; i++) {
        const AditTensor *tensor = tensors->pdata[i];

        if (tensor->kind != ADIT_TENSOR_PARAMETER && tensor->kind != ADIT_TENSOR_STATE)
            continue;
        for (guint j = 0; tensor->names[j] != NULL; j++) {
            Match match = {adit_layout_find(layout, tensor->names[0]), j,
                           adit_tensor_list_find(self->tensors, tensor->names[j])};

            if (adit_parameter_is_at(tensor, j, address))
                g_array_append_val(matches, match);
        }
    }
    return matches;
}

static gboolean
fits(const Match *match)
{
    return match->stored != NULL &&
           (match->stored->dtype == ADIT_DTYPE_F32 || match->stored->dtype == ADIT_DTYPE_F64) &&
           adit_shape_equal(&match->stored->shape, &match->slot->shape);
}

/* An error about the first of @n that do not fit. */
static void
report(const AditWeights *self, const Match *first, guint n, const AditPlace *place,
       AditDiagnostics *diagnostics)
{
    const char *name = first->slot->names[first->instance];
    g_autofree char *expected = adit_shape_to_string(&first->slot->shape);
    g_autofree char *more = n > 1 ? g_strdup_printf(" (and %u more like it)", n - 1) : g_strdup("");

    if (first->stored == NULL) {
        adit_diagnostics_error(diagnostics, place, ADIT_ERROR_INVALID, "no '%s' in %s%s", name,
                               self->path, more);
        return;
    }
    g_autofree char *got = adit_shape_to_string(&first->stored->shape);

    adit_diagnostics_error(diagnostics, place, ADIT_ERROR_INVALID,
                           "'%s' is %s here, but %s of %s in %s%s", name, expected,
                           adit_dtype_get_name(first->stored->dtype), got, self->path, more);
}

gboolean
adit_weights_check(const AditWeights *self, const AditExperiment *experiment, AditGraph *graph,
                   AditDiagnostics *diagnostics)
{
    g_autoptr(AditLayout) layout = adit_layout_new(graph);
    guint errors = adit_diagnostics_count_errors(diagnostics);

    for (guint i = 0; experiment->load[i] != NULL; i++) {
        g_autoptr(GArray) matches = list_matches(self, graph, layout, experiment->load[i]);
        const Match *first = NULL;
        guint n = 0;

        for (guint j = 0; j < matches->len; j++) {
            const Match *match = &g_array_index(matches, Match, j);

            if (fits(match))
                continue;
            first = first != NULL ? first : match;
            n++;
        }
        if (first != NULL)
            report(self, first, n, adit_experiment_find_place(experiment, experiment, "load", i),
                   diagnostics);
    }
    return adit_diagnostics_count_errors(diagnostics) == errors;
}

/* ---- taking ---- */

static void
take(AditNetwork *self, const Match *match)
{
    gsize count = adit_shape_count(&match->slot->shape);
    g_autofree double *values = g_new(double, count + 1);

    for (gsize i = 0; i < count; i++)
        values[i] = match->stored->dtype == ADIT_DTYPE_F64
                        ? ((const double *) match->stored->data)[i]
                        : (double) ((const float *) match->stored->data)[i];
    adit_memory_write(adit_network_get_device(self), adit_network_get_memory(self),
                      match->slot->is_state ? ADIT_ARENA_STATES : ADIT_ARENA_PARAMETERS,
                      match->slot->offset + match->instance * count, count, values);
}

gboolean
adit_network_take(AditNetwork *self, const AditExperiment *experiment, const AditWeights *weights,
                  GError **error)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    AditGraph *graph = adit_network_get_graph(self);

    if (!adit_weights_check(weights, experiment, graph, diagnostics)) {
        adit_diagnostics_fail(diagnostics, error);
        return FALSE;
    }
    for (guint i = 0; experiment->load[i] != NULL; i++) {
        g_autoptr(GArray) matches =
            list_matches(weights, graph, adit_network_get_layout(self), experiment->load[i]);

        for (guint j = 0; j < matches->len; j++)
            take(self, &g_array_index(matches, Match, j));
    }
    return TRUE;
}

/* Reads what the experiment's `from` names; errors stand where it is written. */
static gboolean
read_from(const AditExperiment *experiment, AditWeights *weights, AditDiagnostics *diagnostics)
{
    g_autoptr(GError) failure = NULL;

    if (adit_weights_read(experiment->from, weights, &failure))
        return TRUE;
    adit_diagnostics_error(diagnostics,
                           adit_experiment_find_place(experiment, experiment, "from", 0),
                           (AditError) failure->code, "%s", failure->message);
    return FALSE;
}

gboolean
adit_network_take_from(AditNetwork *self, const AditExperiment *experiment, AditWeights *read,
                       GError **error)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();

    if (read_from(experiment, read, diagnostics))
        return adit_network_take(self, experiment, read, error);
    adit_diagnostics_fail(diagnostics, error);
    return FALSE;
}

void
adit_weights_check_from(const AditExperiment *experiment, AditGraph *graph,
                        AditDiagnostics *diagnostics)
{
    g_auto(AditWeights) weights = {0};

    if (read_from(experiment, &weights, diagnostics) && graph != NULL)
        adit_weights_check(&weights, experiment, graph, diagnostics);
}
