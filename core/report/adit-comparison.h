/* core/report/adit-comparison.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-error.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/**
 * AditComparison: runs beside each other. Those whose pipelines differ in the seed alone are one
 * configuration, and their figures one number with its spread.
 */
typedef struct _AditComparison AditComparison;

/**
 * adit_comparison_new:
 * @folders: (array zero-terminated=1): run directories
 *
 * ADIT_ERROR_NOT_FOUND for a folder that is no run, and for a run without metrics or pipeline;
 * ADIT_ERROR_DAMAGED.
 */
AditComparison *adit_comparison_new(const char *const *folders, GError **error);
void adit_comparison_free(AditComparison *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditComparison, adit_comparison_free)

/* Tables as plain texts: (transfer full) (element-type GStrv): rows, the header first. */

/* Each run with its configuration, seed and status. */
GPtrArray *adit_comparison_list_runs(const AditComparison *self);
/* Keys of the pipelines, and of run.json, that are not the same everywhere, and what each
 * configuration has; "-": it has no such key. */
GPtrArray *adit_comparison_list_differences(const AditComparison *self);
/* Best and last of every figure: mean ± standard deviation over the runs of each configuration. */
GPtrArray *adit_comparison_list_figures(const AditComparison *self);
/* All of it, for programs. */
JsonObject *adit_comparison_describe(const AditComparison *self);

/**
 * adit_comparison_write:
 * @folder: made if missing; no run and no study
 * @png: pictures as PNG too
 *
 * Writes @folder/report.html with these tables, the learning curves over each other, and those of
 * every probe, and what it is made of into @folder/report. ADIT_ERROR_INVALID for a folder that has
 * a report of its own; else as adit_report_write().
 */
gboolean adit_comparison_write(const AditComparison *self, const char *folder, gboolean png,
                               GError **error);

G_END_DECLS
