/* core/report/adit-frame.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-error.h>

G_BEGIN_DECLS

/**
 * AditFrame: a CSV file in memory, cells as text: sweep.csv, the metrics of a run, a probe's table,
 * published figures. Messages begin with the path as given and the line: "x/sweep.csv:12: ".
 */
typedef struct _AditFrame AditFrame;

/* ADIT_ERROR_NOT_FOUND; ADIT_ERROR_DAMAGED for what is no such file (RFC 4180 with a header line).
 */
AditFrame *adit_frame_read(const char *path, GError **error);
/* A table that stands in no file. @name: for messages. @columns: (array zero-terminated=1) */
AditFrame *adit_frame_new(const char *name, const char *const *columns);
/* Adds a row. @cells: as many as there are columns */
void adit_frame_add(AditFrame *self, const char *const *cells);
void adit_frame_free(AditFrame *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditFrame, adit_frame_free)

guint adit_frame_count_rows(const AditFrame *self);
guint adit_frame_count_columns(const AditFrame *self);
const char *adit_frame_get_column(const AditFrame *self, guint column);
/* Whether there is a column @name. @column: (out) (optional) */
gboolean adit_frame_has(const AditFrame *self, const char *name, guint *column);
/* (nullable): the column that @name may be meant for; owned by @self */
const char *adit_frame_suggest(const AditFrame *self, const char *name);
/* adit_frame_has(); ADIT_ERROR_INVALID where there is none: "FILE:1: no column 'dept'; did you mean
 * 'depth'?" */
gboolean adit_frame_find(const AditFrame *self, const char *name, guint *column, GError **error);

/* A cell, "" where it is empty; owned by @self. */
const char *adit_frame_get_text(const AditFrame *self, guint row, guint column);
gboolean adit_frame_is_empty(const AditFrame *self, guint row, guint column);
/* A cell as a number: NaN and infinities are numbers here, and an empty cell reads NaN. */
gboolean adit_frame_get_number(const AditFrame *self, guint row, guint column, double *value,
                               GError **error);
/* Sets ADIT_ERROR_DAMAGED with the place of @row before the message; returns FALSE. */
gboolean adit_frame_fail(const AditFrame *self, guint row, GError **error, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/* Whether all of @text is one number; @value: (out) */
gboolean adit_text_to_number(const char *text, double *value);

G_END_DECLS
