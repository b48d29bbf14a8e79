/* core/report/adit-report-counts.c - SPDX-License-Identifier: MIT */
#include "adit-report-private.h"

#include "adit-document.h"
#include "adit-json.h"
#include "adit-picture.h"
#include "adit-run.h"
#include "adit-text.h"

#include <math.h>
#include <string.h>

/* How many points each value of `by` has, how many of them were trained, and how many of these are
 * better than chance: a point counts if its value is above the share of the commonest class of its
 * split (which is what a network without an idea gets) by more than `above-chance`. */
typedef struct {
    guint points;
    guint done;
    guint failed; /* or diverged */
    guint above;
} Count;

typedef struct {
    const AditReportWriter *writer;
    const AditStudyReport *report;
    AditLevels *pages;
    AditLevels *by;
    Count *counts; /* by value, page, by */
} Counts;

static void
counts_clear(Counts *self)
{
    g_clear_pointer(&self->pages, adit_levels_free);
    g_clear_pointer(&self->by, adit_levels_free);
    g_free(self->counts);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Counts, counts_clear)

static gboolean
counts_has_chance(const Counts *self)
{
    return !isnan(self->report->above_chance);
}

static Count *
counts_get(const Counts *self, guint value, guint page, guint by)
{
    gsize panel = (gsize) value * adit_levels_count(self->pages) + page;

    return &self->counts[panel * adit_levels_count(self->by) + by];
}

/* The split that a value is of: "best.train.accuracy" */
static const char *
find_split(const char *value)
{
    static const char *const splits[] = {"train", "validation", "test"};
    g_auto(GStrv) parts = g_strsplit(value, ".", -1);

    for (guint i = 0; i < G_N_ELEMENTS(splits); i++) {
        if (g_strv_contains((const char *const *) parts, splits[i]))
            return splits[i];
    }
    return "train";
}

/* What run.json says of the first data set: "commonest-class": {"train": 0.5176, ...} */
static gboolean
read_chance(const AditResults *results, guint row, const char *value, double *chance,
            GError **error)
{
    const char *split = find_split(value);
    g_autofree char *run = adit_results_get_run(results, row, error);
    g_autoptr(JsonObject) members = run != NULL ? adit_run_read(run, NULL, error) : NULL;
    JsonArray *sets = members != NULL ? adit_json_get_array(members, "data") : NULL;
    JsonNode *first =
        sets != NULL && json_array_get_length(sets) > 0 ? json_array_get_element(sets, 0) : NULL;
    JsonObject *set =
        first != NULL && JSON_NODE_HOLDS_OBJECT(first) ? json_node_get_object(first) : NULL;
    JsonObject *shares = set != NULL ? adit_json_get_object(set, "commonest-class") : NULL;

    if (members == NULL)
        return FALSE;
    if (shares != NULL && adit_json_get_double(shares, split, chance))
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "%s/run.json: no 'commonest-class' of the %s split: 'above-chance' counts runs "
                "that tell classes apart",
                run, split);
    return FALSE;
}

static gboolean
count_point(Counts *self, guint value, guint row, guint column, GError **error)
{
    const AditResults *results = self->writer->results;
    Count *count = counts_get(self, value, self->pages->of_row[row], self->by->of_row[row]);
    double chance = 0, got = 0;

    count->points++;
    count->failed += results->statuses[row] == ADIT_POINT_FAILED ||
                     results->statuses[row] == ADIT_POINT_DIVERGED;
    if (results->statuses[row] != ADIT_POINT_DONE)
        return TRUE;
    count->done++;
    if (!adit_frame_get_number(results->frame, row, column, &got, error))
        return FALSE;
    if (!counts_has_chance(self))
        return TRUE;
    if (!read_chance(results, row, self->report->values[value], &chance, error))
        return FALSE;
    count->above += got > chance + self->report->above_chance;
    return TRUE;
}

static gboolean
counts_fill(Counts *self, GError **error)
{
    const AditResults *results = self->writer->results;
    const AditStudyReport *report = self->report;

    self->pages = adit_levels_new(results, (const char *const *) report->pages, error);
    self->by = self->pages != NULL ? adit_levels_new_single(results, report->by, error) : NULL;
    if (self->by == NULL)
        return FALSE;
    self->counts =
        g_new0(Count, (gsize) g_strv_length(report->values) * adit_levels_count(self->pages) *
                              adit_levels_count(self->by) +
                          1);
    for (guint value = 0; report->values[value] != NULL; value++) {
        guint column = 0;

        if (!adit_frame_find(results->frame, report->values[value], &column, error))
            return FALSE;
        for (guint row = 0; row < adit_frame_count_rows(results->frame); row++) {
            if (!count_point(self, value, row, column, error))
                return FALSE;
        }
    }
    return TRUE;
}

/* ---- as text ---- */

/* "15 (28 %)" */
static char *
format_share(guint part, guint whole)
{
    if (whole == 0)
        return g_strdup("0");
    return g_strdup_printf("%u (%.0f %%)", part, 100.0 * part / whole);
}

static void
write_panel(const Counts *self, AditDocument *text, guint value, guint page)
{
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
    const char *const by = self->report->by != NULL ? self->report->by : "";
    const char *const header[] = {
        by, "points", "done", "failed", counts_has_chance(self) ? "above chance" : NULL, NULL};

    g_ptr_array_add(rows, g_strdupv((char **) header));
    for (guint i = 0; i < adit_levels_count(self->by); i++) {
        const Count *count = counts_get(self, value, page, i);
        g_autofree char *label = adit_levels_get_label(self->by, i, FALSE);
        g_autofree char *points = g_strdup_printf("%u", count->points);
        g_autofree char *done = g_strdup_printf("%u", count->done);
        g_autofree char *failed = g_strdup_printf("%u", count->failed);
        g_autofree char *above = format_share(count->above, count->points);
        const char *const cells[] = {
            label, points, done, failed, counts_has_chance(self) ? above : NULL, NULL};

        g_ptr_array_add(rows, g_strdupv((char **) cells));
    }
    adit_document_add_table(text, rows);
}

static void
write_text(const Counts *self, AditDocument *text)
{
    g_autofree char *values = adit_report_join((const char *const *) self->report->values);
    g_autofree char *title =
        g_strdup_printf("Points by %s", self->report->by != NULL ? self->report->by : values);

    adit_document_add_heading(text, 1, title);
    if (counts_has_chance(self)) {
        g_autofree char *above = adit_number_to_data(self->report->above_chance);
        g_autofree char *caption = g_strdup_printf(
            "Above chance: %s is more than %s above the share of the commonest class.", values,
            above);

        adit_document_add_paragraph(text, NULL, caption);
    }
    for (guint value = 0; self->report->values[value] != NULL; value++) {
        for (guint page = 0; page < adit_levels_count(self->pages); page++) {
            g_autofree char *label =
                adit_report_get_panel_label(self->report, self->pages, page, value);

            if (*label != '\0')
                adit_document_add_heading(text, 2, label);
            write_panel(self, text, value, page);
        }
    }
}

/* ---- as a picture ---- */

static void
append_names(GString *data, const GStrv names)
{
    for (guint i = 0; names[i] != NULL; i++)
        adit_csv_append(data, names[i]);
}

static void
append_header(const Counts *self, GString *data)
{
    static const char *const numbers[] = {"position", "points", "done", "failed", "above-chance"};

    append_names(data, self->pages->names);
    append_names(data, self->by->names);
    adit_csv_append(data, "value");
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++)
        adit_csv_append(data, numbers[i]);
    adit_csv_end_row(data);
}

static void
append_row(const Counts *self, GString *data, guint value, guint page, guint by)
{
    const Count *count = counts_get(self, value, page, by);

    append_names(data, g_ptr_array_index(self->pages->values, page));
    append_names(data, g_ptr_array_index(self->by->values, by));
    adit_csv_append(data, self->report->values[value]);
    adit_csv_append_number(data, by + 1, TRUE);
    adit_csv_append_number(data, count->points, TRUE);
    adit_csv_append_number(data, count->done, TRUE);
    adit_csv_append_number(data, count->failed, TRUE);
    adit_csv_append_number(data, count->above, counts_has_chance(self));
    adit_csv_end_row(data);
}

static void
append_panels(const Counts *self, GString *data, GPtrArray *panels)
{
    guint n_pages = adit_levels_count(self->pages);

    append_header(self, data);
    for (guint i = 0; i < n_pages * g_strv_length(self->report->values); i++) {
        if (i > 0)
            g_string_append(data, "\n\n");
        for (guint by = 0; by < adit_levels_count(self->by); by++)
            append_row(self, data, i / n_pages, i % n_pages, by);
        g_ptr_array_add(panels, adit_report_get_panel_label(self->report, self->pages, i % n_pages,
                                                            i / n_pages));
    }
}

static gboolean
draw(const Counts *self, GError **error)
{
    g_autoptr(AditPicture) picture = adit_picture_new();
    g_autoptr(GPtrArray) panels = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) ticks = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) labels = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) data = g_string_new(NULL);
    guint n_counts = g_strv_length(self->report->values) * adit_levels_count(self->pages) *
                     adit_levels_count(self->by);
    guint most = 1;

    append_panels(self, data, panels);
    g_ptr_array_add(labels, g_strdup("points"));
    g_ptr_array_add(labels, g_strdup(counts_has_chance(self) ? "above chance" : "done"));
    for (guint i = 0; i < adit_levels_count(self->by); i++)
        g_ptr_array_add(ticks, adit_levels_get_label(self->by, i, FALSE));
    for (guint i = 0; i < n_counts; i++)
        most = MAX(most, self->counts[i].points);
    adit_picture_set_text(picture, "x_label", self->report->by != NULL ? self->report->by : "");
    adit_picture_set_text(picture, "y_label", "points");
    adit_picture_set_text(picture, "note", "");
    adit_picture_set_number(picture, "x_column",
                            g_strv_length(self->pages->names) + g_strv_length(self->by->names) + 2);
    adit_picture_set_number(picture, "has_chance", counts_has_chance(self));
    adit_picture_set_number(picture, "most", most);
    adit_picture_set_texts(picture, "panels", panels);
    adit_picture_set_texts(picture, "ticks", ticks);
    adit_picture_set_texts(picture, "labels", labels);
    return adit_picture_write(picture, self->writer, self->report->name, "counts.gp", data, error);
}

gboolean
adit_report_write_counts(const AditReportWriter *self, const AditStudyReport *report,
                         GError **error)
{
    g_auto(Counts) counts = {.writer = self, .report = report};
    g_autoptr(AditDocument) text = adit_document_new();

    if (!counts_fill(&counts, error))
        return FALSE;
    write_text(&counts, text);
    return adit_report_write_document(self, report->name, text, error) && draw(&counts, error);
}
