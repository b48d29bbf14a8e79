/* core/run/adit-metrics.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-error.h>

G_BEGIN_DECLS

/*
 * metrics.jsonl, append only, one object a line:
 *
 *   {"v":1,"t":1732166650.123,"run":"2026-...","step":1200,"epoch":3,"split":"train","values":{"loss":0.1234}}
 *   {"v":1,"t":1732166660.456,"run":"2026-...","event":"resume","from_step":1200}
 *
 * A reader drops lines of a step above from_step that stand before the event. metrics.csv has one
 * row per epoch: step, epoch, then the names of its first row (the first is "stage" if there are
 * several, as each counts its epochs from 1), then those that came later; on resume later rows are
 * taken out of it.
 *
 * What differs between equal trainings is confined to "t" and "run", and in the CSV to a column
 * "seconds", if the caller writes one.
 */

typedef enum {
    ADIT_METRIC_SINGLE = 0,      /* a float32: 9 significant digits */
    ADIT_METRIC_DOUBLE = 1 << 0, /* a float64: 17 */
    ADIT_METRIC_ABSENT = 1 << 1, /* no value: an empty cell of the CSV, left out of a line */
} AditMetricFlags;

typedef struct {
    const char *name;
    double value;
    AditMetricFlags flags;
} AditMetric;

/**
 * AditMetricRow: a line of metrics.jsonl as read. @split may be NULL.
 */
typedef struct {
    double time; /* seconds since 1970 */
    guint64 step;
    guint64 epoch;
    char *split;
    GArray *values; /* AditMetric; names owned by the row */
} AditMetricRow;

/* The value called @name; FALSE if the row has none. */
gboolean adit_metric_row_get(const AditMetricRow *self, const char *name, double *value);

/**
 * AditMetrics: the writer of both files of a run.
 */
typedef struct _AditMetrics AditMetrics;

/* Opens or makes both files in @run_folder; torn last lines are cut. ADIT_ERROR_OUTPUT, or
 * ADIT_ERROR_DAMAGED if metrics.csv is none. */
AditMetrics *adit_metrics_open(const char *run_folder, GError **error);
void adit_metrics_free(AditMetrics *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditMetrics, adit_metrics_free)

/* Says that training goes on from @step: writes the event and takes later rows out of metrics.csv.
 */
gboolean adit_metrics_resume(AditMetrics *self, guint64 step, GError **error);

/* Writes a line of metrics.jsonl. @split: (nullable): "train", "validation", "test" or a set's name
 */
gboolean adit_metrics_write(AditMetrics *self, guint64 step, guint64 epoch, const char *split,
                            const AditMetric *values, guint n_values, GError **error);
/* Writes a row of metrics.csv. A later row may leave names out (empty cells), and bring new ones:
 * columns that are empty in the rows before. */
gboolean adit_metrics_write_row(AditMetrics *self, guint64 step, guint64 epoch,
                                const AditMetric *values, guint n_values, GError **error);
/* fsync of both files: before a checkpoint is written, so that lines up to its step are there. */
gboolean adit_metrics_sync(AditMetrics *self, GError **error);

/**
 * adit_metrics_read:
 * @run_folder: a run, perhaps one that is being written
 *
 * Returns: (transfer full) (nullable) (element-type AditMetricRow): the lines that hold after all
 * resumes, in file order; a torn last line is passed over. ADIT_ERROR_NOT_FOUND, ADIT_ERROR_DAMAGED
 */
GPtrArray *adit_metrics_read(const char *run_folder, GError **error);
/* The same, but lines that are none are passed over. @damage: (element-type utf8): gets what is
 * wrong with each, with file and line */
GPtrArray *adit_metrics_read_sound(const char *run_folder, GPtrArray *damage, GError **error);

G_END_DECLS
