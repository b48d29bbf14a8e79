/* core/tool/adit-verb-probe.c - SPDX-License-Identifier: MIT */
#include "adit-evaluation.h"

#include "adit-json.h"
#include "adit-probes.h"

/* ---- for people ---- */

static char *
format_number(double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    return g_strdup(g_ascii_formatd(text, sizeof text, "%.9g", value));
}

static char **
make_cells(const AditProbeTable *table, const AditProbeRow *row)
{
    g_autoptr(GPtrArray) cells = g_ptr_array_new();

    g_ptr_array_add(cells, g_strdup(row->data));
    g_ptr_array_add(cells, g_strdup(table->split));
    g_ptr_array_add(cells, g_strdup(row->address));
    g_ptr_array_add(cells, row->block > 0 ? g_strdup_printf("%u", row->block) : g_strdup(""));
    if (table->is_paired)
        g_ptr_array_add(cells, g_strdup(row->against));
    if (table->has_layers)
        g_ptr_array_add(cells, g_strdup(row->layer != NULL ? row->layer : ""));
    for (guint i = 0; table->columns[i] != NULL; i++)
        g_ptr_array_add(cells, format_number(row->values[i]));
    if (table->has_notes)
        g_ptr_array_add(cells, g_strdup(row->note != NULL ? row->note : ""));
    g_ptr_array_add(cells, NULL);
    return (char **) g_ptr_array_steal(cells, NULL);
}

/* @titled: there are others */
static void
print_table(AditInvocation *self, const AditProbeTable *table, gboolean titled)
{
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
    g_autofree char *columns = g_strjoinv("\n", table->columns);
    g_autofree char *head = g_strconcat(
        "data\nsplit\naddress\nblock\n", table->is_paired ? "against\n" : "",
        table->has_layers ? "layer\n" : "", columns, table->has_notes ? "\nnote" : "", NULL);
    g_autofree char *numbers = g_strnfill(g_strv_length(table->columns), 'r');
    g_autofree char *align =
        g_strconcat("lllr", table->is_paired ? "l" : "", table->has_layers ? "l" : "", numbers,
                    table->has_notes ? "l" : "", NULL);

    g_ptr_array_add(rows, g_strsplit(head, "\n", -1));
    for (guint i = 0; i < table->rows->len; i++)
        g_ptr_array_add(rows, make_cells(table, &g_array_index(table->rows, AditProbeRow, i)));
    if (titled)
        adit_terminal_print(&self->terminal, "%s\n", table->name);
    adit_tool_print_table(self, rows, align);
    for (guint i = 0; table->sentences != NULL && i < table->sentences->len; i++)
        adit_terminal_print(&self->terminal, "%s\n", (const char *) table->sentences->pdata[i]);
}

static void
print_tables(AditInvocation *self, const GPtrArray *tables)
{
    for (guint i = 0; i < tables->len; i++) {
        if (i > 0)
            adit_terminal_print(&self->terminal, "\n");
        print_table(self, tables->pdata[i], tables->len > 1);
    }
}

/* ---- for scripts ---- */

static JsonObject *
describe_row(const AditProbeTable *table, const AditProbeRow *row)
{
    JsonObject *object = json_object_new();

    json_object_set_string_member(object, "data", row->data);
    json_object_set_string_member(object, "split", table->split);
    json_object_set_string_member(object, "address", row->address);
    if (row->block > 0)
        adit_json_set_unsigned(object, "block", row->block);
    if (table->is_paired)
        json_object_set_string_member(object, "against", row->against);
    if (row->layer != NULL)
        json_object_set_string_member(object, "layer", row->layer);
    for (guint i = 0; table->columns[i] != NULL; i++)
        adit_json_set_double(object, table->columns[i], row->values[i]);
    if (row->note != NULL)
        json_object_set_string_member(object, "note", row->note);
    return object;
}

static JsonArray *
describe_sentences(const AditProbeTable *table)
{
    JsonArray *sentences = json_array_new();

    for (guint i = 0; i < table->sentences->len; i++)
        json_array_add_string_element(sentences, table->sentences->pdata[i]);
    return sentences;
}

static JsonObject *
describe_table(const AditProbeTable *table)
{
    JsonObject *object = json_object_new();
    JsonArray *rows = json_array_new(), *details = json_array_new();

    for (guint i = 0; i < table->rows->len; i++)
        json_array_add_object_element(
            rows, describe_row(table, &g_array_index(table->rows, AditProbeRow, i)));
    for (guint i = 0; i < table->details->len; i++)
        json_array_add_object_element(details, describe_table(table->details->pdata[i]));
    json_object_set_string_member(object, "name", table->name);
    json_object_set_array_member(object, "rows", rows);
    if (table->sentences != NULL)
        json_object_set_array_member(object, "sentences", describe_sentences(table));
    if (table->details->len > 0)
        json_object_set_array_member(object, "details", details);
    else
        json_array_unref(details);
    return object;
}

static void
print_json(AditInvocation *self, const AditEvaluation *evaluation, const GPtrArray *tables)
{
    JsonObject *object = json_object_new();
    JsonArray *probes = json_array_new();

    for (guint i = 0; i < tables->len; i++) {
        const AditProbeTable *table = tables->pdata[i];

        json_array_add_object_element(probes, describe_table(table));
    }
    json_object_set_string_member(object, "checkpoint", evaluation->checkpoint);
    json_object_set_array_member(object, "probes", probes);
    adit_tool_print_json(self, object);
}

/* ---- measuring ---- */

/* What is wrong with the probes' addresses comes in one pass, before anything is measured. */
static gboolean
check(const AditEvaluation *evaluation, GError **error)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    const AditExperiment *experiment = evaluation->experiment;

    for (guint i = 0; i < experiment->probes->len; i++)
        adit_probe_check(experiment->probes->pdata[i], experiment,
                         adit_network_get_graph(evaluation->network), diagnostics);
    return !adit_diagnostics_fail(diagnostics, error);
}

static void
warn_of_nothing(AditInvocation *self, const AditProbeTable *table)
{
    if (table->rows->len == 0)
        adit_terminal_warn(&self->terminal, "probe '%s': no data has a %s split", table->name,
                           table->split);
}

/* The network as it is: no moment of its training. What is there is not measured again. */
static gboolean
run_to_files(AditInvocation *self, const AditEvaluation *evaluation, GError **error)
{
    const char *folder = self->options.output;
    const GPtrArray *probes = evaluation->experiment->probes;

    for (guint i = 0; i < probes->len; i++) {
        gboolean was_there;
        g_autoptr(AditProbeTable) table =
            adit_probe_run(probes->pdata[i], evaluation->network, evaluation->data, folder, "end",
                           &was_there, error);

        if (table == NULL)
            return FALSE;
        g_autofree char *file = adit_probe_table_get_file(table);

        if (!was_there)
            warn_of_nothing(self, table);
        adit_terminal_say(&self->terminal, "%s/%s%s", folder, file,
                          was_there ? " is there already, of these weights" : "");
    }
    return TRUE;
}

static gboolean
write_tables(const GPtrArray *tables, const char *folder, GError **error)
{
    for (guint i = 0; i < tables->len; i++) {
        if (!adit_probe_table_write(tables->pdata[i], folder, "end", error))
            return FALSE;
    }
    return TRUE;
}

/* (element-type AditProbeTable): what the probes found; one that found no samples is told. */
static GPtrArray *
measure(AditInvocation *self, const AditEvaluation *evaluation, GError **error)
{
    g_autoptr(GPtrArray) tables =
        g_ptr_array_new_with_free_func((GDestroyNotify) adit_probe_table_free);
    const GPtrArray *probes = evaluation->experiment->probes;

    for (guint i = 0; i < probes->len; i++) {
        AditProbeTable *table =
            adit_probe_measure(probes->pdata[i], evaluation->network, evaluation->data, error);

        if (table == NULL)
            return NULL;
        g_ptr_array_add(tables, table);
        warn_of_nothing(self, table);
    }
    return g_steal_pointer(&tables);
}

static gboolean
run(AditInvocation *self, GError **error)
{
    g_auto(AditEvaluation) evaluation = {0};
    const char *output = self->options.output;
    gboolean to_files = output != NULL && !g_str_equal(output, "-");

    if (!adit_evaluation_open(&evaluation, self, error))
        return FALSE;
    if (evaluation.experiment->probes->len == 0) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "%s has no probes; 'adit inspect' lists them, -o probes+=NAME adds one",
                    evaluation.experiment->path);
        return FALSE;
    }
    if (!check(&evaluation, error))
        return FALSE;
    if (to_files && !self->options.json)
        return run_to_files(self, &evaluation, error);
    g_autoptr(GPtrArray) tables = measure(self, &evaluation, error);

    if (tables == NULL || (to_files && !write_tables(tables, output, error)))
        return FALSE;
    if (self->options.json)
        print_json(self, &evaluation, tables);
    else
        print_tables(self, tables);
    return TRUE;
}

const AditVerb adit_verb_probe = {
    .name = "probe",
    .usage = "RUN | FILE [name=value ...] [-o path=value ...] [options]",
    .summary = "what the probes find in a trained network",
    .about =
        "Runs the probes of a pipeline FILE, or of the run directory RUN, on a trained network "
        "and prints their tables: one row for each address, in forward order. RUN and FILE "
        "are as for 'adit eval'; the moments that a probe names ('when', 'every') count in "
        "training alone.\n"
        "--output=DIR writes DIR/NAME.csv for each probe instead, as a run's folder 'probes' "
        "has them, as soon as it is measured. What lies there already, by the same parameters of "
        "the same weights and data, is not measured again.",
    .options =
        (const char *const[]){"override", "data", "checkpoint", "output", "device", "strict-device",
                              "threads", "json", "color", "quiet", "verbose", "help", NULL},
    .min_arguments = 1,
    .max_arguments = 1,
    .has_overrides = TRUE,
    .run = run,
};
