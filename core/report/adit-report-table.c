/* core/report/adit-report-table.c - SPDX-License-Identifier: MIT */
#include "adit-report-private.h"

#include "adit-document.h"
#include "adit-published.h"
#include "adit-text.h"

#include <math.h>

/* A table being made: its cells are chosen by a level of each of three. */
typedef struct {
    const AditReportWriter *writer;
    const AditStudyReport *report;
    AditLevels *pages;
    AditLevels *rows;
    AditLevels *columns;
    AditPublished *published; /* (nullable) */
    guint expected;           /* values of a cell, as most cells have */
    AditSummary *cells;       /* by page, row, column, value */
    AditDocument *text;
    GString *data; /* CSV */
} Table;

static void
table_clear(Table *self)
{
    g_clear_pointer(&self->pages, adit_levels_free);
    g_clear_pointer(&self->rows, adit_levels_free);
    g_clear_pointer(&self->columns, adit_levels_free);
    g_clear_pointer(&self->published, adit_published_free);
    g_free(self->cells);
    adit_document_free(self->text);
    g_string_free(self->data, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Table, table_clear)

/* ---- what is in the cells ---- */

static gboolean
table_find_levels(Table *self, GError **error)
{
    const AditResults *results = self->writer->results;
    const AditStudyReport *report = self->report;

    self->pages = adit_levels_new(results, (const char *const *) report->pages, error);
    self->rows = self->pages != NULL ? adit_levels_new_single(results, report->rows, error) : NULL;
    self->columns =
        self->rows != NULL ? adit_levels_new_single(results, report->columns, error) : NULL;
    if (self->columns == NULL)
        return FALSE;

    const AditLevels *shown[] = {self->pages, self->rows, self->columns};

    if (!adit_results_check_shown(results, shown, G_N_ELEMENTS(shown),
                                  (const char *const *) report->over, error))
        return FALSE;
    if (report->beside == NULL)
        return TRUE;
    self->published =
        adit_published_read(report->beside, results, shown, G_N_ELEMENTS(shown), error);
    return self->published != NULL;
}

/* A place in the table, as a level of each. */
typedef struct {
    guint page;
    guint row;
    guint column;
    guint value;
} Cell;

static gsize
table_count_cells(const Table *self)
{
    return (gsize) adit_levels_count(self->pages) * adit_levels_count(self->rows) *
           adit_levels_count(self->columns) * g_strv_length(self->report->values);
}

static gsize
table_find_index(const Table *self, Cell cell)
{
    gsize index = (gsize) cell.page * adit_levels_count(self->rows) + cell.row;

    index = index * adit_levels_count(self->columns) + cell.column;
    return index * g_strv_length(self->report->values) + cell.value;
}

static Cell
table_locate(const Table *self, gsize index)
{
    guint n_values = g_strv_length(self->report->values);
    guint n_columns = adit_levels_count(self->columns);
    guint n_rows = adit_levels_count(self->rows);
    gsize line = index / n_values;

    return (Cell){.page = (guint) (line / n_columns / n_rows),
                  .row = (guint) (line / n_columns % n_rows),
                  .column = (guint) (line % n_columns),
                  .value = (guint) (index % n_values)};
}

static void
table_choose(const Table *self, Cell cell, AditChoice choices[3])
{
    choices[0] = (AditChoice){self->pages, cell.page};
    choices[1] = (AditChoice){self->rows, cell.row};
    choices[2] = (AditChoice){self->columns, cell.column};
}

/* The number of values that most cells have; of several the largest. */
static void
table_find_expected(Table *self)
{
    gsize n_cells = table_count_cells(self);
    guint most = 0;

    for (gsize i = 0; i < n_cells; i++) {
        guint count = 0;

        for (gsize j = 0; j < n_cells; j++)
            count += self->cells[j].n == self->cells[i].n;
        if (self->cells[i].n > 0 &&
            (count > most || (count == most && self->cells[i].n > self->expected))) {
            most = count;
            self->expected = self->cells[i].n;
        }
    }
}

static gboolean
table_fill(Table *self, GError **error)
{
    const AditResults *results = self->writer->results;
    gsize n_cells = table_count_cells(self);

    self->cells = g_new0(AditSummary, n_cells + 1);
    for (gsize i = 0; i < n_cells; i++) {
        Cell cell = table_locate(self, i);
        AditChoice choices[3];
        guint source = 0;

        table_choose(self, cell, choices);
        if (!adit_frame_find(results->frame, self->report->values[cell.value], &source, error) ||
            !adit_results_summarize(results, choices, 3, source, &self->cells[i], error))
            return FALSE;
    }
    table_find_expected(self);
    return TRUE;
}

/* (nullable) */
static const char *
table_find_published(const Table *self, Cell cell)
{
    AditChoice choices[3];

    if (self->published == NULL)
        return NULL;
    table_choose(self, cell, choices);
    return adit_published_find(self->published, choices, 3, self->report->values[cell.value]);
}

/* ---- as text ---- */

static gboolean
table_is_published(const Table *self, guint value)
{
    return self->published != NULL &&
           adit_published_has(self->published, self->report->values[value]);
}

static void
table_add_summary(const Table *self, GPtrArray *cells, Cell cell)
{
    const AditSummary *summary = &self->cells[table_find_index(self, cell)];

    g_ptr_array_add(cells, adit_summary_to_text(summary, self->expected));
}

static void
table_add_published(const Table *self, GPtrArray *cells, Cell cell)
{
    const char *figure = table_find_published(self, cell);

    g_ptr_array_add(cells, g_strdup(figure != NULL ? figure : "-"));
}

/* Ends a row and makes it one of @rows. */
static void
finish_row(GPtrArray *rows, GPtrArray *cells)
{
    g_ptr_array_add(cells, NULL);
    g_ptr_array_add(rows, g_ptr_array_free(cells, FALSE));
}

static char *
table_get_row_label(const Table *self, guint row)
{
    return self->report->rows != NULL ? adit_levels_get_label(self->rows, row, FALSE)
                                      : g_strdup("");
}

/* "arch / depth": what goes down and what goes across */
static char *
table_get_corner(const Table *self)
{
    if (self->report->rows == NULL)
        return g_strdup(self->report->columns != NULL ? self->report->columns : "");
    if (self->report->columns == NULL)
        return g_strdup(self->report->rows);
    return g_strdup_printf("%s / %s", self->report->rows, self->report->columns);
}

/* Values side by side, published figures in the next column. */
static void
table_write_flat(Table *self, guint page)
{
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
    GPtrArray *header = g_ptr_array_new();

    g_ptr_array_add(header, table_get_corner(self));
    for (guint value = 0; self->report->values[value] != NULL; value++) {
        g_ptr_array_add(header, g_strdup(self->report->values[value]));
        if (table_is_published(self, value))
            g_ptr_array_add(header, adit_document_emphasize("published"));
    }
    finish_row(rows, header);
    for (guint row = 0; row < adit_levels_count(self->rows); row++) {
        GPtrArray *cells = g_ptr_array_new();

        g_ptr_array_add(cells, table_get_row_label(self, row));
        for (guint value = 0; self->report->values[value] != NULL; value++) {
            Cell cell = {.page = page, .row = row, .value = value};

            table_add_summary(self, cells, cell);
            if (table_is_published(self, value))
                table_add_published(self, cells, cell);
        }
        finish_row(rows, cells);
    }
    adit_document_add_table(self->text, rows);
}

/* The cells of @row for one value, across. @add: what is written for each */
static void
table_write_row(const Table *self, GPtrArray *rows, char *label, Cell cell,
                void (*add)(const Table *, GPtrArray *, Cell))
{
    GPtrArray *cells = g_ptr_array_new();

    g_ptr_array_add(cells, label);
    for (cell.column = 0; cell.column < adit_levels_count(self->columns); cell.column++)
        add(self, cells, cell);
    finish_row(rows, cells);
}

static gboolean
table_has_published_row(const Table *self, Cell cell)
{
    for (cell.column = 0; cell.column < adit_levels_count(self->columns); cell.column++) {
        if (table_find_published(self, cell) != NULL)
            return TRUE;
    }
    return FALSE;
}

/* One value, a column for each level of `columns`, published figures in the next row. */
static void
table_write_block(Table *self, guint page, guint value)
{
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
    GPtrArray *header = g_ptr_array_new();

    g_ptr_array_add(header, table_get_corner(self));
    for (guint column = 0; column < adit_levels_count(self->columns); column++)
        g_ptr_array_add(header, adit_levels_get_label(self->columns, column, FALSE));
    finish_row(rows, header);
    for (guint row = 0; row < adit_levels_count(self->rows); row++) {
        Cell cell = {.page = page, .row = row, .value = value};

        table_write_row(self, rows, table_get_row_label(self, row), cell, table_add_summary);
        if (table_has_published_row(self, cell))
            table_write_row(self, rows, adit_document_emphasize("published"), cell,
                            table_add_published);
    }
    adit_document_add_table(self->text, rows);
}

static void
table_write_page(Table *self, guint page)
{
    guint level = g_strv_length(self->report->pages) > 0 ? 3 : 2;

    if (g_strv_length(self->report->pages) > 0) {
        g_autofree char *label = adit_levels_get_label(self->pages, page, TRUE);

        adit_document_add_heading(self->text, 2, label);
    }
    if (self->report->columns == NULL) {
        table_write_flat(self, page);
        return;
    }
    for (guint value = 0; self->report->values[value] != NULL; value++) {
        adit_document_add_heading(self->text, level, self->report->values[value]);
        table_write_block(self, page, value);
    }
}

/* "Mean ± standard deviation over seed, n = 3. Published figures from table2.csv." */
static void
table_write_caption(Table *self)
{
    g_autofree char *over = adit_report_describe_over(self->report);

    if (over != NULL && self->expected > 1) {
        g_autofree char *text =
            g_strdup_printf("Mean ± standard deviation over %s, n = %u.", over, self->expected);

        adit_document_add_paragraph(self->text, NULL, text);
    }
    if (self->published != NULL) {
        g_autofree char *text =
            g_strdup_printf("the figures of %s.", adit_published_get_name(self->published));

        adit_document_add_paragraph(self->text, "published", text);
    }
}

static void
table_write_text(Table *self)
{
    g_autofree char *values = adit_report_join((const char *const *) self->report->values);

    adit_document_add_heading(self->text, 1, values);
    table_write_caption(self);
    for (guint page = 0; page < adit_levels_count(self->pages); page++)
        table_write_page(self, page);
}

/* ---- as data: one line for each cell ---- */

static void
append_names(GString *data, const AditLevels *levels)
{
    for (guint i = 0; levels->names[i] != NULL; i++)
        adit_csv_append(data, levels->names[i]);
}

static void
append_values(GString *data, const AditChoice *choice)
{
    const char *const *values = g_ptr_array_index(choice->levels->values, choice->level);

    for (guint i = 0; values[i] != NULL; i++)
        adit_csv_append(data, values[i]);
}

static void
table_write_line(Table *self, gsize index)
{
    const AditSummary *summary = &self->cells[index];
    Cell cell = table_locate(self, index);
    AditChoice choices[3];
    const char *figure = table_find_published(self, cell);

    table_choose(self, cell, choices);
    for (guint i = 0; i < G_N_ELEMENTS(choices); i++)
        append_values(self->data, &choices[i]);
    adit_csv_append(self->data, self->report->values[cell.value]);
    adit_csv_append_number(self->data, summary->n, TRUE);
    adit_csv_append_number(self->data, summary->failed, TRUE);
    adit_csv_append_number(self->data, summary->diverged, TRUE);
    adit_csv_append_number(self->data, summary->mean, summary->n > 0);
    adit_csv_append_number(self->data, summary->deviation, summary->n > 1);
    adit_csv_append_number(self->data, summary->low, summary->n > 0);
    adit_csv_append_number(self->data, summary->high, summary->n > 0);
    if (self->published != NULL)
        adit_csv_append(self->data, figure != NULL ? figure : "");
    adit_csv_end_row(self->data);
}

static void
table_write_data(Table *self)
{
    static const char *const numbers[] = {"value", "n",         "failed", "diverged",
                                          "mean",  "deviation", "low",    "high"};

    append_names(self->data, self->pages);
    append_names(self->data, self->rows);
    append_names(self->data, self->columns);
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++)
        adit_csv_append(self->data, numbers[i]);
    if (self->published != NULL)
        adit_csv_append(self->data, "published");
    adit_csv_end_row(self->data);
    for (gsize i = 0; i < table_count_cells(self); i++)
        table_write_line(self, i);
}

gboolean
adit_report_write_table(const AditReportWriter *self, const AditStudyReport *report, GError **error)
{
    g_auto(Table) table = {.writer = self, .report = report};

    table.text = adit_document_new();
    table.data = g_string_new(NULL);
    if (!table_find_levels(&table, error) || !table_fill(&table, error))
        return FALSE;
    table_write_text(&table);
    table_write_data(&table);
    return adit_report_write_document(self, report->name, table.text, error) &&
           adit_report_write_file(self, report->name, ".csv", table.data, error);
}
