/* core/probe/adit-probes.c - SPDX-License-Identifier: MIT */
#include "adit-probes.h"

#include <string.h>

#include "adit-component-private.h"
#include "adit-probe-reader.h"
#include "adit-probe-record.h"
#include "adit-receptive-field.h"
#include "adit-settings.h"
#include "adit-telling.h"

#define NOTE "note"

void
adit_probe_check(AditProbe *probe, const AditExperiment *experiment, AditGraph *graph,
                 AditDiagnostics *diagnostics)
{
    g_auto(AditProbeAddresses) addresses = {0};

    adit_probe_addresses_find(&addresses, probe, experiment, graph, diagnostics);
}

GStrv
adit_probe_list_columns(AditProbe *probe, AditLoss *loss)
{
    AditProbeClass *klass = ADIT_PROBE_GET_CLASS(probe);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    gboolean scores = adit_probe_class_reads(klass, ADIT_READ_SCORES);

    for (guint i = 0; klass->columns[i] != NULL; i++) {
        const char *name = klass->columns[i];

        if (scores && loss != NULL && g_str_equal(name, "metric"))
            name = ADIT_LOSS_GET_CLASS(loss)->metric_name;
        if (!g_str_equal(name, NOTE))
            g_ptr_array_add(names, g_strdup(name));
    }
    g_ptr_array_add(names, NULL);
    return (GStrv) g_ptr_array_steal(names, NULL);
}

/* ---- findings ---- */

/**
 * Row: one of the table, or what it will be.
 * @index: of its addresses among those of each side
 */
typedef struct {
    guint index[ADIT_PROBE_SIDES];
    AditFindings findings;
} Row;

void
adit_findings_note(AditFindings *self, const char *format, ...)
{
    va_list arguments;

    g_free(self->note);
    va_start(arguments, format);
    self->note = g_strdup_vprintf(format, arguments);
    va_end(arguments);
}

void
adit_findings_add(AditFindings *self, guint detail, const double *numbers)
{
    g_array_append_vals(self->details[detail], numbers, 1);
}

static void
row_init(Row *self, const AditProbeClass *klass, guint first, guint second, guint n_columns)
{
    *self = (Row){.index = {first, second}};
    self->findings.values = g_new0(double, n_columns + 1);
    self->findings.details = g_new0(GArray *, klass->n_details + 1);
    for (guint i = 0; i < klass->n_details; i++) {
        guint n = g_strv_length((char **) klass->details[i].columns);

        self->findings.details[i] = g_array_new(FALSE, FALSE, (guint) (n * sizeof(double)));
    }
}

static void
row_clear(gpointer data)
{
    Row *self = data;

    for (guint i = 0; self->findings.details[i] != NULL; i++)
        g_array_unref(self->findings.details[i]);
    g_free(self->findings.details);
    g_free(self->findings.values);
    g_free(self->findings.note);
}

static int
compare_rows(gconstpointer a, gconstpointer b)
{
    const Row *x = a, *y = b;
    guint side = x->index[0] == y->index[0];

    return x->index[side] < y->index[side] ? -1 : x->index[side] > y->index[side];
}

/* ---- measuring ---- */

/**
 * Session: what one call of adit_probe_measure() works with.
 * @fields: (nullable) (element-type utf8 AditReceptiveField): what items see of the input
 * @rows: (element-type Row): of the set that is measured
 * @next: row that no thread has taken
 * @error: (nullable): of the first row that failed
 */
typedef struct {
    AditProbe *probe;
    AditProbeClass *klass;
    const AditProbeSettings *settings;
    AditProbeReader *reader;
    AditProbeTable *table;
    GHashTable *fields;
    GArray *rows;
    gint next;
    GMutex mutex;
    guint failed;
    GError *error;
} Session;

/* Rows are measured by any thread, in any order, each by itself. */
static void
measure_rows(gpointer data, guint thread)
{
    Session *self = data;
    guint n;
    guint i;

    adit_probe_class_get_readings(self->klass, &n);
    g_autofree AditFeatures *read = g_new(AditFeatures, n);
    while ((i = (guint) g_atomic_int_add(&self->next, 1)) < self->rows->len) {
        Row *row = &g_array_index(self->rows, Row, i);
        g_autoptr(GError) error = NULL;

        adit_probe_reader_get(self->reader, row->index, read);
        if (self->klass->measure(self->probe, read, &row->findings, &error))
            continue;
        g_mutex_lock(&self->mutex);
        if (self->error == NULL || i < self->failed) {
            g_clear_error(&self->error);
            self->error = g_steal_pointer(&error);
            self->failed = i;
        }
        g_mutex_unlock(&self->mutex);
    }
}

/* Rows of all pairs of what is loaded; of one side with itself each pair once. */
static gboolean
measure_loaded(Session *self, const AditRange ranges[ADIT_PROBE_SIDES], GError **error)
{
    const AditProbeAddresses *addresses = adit_probe_reader_get_addresses(self->reader);
    guint n_columns = g_strv_length(self->table->columns);
    guint begin = self->rows->len;

    for (guint i = ranges[0].first; i < ranges[0].end; i++) {
        guint first = addresses->is_own ? MAX(i, ranges[1].first) : ranges[1].first;
        guint end = addresses->n_sides > 1 ? ranges[1].end : ranges[1].first + 1;

        for (guint j = first; j < end; j++) {
            Row row;

            row_init(&row, self->klass, i, j, n_columns);
            g_array_append_val(self->rows, row);
        }
    }
    self->next = (gint) begin;
    adit_team_run(adit_probe_reader_get_team(self->reader), measure_rows, self);
    if (self->error == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&self->error));
    return FALSE;
}

/* ---- as many addresses at a time as the memory allows ---- */

static guint
count_addresses(const Session *self, guint side)
{
    const AditProbeAddresses *addresses = adit_probe_reader_get_addresses(self->reader);

    if (side >= addresses->n_sides)
        return 0;
    return addresses->picks[side] != NULL ? addresses->picks[side]->len : addresses->picks[0]->len;
}

/* A side that is the other takes no memory of its own. */
static double
count_bytes(const Session *self, guint side, AditRange range)
{
    const AditProbeAddresses *addresses = adit_probe_reader_get_addresses(self->reader);
    guint source = addresses->is_own ? 0 : side;
    double bytes = 0;

    for (guint i = range.first; i < range.end; i++)
        bytes += adit_probe_reader_count_bytes(self->reader, source, i);
    return bytes;
}

/* As they are written in a pipeline. */
static char *
format_bytes(double bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
    guint unit = 0;

    while (bytes >= 1024 && unit + 1 < G_N_ELEMENTS(units)) {
        bytes /= 1024;
        unit++;
    }
    return g_strdup_printf("%.*f %s", unit > 0, bytes, units[unit]);
}

static gboolean
refuse_memory(const Session *self, guint side, guint index, double bytes, GError **error)
{
    const AditProbeAddresses *addresses = adit_probe_reader_get_addresses(self->reader);
    const GArray *picks =
        addresses->picks[side] != NULL ? addresses->picks[side] : addresses->picks[0];
    g_autofree char *needed = format_bytes(bytes);
    g_autofree char *given = format_bytes(self->settings->memory.value);

    g_set_error(
        error, ADIT_ERROR, ADIT_ERROR_INVALID,
        "probe '%s' needs %s for '%s' alone%s, its memory is %s; raise 'memory', or look at "
        "fewer 'samples' or smaller maps ('pool')",
        self->table->name, needed, g_array_index(picks, AditPick, index).address,
        addresses->n_sides > 1 ? ", twice for a pair" : "", given);
    return FALSE;
}

/* (nullable) (element-type AditRange): runs of a side's addresses that take @budget at most. */
static GArray *
cut(const Session *self, guint side, double budget, GError **error)
{
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(AditRange));
    guint n = count_addresses(self, side);
    AditRange range = {0, 0};
    double bytes = 0;

    for (guint i = 0; i < n; i++) {
        double more = count_bytes(self, side, (AditRange){i, i + 1});

        if (more > budget && !refuse_memory(self, side, i, more, error))
            return NULL;
        if (bytes + more > budget) {
            g_array_append_val(ranges, range);
            range.first = i;
            bytes = 0;
        }
        bytes += more;
        range.end = i + 1;
    }
    g_array_append_val(ranges, range);
    return g_steal_pointer(&ranges);
}

/* Both sides at once if they fit; else some of one beside some of the other. */
static gboolean
cut_sides(const Session *self, GArray *sides[ADIT_PROBE_SIDES], GError **error)
{
    const AditProbeAddresses *addresses = adit_probe_reader_get_addresses(self->reader);
    double memory = self->settings->memory.value;
    gboolean two = addresses->n_sides > 1;
    double all = count_bytes(self, 0, (AditRange){0, count_addresses(self, 0)});

    if (two && !addresses->is_own)
        all += count_bytes(self, 1, (AditRange){0, count_addresses(self, 1)});
    double budget = two && all > memory ? memory / 2 : memory;

    for (guint i = 0; i < ADIT_PROBE_SIDES; i++) {
        if ((sides[i] = cut(self, i, budget, error)) == NULL)
            return FALSE;
    }
    return TRUE;
}

static gboolean
measure_tile(Session *self, const AditRange ranges[ADIT_PROBE_SIDES], gboolean drop, GError **error)
{
    gboolean done =
        adit_probe_reader_load(self->reader, ranges, error) && measure_loaded(self, ranges, error);

    if (drop)
        adit_probe_reader_drop(self->reader, 1, ranges[1]);
    return done;
}

/* What of the second side is some of the first too, goes with that. */
static gboolean
measure_range(Session *self, AditRange first, const GArray *second, GError **error)
{
    gboolean is_own = adit_probe_reader_get_addresses(self->reader)->is_own;

    for (guint i = 0; i < second->len; i++) {
        AditRange ranges[ADIT_PROBE_SIDES] = {first, g_array_index(second, AditRange, i)};
        gboolean same = is_own && ranges[1].first == first.first;

        if (is_own && ranges[1].first < first.first)
            continue;
        if (!measure_tile(self, ranges, second->len > 1 && !same, error))
            return FALSE;
    }
    adit_probe_reader_drop(self->reader, 0, first);
    return TRUE;
}

static gboolean
measure_ranges(Session *self, GError **error)
{
    GArray *sides[ADIT_PROBE_SIDES] = {NULL};
    gboolean done = cut_sides(self, sides, error);

    for (guint i = 0; done && i < sides[0]->len; i++)
        done = measure_range(self, g_array_index(sides[0], AditRange, i), sides[1], error);
    for (guint i = 0; i < ADIT_PROBE_SIDES; i++)
        g_clear_pointer(&sides[i], g_array_unref);
    return done;
}

/* ---- tables ---- */

static AditProbeTable *
make_table(AditProbe *probe, AditLoss *loss)
{
    const AditProbeSettings *settings = adit_probe_get_settings(probe);
    AditProbeClass *klass = ADIT_PROBE_GET_CLASS(probe);
    AditProbeTable *table = adit_probe_table_new(adit_probe_get_name(probe), settings->split,
                                                 adit_probe_list_columns(probe, loss));

    table->has_notes = g_strv_contains(klass->columns, NOTE);
    if (klass->telling != NULL)
        table->sentences = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < klass->n_details; i++) {
        g_autofree char *name = g_strconcat(table->name, "-", klass->details[i].name, NULL);

        g_ptr_array_add(table->details,
                        adit_probe_table_new(name, settings->split,
                                             g_strdupv((char **) klass->details[i].columns)));
    }
    return table;
}

static const char *
get_address(const Session *self, const Row *row, guint side)
{
    const AditProbeAddresses *addresses = adit_probe_reader_get_addresses(self->reader);
    const GArray *picks = addresses->picks[addresses->is_own ? 0 : side];

    return g_array_index(picks, AditPick, row->index[side]).address;
}

/* (nullable) */
static const char *
get_layer(const Session *self, const char *address)
{
    g_autofree char *item = g_strndup(address, strcspn(address, ":"));
    const AditReceptiveField *field =
        self->fields != NULL ? g_hash_table_lookup(self->fields, item) : NULL;

    return field != NULL && field->kind != ADIT_LAYER_NONE ? adit_layer_kind_to_string(field->kind)
                                                           : NULL;
}

static void
add_row(const Session *self, const char *data, Row *row)
{
    AditProbeRow entry = {.data = (char *) data,
                          .address = (char *) get_address(self, row, 0),
                          .values = g_steal_pointer(&row->findings.values),
                          .note = row->findings.note};

    if (self->table->is_paired)
        entry.against = (char *) get_address(self, row, 1);
    entry.layer = (char *) get_layer(self, entry.address);
    adit_probe_table_add(self->table, &entry);
    for (guint i = 0; i < self->table->details->len; i++) {
        AditProbeTable *table = self->table->details->pdata[i];
        const GArray *rows = row->findings.details[i];
        gsize size = g_strv_length(table->columns) * sizeof(double);

        table->is_paired = self->table->is_paired;
        for (guint j = 0; j < rows->len; j++) {
            entry.values = g_memdup2(rows->data + j * size, size);
            entry.note = NULL;
            adit_probe_table_add(table, &entry);
        }
    }
}

static gboolean
has_split(const Session *self, const AditData *data)
{
    const AditSplit *split = g_str_equal(self->settings->split, "train")        ? &data->train
                             : g_str_equal(self->settings->split, "validation") ? &data->validation
                                                                                : &data->test;

    return split->rows > 0;
}

static gboolean
measure_data(Session *self, const AditData *data, GError **error)
{
    if (!adit_probe_reader_open(self->reader, data, error) || !measure_ranges(self, error))
        return FALSE;
    g_array_sort(self->rows, compare_rows);
    for (guint i = 0; i < self->rows->len; i++)
        add_row(self, data->name, &g_array_index(self->rows, Row, i));
    g_array_set_size(self->rows, 0);
    return TRUE;
}

/* Whether the memory and the set are enough, without reading it. */
static gboolean
check_data(Session *self, const AditData *data, GError **error)
{
    GArray *sides[ADIT_PROBE_SIDES] = {NULL};
    gboolean done =
        adit_probe_reader_open(self->reader, data, error) && cut_sides(self, sides, error);

    for (guint i = 0; i < ADIT_PROBE_SIDES; i++)
        g_clear_pointer(&sides[i], g_array_unref);
    return done;
}

typedef gboolean (*DataFunc)(Session *self, const AditData *data, GError **error);

static gboolean
each_set(Session *self, GPtrArray *data, DataFunc func, GError **error)
{
    const char *const *wanted = (const char *const *) self->settings->data;

    for (guint i = 0; i < data->len; i++) {
        const AditData *set = data->pdata[i];

        if ((wanted == NULL || g_strv_contains(wanted, set->name)) && has_split(self, set) &&
            !func(self, set, error))
            return FALSE;
    }
    return TRUE;
}

/* (nullable): only images are seen in parts */
static GHashTable *
find_fields(const AditProbeClass *klass, AditNetwork *network)
{
    return klass->sees_input
               ? adit_graph_find_receptive_fields(adit_network_get_graph(network), FALSE, NULL)
               : NULL;
}

/* (nullable): the table after @func was called for each set. */
static AditProbeTable *
run_session(AditProbe *probe, AditNetwork *network, GPtrArray *data, DataFunc func, GError **error)
{
    g_autoptr(AditProbeReader) reader = adit_probe_reader_new(probe, network, error);

    if (reader == NULL)
        return NULL;
    g_autoptr(AditProbeTable) table = make_table(probe, adit_network_get_loss(network));
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(Row));
    Session self = {.probe = probe,
                    .klass = ADIT_PROBE_GET_CLASS(probe),
                    .settings = adit_probe_get_settings(probe),
                    .reader = reader,
                    .table = table,
                    .rows = rows};

    g_autoptr(GHashTable) fields = find_fields(self.klass, network);

    self.fields = fields;
    table->has_layers = fields != NULL;
    table->is_paired = adit_probe_reader_get_addresses(reader)->n_sides > 1;
    g_array_set_clear_func(rows, row_clear);
    g_mutex_init(&self.mutex);
    gboolean done = each_set(&self, data, func, error);

    g_mutex_clear(&self.mutex);
    return done ? g_steal_pointer(&table) : NULL;
}

gboolean
adit_probe_check_data(AditProbe *probe, AditNetwork *network, GPtrArray *data, GError **error)
{
    g_autoptr(AditProbeTable) table = run_session(probe, network, data, check_data, error);

    return table != NULL;
}

AditProbeTable *
adit_probe_measure(AditProbe *probe, AditNetwork *network, GPtrArray *data, GError **error)
{
    AditProbeTable *table = run_session(probe, network, data, measure_data, error);

    if (table != NULL)
        adit_probe_table_tell(table, ADIT_PROBE_GET_CLASS(probe)->telling);
    return table;
}

AditProbeTable *
adit_probe_run(AditProbe *probe, AditNetwork *network, GPtrArray *data, const char *folder,
               const char *when, gboolean *was_there, GError **error)
{
    g_autoptr(AditProbeTable) empty = make_table(probe, adit_network_get_loss(network));
    g_autofree char *fingerprint = adit_probe_fingerprint(probe, network, data, error);

    *was_there = fingerprint != NULL && adit_probe_record_has(empty, folder, when, fingerprint);
    if (fingerprint == NULL || *was_there)
        return fingerprint != NULL ? g_steal_pointer(&empty) : NULL;
    g_autoptr(AditProbeTable) table = adit_probe_measure(probe, network, data, error);

    return table != NULL && adit_probe_record_write(table, folder, when, fingerprint, error)
               ? g_steal_pointer(&table)
               : NULL;
}
