/* core/report/adit-results.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-frame.h"
#include "adit-study.h"
#include "adit-summary.h"

G_BEGIN_DECLS

typedef enum {
    ADIT_POINT_DONE,
    ADIT_POINT_FAILED,
    ADIT_POINT_STOPPED,
    ADIT_POINT_PENDING,
    ADIT_POINT_DIVERGED,
} AditPointStatus;

/**
 * AditResults: what a study has come to: sweep.csv, whose columns before `status` are the axes, and
 * the run directories that it names. @folder: (nullable): of what adit_results_new() made
 */
typedef struct {
    char *folder;
    AditFrame *frame; /* one row a point */
    guint n_axes;
    guint run; /* column */
    gboolean has_reason;
    guint reason;              /* column: why it failed or diverged */
    AditPointStatus *statuses; /* of each row */
} AditResults;

/* Reads @folder/sweep.csv. ADIT_ERROR_NOT_FOUND, ADIT_ERROR_DAMAGED with file, line, got and
 * expected. */
AditResults *adit_results_read(const char *folder, GError **error);
/* Results that stand in no sweep.csv: a table whose first columns are axes, each row a point that
 * is done, without a run directory. Takes @frame. */
AditResults *adit_results_new(AditFrame *frame, guint n_axes);
void adit_results_free(AditResults *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditResults, adit_results_free)

guint adit_results_count(const AditResults *self, AditPointStatus status);
/* Reads a CSV file of the run of point @row: "metrics.csv". */
AditFrame *adit_results_read_run(const AditResults *self, guint row, const char *file,
                                 GError **error);
/* The path of the run directory of point @row; ADIT_ERROR_DAMAGED if it is outside of the study. */
char *adit_results_get_run(const AditResults *self, guint row, GError **error);

/**
 * AditLevels: the different values that some columns have together, in order of first appearance.
 * Without columns there is one level, the same for all points.
 */
typedef struct {
    GStrv names;       /* of the columns */
    GPtrArray *values; /* (element-type GStrv): of each level, one for each column */
    guint *of_row;     /* the level of each point */
} AditLevels;

/* @names: (nullable): columns of sweep.csv; ADIT_ERROR_INVALID for one that there is not */
AditLevels *adit_levels_new(const AditResults *results, const char *const *names, GError **error);
/* The same of one column. @name: (nullable) */
AditLevels *adit_levels_new_single(const AditResults *results, const char *name, GError **error);
void adit_levels_free(AditLevels *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditLevels, adit_levels_free)

guint adit_levels_count(const AditLevels *self);
/* (transfer full): "image, baseline"; with @with_names "layout image, cases baseline" */
char *adit_levels_get_label(const AditLevels *self, guint level, gboolean with_names);

/* A condition on points: those of one level. */
typedef struct {
    const AditLevels *levels;
    guint level;
} AditChoice;

/* Whether point @row meets all of @choices. */
gboolean adit_results_match(const AditChoice *choices, guint n_choices, guint row);
/* The values that column @column has at the points that meet all of @choices. */
gboolean adit_results_summarize(const AditResults *self, const AditChoice *choices, guint n_choices,
                                guint column, AditSummary *summary, GError **error);

/**
 * adit_results_check_shown:
 * @shown: (array length=n_shown): what the report tells apart
 * @over: (nullable): axes that it averages over
 *
 * Fails with ADIT_ERROR_INVALID if points that are shown as one differ in an axis that is not
 * averaged over: the mean over two architectures would say nothing.
 */
gboolean adit_results_check_shown(const AditResults *self, const AditLevels *const *shown,
                                  guint n_shown, const char *const *over, GError **error);

G_END_DECLS
