/* core/report/adit-text.c - SPDX-License-Identifier: MIT */
#include "adit-text.h"

#include "adit-summary.h"

#include <string.h>

/* (transfer full): @text on one line */
static char *
flatten(const char *text)
{
    char *flat = g_strdup(text);

    for (char *c = flat; *c != '\0'; c++) {
        if (g_ascii_iscntrl(*c))
            *c = ' ';
    }
    return flat;
}

void
adit_csv_append(GString *csv, const char *text)
{
    g_autofree char *flat = flatten(text);

    if (strpbrk(flat, ",\"") == NULL) {
        g_string_append_printf(csv, "%s,", flat);
        return;
    }
    g_string_append_c(csv, '"');
    for (const char *c = flat; *c != '\0'; c++)
        g_string_append_printf(csv, *c == '"' ? "\"%c" : "%c", *c);
    g_string_append(csv, "\",");
}

void
adit_csv_end_row(GString *csv)
{
    g_string_truncate(csv, csv->len - 1);
    g_string_append_c(csv, '\n');
}

void
adit_csv_append_number(GString *csv, double value, gboolean is_there)
{
    g_autofree char *text = is_there ? adit_number_to_data(value) : g_strdup("");

    adit_csv_append(csv, text);
}

void
adit_markdown_append(GString *markdown, const char *text)
{
    g_autofree char *flat = flatten(text);

    for (const char *c = flat; *c != '\0'; c++) {
        if (*c == '<')
            g_string_append(markdown, "&lt;");
        else if (strchr("|*`[]\\", *c) != NULL)
            g_string_append_printf(markdown, "\\%c", *c);
        else
            g_string_append_c(markdown, *c);
    }
}

static gsize
measure_column(const GPtrArray *rows, guint column)
{
    gsize width = 3;

    for (guint i = 0; i < rows->len; i++) {
        const char *const *cells = g_ptr_array_index(rows, i);

        width = MAX(width, (gsize) g_utf8_strlen(cells[column], -1));
    }
    return width;
}

static void
append_blanks(GString *markdown, gsize n, char blank)
{
    for (gsize i = 0; i < n; i++)
        g_string_append_c(markdown, blank);
}

static void
append_cells(GString *markdown, const char *const *cells, const gsize *widths)
{
    for (guint i = 0; cells[i] != NULL; i++) {
        gsize blanks = widths[i] - (gsize) g_utf8_strlen(cells[i], -1);

        g_string_append(markdown, "| ");
        append_blanks(markdown, i == 0 ? 0 : blanks, ' ');
        g_string_append(markdown, cells[i]);
        append_blanks(markdown, i == 0 ? blanks + 1 : 1, ' ');
    }
    g_string_append(markdown, "|\n");
}

void
adit_markdown_append_table(GString *markdown, const GPtrArray *rows)
{
    const char *const *header = g_ptr_array_index(rows, 0);
    guint n = g_strv_length((char **) header);
    g_autofree gsize *widths = g_new0(gsize, n + 1);

    for (guint i = 0; i < n; i++)
        widths[i] = measure_column(rows, i);
    append_cells(markdown, header, widths);
    for (guint i = 0; i < n; i++) {
        g_string_append(markdown, i == 0 ? "| :" : "| ");
        append_blanks(markdown, widths[i] - 1, '-');
        g_string_append(markdown, i == 0 ? " " : ": ");
    }
    g_string_append(markdown, "|\n");
    for (guint i = 1; i < rows->len; i++)
        append_cells(markdown, g_ptr_array_index(rows, i), widths);
}
