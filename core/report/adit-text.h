/* core/report/adit-text.h - SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Texts of others (values of axes, names of files) as parts of files that programs read. */

/* Appends @text as a field of a row of CSV (RFC 4180), which adit_csv_end_row() ends. Line ends and
 * other control characters become blanks, so that a row is a line. */
void adit_csv_append(GString *csv, const char *text);
/* The same of a number, as adit_number_to_data() writes it; an empty field if there is none. */
void adit_csv_append_number(GString *csv, double value, gboolean is_there);
void adit_csv_end_row(GString *csv);

/* Appends @text such that Markdown shows it as it is. */
void adit_markdown_append(GString *markdown, const char *text);
/* Appends a table, its columns aligned for those who read the file as it is. @rows: (element-type
 * GStrv): the header first, all of the same length, already Markdown. The first column is to the
 * left, the others to the right. */
void adit_markdown_append_table(GString *markdown, const GPtrArray *rows);

G_END_DECLS
