/* tests/conformance/probes.c - SPDX-License-Identifier: MIT */
#include <adit/adit-loss.h>

#include "adit-probes.h"
#include "adit-settings.h"
#include "conformance.h"

#include <glib/gstdio.h>
#include <math.h>

/* Probes: what they measure of a small trained network. */

static const char pipeline[] =
    "adit: 1\n"
    "data: {moons: {samples: 60, test: 50%}}\n"
    "model:\n"
    "  stem: [{dense: {units: 5}}]\n"
    "  trunk: {aggregator: glonet, blocks: [{repeat: {times: 4, blocks: [{dense: {units: 5, "
    "activation: tanh}}]}}]}\n"
    "  head: [{dense: {units: 2}}]\n"
    "train: {loss: cross-entropy, optimizer: adam, batch: 10, epochs: 1}\n";

/**
 * Subject: a network with weights, and data.
 */
typedef struct {
    char *path;
    AditExperiment *experiment;
    GPtrArray *data;
    AditDevice *device;
    AditNetwork *network;
} Subject;

static void
subject_init(Subject *self, guint threads)
{
    static const char *const nothing[] = {NULL};
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    g_autoptr(GError) error = NULL;
    int file = g_file_open_tmp("adit-XXXXXX.yaml", &self->path, &error);

    g_assert_no_error(error);
    g_close(file, NULL);
    g_file_set_contents(self->path, pipeline, -1, &error);
    g_assert_no_error(error);
    self->experiment = adit_experiment_read(self->path, nothing, 0, NULL, diagnostics);
    g_assert_nonnull(self->experiment);
    AditData *data = adit_data_open(self->experiment->datasets->pdata[0], NULL, &error);
    g_assert_no_error(error);
    self->data = g_ptr_array_new_with_free_func((GDestroyNotify) adit_data_free);
    g_ptr_array_add(self->data, data);
    AditNetworkShape shape = {data->input_shape, data->target_shape, data->classes};
    const AditStage *stage = self->experiment->stages->pdata[0];
    self->device = test_device(threads);
    self->network =
        adit_network_new(self->experiment, &shape, stage->loss, self->device, 0, &error);
    g_assert_no_error(error);
    adit_network_initialize(self->network, 1);
}

static void
subject_clear(Subject *self)
{
    g_remove(self->path);
    g_free(self->path);
    adit_network_free(self->network);
    g_object_unref(self->device);
    g_ptr_array_unref(self->data);
    adit_experiment_free(self->experiment);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Subject, subject_clear)

static AditProbeTable *
measure(const AditPlugin *plugin, Subject *subject)
{
    g_autoptr(AditProbe) probe = make_example(plugin);
    g_autoptr(GError) error = NULL;
    AditProbeTable *table = adit_probe_measure(probe, subject->network, subject->data, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(table->rows->len, >, 0);
    return table;
}

/* Every column has a name of its own, and a number in every row. */
static void
test_probe_measures(const AditPlugin *plugin)
{
    g_auto(Subject) subject = {0};

    subject_init(&subject, 1);
    g_autoptr(AditProbeTable) table = measure(plugin, &subject);
    guint n = g_strv_length(table->columns);

    g_assert_cmpuint(n, >, 0);
    for (guint i = 0; i < n; i++) {
        g_assert_true(is_kebab(table->columns[i]));
        g_assert_false(
            g_strv_contains((const char *const *) table->columns + i + 1, table->columns[i]));
    }
    for (guint i = 0; i < table->rows->len; i++) {
        const AditProbeRow *row = &g_array_index(table->rows, AditProbeRow, i);
        for (guint j = 0; j < n; j++)
            g_assert_true(isfinite(row->values[j]));
    }
}

/* The same numbers again, whatever the threads; and the network is what it was. */
static void
test_probe_observes(const AditPlugin *plugin)
{
    g_auto(Subject) subject = {0};
    g_auto(Subject) other = {0};
    AditScores before, after;

    subject_init(&subject, 1);
    subject_init(&other, 3);
    const AditSplit *split = &((const AditData *) subject.data->pdata[0])->test;
    g_assert_true(adit_network_evaluate(subject.network, split, 16, &before, NULL));
    g_autoptr(AditProbeTable) first = measure(plugin, &subject);
    g_autoptr(AditProbeTable) second = measure(plugin, &subject);
    g_autoptr(AditProbeTable) third = measure(plugin, &other);
    g_assert_true(adit_network_evaluate(subject.network, split, 16, &after, NULL));
    test_assert_same(&after.loss, &before.loss, 1);
    for (guint i = 0; i < first->rows->len; i++) {
        guint n = g_strv_length(first->columns);
        const double *values = g_array_index(first->rows, AditProbeRow, i).values;
        test_assert_same(g_array_index(second->rows, AditProbeRow, i).values, values, n);
        test_assert_same(g_array_index(third->rows, AditProbeRow, i).values, values, n);
    }
}

void
add_probe(const AditPlugin *plugin)
{
    add_device_case(plugin, "measures", test_probe_measures);
    add_device_case(plugin, "observes", test_probe_observes);
}
