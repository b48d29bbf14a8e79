/* core/probe/adit-probe-addresses.c - SPDX-License-Identifier: MIT */
#include "adit-probe-addresses.h"

#include <string.h>

#include "adit-component-private.h"

const AditReading *
adit_probe_class_get_readings(const AditProbeClass *klass, guint *n)
{
    static const AditReading values = {ADIT_READ_VALUES, "at", FALSE};

    *n = klass->n_readings > 0 ? klass->n_readings : 1;
    return klass->n_readings > 0 ? klass->readings : &values;
}

gboolean
adit_probe_class_reads(const AditProbeClass *klass, AditReadingKind kind)
{
    guint n;
    const AditReading *readings = adit_probe_class_get_readings(klass, &n);

    for (guint i = 0; i < n; i++) {
        if (readings[i].kind == kind)
            return TRUE;
    }
    return FALSE;
}

/**
 * Search: the addresses of one parameter of a probe in a network.
 * @kind: what is read there
 */
typedef struct {
    AditProbe *probe;
    const AditExperiment *experiment;
    AditGraph *graph;
    AditDiagnostics *diagnostics;
    const char *parameter;
    AditReadingKind kind;
} Search;

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

static gboolean
check_head(const Search *self, const AditPick *each, const AditTensor *tensor,
           const AditShape *input, const AditPlace *place, const char *what)
{
    g_autofree char *got = adit_shape_to_string(&tensor->shape);
    g_autofree char *expected = adit_shape_to_string(input);

    if (adit_shape_equal(&tensor->shape, input))
        return TRUE;
    adit_diagnostics_error(self->diagnostics, place, ADIT_ERROR_INVALID,
                           "%s'%s' gives %s, but the head takes %s", what, each->address, got,
                           expected);
    return FALSE;
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

        if (!check_head(self, each, tensor, &input->shape, place, "") ||
            (self->kind == ADIT_READ_ANSWERS && each->before != NULL &&
             !check_head(self, each, each->before, &input->shape, place, "what is before ")))
            return;
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

/* (element-type AditPick): what is at the address number @index. */
static GArray *
pick(const Search *self, const char *written, guint index)
{
    gboolean by_head = self->kind == ADIT_READ_SCORES || self->kind == ADIT_READ_ANSWERS;
    gboolean has_port = strchr(written, ':') != NULL;
    g_autofree char *address = g_strconcat(written, by_head && !has_port ? ":collect" : NULL, NULL);
    const AditPlace *place =
        adit_experiment_find_place(self->experiment, self->probe, self->parameter, index);
    GArray *picks = adit_graph_pick(self->graph, address);

    if (place == NULL)
        place = adit_component_get_place(ADIT_COMPONENT(self->probe));
    if (self->kind == ADIT_READ_ABLATED &&
        (g_str_has_suffix(written, ":in") || g_str_has_suffix(written, ":collect")))
        adit_diagnostics_error(self->diagnostics, place, ADIT_ERROR_INVALID,
                               "'%s' takes away what a block gives, and '%s' is not that",
                               ADIT_COMPONENT_GET_CLASS(self->probe)->name, written);
    else if (self->kind == ADIT_READ_ANSWERS && has_port && !g_str_has_suffix(written, ":collect"))
        adit_diagnostics_error(self->diagnostics, place, ADIT_ERROR_INVALID,
                               "'%s' looks at what is collected, and '%s' has another port",
                               ADIT_COMPONENT_GET_CLASS(self->probe)->name, written);
    else if (picks->len == 0)
        report_nothing(self, address, written, place);
    else if (by_head)
        check_heads(self, picks, place);
    return picks;
}

/* (nullable) (element-type AditPick): what all addresses find; NULL: there are none. */
static GArray *
pick_all(const Search *self)
{
    const char *def =
        g_str_equal(self->parameter, "at") ? ADIT_PROBE_GET_CLASS(self->probe)->default_at : NULL;
    const char *const defaults[] = {def, NULL};
    g_auto(GStrv) given = NULL;

    g_object_get(self->probe, self->parameter, &given, NULL);
    const char *const *at =
        given != NULL && given[0] != NULL ? (const char *const *) given : defaults;
    if (at[0] == NULL)
        return NULL;
    GArray *picks = pick(self, at[0], 0);

    for (guint i = 1; at[i] != NULL; i++)
        adit_picks_merge(picks, pick(self, at[i], i));
    return picks;
}

guint
adit_probe_addresses_find_side(const AditProbeAddresses *self, const AditReading *reading)
{
    for (guint i = 0; i < self->n_sides; i++) {
        if (g_strcmp0(self->parameters[i], reading->at) == 0)
            return i;
    }
    return ADIT_PROBE_SIDES;
}

void
adit_probe_addresses_find(AditProbeAddresses *self, AditProbe *probe,
                          const AditExperiment *experiment, AditGraph *graph,
                          AditDiagnostics *diagnostics)
{
    guint n;
    const AditReading *readings = adit_probe_class_get_readings(ADIT_PROBE_GET_CLASS(probe), &n);
    Search search = {probe, experiment, graph, diagnostics, NULL, ADIT_READ_VALUES};

    *self = (AditProbeAddresses){.n_sides = 0};
    for (guint i = 0; i < n; i++) {
        if (readings[i].at == NULL ||
            adit_probe_addresses_find_side(self, &readings[i]) < ADIT_PROBE_SIDES)
            continue;
        g_return_if_fail(self->n_sides < ADIT_PROBE_SIDES);
        search.parameter = readings[i].at;
        search.kind = readings[i].kind;
        self->parameters[self->n_sides] = readings[i].at;
        self->picks[self->n_sides++] = pick_all(&search);
    }
    self->is_own = self->n_sides > 1 && self->picks[1] == NULL;
}

void
adit_probe_addresses_clear(AditProbeAddresses *self)
{
    for (guint i = 0; i < ADIT_PROBE_SIDES; i++)
        g_clear_pointer(&self->picks[i], g_array_unref);
}
