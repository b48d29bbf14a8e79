/* core/report/adit-study-page.c - SPDX-License-Identifier: MIT */
#include "adit-report-pages.h"

#include "adit-html.h"
#include "adit-json.h"

#include <string.h>

/* ---- the head ---- */

/* (nullable): study.json */
static JsonObject *
read_study(const AditResults *results)
{
    g_autofree char *path = g_build_filename(results->folder, "study.json", NULL);

    return adit_json_read(path, NULL);
}

static char *
get_title(const AditResults *results, JsonObject *study)
{
    g_autofree char *folder = g_canonicalize_filename(results->folder, NULL);
    const char *title = study != NULL ? adit_json_get_text(study, "title") : NULL;

    return title != NULL ? g_strdup(title) : g_path_get_basename(folder);
}

static void
add_warnings(AditPage *page, const AditReportWriter *writer)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    guint failed = adit_results_count(writer->results, ADIT_POINT_FAILED);
    guint diverged = adit_results_count(writer->results, ADIT_POINT_DIVERGED);
    guint open = adit_results_count(writer->results, ADIT_POINT_PENDING) +
                 adit_results_count(writer->results, ADIT_POINT_STOPPED);

    if (failed > 0)
        g_ptr_array_add(
            warnings, g_strdup_printf("%u failed: why stands in the list of runs below.", failed));
    if (diverged > 0)
        g_ptr_array_add(warnings,
                        g_strdup_printf("%u diverged: the loss was no number any more.", diverged));
    if (open > 0)
        g_ptr_array_add(warnings,
                        g_strdup_printf("%u not done yet: means are of what there is.", open));
    if (writer->gnuplot == NULL)
        g_ptr_array_add(warnings, g_strdup("There was no gnuplot: the pictures are left out; the "
                                           "tables have all figures."));
    adit_page_add_warnings(page, warnings);
}

AditPage *
adit_study_page_begin(const AditReportWriter *writer)
{
    const AditResults *results = writer->results;
    g_autoptr(JsonObject) study = read_study(results);
    g_autofree char *title = get_title(results, study);
    g_autofree char *state = adit_report_describe_state(results);
    g_autofree char *command =
        adit_report_join_command(study != NULL ? adit_json_get_array(study, "command-line") : NULL);
    guint n = adit_frame_count_rows(results->frame);
    gboolean is_done = adit_results_count(results, ADIT_POINT_DONE) == n;
    g_autofree char *written =
        adit_page_format_time(study != NULL ? adit_json_get_text(study, "written") : NULL);
    const char *const facts[] = {state, written, NULL};
    AditPage *page = adit_page_new(title);

    adit_page_add_title(page, title, is_done ? "done" : "not all done", facts);
    if (command != NULL)
        adit_html_append_element(adit_page_get_body(page), "pre", command);
    add_warnings(page, writer);
    return page;
}

/* ---- elements ---- */

void
adit_study_page_end_element(AditPage *page, const AditStudyReport *report, const GError *failure)
{
    GString *html = adit_page_get_body(page);

    if (failure != NULL) {
        g_autofree char *text = g_strdup_printf("Not made: %s", failure->message);

        adit_html_append_element(html, "p", text);
    } else if (report->kind == ADIT_STUDY_TABLE) {
        g_autofree char *csv = g_strdup_printf("report/%s.csv", report->name);
        g_autofree char *markdown = g_strdup_printf("report/%s.md", report->name);

        g_string_append(html, "<p class=\"files\">");
        adit_html_append_link(html, csv, "CSV");
        g_string_append_c(html, ' ');
        adit_html_append_link(html, markdown, "Markdown");
        g_string_append(html, "</p>\n");
    }
}

/* ---- the runs ---- */

/* Columns of sweep.csv that the list of runs has: the axes, then what the report is about; without
 * one, what is best of everything. */
static GArray *
choose_columns(const AditResults *results, const GPtrArray *reports)
{
    GArray *columns = g_array_new(FALSE, FALSE, sizeof(guint));

    for (guint column = 0; column < adit_frame_count_columns(results->frame); column++) {
        const char *name = adit_frame_get_column(results->frame, column);
        gboolean is_wanted = column < results->n_axes;

        for (guint i = 0; i < reports->len; i++) {
            const AditStudyReport *report = g_ptr_array_index(reports, i);

            is_wanted = is_wanted || g_strv_contains((const char *const *) report->values, name);
        }
        if (is_wanted || (reports->len == 0 && g_str_has_prefix(name, "best.")) ||
            g_str_equal(name, "epochs"))
            g_array_append_val(columns, column);
    }
    return columns;
}

static char *
format_cell(const AditResults *results, guint row, guint column)
{
    const char *text = adit_frame_get_text(results->frame, row, column);
    double value = 0;
    g_autofree char *number = NULL;

    if (column >= results->n_axes && adit_text_to_number(text, &value))
        number = adit_number_to_text(value);
    return adit_html_escape(number != NULL ? number : text);
}

/* The status, with why it is no other. */
static char *
format_status(const AditResults *results, guint row)
{
    const char *reason =
        results->has_reason ? adit_frame_get_text(results->frame, row, results->reason) : "";
    GString *html = g_string_new(NULL);

    adit_page_append_status(html, adit_frame_get_text(results->frame, row, results->n_axes));
    if (*reason != '\0') {
        g_string_append(html, ": ");
        adit_html_append(html, reason);
    }
    return g_string_free(html, FALSE);
}

/* Its report if there is one, else its folder; and its metrics. */
static char *
format_links(const AditResults *results, guint row)
{
    const char *run = adit_frame_get_text(results->frame, row, results->run);
    g_autofree char *folder = adit_results_get_run(results, row, NULL);
    g_autofree char *page = g_build_filename(folder != NULL ? folder : "", "report.html", NULL);
    g_autofree char *metrics = g_build_filename(folder != NULL ? folder : "", "metrics.csv", NULL);
    g_autofree char *page_link = g_strconcat(run, "/report.html", NULL);
    g_autofree char *metrics_link = g_strconcat(run, "/metrics.csv", NULL);
    GString *html = g_string_new(NULL);

    if (folder == NULL) {
        adit_html_append(html, run);
        return g_string_free(html, FALSE);
    }
    adit_html_append_link(html, g_file_test(page, G_FILE_TEST_EXISTS) ? page_link : run, run);
    if (g_file_test(metrics, G_FILE_TEST_EXISTS)) {
        g_string_append_c(html, ' ');
        adit_html_append_link(html, metrics_link, "metrics");
    }
    return g_string_free(html, FALSE);
}

static GStrv
make_head(const AditResults *results, const GArray *columns)
{
    GPtrArray *cells = g_ptr_array_new();

    for (guint i = 0; i < columns->len; i++)
        g_ptr_array_add(cells, adit_html_escape(adit_frame_get_column(
                                   results->frame, g_array_index(columns, guint, i))));
    g_ptr_array_add(cells, g_strdup("status"));
    g_ptr_array_add(cells, g_strdup("run"));
    g_ptr_array_add(cells, NULL);
    return (GStrv) g_ptr_array_free(cells, FALSE);
}

static void
add_runs(AditPage *page, const AditReportWriter *writer, const GPtrArray *reports)
{
    const AditResults *results = writer->results;
    g_autoptr(GArray) columns = choose_columns(results, reports);
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);

    adit_page_begin_section(page, "Runs");
    g_ptr_array_add(rows, make_head(results, columns));
    for (guint row = 0; row < adit_frame_count_rows(results->frame); row++) {
        GPtrArray *cells = g_ptr_array_new();

        for (guint i = 0; i < columns->len; i++)
            g_ptr_array_add(cells, format_cell(results, row, g_array_index(columns, guint, i)));
        g_ptr_array_add(cells, format_status(results, row));
        g_ptr_array_add(cells, format_links(results, row));
        g_ptr_array_add(cells, NULL);
        g_ptr_array_add(rows, g_ptr_array_free(cells, FALSE));
    }
    adit_html_append_table(adit_page_get_body(page), rows);
}

gboolean
adit_study_page_end(AditPage *page, const AditReportWriter *writer, const GPtrArray *reports,
                    GError **error)
{
    static const char *const files[] = {"sweep.csv", "study.yaml", "study.json", "report/index.md",
                                        NULL};
    g_autofree char *path = g_build_filename(writer->results->folder, "report.html", NULL);

    add_runs(page, writer, reports);
    adit_page_begin_section(page, "Files");
    adit_page_add_files(page, writer->results->folder, files);
    return adit_page_write(page, writer, path, error);
}
