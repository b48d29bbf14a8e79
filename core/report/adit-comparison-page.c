/* core/report/adit-comparison-page.c - SPDX-License-Identifier: MIT */
#include "adit-comparison-private.h"

#include "adit-html.h"
#include "adit-learning-curves.h"
#include "adit-probe-pictures.h"
#include "adit-report-pages.h"
#include "adit-text.h"

#include <string.h>

typedef struct {
    const AditComparison *comparison;
    AditPage *page;
    AditReportWriter *writer;
} ComparisonPage;

/* ---- tables ---- */

/* Takes @rows: plain texts. Writes NAME.csv beside it. */
static gboolean
add_table(ComparisonPage *self, const char *name, GPtrArray *rows, GError **error)
{
    g_autoptr(GPtrArray) texts = rows;
    g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
    g_autoptr(GString) csv = g_string_new(NULL);
    g_autofree char *path = g_strdup_printf("report/%s.csv", name);
    GString *html = adit_page_get_body(self->page);

    for (guint i = 0; i < texts->len; i++) {
        const char *const *row = g_ptr_array_index(texts, i);
        GStrv escaped = g_new0(char *, g_strv_length((char **) row) + 1);

        for (guint j = 0; row[j] != NULL; j++) {
            escaped[j] = adit_html_escape(row[j]);
            adit_csv_append(csv, row[j]);
        }
        adit_csv_end_row(csv);
        g_ptr_array_add(cells, escaped);
    }
    adit_html_append_table(html, cells);
    g_string_append(html, "<p class=\"files\">");
    adit_html_append_link(html, path, "CSV");
    g_string_append(html, "</p>\n");
    return adit_report_write_file(self->writer, name, ".csv", csv, error);
}

static gboolean
add_tables(ComparisonPage *self, GError **error)
{
    const AditComparison *comparison = self->comparison;
    GString *html = adit_page_get_body(self->page);

    adit_page_begin_section(self->page, "Figures");
    adit_html_append_element(
        html, "p class=\"note\"",
        "Mean ± standard deviation over the runs of a configuration. Best: the "
        "most of an accuracy, the least of everything else.");
    if (!add_table(self, "table-figures", adit_comparison_list_figures(comparison), error))
        return FALSE;
    adit_page_begin_section(self->page, "Differences");
    if (!add_table(self, "table-differences", adit_comparison_list_differences(comparison), error))
        return FALSE;
    adit_page_begin_section(self->page, "Runs");
    return add_table(self, "table-runs", adit_comparison_list_runs(comparison), error);
}

/* ---- curves ---- */

static gboolean
add_curves(ComparisonPage *self, GError **error)
{
    g_autoptr(GError) failure = NULL;
    gboolean good;

    adit_page_begin_section(self->page, "Learning curves");
    adit_page_begin_figures(self->page);
    good =
        adit_learning_curves_write(self->writer, self->comparison->runs, "configuration", &failure);
    adit_page_end_figures(self->page);
    return good || adit_page_add_failure(self->page, g_steal_pointer(&failure), error);
}

/* ---- probes ---- */

static AditFrame *
read_probe(const AditRunRecord *run, const char *file)
{
    g_autofree char *path = g_build_filename(run->folder, "probes", file, NULL);

    return adit_frame_read(path, NULL);
}

/* Adds what the table of one run has under the columns of @all, of which the first two are the
 * configuration and the run. */
static void
add_rows(AditFrame *all, const AditFrame *table, const char *configuration, const char *run)
{
    guint n = adit_frame_count_columns(all);

    for (guint row = 0; row < adit_frame_count_rows(table); row++) {
        g_autoptr(GPtrArray) cells = g_ptr_array_new();

        g_ptr_array_add(cells, (gpointer) configuration);
        g_ptr_array_add(cells, (gpointer) run);
        for (guint i = 2; i < n; i++) {
            guint column = 0;
            gboolean has = adit_frame_has(table, adit_frame_get_column(all, i), &column);

            g_ptr_array_add(cells, (gpointer) (has ? adit_frame_get_text(table, row, column) : ""));
        }
        adit_frame_add(all, (const char *const *) cells->pdata);
    }
}

/* (nullable): the tables @file of all runs as one: configuration, run, then their columns; NULL:
 * there are not two */
static AditFrame *
join_probe(const AditComparison *comparison, const char *file)
{
    AditFrame *all = NULL;
    guint n = 0;

    for (guint i = 0; i < comparison->runs->len; i++) {
        const AditRunRecord *run = g_ptr_array_index(comparison->runs, i);
        g_autoptr(AditFrame) table = read_probe(run, file);
        g_autoptr(GPtrArray) names = g_ptr_array_new();

        if (table == NULL)
            continue;
        g_ptr_array_add(names, (gpointer) "configuration");
        g_ptr_array_add(names, (gpointer) "run");
        for (guint column = 0; column < adit_frame_count_columns(table); column++)
            g_ptr_array_add(names, (gpointer) adit_frame_get_column(table, column));
        g_ptr_array_add(names, NULL);
        if (all == NULL)
            all = adit_frame_new(file, (const char *const *) names->pdata);
        add_rows(all, table, g_ptr_array_index(comparison->labels, comparison->of_run[i]),
                 run->folder);
        n++;
    }
    if (n < 2)
        g_clear_pointer(&all, adit_frame_free);
    return all;
}

static gboolean
add_probe(ComparisonPage *self, const char *name, GError **error)
{
    g_autofree char *file = g_strconcat(name, ".csv", NULL);
    g_autofree char *title = g_strdup_printf("Probe %s", name);
    g_autoptr(AditFrame) all = join_probe(self->comparison, file);
    g_autoptr(GError) failure = NULL;
    gboolean good;

    if (all == NULL)
        return TRUE;
    adit_page_begin_section(self->page, title);
    adit_page_begin_figures(self->page);
    good = adit_probe_pictures_write(self->writer, name, all, &failure);
    adit_page_end_figures(self->page);
    return good || adit_page_add_failure(self->page, g_steal_pointer(&failure), error);
}

static gboolean
add_probes(ComparisonPage *self, GError **error)
{
    g_autoptr(GPtrArray) known = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < self->comparison->runs->len; i++) {
        const AditRunRecord *run = g_ptr_array_index(self->comparison->runs, i);
        g_autoptr(GPtrArray) names = adit_run_record_list_probes(run);

        for (guint j = 0; j < names->len; j++) {
            const char *name = g_ptr_array_index(names, j);

            if (g_ptr_array_find_with_equal_func(known, name, g_str_equal, NULL))
                continue;
            g_ptr_array_add(known, g_strdup(name));
            if (!add_probe(self, name, error))
                return FALSE;
        }
    }
    return TRUE;
}

/* ---- all ---- */

static void
add_head(ComparisonPage *self)
{
    const AditComparison *comparison = self->comparison;
    g_autofree char *facts =
        g_strdup_printf("%u runs, %u configuration%s", comparison->runs->len,
                        comparison->first->len, comparison->first->len == 1 ? "" : "s");
    const char *const list[] = {facts, NULL};
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < comparison->runs->len; i++) {
        const AditRunRecord *run = g_ptr_array_index(comparison->runs, i);

        for (guint j = 0; j < run->warnings->len; j++)
            g_ptr_array_add(warnings,
                            g_strdup_printf("%s: %s", run->name,
                                            (const char *) g_ptr_array_index(run->warnings, j)));
    }
    if (self->writer->gnuplot == NULL) {
        g_ptr_array_add(warnings, g_strdup("There was no gnuplot: the pictures are left out."));
        g_message("no gnuplot: the pictures are left out");
    }
    adit_page_add_title(self->page, "Comparison of runs", NULL, list);
    adit_page_add_warnings(self->page, warnings);
}

/* Whether there is a run or a study, which have reports of their own. */
static gboolean
check_folder(const char *folder, GError **error)
{
    static const char *const owners[] = {"run.json", "sweep.csv"};

    for (guint i = 0; i < G_N_ELEMENTS(owners); i++) {
        g_autofree char *path = g_build_filename(folder, owners[i], NULL);

        if (!g_file_test(path, G_FILE_TEST_EXISTS))
            continue;
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "%s: expected a folder for the comparison, got that of a %s, whose report.html "
                    "it would replace",
                    folder, i == 0 ? "run" : "study");
        return FALSE;
    }
    return TRUE;
}

gboolean
adit_comparison_write(const AditComparison *self, const char *folder, gboolean png, GError **error)
{
    g_autoptr(AditPage) page = adit_page_new("Comparison of runs");
    g_auto(AditReportWriter) writer = {.results = self->results,
                                       .formats = png ? "svg png" : "svg",
                                       .is_narrow = TRUE,
                                       .page = page};
    g_autofree char *made = g_build_filename(folder, "report", NULL);
    g_autofree char *path = g_build_filename(folder, "report.html", NULL);
    ComparisonPage shown = {.comparison = self, .page = page, .writer = &writer};

    if (!check_folder(folder, error) || !adit_report_clear_made(made, error) ||
        !adit_report_writer_init(&writer, folder, error))
        return FALSE;
    add_head(&shown);
    return add_tables(&shown, error) && add_curves(&shown, error) && add_probes(&shown, error) &&
           adit_page_write(page, &writer, path, error);
}
