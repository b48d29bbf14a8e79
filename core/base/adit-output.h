/* core/base/adit-output.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-error.h>

G_BEGIN_DECLS

/**
 * AditOutput: a file being written. Every failure is ADIT_ERROR_OUTPUT with path and reason.
 *
 * Two ways: a new file, written from front to end with its SHA-256 on the way
 * (adit_output_new, _write, _finish), or a file of lines that grows (adit_output_append,
 * _write_line, _sync).
 */
typedef struct _AditOutput AditOutput;

/* A new file; one that exists is an error. */
AditOutput *adit_output_new(const char *path, GError **error);
/* A new file that takes the place of @path when finished, in one step; until then it is a temporary
 * file beside it, removed by adit_output_free(). */
AditOutput *adit_output_new_replacing(const char *path, GError **error);
/* The same, for its owner alone to read and write. */
AditOutput *adit_output_new_private(const char *path, GError **error);
/* Opens a file of lines to append to, made if missing; a last line without its newline, which a
 * kill left behind, is cut off. */
AditOutput *adit_output_append(const char *path, GError **error);
/* Closes; of a new file that was not finished nothing is promised. */
void adit_output_free(AditOutput *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditOutput, adit_output_free)

gboolean adit_output_write(AditOutput *self, const void *data, gsize length, GError **error);
/* Appends whole lines with one write(); after a failure the file ends where it did before. */
gboolean adit_output_write_line(AditOutput *self, const char *text, gsize length, GError **error);
/* fsync. */
gboolean adit_output_sync(AditOutput *self, GError **error);
/* fsync and close of a new file, and its move to its place; the size and the hash are then final.
 */
gboolean adit_output_finish(AditOutput *self, GError **error);

/* Bytes written to a new file. */
guint64 adit_output_get_size(const AditOutput *self);
/* SHA-256 of a new file in hexadecimal, once finished; owned by @self. */
const char *adit_output_get_sha256(AditOutput *self);

/* Sets ADIT_ERROR_OUTPUT "cannot @verb @path: reason" from an errno; returns FALSE. */
gboolean adit_output_fail(GError **error, const char *verb, const char *path, int number);

G_END_DECLS
