/* core/report/adit-run-record.c - SPDX-License-Identifier: MIT */
#include "adit-run-record.h"

#include "adit-file.h"
#include "adit-json.h"
#include "adit-metrics.h"
#include "adit-summary.h"

#include <math.h>
#include <string.h>

#define MAX_CONFIG ((gsize) 64 << 20)
#define MAX_DAMAGE 5 /* lines that are named one by one */

void
adit_run_record_free(AditRunRecord *self)
{
    g_free(self->folder);
    g_free(self->name);
    g_clear_pointer(&self->members, json_object_unref);
    g_free(self->config);
    g_clear_pointer(&self->keys, adit_config_keys_free);
    g_clear_pointer(&self->metrics, adit_frame_free);
    g_ptr_array_unref(self->warnings);
    g_free(self);
}

G_GNUC_PRINTF(2, 3)
static void
warn(AditRunRecord *self, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_ptr_array_add(self->warnings, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

/* ---- what the record itself says ---- */

static void
warn_of_status(AditRunRecord *self)
{
    const char *reason = adit_json_get_text(self->members, "reason");
    guint64 code = 0;

    adit_json_get_unsigned(self->members, "exit-code", &code);
    if (self->status == ADIT_RUN_FAILED && code == ADIT_ERROR_NUMERIC)
        warn(self, "It diverged: %s.", reason != NULL ? reason : "the loss was no number any more");
    else if (self->status == ADIT_RUN_FAILED)
        warn(self, "It failed with exit code %" G_GUINT64_FORMAT ": %s.", code,
             reason != NULL ? reason : "run.json has no reason");
    else if (self->status == ADIT_RUN_DIED)
        warn(self, "Its process ended without a word; it can be taken up with adit resume.");
    else if (self->status == ADIT_RUN_STOPPED || self->status == ADIT_RUN_INTERRUPTED)
        warn(self, "It was stopped before its end; adit resume goes on with it.");
    else if (self->status != ADIT_RUN_COMPLETED)
        warn(self, "It is not at its end yet: these are the figures so far.");
}

static void
warn_of_resumes(AditRunRecord *self)
{
    JsonArray *resumed = adit_json_get_array(self->members, "resumed");
    guint n = resumed != NULL ? json_array_get_length(resumed) : 0;
    g_autoptr(GString) times = g_string_new(NULL);

    for (guint i = 0; i < n; i++) {
        JsonNode *node = json_array_get_element(resumed, i);
        const char *time = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;

        g_string_append_printf(times, "%s%s", i > 0 ? ", " : "", time != NULL ? time : "?");
    }
    if (n > 0)
        warn(self, "It was resumed %u time%s: %s.", n, n == 1 ? "" : "s", times->str);
}

static void
warn_of_limits(AditRunRecord *self)
{
    guint64 limit = 0, overfit = 0, together = 1;
    JsonObject *device = adit_json_get_object(self->members, "device");

    adit_json_get_unsigned(self->members, "limit-batches", &limit);
    adit_json_get_unsigned(self->members, "overfit-batches", &overfit);
    adit_json_get_unsigned(self->members, "together", &together);
    if (limit > 0)
        warn(self,
             "A quick look: epochs were cut to %" G_GUINT64_FORMAT " steps (--limit-batches).",
             limit);
    if (overfit > 0)
        warn(self,
             "It was trained on its first %" G_GUINT64_FORMAT " batches alone (--overfit-batches).",
             overfit);
    if (together > 1)
        warn(self,
             "It was trained side by side with others, %" G_GUINT64_FORMAT
             " runs in all: what the clock says is of all of them.",
             together);
    if (device != NULL && adit_json_get_object(device, "kernels") != NULL)
        warn(self, "Some kernels of the device ran in plainer forms, as under Device below.");
}

/* ---- other files ---- */

static void
read_config(AditRunRecord *self)
{
    g_autofree char *path = g_build_filename(self->folder, "config.resolved.yaml", NULL);
    g_autoptr(GError) failure = NULL;

    if (!adit_file_read(path, MAX_CONFIG, &self->config, NULL, &failure)) {
        warn(self, "Its pipeline is not there: %s.", failure->message);
        return;
    }
    self->keys = adit_config_keys_new(path, self->config, &failure);
    if (self->keys == NULL)
        warn(self, "Its pipeline cannot be read: %s.", failure->message);
    else if (!adit_run_check_config(self->folder, self->members, &failure))
        warn(self, "%s.", failure->message);
}

static void
warn_of_damage(AditRunRecord *self, const GPtrArray *damage)
{
    for (guint i = 0; i < MIN(damage->len, MAX_DAMAGE); i++)
        warn(self, "A damaged line was passed over: %s.",
             (const char *) g_ptr_array_index(damage, i));
    if (damage->len > MAX_DAMAGE)
        warn(self, "%u more damaged lines were passed over.", damage->len - MAX_DAMAGE);
}

static char *
name_value(const AditMetricRow *row, const AditMetric *metric)
{
    return row->split != NULL ? g_strdup_printf("%s.%s", row->split, metric->name)
                              : g_strdup(metric->name);
}

/* "step", "epoch", then every figure in the order of its first appearance. */
static GPtrArray *
list_columns(const GPtrArray *rows)
{
    GPtrArray *columns = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(columns, g_strdup("step"));
    g_ptr_array_add(columns, g_strdup("epoch"));
    for (guint i = 0; i < rows->len; i++) {
        const AditMetricRow *row = g_ptr_array_index(rows, i);

        for (guint j = 0; j < row->values->len; j++) {
            g_autofree char *name = name_value(row, &g_array_index(row->values, AditMetric, j));

            if (!g_ptr_array_find_with_equal_func(columns, name, g_str_equal, NULL))
                g_ptr_array_add(columns, g_steal_pointer(&name));
        }
    }
    return columns;
}

static void
set_cell(GStrv cells, guint column, char *text)
{
    g_free(cells[column]);
    cells[column] = text;
}

/* Lines of one step are one row, as in metrics.csv. */
static AditFrame *
make_metrics(const char *path, const GPtrArray *rows)
{
    g_autoptr(GPtrArray) columns = list_columns(rows);
    guint n = columns->len;
    AditFrame *frame;
    g_auto(GStrv) cells = g_new0(char *, n + 1);

    for (guint i = 0; i < n; i++)
        cells[i] = g_strdup("");
    g_ptr_array_add(columns, NULL);
    frame = adit_frame_new(path, (const char *const *) columns->pdata);
    for (guint i = 0; i < rows->len; i++) {
        const AditMetricRow *row = g_ptr_array_index(rows, i);
        const AditMetricRow *next = i + 1 < rows->len ? g_ptr_array_index(rows, i + 1) : NULL;

        set_cell(cells, 0, g_strdup_printf("%" G_GUINT64_FORMAT, row->step));
        set_cell(cells, 1, g_strdup_printf("%" G_GUINT64_FORMAT, row->epoch));
        for (guint j = 0; j < row->values->len; j++) {
            const AditMetric *metric = &g_array_index(row->values, AditMetric, j);
            g_autofree char *name = name_value(row, metric);
            guint column = 0;

            g_ptr_array_find_with_equal_func(columns, name, g_str_equal, &column);
            set_cell(cells, column, adit_number_to_data(metric->value));
        }
        if (next != NULL && next->step == row->step)
            continue;
        adit_frame_add(frame, (const char *const *) cells);
        for (guint j = 2; j < n; j++)
            set_cell(cells, j, g_strdup(""));
    }
    return frame;
}

/* Whether every cell is a number, but for the names of stages. */
static gboolean
check_numbers(const AditFrame *frame, GError **error)
{
    for (guint row = 0; row < adit_frame_count_rows(frame); row++) {
        for (guint column = 0; column < adit_frame_count_columns(frame); column++) {
            double value = 0;

            if (!g_str_equal(adit_frame_get_column(frame, column), "stage") &&
                !adit_frame_get_number(frame, row, column, &value, error))
                return FALSE;
        }
    }
    return TRUE;
}

/* metrics.csv; if that is damaged, what the lines of metrics.jsonl still say. */
static void
read_metrics(AditRunRecord *self)
{
    g_autofree char *table = g_build_filename(self->folder, "metrics.csv", NULL);
    g_autofree char *lines = g_build_filename(self->folder, "metrics.jsonl", NULL);
    g_autoptr(GPtrArray) damage = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) rows = adit_metrics_read_sound(self->folder, damage, NULL);
    g_autoptr(GError) failure = NULL;

    warn_of_damage(self, damage);
    self->metrics = adit_frame_read(table, &failure);
    if (self->metrics != NULL && !check_numbers(self->metrics, &failure))
        g_clear_pointer(&self->metrics, adit_frame_free);
    if (self->metrics == NULL && rows != NULL && rows->len > 0) {
        warn(self, "The figures are those of metrics.jsonl: %s.", failure->message);
        self->metrics = make_metrics(lines, rows);
    }
    if (self->metrics != NULL && adit_frame_count_rows(self->metrics) == 0)
        g_clear_pointer(&self->metrics, adit_frame_free);
    if (self->metrics == NULL)
        warn(self, "There are no metrics: %s.",
             failure != NULL && failure->code != ADIT_ERROR_NOT_FOUND
                 ? failure->message
                 : "not one epoch came to its end");
}

static char *
get_name(const char *folder)
{
    g_autofree char *whole = g_canonicalize_filename(folder, NULL);

    return g_path_get_basename(whole);
}

AditRunRecord *
adit_run_record_read(const char *folder, GError **error)
{
    g_autoptr(AditRunRecord) self = g_new0(AditRunRecord, 1);

    self->folder = g_strdup(folder);
    self->name = get_name(folder);
    self->warnings = g_ptr_array_new_with_free_func(g_free);
    self->members = adit_run_read(folder, &self->status, error);
    if (self->members == NULL)
        return NULL;
    warn_of_status(self);
    warn_of_resumes(self);
    warn_of_limits(self);
    read_config(self);
    read_metrics(self);
    return g_steal_pointer(&self);
}

/* ---- what it comes to ---- */

const char *
adit_run_record_get_title(const AditRunRecord *self)
{
    const char *title = self->keys != NULL ? adit_config_keys_find(self->keys, "title") : NULL;
    const char *name = adit_json_get_text(self->members, "name");

    if (title != NULL && *title != '\0')
        return title;
    return name != NULL ? name : self->name;
}

char *
adit_run_record_get_seed(const AditRunRecord *self)
{
    guint64 seed = 0;

    return adit_json_get_unsigned(self->members, "seed", &seed)
               ? g_strdup_printf("%" G_GUINT64_FORMAT, seed)
               : g_strdup("");
}

char *
adit_run_record_get_status(const AditRunRecord *self)
{
    guint64 code = 0;

    adit_json_get_unsigned(self->members, "exit-code", &code);
    if (self->status == ADIT_RUN_FAILED && code == ADIT_ERROR_NUMERIC)
        return g_strdup("diverged");
    return g_ascii_strdown(adit_run_status_get_name(self->status), -1);
}

double
adit_run_record_get_seconds(const AditRunRecord *self)
{
    guint64 together = 1;
    guint column = 0;
    double seconds = NAN;

    adit_json_get_unsigned(self->members, "together", &together);
    if (together == 1 && self->metrics != NULL && adit_frame_has(self->metrics, "seconds", &column))
        adit_frame_get_number(self->metrics, adit_frame_count_rows(self->metrics) - 1, column,
                              &seconds, NULL);
    return seconds;
}

gboolean
adit_run_record_is_figure(const AditRunRecord *self, guint column)
{
    static const char *const counted[] = {"stage", "step", "epoch", "seconds", NULL};

    return !g_strv_contains(counted, adit_frame_get_column(self->metrics, column));
}

const char *
adit_run_record_get_x(const AditRunRecord *self)
{
    return adit_frame_has(self->metrics, "stage", NULL) ? "step" : "epoch";
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

GPtrArray *
adit_run_record_list_probes(const AditRunRecord *self)
{
    g_autofree char *folder = g_build_filename(self->folder, "probes", NULL);
    g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    const char *entry;

    while (entries != NULL && (entry = g_dir_read_name(entries)) != NULL) {
        if (*entry != '.' && g_str_has_suffix(entry, ".csv"))
            g_ptr_array_add(names, g_strndup(entry, strlen(entry) - strlen(".csv")));
    }
    g_ptr_array_sort(names, compare_names);
    return names;
}

static gboolean
rises(const char *figure)
{
    return g_str_has_suffix(figure, "accuracy");
}

/* FALSE: there is no number. */
static gboolean
find_figure(const AditRunRecord *self, guint column, guint at, AditRunFigure *figure)
{
    gboolean up = rises(adit_frame_get_column(self->metrics, column));

    *figure = (AditRunFigure){.column = column, .best = NAN, .last = NAN, .at = ""};
    for (guint row = 0; row < adit_frame_count_rows(self->metrics); row++) {
        double value = NAN;

        if (adit_frame_is_empty(self->metrics, row, column) ||
            !adit_frame_get_number(self->metrics, row, column, &value, NULL))
            continue;
        figure->last = value;
        if (isnan(figure->best) || (up ? value > figure->best : value < figure->best)) {
            figure->best = value;
            figure->at = adit_frame_get_text(self->metrics, row, at);
        }
    }
    return *figure->at != '\0';
}

GArray *
adit_run_record_list_figures(const AditRunRecord *self)
{
    GArray *figures = g_array_new(FALSE, FALSE, sizeof(AditRunFigure));
    guint at = 0;

    if (self->metrics == NULL || !adit_frame_has(self->metrics, adit_run_record_get_x(self), &at))
        return figures;
    for (guint column = 0; column < adit_frame_count_columns(self->metrics); column++) {
        AditRunFigure figure;

        if (strchr(adit_frame_get_column(self->metrics, column), '.') != NULL &&
            find_figure(self, column, at, &figure))
            g_array_append_val(figures, figure);
    }
    return figures;
}
