/* core/base/adit-diagnostics.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-error.h>

G_BEGIN_DECLS

/**
 * AditSource: a text that errors point into: a pipeline file, or one argument of the command line.
 *
 * Reference-counted. @name is what is printed before the line number (`first.yaml`,
 * `command-line:3`); for an argument the line number is left out, as its name holds the place.
 */
typedef struct {
    char *name;
    char *text;
    gboolean is_argument;
} AditSource;

AditSource *adit_source_new(const char *name, const char *text);
AditSource *adit_source_new_argument(guint number, const char *text);
AditSource *adit_source_ref(AditSource *source);
void adit_source_unref(AditSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditSource, adit_source_unref)

/**
 * AditPlace: where something was written. @line and @column count from 1, @column in characters;
 * @length is that of the marked text in characters (at least 1). @source is borrowed: places live
 * no longer than the document or experiment that holds the source.
 */
typedef struct {
    AditSource *source;
    guint line;
    guint column;
    guint length;
} AditPlace;

/**
 * AditDiagnostics: the errors and warnings of one pass over a pipeline, in the order they were
 * found.
 *
 * A message reads "what is wrong, expected and got; hint"; the part behind the first "; " is
 * repeated at the caret below the excerpt.
 */
typedef struct _AditDiagnostics AditDiagnostics;

AditDiagnostics *adit_diagnostics_new(void);
void adit_diagnostics_free(AditDiagnostics *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditDiagnostics, adit_diagnostics_free)

/* Adds an error at @place (nullable: no place). @code is an AditError; the first error's code is
 * the pass's exit code, except that ADIT_ERROR_INVALID wins over ADIT_ERROR_NOT_FOUND. */
void adit_diagnostics_error(AditDiagnostics *self, const AditPlace *place, AditError code,
                            const char *format, ...) G_GNUC_PRINTF(4, 5);
void adit_diagnostics_warning(AditDiagnostics *self, const AditPlace *place, const char *format,
                              ...) G_GNUC_PRINTF(3, 4);
/* Adds a note to the error added last: a place it passed through. */
void adit_diagnostics_note(AditDiagnostics *self, const AditPlace *place, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

guint adit_diagnostics_count_errors(const AditDiagnostics *self);
guint adit_diagnostics_count_warnings(const AditDiagnostics *self);
/* The exit code of the pass: 0 without errors. */
int adit_diagnostics_get_code(const AditDiagnostics *self);

/* The first line of message @index (errors and warnings together, sorted by source and place):
 * "first.yaml:14:1: error: unknown section 'trian'; did you mean 'train'?" */
char *adit_diagnostics_get_line(const AditDiagnostics *self, guint index);
/* Everything as printed: first lines, excerpts, carets with hints, notes, and at the end
 * "2 errors. Nothing was started." */
char *adit_diagnostics_to_string(const AditDiagnostics *self, gboolean colour);
/* Whether there are errors; if so sets @error to their text with the pass's code. */
gboolean adit_diagnostics_fail(const AditDiagnostics *self, GError **error);

G_END_DECLS
