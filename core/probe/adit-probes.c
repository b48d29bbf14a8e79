/* core/probe/adit-probes.c - SPDX-License-Identifier: MIT */
#include "adit-probes.h"

#include "adit-capture.h"
#include "adit-component-private.h"
#include "adit-settings.h"

#include <string.h>

/* ---- where ---- */

/**
 * Search: the addresses of a probe in a network.
 */
typedef struct {
    AditProbe *probe;
    const AditExperiment *experiment;
    AditGraph *graph;
    AditDiagnostics *diagnostics;
} Search;

static gboolean
reads_scores(AditProbe *probe)
{
    return ADIT_PROBE_GET_CLASS(probe)->reads == ADIT_READ_SCORES;
}

/* Loops within loops of the head. */
static guint
count_head_loops(AditGraph *graph)
{
    g_autoptr(GArray) inside = adit_graph_pick(graph, "head.**");
    guint depth = 0;

    for (guint i = 0; i < inside->len; i++)
        depth = MAX(depth, g_array_index(inside, AditPick, i).tensor->graph->depth);
    return depth;
}

/* What the head is given in place of what leaves the trunk must have its shape, and leave room for
 * the head's own loops. The first that does not is told. */
static void
check_heads(const Search *self, const GArray *picks, const AditPlace *place)
{
    g_autoptr(GArray) inputs = adit_graph_pick(self->graph, "head:in");
    const AditTensor *input = g_array_index(inputs, AditPick, 0).tensor;
    guint loops = count_head_loops(self->graph);

    for (guint i = 0; i < picks->len; i++) {
        const AditPick *each = &g_array_index(picks, AditPick, i);
        const AditTensor *tensor = each->tensor;
        g_autofree char *got = adit_shape_to_string(&tensor->shape);
        g_autofree char *expected = adit_shape_to_string(&input->shape);

        if (!adit_shape_equal(&tensor->shape, &input->shape)) {
            adit_diagnostics_error(self->diagnostics, place, ADIT_ERROR_INVALID,
                                   "'%s' gives %s, but the head takes %s", each->address, got,
                                   expected);
            return;
        }
        if (tensor->graph->depth + loops > ADIT_MAX_LOOPS) {
            adit_diagnostics_error(
                self->diagnostics, place, ADIT_ERROR_INVALID,
                "'%s' lies in %u repeats, and the head has %u more; %d can be nested",
                each->address, tensor->graph->depth, loops, ADIT_MAX_LOOPS);
            return;
        }
    }
}

static void
report_nothing(const Search *self, const char *address, const char *written, const AditPlace *place)
{
    g_autoptr(GArray) found = adit_graph_pick(self->graph, written);
    g_autofree char *reason =
        adit_graph_explain_address(self->graph, found->len > 0 ? address : written);

    adit_diagnostics_error(self->diagnostics, place, ADIT_ERROR_INVALID, "%s", reason);
}

/* (element-type AditPick): what is at the probe's address number @index. */
static GArray *
pick(const Search *self, const char *written, guint index)
{
    gboolean scores = reads_scores(self->probe);
    g_autofree char *address =
        g_strconcat(written, scores && strchr(written, ':') == NULL ? ":collect" : NULL, NULL);
    const AditPlace *place = adit_experiment_find_place(self->experiment, self->probe, "at", index);
    GArray *picks = adit_graph_pick(self->graph, address);

    if (place == NULL)
        place = adit_component_get_place(ADIT_COMPONENT(self->probe));
    if (picks->len == 0)
        report_nothing(self, address, written, place);
    else if (scores)
        check_heads(self, picks, place);
    return picks;
}

/* (element-type AditPick): what all addresses find. */
static GArray *
pick_all(const Search *self)
{
    const AditProbeSettings *settings = adit_probe_get_settings(self->probe);
    const char *const defaults[] = {ADIT_PROBE_GET_CLASS(self->probe)->default_at, NULL};
    GStrv given = settings->at;
    const char *const *at =
        given != NULL && given[0] != NULL ? (const char *const *) given : defaults;
    GArray *picks = pick(self, at[0], 0);

    for (guint i = 1; at[i] != NULL; i++) {
        g_autoptr(GArray) more = pick(self, at[i], i);

        g_array_append_vals(picks, more->data, more->len);
        g_array_set_clear_func(more, NULL);
    }
    return picks;
}

void
adit_probe_check(AditProbe *probe, const AditExperiment *experiment, AditGraph *graph,
                 AditDiagnostics *diagnostics)
{
    Search search = {probe, experiment, graph, diagnostics};
    g_autoptr(GArray) picks = pick_all(&search);
}

/* ---- what ---- */

/* What one call of adit_probe_measure() works with. */
typedef struct {
    AditProbe *probe;
    const AditProbeSettings *settings;
    AditNetwork *network;
    AditGraph *graph;
    GArray *picks; /* AditPick */
    AditProbeTable *table;
} Session;

/* Picks what is to be read; scores are computed where the picks were, in their loops. */
static gboolean
prepare(Session *self, const AditNetworkTensors *tensors, GError **error)
{
    const AditExperiment *experiment = adit_network_get_experiment(self->network);
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    g_autoptr(GHashTable) scores = g_hash_table_new(NULL, NULL);
    Search search = {self->probe, experiment, self->graph, diagnostics};

    self->picks = pick_all(&search);
    if (adit_diagnostics_fail(diagnostics, error))
        return FALSE;
    for (guint i = 0; reads_scores(self->probe) && i < self->picks->len; i++) {
        AditPick *each = &g_array_index(self->picks, AditPick, i);
        AditTensor *own = g_hash_table_lookup(scores, each->tensor);

        if (own == NULL) {
            own = adit_network_build_scores(experiment, adit_network_get_loss(self->network),
                                            tensors->targets, each->tensor);
            g_hash_table_insert(scores, each->tensor, own);
        }
        each->tensor = own;
    }
    adit_network_diagnose(self->graph, diagnostics);
    return !adit_diagnostics_fail(diagnostics, error);
}

static const AditSplit *
get_split(const AditData *data, const char *name)
{
    if (g_str_equal(name, "train"))
        return &data->train;
    return g_str_equal(name, "validation") ? &data->validation : &data->test;
}

static gsize
count_samples(const AditProbeSettings *settings, gsize rows)
{
    AditAmount amount = settings->samples;
    double count = amount.unit == ADIT_UNIT_PERCENT ? amount.value * (double) rows : amount.value;
    return (gsize) CLAMP(count, 1.0, (double) rows);
}

static void
add_row(Session *self, const AditData *data, const AditFeatures *features)
{
    double *values = g_new0(double, g_strv_length(self->table->columns) + 1);

    ADIT_PROBE_GET_CLASS(self->probe)->measure(self->probe, features, values);
    adit_probe_table_add(self->table, data->name, features->address, values);
}

/* As many picks at a time as the memory allows, at least one. */
static gboolean
measure_samples(Session *self, const AditData *data, const AditSplit *split, GError **error)
{
    gsize samples = count_samples(self->settings, split->rows);
    const AditPick *picks = (const AditPick *) self->picks->data;

    for (guint first = 0, end; first < self->picks->len; first = end) {
        double bytes = 0;
        for (end = first; end < self->picks->len; end++) {
            bytes += (double) (samples * adit_pick_count(&picks[end]) * sizeof(float));
            if (end > first && bytes > self->settings->memory.value)
                break;
        }
        g_autoptr(AditCapture) capture = adit_capture_new(self->network, self->graph, picks + first,
                                                          end - first, split, samples, error);
        if (capture == NULL)
            return FALSE;
        for (guint i = 0; i < capture->features->len; i++)
            add_row(self, data, &g_array_index(capture->features, AditFeatures, i));
    }
    return TRUE;
}

static gboolean
measure_data(Session *self, const AditData *data, GError **error)
{
    const AditSplit *split = get_split(data, self->settings->split);

    if (split->rows == 0)
        return TRUE;
    if (!reads_scores(self->probe) || split->targets != NULL)
        return measure_samples(self, data, split, error);
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "probe '%s' needs targets, data '%s' has none", self->table->name, data->name);
    return FALSE;
}

/* @loss: (nullable) */
static AditProbeTable *
make_table(AditProbe *probe, AditLoss *loss)
{
    const AditProbeSettings *settings = adit_probe_get_settings(probe);
    AditProbeClass *klass = ADIT_PROBE_GET_CLASS(probe);
    GStrv columns = g_strdupv((char **) klass->columns);

    for (guint i = 0; klass->reads == ADIT_READ_SCORES && columns[i] != NULL; i++) {
        if (!g_str_equal(columns[i], "metric"))
            continue;
        g_free(columns[i]);
        columns[i] = g_strdup(ADIT_LOSS_GET_CLASS(loss)->metric_name);
    }
    return adit_probe_table_new(settings->name != NULL ? settings->name
                                                       : ADIT_COMPONENT_GET_CLASS(probe)->name,
                                settings->split, columns);
}

static gboolean
measure(Session *self, GPtrArray *data, GError **error)
{
    const char *const *wanted = (const char *const *) self->settings->data;

    for (guint i = 0; i < data->len; i++) {
        const AditData *set = data->pdata[i];

        if ((wanted == NULL || g_strv_contains(wanted, set->name)) &&
            !measure_data(self, set, error))
            return FALSE;
    }
    return TRUE;
}

AditProbeTable *
adit_probe_measure(AditProbe *probe, AditNetwork *network, GPtrArray *data, GError **error)
{
    AditLoss *loss = adit_network_get_loss(network);
    AditNetworkTensors tensors;

    if (reads_scores(probe) && loss == NULL) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "probe '%s' needs a loss and targets: the data has no targets, or the pipeline "
                    "no loss",
                    ADIT_COMPONENT_GET_CLASS(probe)->name);
        return NULL;
    }
    g_autoptr(AditGraph) graph = adit_network_copy_graph(network, &tensors);
    g_autoptr(AditProbeTable) table = make_table(probe, loss);
    Session self = {probe, adit_probe_get_settings(probe), network, graph, NULL, table};
    gboolean done = prepare(&self, &tensors, error) && measure(&self, data, error);

    g_clear_pointer(&self.picks, g_array_unref);
    return done ? g_steal_pointer(&table) : NULL;
}
