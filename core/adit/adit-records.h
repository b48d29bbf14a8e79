/* core/adit/adit-records.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-dataset.h>

G_BEGIN_DECLS

/**
 * AditRecords: delimited text with a header line, record by record (RFC 4180: quoted fields may
 * hold delimiters, doubled quotes and line ends; line ends are LF or CRLF). Empty lines are passed
 * over. Messages say file, line and column.
 */
typedef struct _AditRecords AditRecords;

/* Reads the header. Errors: ADIT_ERROR_DAMAGED for what is no such text, a line of more than 16 MiB
 * or more than a million columns. */
AditRecords *adit_records_new(AditLoader *loader, GInputStream *stream, char delimiter,
                              GError **error);
void adit_records_free(AditRecords *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditRecords, adit_records_free)

guint adit_records_count_columns(const AditRecords *self);
const char *adit_records_get_column(const AditRecords *self, guint column);
/* Sets @chosen[column] for the columns that @patterns (names, or globs with `*` and `?`) name. A
 * pattern without a column is ADIT_ERROR_INVALID: "no column 'MGW' in FILE; did you mean 'MWG'?" */
gboolean adit_records_match(const AditRecords *self, const char *const *patterns, gboolean *chosen,
                            GError **error);

/* Moves to the next record. FALSE at the end, or with an error: "FILE:12: 17 fields, expected 18".
 */
gboolean adit_records_next(AditRecords *self, GError **error);
/* "FILE:12" of the current record; lives until the next call. */
const char *adit_records_get_place(AditRecords *self);
/* A field of the current record, quotes taken off; lives until the next record. */
const char *adit_records_get_text(const AditRecords *self, guint column);
/* A field as a finite number: "FILE:12: column 'MWG': 'abc' is not a number". */
gboolean adit_records_get_number(AditRecords *self, guint column, double *value, GError **error);

G_END_DECLS
