/* core/report/adit-report-heat-map.c - SPDX-License-Identifier: MIT */
#include "adit-report-private.h"

#include "adit-picture.h"
#include "adit-text.h"

/* A grid of cells for each page and value: x across, y upwards, both in the order of the study and
 * evenly spaced, whatever their values. */
typedef struct {
    const AditResults *results;
    const AditStudyReport *report;
    AditLevels *pages;
    AditLevels *x;
    AditLevels *y;
    GString *data;
    guint most;       /* points behind a cell */
    GPtrArray *means; /* (element-type GArray): double: of all cells, for each value */
} HeatMap;

static void
heat_map_clear(HeatMap *self)
{
    g_clear_pointer(&self->pages, adit_levels_free);
    g_clear_pointer(&self->x, adit_levels_free);
    g_clear_pointer(&self->y, adit_levels_free);
    g_string_free(self->data, TRUE);
    g_ptr_array_unref(self->means);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HeatMap, heat_map_clear)

static gboolean
find_levels(HeatMap *self, GError **error)
{
    self->pages = adit_levels_new(self->results, (const char *const *) self->report->pages, error);
    self->x =
        self->pages != NULL ? adit_levels_new_single(self->results, self->report->x, error) : NULL;
    self->y =
        self->x != NULL ? adit_levels_new_single(self->results, self->report->y, error) : NULL;
    if (self->y == NULL)
        return FALSE;

    const AditLevels *shown[] = {self->pages, self->x, self->y};

    return adit_results_check_shown(self->results, shown, G_N_ELEMENTS(shown),
                                    (const char *const *) self->report->over, error);
}

static void
append_header(HeatMap *self)
{
    static const char *const numbers[] = {"x", "y", "mean", "n", "failed"};

    for (guint i = 0; self->pages->names[i] != NULL; i++)
        adit_csv_append(self->data, self->pages->names[i]);
    adit_csv_append(self->data, "value");
    adit_csv_append(self->data, self->report->x);
    adit_csv_append(self->data, self->report->y);
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++)
        adit_csv_append(self->data, numbers[i]);
    adit_csv_end_row(self->data);
}

static void
append_label(HeatMap *self, const AditChoice *choice)
{
    const char *const *values = g_ptr_array_index(choice->levels->values, choice->level);

    for (guint i = 0; values[i] != NULL; i++)
        adit_csv_append(self->data, values[i]);
}

static void
append_cell(HeatMap *self, const AditChoice choices[3], guint value, const AditSummary *summary)
{
    append_label(self, &choices[0]);
    adit_csv_append(self->data, self->report->values[value]);
    append_label(self, &choices[1]);
    append_label(self, &choices[2]);
    adit_csv_append_number(self->data, choices[1].level + 1, TRUE);
    adit_csv_append_number(self->data, choices[2].level + 1, TRUE);
    adit_csv_append_number(self->data, summary->mean, summary->n > 0);
    adit_csv_append_number(self->data, summary->n, TRUE);
    adit_csv_append_number(self->data, summary->failed + summary->diverged, TRUE);
    adit_csv_end_row(self->data);
    self->most = MAX(self->most, summary->n);
    g_array_append_val((GArray *) g_ptr_array_index(self->means, value), summary->mean);
}

/* What the points of one page have in column @source, cell by cell, each point looked at once. */
static gboolean
fill_cells(const HeatMap *self, guint page, guint source, GPtrArray *cells, AditSummary *summaries,
           GError **error)
{
    const AditResults *results = self->results;
    guint n_x = adit_levels_count(self->x);

    for (guint row = 0; row < adit_frame_count_rows(results->frame); row++) {
        guint cell = self->y->of_row[row] * n_x + self->x->of_row[row];
        double value = 0;

        if (self->pages->of_row[row] != page)
            continue;
        summaries[cell].failed += results->statuses[row] == ADIT_POINT_FAILED;
        summaries[cell].diverged += results->statuses[row] == ADIT_POINT_DIVERGED;
        if (results->statuses[row] != ADIT_POINT_DONE ||
            adit_frame_is_empty(results->frame, row, source))
            continue;
        if (!adit_frame_get_number(results->frame, row, source, &value, error))
            return FALSE;
        g_array_append_val((GArray *) g_ptr_array_index(cells, cell), value);
    }
    return TRUE;
}

/* The cells of one panel. */
static gboolean
append_panel(HeatMap *self, guint page, guint value, GError **error)
{
    guint n_x = adit_levels_count(self->x);
    guint n_cells = n_x * adit_levels_count(self->y);
    g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func((GDestroyNotify) g_array_unref);
    g_autofree AditSummary *summaries = g_new0(AditSummary, n_cells + 1);
    guint source = 0;

    if (!adit_frame_find(self->results->frame, self->report->values[value], &source, error))
        return FALSE;
    for (guint i = 0; i < n_cells; i++)
        g_ptr_array_add(cells, g_array_new(FALSE, FALSE, sizeof(double)));
    if (!fill_cells(self, page, source, cells, summaries, error))
        return FALSE;
    for (guint i = 0; i < n_cells; i++) {
        const AditChoice choices[] = {{self->pages, page}, {self->x, i % n_x}, {self->y, i / n_x}};
        const GArray *values = g_ptr_array_index(cells, i);
        AditSummary summary;

        adit_summary_init(&summary, (const double *) values->data, values->len);
        summary.failed = summaries[i].failed;
        summary.diverged = summaries[i].diverged;
        append_cell(self, choices, value, &summary);
    }
    return TRUE;
}

static GPtrArray *
list_labels(const AditLevels *levels)
{
    GPtrArray *labels = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < adit_levels_count(levels); i++)
        g_ptr_array_add(labels, adit_levels_get_label(levels, i, FALSE));
    return labels;
}

static gboolean
append_panels(HeatMap *self, GPtrArray *panels, GError **error)
{
    append_header(self);
    for (guint page = 0; page < adit_levels_count(self->pages); page++) {
        for (guint value = 0; self->report->values[value] != NULL; value++) {
            if (panels->len > 0)
                g_string_append(self->data, "\n\n");
            if (!append_panel(self, page, value, error))
                return FALSE;
            g_ptr_array_add(panels,
                            adit_report_get_panel_label(self->report, self->pages, page, value));
        }
    }
    return TRUE;
}

static gboolean
is_same(const GPtrArray *a, const GPtrArray *b)
{
    for (guint i = 0; a->len == b->len && i < a->len; i++) {
        if (!g_str_equal(g_ptr_array_index(a, i), g_ptr_array_index(b, i)))
            return FALSE;
    }
    return a->len == b->len;
}

static void
set_all(const HeatMap *self, AditPicture *picture, GPtrArray *panels)
{
    g_autoptr(GPtrArray) x_ticks = list_labels(self->x);
    g_autoptr(GPtrArray) y_ticks = list_labels(self->y);
    g_autofree char *over = adit_report_describe_over(self->report);
    g_autofree char *note =
        over != NULL && self->most > 1 ? g_strdup_printf("mean over %s", over) : g_strdup("");

    /* all against all: likenesses, which are shares of 1 */
    gboolean is_square = is_same(x_ticks, y_ticks);
    g_autofree char *values = adit_report_join((const char *const *) self->report->values);
    g_autofree char *caption =
        g_strdup_printf("%s by %s and %s", values, self->report->x, self->report->y);

    adit_picture_set_caption(picture, caption);
    if (is_square)
        adit_picture_set_number(picture, "is_square", 1);
    adit_picture_set_text(picture, "x_label", self->report->x);
    adit_picture_set_text(picture, "y_label", self->report->y);
    adit_picture_set_text(picture, "note", note);
    adit_picture_set_number(picture, "x_column", g_strv_length(self->pages->names) + 4);
    adit_picture_set_texts(picture, "panels", panels);
    adit_picture_set_texts(picture, "x_ticks", x_ticks);
    adit_picture_set_texts(picture, "y_ticks", y_ticks);
    adit_picture_set_colours(picture, (const char *const *) self->report->values, self->means,
                             is_square);
}

gboolean
adit_report_write_heat_map(const AditReportWriter *self, const AditStudyReport *report,
                           GError **error)
{
    g_auto(HeatMap) map = {
        .results = self->results,
        .report = report,
        .data = g_string_new(NULL),
        .means = g_ptr_array_new_with_free_func((GDestroyNotify) g_array_unref),
    };
    g_autoptr(AditPicture) picture = adit_picture_new();
    g_autoptr(GPtrArray) panels = g_ptr_array_new_with_free_func(g_free);

    for (guint value = 0; report->values[value] != NULL; value++)
        g_ptr_array_add(map.means, g_array_new(FALSE, FALSE, sizeof(double)));
    if (!find_levels(&map, error) || !append_panels(&map, panels, error))
        return FALSE;
    set_all(&map, picture, panels);
    return adit_picture_write(picture, self, report->name, "heat-map.gp", map.data, error);
}
