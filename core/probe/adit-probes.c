/* core/probe/adit-probes.c - SPDX-License-Identifier: MIT */
#include "adit-probes.h"

#include "adit-capture.h"
#include "adit-file.h"
#include "adit-settings.h"

#include <string.h>

/* What one call of adit_probe_run() works with. */
typedef struct {
    AditProbe *probe;
    const AditProbeSettings *settings;
    AditNetwork *network;
    GArray *picks; /* AditPick */
    const char *when;
    GString *rows;
} Session;

/* (element-type AditPick): what all addresses of the probe find; an address that finds nothing is
 * an error. */
static GArray *
pick_all(AditProbe *probe, AditGraph *graph, GError **error)
{
    const AditProbeSettings *settings = adit_probe_get_settings(probe);
    const char *const defaults[] = {ADIT_PROBE_GET_CLASS(probe)->default_at, NULL};
    const char *const *at = settings->at != NULL ? (const char *const *) settings->at : defaults;
    g_autoptr(GArray) picks = NULL;
    for (guint i = 0; at[i] != NULL; i++) {
        g_autoptr(GArray) found = adit_graph_pick(graph, at[i]);
        if (found->len == 0) {
            g_autofree char *reason = adit_graph_explain_address(graph, at[i]);
            g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID, "probe '%s': %s",
                        ADIT_COMPONENT_GET_CLASS(probe)->name, reason);
            return NULL;
        }
        if (picks == NULL) {
            picks = g_steal_pointer(&found);
            continue;
        }
        g_array_append_vals(picks, found->data, found->len);
        g_array_set_clear_func(found, NULL);
    }
    return g_steal_pointer(&picks);
}

static void
add_row(Session *self, const AditData *data, const AditFeatures *features)
{
    AditProbeClass *klass = ADIT_PROBE_GET_CLASS(self->probe);
    guint n = g_strv_length((char **) klass->columns);
    g_autofree double *values = g_new0(double, n + 1);
    klass->measure(self->probe, features, values);
    g_string_append_printf(self->rows, "%s,%s,%s,%s", data->name, self->settings->split, self->when,
                           features->address);
    for (guint i = 0; i < n; i++) {
        char text[G_ASCII_DTOSTR_BUF_SIZE];
        g_ascii_formatd(text, sizeof text, "%.9g", values[i]);
        g_string_append_printf(self->rows, ",%s", text);
    }
    g_string_append_c(self->rows, '\n');
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

/* As many picks at a time as the memory allows, at least one. */
static gboolean
measure_data(Session *self, const AditData *data, GError **error)
{
    const AditSplit *split = get_split(data, self->settings->split);
    if (split->rows == 0)
        return TRUE;
    gsize samples = count_samples(self->settings, split->rows);
    const AditPick *picks = (const AditPick *) self->picks->data;
    for (guint first = 0, end; first < self->picks->len; first = end) {
        double bytes = 0;
        for (end = first; end < self->picks->len; end++) {
            bytes += (double) (samples * adit_pick_count(&picks[end]) * sizeof(float));
            if (end > first && bytes > self->settings->memory.value)
                break;
        }
        g_autoptr(AditCapture) capture =
            adit_capture_new(self->network, picks + first, end - first, split, samples, error);
        if (capture == NULL)
            return FALSE;
        for (guint i = 0; i < capture->features->len; i++)
            add_row(self, data, &g_array_index(capture->features, AditFeatures, i));
    }
    return TRUE;
}

/* The rows of a former file that were measured at other times. */
static char *
keep_others(const char *path, const char *when)
{
    g_autofree char *text = NULL;
    GString *kept = g_string_new(NULL);
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return g_string_free(kept, FALSE);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 1; lines[0] != NULL && lines[i] != NULL; i++) {
        g_auto(GStrv) fields = g_strsplit(lines[i], ",", 4);
        if (g_strv_length(fields) == 4 && !g_str_equal(fields[2], when))
            g_string_append_printf(kept, "%s\n", lines[i]);
    }
    return g_string_free(kept, FALSE);
}

static gboolean
write_table(Session *self, const char *folder, GError **error)
{
    const char *name = self->settings->name != NULL ? self->settings->name
                                                    : ADIT_COMPONENT_GET_CLASS(self->probe)->name;
    g_autofree char *file = g_strconcat(name, ".csv", NULL);
    g_strdelimit(file, ":/", '-');
    g_autofree char *path = g_build_filename(folder, file, NULL);
    g_autofree char *columns =
        g_strjoinv(",", (char **) ADIT_PROBE_GET_CLASS(self->probe)->columns);
    g_autofree char *others = keep_others(path, self->when);
    g_autofree char *text =
        g_strdup_printf("data,split,when,address,%s\n%s%s", columns, others, self->rows->str);
    return adit_folder_create(folder, error) && adit_file_write(path, text, strlen(text), error);
}

gboolean
adit_probe_run(AditProbe *probe, AditNetwork *network, GPtrArray *data, const char *folder,
               const char *when, GError **error)
{
    Session self = {.probe = probe, .network = network, .when = when};
    self.settings = adit_probe_get_settings(probe);
    g_autoptr(GArray) picks = pick_all(probe, adit_network_get_graph(network), error);
    if (picks == NULL)
        return FALSE;
    self.picks = picks;
    self.rows = g_string_new(NULL);
    gboolean done = TRUE;
    for (guint i = 0; done && i < data->len; i++) {
        const AditData *set = data->pdata[i];
        const char *const *wanted = (const char *const *) self.settings->data;
        if (wanted == NULL || g_strv_contains(wanted, set->name))
            done = measure_data(&self, set, error);
    }
    if (done && folder != NULL)
        done = write_table(&self, folder, error);
    g_string_free(self.rows, TRUE);
    return done;
}
