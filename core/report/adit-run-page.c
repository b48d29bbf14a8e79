/* core/report/adit-run-page.c - SPDX-License-Identifier: MIT */
#include "adit-report-pages.h"

#include "adit-calibration.h"
#include "adit-exit-picture.h"
#include "adit-host.h"
#include "adit-html.h"
#include "adit-json.h"
#include "adit-learning-curves.h"
#include "adit-probe-pictures.h"
#include "adit-probe-table.h"
#include "adit-truncation.h"

#include <math.h>
#include <string.h>

/* The page of a run being written. */
typedef struct {
    AditRunRecord *run;
    AditPage *page;
    AditReportWriter *writer;
} RunPage;

/* Results with one row, which axes do not tell from others. */
static AditResults *
make_results(const AditRunRecord *run)
{
    static const char *const columns[] = {"run", NULL};
    const char *const cells[] = {run->name, NULL};
    AditFrame *frame = adit_frame_new(run->folder, columns);

    adit_frame_add(frame, cells);
    return adit_results_new(frame, 1);
}

/* ---- head and figures ---- */

/* Seconds from start to stop by the clock on the wall; NaN: it has not stopped. */
static double
get_duration(const AditRunRecord *run)
{
    double start = adit_host_parse_time(adit_json_get_text(run->members, "started"));
    double stop = adit_host_parse_time(adit_json_get_text(run->members, "stopped"));

    return start > 0 && stop > 0 ? stop - start : (double) NAN;
}

static void
add_title(RunPage *self)
{
    const AditRunRecord *run = self->run;
    const char *title = adit_run_record_get_title(run);
    g_autofree char *started = adit_page_format_time(adit_json_get_text(run->members, "started"));
    JsonObject *device = adit_json_get_object(run->members, "device");
    const char *device_name = device != NULL ? adit_json_get_text(device, "name") : NULL;
    g_autofree char *status = adit_run_record_get_status(run);
    g_autofree char *seed = adit_run_record_get_seed(run);
    g_autofree char *seed_fact = g_strdup_printf("seed %s", seed);
    g_autoptr(GPtrArray) facts = g_ptr_array_new();

    g_ptr_array_add(facts, (gpointer) run->name);
    g_ptr_array_add(facts, seed_fact);
    if (device_name != NULL)
        g_ptr_array_add(facts, (gpointer) device_name);
    if (started != NULL)
        g_ptr_array_add(facts, started);
    g_ptr_array_add(facts, NULL);
    adit_page_add_title(self->page, title, status, (const char *const *) facts->pdata);
}

static GStrv
make_row(const char *a, const char *b, const char *c, const char *d)
{
    const char *const texts[] = {a, b, c, d};
    GStrv row = g_new0(char *, G_N_ELEMENTS(texts) + 1);

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        row[i] = adit_html_escape(texts[i]);
    return row;
}

static void
add_figures(RunPage *self)
{
    g_autoptr(GArray) figures = adit_run_record_list_figures(self->run);
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
    const AditFrame *metrics = self->run->metrics;

    if (figures->len == 0)
        return;
    adit_page_begin_section(self->page, "Figures");
    g_ptr_array_add(
        rows,
        make_row("figure", "best",
                 g_str_equal(adit_run_record_get_x(self->run), "step") ? "at step" : "at epoch",
                 "last"));
    for (guint i = 0; i < figures->len; i++) {
        const AditRunFigure *figure = &g_array_index(figures, AditRunFigure, i);
        g_autofree char *best = adit_number_to_text(figure->best);
        g_autofree char *last = adit_number_to_text(figure->last);

        g_ptr_array_add(
            rows, make_row(adit_frame_get_column(metrics, figure->column), best, figure->at, last));
    }
    adit_html_append_table(adit_page_get_body(self->page), rows);
    g_string_append(
        adit_page_get_body(self->page),
        "<p class=\"note\">Best: the most of an accuracy, the least of everything else, "
        "each by itself.</p>\n");
}

static gboolean
add_curves(RunPage *self, GError **error)
{
    g_autoptr(GPtrArray) runs = g_ptr_array_new();
    g_autoptr(GError) failure = NULL;
    gboolean good;

    adit_page_begin_section(self->page, "Learning curves");
    if (self->run->metrics == NULL) {
        adit_html_append_element(adit_page_get_body(self->page), "p", "There are no metrics.");
        return TRUE;
    }
    g_ptr_array_add(runs, self->run);
    adit_page_begin_figures(self->page);
    good = adit_learning_curves_write(self->writer, runs, NULL, &failure);
    adit_page_end_figures(self->page);
    if (!good && !adit_page_add_failure(self->page, g_steal_pointer(&failure), error))
        return FALSE;
    adit_page_add_frame(self->page, "As a table", self->run->metrics, "metrics.csv");
    return TRUE;
}

/* ---- probes ---- */

/* What the last rows of @table have in the column @name; "" without that column. */
static const char *
get_last(const AditFrame *table, const char *name)
{
    guint column = 0;

    return adit_frame_has(table, name, &column)
               ? adit_frame_get_text(table, adit_frame_count_rows(table) - 1, column)
               : "";
}

/* Which samples, and when. */
static void
add_origin(RunPage *self, const AditFrame *table)
{
    g_autofree char *text =
        g_strdup_printf("On %s, %s; the last measurement (%s).", get_last(table, "data"),
                        get_last(table, "split"), get_last(table, "when"));

    adit_html_append_element(adit_page_get_body(self->page), "p class=\"note\"", text);
}

static void
add_notes(RunPage *self, const AditFrame *table)
{
    g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);
    guint column = 0;

    if (!adit_frame_has(table, "note", &column))
        return;
    for (guint row = 0; row < adit_frame_count_rows(table); row++) {
        const char *note = adit_frame_get_text(table, row, column);

        if (*note != '\0' && g_hash_table_add(known, (gpointer) note))
            adit_html_append_element(adit_page_get_body(self->page), "p class=\"note\"", note);
    }
}

static void
add_sentences(RunPage *self, const char *name)
{
    g_autofree char *folder = g_build_filename(self->run->folder, "probes", NULL);
    g_auto(GStrv) sentences = adit_probe_read_sentences(folder, name);
    GString *body = adit_page_get_body(self->page);

    if (sentences[0] == NULL)
        return;
    g_string_append(body, "<ul>\n");
    for (guint i = 0; sentences[i] != NULL; i++)
        adit_html_append_element(body, "li", sentences[i]);
    g_string_append(body, "</ul>\n");
}

/* A table that cannot be read or drawn does not hold up the others. */
static gboolean
add_probe(RunPage *self, const char *name, GError **error)
{
    g_autofree char *path = g_strdup_printf("probes/%s.csv", name);
    g_autofree char *file = g_build_filename(self->run->folder, path, NULL);
    g_autofree char *title = g_strdup_printf("Probe %s", name);
    g_autoptr(GError) failure = NULL;
    g_autoptr(AditFrame) table = adit_frame_read(file, &failure);
    gboolean good;

    adit_page_begin_section(self->page, title);
    if (table == NULL)
        return adit_page_add_failure(self->page, g_steal_pointer(&failure), error);
    if (adit_frame_count_rows(table) == 0) {
        adit_html_append_element(adit_page_get_body(self->page), "p", "It has no rows.");
        return TRUE;
    }
    add_origin(self, table);
    add_notes(self, table);
    add_sentences(self, name);
    adit_page_begin_figures(self->page);
    good = adit_probe_pictures_write(self->writer, name, table, &failure);
    adit_page_end_figures(self->page);
    if (!good && !adit_page_add_failure(self->page, g_steal_pointer(&failure), error))
        return FALSE;
    adit_page_add_frame(self->page, "As a table", table, path);
    return TRUE;
}

static gboolean
add_probes(RunPage *self, GError **error)
{
    g_autoptr(GPtrArray) names = adit_run_record_list_probes(self->run);

    for (guint i = 0; i < names->len; i++) {
        if (!add_probe(self, g_ptr_array_index(names, i), error))
            return FALSE;
    }
    return TRUE;
}

/* ---- exits ---- */

/* The threshold of each exit, and what they were fitted to. */
static void
add_thresholds(RunPage *self, const AditCalibration *calibration)
{
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
    g_autofree char *note = g_strdup_printf(
        "Fitted to %" G_GSIZE_FORMAT " rows of the validation split: accuracy %.6g, the last "
        "answer's %.6g; mean cost %.4g of the network without exits. Policy %s.",
        calibration->rows, calibration->metric, calibration->last, calibration->cost,
        calibration->policy);

    g_ptr_array_add(rows, g_strdupv((char *[]){(char *) "exit", (char *) "threshold", NULL}));
    for (guint i = 0; i < calibration->n; i++) {
        char **row = g_new0(char *, 3);

        row[0] = g_strdup(calibration->names->pdata[i]);
        row[1] = g_strdup_printf("%.6g", calibration->thresholds[i]);
        g_ptr_array_add(rows, row);
    }
    adit_html_append_element(adit_page_get_body(self->page), "p", note);
    adit_html_append_table(adit_page_get_body(self->page), rows);
}

/* A picture of a table of the folder of exits, and the table. */
static gboolean
add_exit_table(RunPage *self, const char *file, const char *x, const char *const *values,
               const char *const *labels, GError **error)
{
    g_autofree char *part = g_build_filename(ADIT_EXITS_FOLDER, file, NULL);
    g_autofree char *path = g_build_filename(self->run->folder, part, NULL);
    g_autofree char *name = g_strdup_printf("curves-exits-%s", x);
    g_autoptr(GError) failure = NULL;
    g_autoptr(AditFrame) table = adit_frame_read(path, &failure);

    if (table == NULL)
        return adit_page_add_failure(self->page, g_steal_pointer(&failure), error);
    adit_page_begin_figures(self->page);
    gboolean good = adit_exit_picture_write(self->writer, table, name, x, values, labels, &failure);

    adit_page_end_figures(self->page);
    if (!good && !adit_page_add_failure(self->page, g_steal_pointer(&failure), error))
        return FALSE;
    adit_page_add_frame(self->page, "As a table", table, part);
    return TRUE;
}

/* What calibration left, if there was one. */
static gboolean
add_exits(RunPage *self, GError **error)
{
    static const char *const values[] = {"accuracy", NULL}, *const labels[] = {"", NULL};
    g_autoptr(GError) failure = NULL;
    g_autoptr(AditCalibration) calibration = adit_calibration_read(self->run->folder, &failure);

    if (calibration == NULL && failure == NULL)
        return TRUE;
    adit_page_begin_section(self->page, "Exits");
    if (calibration == NULL)
        return adit_page_add_failure(self->page, g_steal_pointer(&failure), error);
    add_thresholds(self, calibration);
    return add_exit_table(self, ADIT_EXIT_CURVE_FILE, "cost", values, labels, error);
}

/* What `adit exits truncate` left. */
static gboolean
add_truncation(RunPage *self, GError **error)
{
    static const char *const values[] = {"loss", "folded-loss", NULL};
    static const char *const labels[] = {"dropped", "folded", NULL};
    g_autofree char *path =
        g_build_filename(self->run->folder, ADIT_EXITS_FOLDER, ADIT_TRUNCATION_FILE, NULL);

    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        return TRUE;
    adit_page_begin_section(self->page, "Truncation");
    return add_exit_table(self, ADIT_TRUNCATION_FILE, "block", values, labels, error);
}

/* ---- how it was made ---- */

static void
add_config(RunPage *self)
{
    static const char *const files[] = {"config.resolved.yaml", "config.yaml", "overrides.txt",
                                        NULL};

    adit_page_begin_section(self->page, "Configuration");
    if (self->run->config != NULL)
        adit_page_add_text(self->page, "The pipeline with everything filled in", self->run->config);
    adit_page_add_files(self->page, self->run->folder, files);
}

/* What stands beside other things where there is room. */
static void
begin_column(RunPage *self, const char *title)
{
    g_string_append(adit_page_get_body(self->page), "<div>\n");
    adit_html_append_element(adit_page_get_body(self->page), "h3", title);
}

static void
end_column(RunPage *self)
{
    g_string_append(adit_page_get_body(self->page), "</div>\n");
}

static void
add_item(GPtrArray *names, GPtrArray *values, const char *name, const char *value)
{
    if (value == NULL || *value == '\0')
        return;
    g_ptr_array_add(names, adit_html_escape(name));
    g_ptr_array_add(values, adit_html_escape(value));
}

/* The run's seed, and every key of the pipeline that is one. */
static void
add_seeds(const AditRunRecord *run, GPtrArray *names, GPtrArray *values)
{
    g_autofree char *seed = adit_run_record_get_seed(run);

    add_item(names, values, "seed", seed);
    for (guint i = 0; run->keys != NULL && i < adit_config_keys_count(run->keys); i++) {
        const char *key = adit_config_keys_get_key(run->keys, i);

        if (g_str_has_suffix(key, "-seed"))
            add_item(names, values, key, adit_config_keys_find(run->keys, key));
    }
}

static void
add_parameters(const AditRunRecord *run, GPtrArray *names, GPtrArray *values)
{
    guint64 parameters = 0;
    g_autofree char *text = NULL;

    if (adit_json_get_unsigned(run->members, "parameters", &parameters))
        text = g_strdup_printf("%" G_GUINT64_FORMAT, parameters);
    add_item(names, values, "parameters", text != NULL ? text : "run.json does not say");
}

static void
add_times(const AditRunRecord *run, GPtrArray *names, GPtrArray *values)
{
    double seconds = adit_run_record_get_seconds(run);
    guint n = run->metrics != NULL ? adit_frame_count_rows(run->metrics) : 0;
    g_autofree char *training = adit_page_format_seconds(seconds);
    g_autofree char *epoch = adit_page_format_seconds(n > 0 ? seconds / n : (double) NAN);
    g_autofree char *wall = adit_page_format_seconds(get_duration(run));
    g_autofree char *epochs = g_strdup_printf("%u", n);
    g_autofree char *started = adit_page_format_time(adit_json_get_text(run->members, "started"));
    g_autofree char *stopped = adit_page_format_time(adit_json_get_text(run->members, "stopped"));

    add_item(names, values, "started", started);
    add_item(names, values, "stopped", stopped);
    add_item(names, values, "from start to stop", wall);
    add_item(names, values, "epochs done", epochs);
    add_item(names, values, "training", training);
    add_item(names, values, "training, an epoch", epoch);
}

static void
add_run(RunPage *self)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);

    begin_column(self, "Parameters, seeds and times");
    add_parameters(self->run, names, values);
    add_seeds(self->run, names, values);
    add_times(self->run, names, values);
    adit_html_append_list(adit_page_get_body(self->page), names, values);
    end_column(self);
}

static void
add_device(RunPage *self)
{
    static const char *const nothing[] = {NULL};
    JsonObject *device = adit_json_get_object(self->run->members, "device");

    begin_column(self, "Device");
    if (device != NULL)
        adit_page_add_members(self->page, device, nothing);
    else
        adit_html_append_element(adit_page_get_body(self->page), "p", "run.json has none.");
    end_column(self);
}

static void
add_data(RunPage *self)
{
    static const char *const known[] = {"name", "standardization", NULL};
    JsonArray *sets = adit_json_get_array(self->run->members, "data");

    for (guint i = 0; sets != NULL && i < json_array_get_length(sets); i++) {
        JsonNode *node = json_array_get_element(sets, i);
        JsonObject *set = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
        const char *name = set != NULL ? adit_json_get_text(set, "name") : NULL;
        g_autofree char *title = NULL;

        if (set == NULL)
            continue;
        title = g_strdup_printf("Data %s", name != NULL ? name : "");
        begin_column(self, title);
        adit_page_add_members(self->page, set, known);
        end_column(self);
    }
}

static void
add_making(RunPage *self)
{
    adit_page_begin_section(self->page, "How it was made");
    adit_page_begin_figures(self->page);
    add_run(self);
    add_device(self);
    add_data(self);
    adit_page_end_figures(self->page);
}

/* Everything else that run.json says. */
static void
add_origin_of_run(RunPage *self)
{
    static const char *const known[] = {
        "v",       "status",   "name",       "seed",      "device",        "data",
        "plugins", "started",  "stopped",    "reason",    "limit-batches", "overfit-batches",
        "resumed", "together", "parameters", "heartbeat", "command-line",  NULL};
    static const char *const files[] = {"run.json", "metrics.csv", "metrics.jsonl", "console.log",
                                        "probes",   "report",      "checkpoints",   NULL};
    static const char *const nothing[] = {NULL};
    JsonObject *plugins = adit_json_get_object(self->run->members, "plugins");
    g_autofree char *command =
        adit_report_join_command(adit_json_get_array(self->run->members, "command-line"));

    adit_page_begin_section(self->page, "Origin and files");
    if (command != NULL)
        adit_html_append_element(adit_page_get_body(self->page), "pre tabindex=\"0\"", command);
    adit_page_add_members(self->page, self->run->members, known);
    if (plugins != NULL) {
        g_string_append(adit_page_get_body(self->page),
                        "<details><summary>Versions of the plugins</summary>");
        adit_page_add_members(self->page, plugins, nothing);
        g_string_append(adit_page_get_body(self->page), "</details>\n");
    }
    adit_page_add_files(self->page, self->run->folder, files);
}

static gboolean
add_all(RunPage *self, GError **error)
{
    add_title(self);
    if (self->writer->gnuplot == NULL) {
        g_ptr_array_add(self->run->warnings,
                        g_strdup("There was no gnuplot: the pictures are left out; the tables have "
                                 "all figures."));
        g_message("no gnuplot: the pictures are left out");
    }
    adit_page_add_warnings(self->page, self->run->warnings);
    add_figures(self);
    if (!add_curves(self, error) || !add_exits(self, error) || !add_truncation(self, error) ||
        !add_probes(self, error))
        return FALSE;
    add_config(self);
    add_making(self);
    add_origin_of_run(self);
    return TRUE;
}

gboolean
adit_run_page_write(const char *folder, gboolean png, GError **error)
{
    g_autoptr(AditRunRecord) run = adit_run_record_read(folder, error);
    g_autoptr(AditResults) results = run != NULL ? make_results(run) : NULL;
    g_autoptr(AditPage) page = run != NULL ? adit_page_new(adit_run_record_get_title(run)) : NULL;
    g_auto(AditReportWriter) writer = {
        .results = results, .formats = png ? "svg png" : "svg", .is_narrow = TRUE, .page = page};
    g_autofree char *made = g_build_filename(folder, "report", NULL);
    g_autofree char *path = g_build_filename(folder, "report.html", NULL);
    RunPage self = {.run = run, .page = page, .writer = &writer};

    return run != NULL && adit_report_clear_made(made, error) &&
           adit_report_writer_init(&writer, folder, error) && add_all(&self, error) &&
           adit_page_write(page, &writer, path, error);
}
