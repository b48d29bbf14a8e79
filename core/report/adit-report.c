/* core/report/adit-report.c - SPDX-License-Identifier: MIT */
#include "adit-report.h"

#include "adit-file.h"
#include "adit-installation.h"
#include "adit-json.h"
#include "adit-report-pages.h"
#include "adit-study-reports.h"
#include "adit-text.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

typedef struct {
    const char *name;  /* in messages: as in the language */
    const char *title; /* in pages */
    gboolean (*write)(const AditReportWriter *self, const AditStudyReport *report, GError **error);
    gboolean has_text; /* NAME.md */
    gboolean has_picture;
    gboolean needs_x;
    gboolean needs_y;
    gboolean has_published;
} Kind;

static const Kind kinds[] = {
    [ADIT_STUDY_TABLE] = {"table", "Table", adit_report_write_table, TRUE, FALSE, FALSE, FALSE,
                          TRUE},
    [ADIT_STUDY_HEAT_MAP] = {"heat-map", "Heat map", adit_report_write_heat_map, FALSE, TRUE, TRUE,
                             TRUE, FALSE},
    [ADIT_STUDY_SCATTER] = {"scatter", "Scatter", adit_report_write_scatter, FALSE, TRUE, TRUE,
                            FALSE, TRUE},
    [ADIT_STUDY_CURVES] = {"curves", "Curves", adit_report_write_curves, FALSE, TRUE, TRUE, FALSE,
                           TRUE},
    [ADIT_STUDY_COUNTS] = {"counts", "Counts", adit_report_write_counts, TRUE, TRUE, FALSE, FALSE,
                           FALSE},
};

char *
adit_report_join(const char *const *texts)
{
    return g_strjoinv(", ", (char **) texts);
}

char *
adit_report_make_name(const char *kind, const char *text)
{
    g_autofree char *safe = g_strdup(text);

    g_strcanon(safe, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_.", '-');
    if (g_str_equal(safe, text))
        return g_strdup_printf("%s-%s", kind, safe);
    return g_strdup_printf("%s-%s-%08x", kind, safe, g_str_hash(text));
}

char *
adit_report_describe_over(const AditStudyReport *report)
{
    if (report->over == NULL || report->over[0] == NULL)
        return NULL;
    return adit_report_join((const char *const *) report->over);
}

char *
adit_report_get_panel_label(const AditStudyReport *report, const AditLevels *pages, guint page,
                            guint value)
{
    g_autofree char *label = adit_levels_get_label(pages, page, TRUE);

    if (g_strv_length(report->values) == 1)
        return g_steal_pointer(&label);
    return *label != '\0' ? g_strdup_printf("%s, %s", label, report->values[value])
                          : g_strdup(report->values[value]);
}

gboolean
adit_report_write_file(const AditReportWriter *self, const char *name, const char *ending,
                       const GString *text, GError **error)
{
    g_autofree char *file = g_strconcat(name, ending, NULL);
    g_autofree char *path = g_build_filename(self->folder, file, NULL);

    return adit_file_write(path, text->str, text->len, error);
}

gboolean
adit_report_write_document(const AditReportWriter *self, const char *name, const AditDocument *text,
                           GError **error)
{
    if (!adit_report_write_file(self, name, ".md", text->markdown, error))
        return FALSE;
    if (self->page != NULL)
        g_string_append(adit_page_get_body(self->page), text->html->str);
    return TRUE;
}

/* ---- one element ---- */

static gboolean
check_keys(const AditStudyReport *report, GError **error)
{
    const Kind *kind = &kinds[report->kind];
    const char *missing = NULL;

    if (kind->needs_x && report->x == NULL)
        missing = "x";
    else if (kind->needs_y && report->y == NULL)
        missing = "y";
    else if ((report->values == NULL || report->values[0] == NULL) &&
             (report->kind != ADIT_STUDY_SCATTER || report->y == NULL))
        missing = "value";
    if (missing != NULL)
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID, "'%s' needs '%s'", kind->name, missing);
    else if (report->beside != NULL && !kind->has_published)
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "'%s' shows no published figures; a table, curves or a scatter does",
                    kind->name);
    else
        return TRUE;
    return FALSE;
}

static gboolean
write_one(const AditReportWriter *self, const AditStudyReport *report, GError **error)
{
    if (check_keys(report, error) && kinds[report->kind].write(self, report, error))
        return TRUE;
    g_prefix_error(error, "report '%s': ", report->name);
    return FALSE;
}

/* ---- index.md ---- */

char *
adit_report_describe_state(const AditResults *results)
{
    static const char *const names[] = {"done", "failed", "stopped", "pending", "diverged"};
    guint total = adit_frame_count_rows(results->frame);
    GString *text = g_string_new(NULL);
    gboolean first = TRUE;

    g_string_append_printf(text, "%u point%s:", total, total == 1 ? "" : "s");
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        guint count = adit_results_count(results, (AditPointStatus) i);

        if (count > 0)
            g_string_append_printf(text, "%s %u %s", first ? "" : ",", count, names[i]);
        first = first && count == 0;
    }
    g_string_append(text, first ? " none" : "");
    return g_string_free(text, FALSE);
}

/* Points of @status under @heading, by their axes, with the reason if it is known. */
static void
append_points(GString *index, const AditResults *results, AditPointStatus status,
              const char *heading)
{
    gboolean first = TRUE;

    for (guint row = 0; row < adit_frame_count_rows(results->frame); row++) {
        const char *reason =
            results->has_reason ? adit_frame_get_text(results->frame, row, results->reason) : "";

        if (results->statuses[row] != status)
            continue;
        if (first)
            g_string_append_printf(index, "\n## %s\n\n", heading);
        g_string_append(index, "- ");
        first = FALSE;
        for (guint axis = 0; axis < results->n_axes; axis++) {
            g_string_append(index, axis > 0 ? ", " : "");
            adit_markdown_append(index, adit_frame_get_column(results->frame, axis));
            g_string_append_c(index, ' ');
            adit_markdown_append(index, adit_frame_get_text(results->frame, row, axis));
        }
        g_string_append(index, ": ");
        adit_markdown_append(index, adit_frame_get_text(results->frame, row, results->run));
        g_string_append(index, *reason != '\0' ? ": " : "");
        adit_markdown_append(index, reason);
        g_string_append_c(index, '\n');
    }
}

static void
append_link(GString *index, const char *name, const char *ending, const char *label)
{
    g_autofree char *file = g_strconcat(name, ending, NULL);
    g_autofree char *uri = g_uri_escape_string(file, NULL, FALSE);

    g_string_append_printf(index, " [%s](%s)", label, uri);
}

/* Links to what @report made, or why it made nothing. */
static void
append_report(GString *index, const AditReportWriter *self, const AditStudyReport *report,
              const GError *failure)
{
    const Kind *kind = &kinds[report->kind];

    g_string_append(index, "\n## ");
    adit_markdown_append(index, report->name);
    g_string_append(index, "\n\n");
    if (failure != NULL) {
        g_string_append(index, "Not made: ");
        adit_markdown_append(index, failure->message);
        g_string_append_c(index, '\n');
        return;
    }
    if (kind->has_picture && self->gnuplot != NULL) {
        g_autofree char *file = g_strconcat(report->name, ".svg", NULL);
        g_autofree char *uri = g_uri_escape_string(file, NULL, FALSE);

        g_string_append_printf(index, "![](%s)\n\n", uri);
    }
    g_string_append(index, "Files:");
    if (kind->has_text)
        append_link(index, report->name, ".md", "table");
    if (kind->has_picture && self->gnuplot != NULL) {
        append_link(index, report->name, ".svg", "SVG");
        append_link(index, report->name, ".png", "PNG");
    }
    append_link(index, report->name, ".csv", "CSV");
    if (kind->has_picture)
        append_link(index, report->name, ".gp", "gnuplot");
    g_string_append_c(index, '\n');
}

/* @word as a shell reads it. */
static void
append_word(GString *command, const char *word)
{
    static const char plain[] = G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._/+,:@%=-";
    g_autofree char *quoted = g_shell_quote(word);

    g_string_append(command, word[strspn(word, plain)] == '\0' && *word != '\0' ? word : quoted);
}

char *
adit_report_join_command(JsonArray *words)
{
    g_autoptr(GString) command = g_string_new(NULL);

    for (guint i = 0; words != NULL && i < json_array_get_length(words); i++) {
        JsonNode *node = json_array_get_element(words, i);
        const char *word = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;

        if (word == NULL)
            return NULL;
        g_string_append(command, i > 0 ? " " : "");
        append_word(command, word);
    }
    g_strdelimit(command->str, "\r\n", ' ');
    return command->len > 0 ? g_strdup(command->str) : NULL;
}

/* The title, and the command that makes all this: as study.json says, if there is one. */
static void
append_origin(GString *index, const AditResults *results)
{
    g_autofree char *path = g_build_filename(results->folder, "study.json", NULL);
    g_autoptr(JsonObject) study = adit_json_read(path, NULL);
    g_autofree char *folder = g_canonicalize_filename(results->folder, NULL);
    g_autofree char *name = g_path_get_basename(folder);
    const char *title = study != NULL ? adit_json_get_text(study, "title") : NULL;
    const char *file = study != NULL ? adit_json_get_text(study, "study") : NULL;
    JsonArray *words = study != NULL ? adit_json_get_array(study, "command-line") : NULL;
    g_autofree char *command = adit_report_join_command(words);

    g_string_append(index, "# ");
    adit_markdown_append(index, title != NULL ? title : name);
    g_string_append(index, "\n\n");
    if (command != NULL) {
        g_string_append_printf(index, "    %s\n\n", command);
    } else if (file != NULL) {
        g_string_append(index, "The study ");
        adit_markdown_append(index, file);
        g_string_append(index, ".\n\n");
    }
}

static GString *
begin_index(const AditReportWriter *self)
{
    GString *index = g_string_new(NULL);
    g_autofree char *state = adit_report_describe_state(self->results);

    append_origin(index, self->results);
    g_string_append_printf(index, "%s.\n", state);
    if (self->gnuplot == NULL)
        g_string_append(index, "\nThere was no gnuplot: the pictures are left out.\n");
    return index;
}

gboolean
adit_report_writer_init(AditReportWriter *self, const char *folder, GError **error)
{
    const char *plots = g_getenv("ADIT_PLOTS_DIR");

    self->folder = g_build_filename(folder, "report", NULL);
    self->plots = plots != NULL ? g_strdup(plots)
                                : adit_installation_find_plots(adit_installation_get_folder());
    self->gnuplot = g_find_program_in_path("gnuplot");
    return adit_folder_create(self->folder, error);
}

void
adit_report_writer_clear(AditReportWriter *self)
{
    g_free(self->folder);
    g_free(self->plots);
    g_free(self->gnuplot);
}

static gboolean
begins_with(const char *name, const char *kind)
{
    return g_str_has_prefix(name, kind) && name[strlen(kind)] == '-';
}

/* Whether a report makes files called @name: "table-best.test.mse.md". */
static gboolean
is_made(const char *name)
{
    static const char *const endings[] = {".md", ".csv", ".gp", ".svg", ".png"};
    const char *ending = strrchr(name, '.');
    gboolean ends = FALSE;

    if (g_str_equal(name, "index.md"))
        return TRUE;
    for (guint i = 0; ending != NULL && i < G_N_ELEMENTS(endings); i++)
        ends = ends || g_str_equal(ending, endings[i]);
    for (guint i = 0; ends && i < G_N_ELEMENTS(kinds); i++) {
        if (begins_with(name, kinds[i].name))
            return TRUE;
    }
    return ends && begins_with(name, "bars"); /* of a run alone */
}

gboolean
adit_report_clear_made(const char *folder, GError **error)
{
    g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
    const char *name;

    while (entries != NULL && (name = g_dir_read_name(entries)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);

        if (!is_made(name) || g_unlink(path) == 0)
            continue;
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_OUTPUT, "cannot remove %s: %s", path,
                    g_strerror(errno));
        return FALSE;
    }
    return TRUE;
}

/* "Curves: test.mse over epoch": what stands above an element in a page */
static char *
make_title(const AditStudyReport *report)
{
    const char *kind = kinds[report->kind].title;
    gboolean has_values = report->values != NULL && report->values[0] != NULL;
    g_autofree char *values =
        has_values ? adit_report_join((const char *const *) report->values) : g_strdup("");

    if (report->kind == ADIT_STUDY_SCATTER)
        return g_strdup_printf("%s: %s against %s", kind, report->y != NULL ? report->y : values,
                               report->x);
    if (report->kind == ADIT_STUDY_CURVES)
        return g_strdup_printf("%s: %s over %s", kind, values, report->x);
    return g_strdup_printf("%s: %s", kind, values);
}

/* Writes all; the first failure stays in @first. */
static void
write_all(const AditReportWriter *self, const GPtrArray *reports, GString *index, GError **first)
{
    gboolean has_pictures = FALSE;

    for (guint i = 0; i < reports->len; i++) {
        const AditStudyReport *report = g_ptr_array_index(reports, i);
        g_autofree char *title = make_title(report);
        g_autoptr(GError) failure = NULL;

        has_pictures |= kinds[report->kind].has_picture;
        adit_page_begin_section(self->page, title);
        write_one(self, report, &failure);
        append_report(index, self, report, failure);
        adit_study_page_end_element(self->page, report, failure);
        if (failure != NULL && *first == NULL)
            *first = g_steal_pointer(&failure);
    }
    if (has_pictures && self->gnuplot == NULL)
        g_message("no gnuplot: the pictures are left out");
}

/* All of a study. @is_page: the page is wanted even if there is no element for it */
static gboolean
write_study(const char *folder, const GPtrArray *reports, gboolean is_page, GError **error)
{
    g_autoptr(AditResults) results = adit_results_read(folder, error);
    g_autoptr(AditPage) page = NULL;
    g_auto(AditReportWriter) writer = {.results = results};
    g_autoptr(GString) index = NULL;
    g_autofree char *made = g_build_filename(folder, "report", NULL);
    g_autoptr(GError) first = NULL;

    if (results == NULL || !adit_report_clear_made(made, error))
        return FALSE;
    if (reports->len == 0 && !is_page)
        return TRUE;
    if (!adit_report_writer_init(&writer, folder, error))
        return FALSE;
    page = writer.page = adit_study_page_begin(&writer);
    index = begin_index(&writer);
    write_all(&writer, reports, index, &first);
    append_points(index, results, ADIT_POINT_FAILED, "Failed");
    append_points(index, results, ADIT_POINT_DIVERGED, "Diverged");
    if (!adit_report_write_file(&writer, "index", ".md", index, error) ||
        !adit_study_page_end(page, &writer, reports, error))
        return FALSE;
    if (first == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&first));
    return FALSE;
}

gboolean
adit_report_write(const char *folder, const GPtrArray *reports, GError **error)
{
    return write_study(folder, reports, FALSE, error);
}

static gboolean
has_file(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* (nullable): study.json, or that of any shard: all shards are of one study */
static char *
find_study(const char *folder)
{
    g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
    g_autofree char *found = has_file(folder, "study.json") ? g_strdup("study.json") : NULL;
    const char *name;

    while (found == NULL && entries != NULL && (name = g_dir_read_name(entries)) != NULL) {
        if (g_str_has_prefix(name, "study.") && g_str_has_suffix(name, ".json"))
            found = g_strdup(name);
    }
    return found != NULL ? g_build_filename(folder, found, NULL) : NULL;
}

/* The report that the study asked for, as study.json has it. */
static gboolean
write_study_again(const char *folder, GError **error)
{
    g_autofree char *path = find_study(folder);
    g_autoptr(JsonObject) study = path != NULL ? adit_json_read(path, error) : NULL;
    g_autoptr(GPtrArray) reports = NULL;

    if (study == NULL && path != NULL)
        return FALSE;
    reports = adit_study_reports_read(path, study, error);
    return reports != NULL && write_study(folder, reports, TRUE, error);
}

gboolean
adit_report_write_page(const char *folder, gboolean png, GError **error)
{
    if (has_file(folder, "run.json"))
        return adit_run_page_write(folder, png, error);
    if (has_file(folder, "sweep.csv"))
        return write_study_again(folder, error);
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_NOT_FOUND,
                "%s: expected the folder of a run or a study, got %s", folder,
                g_file_test(folder, G_FILE_TEST_IS_DIR)   ? "one without run.json and sweep.csv"
                : g_file_test(folder, G_FILE_TEST_EXISTS) ? "a file"
                                                          : "nothing that exists");
    return FALSE;
}
