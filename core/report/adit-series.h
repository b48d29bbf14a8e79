/* core/report/adit-series.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-picture.h"

G_BEGIN_DECLS

/**
 * AditSeries: numbers against numbers, in panels and lines: what curves and scatters draw.
 *
 * A panel is a level of `pages`; a line is a level of `lines` with one of the values.
 */
typedef struct _AditSeries AditSeries;

/* @lines: (nullable): what lines tell apart */
AditSeries *adit_series_new(const AditResults *results, const AditStudyReport *report,
                            const char *lines, GError **error);
void adit_series_free(AditSeries *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditSeries, adit_series_free)

/* What panels and lines tell apart; borrowed. */
const AditLevels *adit_series_get_pages(const AditSeries *self);
const AditLevels *adit_series_get_lines(const AditSeries *self);

/* Lets the value @name, a column of sweep.csv, give the dots their colours. */
void adit_series_set_shade(AditSeries *self, const char *name);

/* What the picture says in place of the values' own names. @names: as many as there are values; ""
 * for one that needs none. Both are borrowed. */
void adit_series_set_names(AditSeries *self, const char *y_label, const char *const *names);
/* Calls x = 1, 2, ... so. @ticks: (transfer full) (element-type utf8) */
void adit_series_set_ticks(AditSeries *self, GPtrArray *ticks);

/* Shades the places @at (element-type double) of x, 1, 2, ..., and says what they are. */
void adit_series_set_marked(AditSeries *self, GArray *at, const char *what);

/* Adds what point @row has for value number @value. @spread: NaN, or the deviation that the run
 * itself gives, which then is the band. */
void adit_series_add(AditSeries *self, guint row, guint value, double x, double y, double spread);

/**
 * adit_series_add_columns:
 *
 * Adds points whose x and y both are columns of sweep.csv, and the published figures. In curves
 * over an axis, x is told apart and all other axes must be averaged over; else a point is what is
 * left when `over` is averaged away, in x too.
 */
gboolean adit_series_add_columns(AditSeries *self, GError **error);

/* Writes the picture that @script of share/plots draws. */
gboolean adit_series_write(AditSeries *self, const AditReportWriter *writer, const char *script,
                           GError **error);

G_END_DECLS
