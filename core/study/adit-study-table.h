/* core/study/adit-study-table.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-study-folder.h"

G_BEGIN_DECLS

/**
 * AditStudyTable: sweep.csv (RFC 4180, lines end with a newline): one row for each point, or for
 * each point and evaluation. Columns: the axes of `vary`, those of `evaluate`; status, run, epochs,
 * seconds, seconds-per-epoch, parameters; reason: why it failed or diverged; of every figure of
 * metrics.csv best.FIGURE (the least of a loss or error, the most of an accuracy, over the epochs,
 * each by itself) and last.FIGURE; probes.NAME.COLUMN of probes that gave one row at the end;
 * evaluate.FIGURE. Runs that are not done have empty cells, and so have the times of those that
 * were trained side by side.
 *
 * It keeps what it has read of runs that are done.
 */
typedef struct _AditStudyTable AditStudyTable;

AditStudyTable *adit_study_table_new(const AditStudyFolder *folder, const AditStudyPlan *plan);
void adit_study_table_free(AditStudyTable *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditStudyTable, adit_study_table_free)

/* Writes the table. @whole: of all points, not of this shard's alone. ADIT_ERROR_OUTPUT */
gboolean adit_study_table_write(AditStudyTable *self, gboolean whole, GError **error);
/* Where it was written last; owned by @self. */
const char *adit_study_table_get_path(const AditStudyTable *self);

G_END_DECLS
