/* core/report/adit-run-record.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-config-keys.h"
#include "adit-frame.h"
#include "adit-run.h"

G_BEGIN_DECLS

/**
 * AditRunRecord: all that a run directory says in its own files; probes are read apart.
 * @folder: as it was given; @name: its last part
 * @members: of run.json
 * @config: (nullable): the text of config.resolved.yaml; @keys: (nullable): what it says
 * @metrics: (nullable): the table metrics.csv, or, where that is damaged, what metrics.jsonl still
 * has; NULL: there is no row
 * @warnings: (element-type utf8): what a reader should know before the figures
 */
typedef struct {
    char *folder;
    char *name;
    JsonObject *members;
    AditRunStatus status;
    char *config;
    AditConfigKeys *keys;
    AditFrame *metrics;
    GPtrArray *warnings;
} AditRunRecord;

/* Fails only for a folder that is no run or whose run.json cannot be read: ADIT_ERROR_NOT_FOUND,
 * ADIT_ERROR_DAMAGED. */
AditRunRecord *adit_run_record_read(const char *folder, GError **error);
void adit_run_record_free(AditRunRecord *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditRunRecord, adit_run_record_free)

/* The title of its pipeline, else its name. */
const char *adit_run_record_get_title(const AditRunRecord *self);
/* "0" */
char *adit_run_record_get_seed(const AditRunRecord *self);
/* Seconds of training that metrics has; NaN: not known, or not its own. */
double adit_run_record_get_seconds(const AditRunRecord *self);
/* "COMPLETED" as "completed" */
char *adit_run_record_get_status(const AditRunRecord *self);

/* (transfer full) (element-type utf8): names of the tables of probes, sorted */
GPtrArray *adit_run_record_list_probes(const AditRunRecord *self);

/**
 * AditRunFigure: the best and the last value of a figure over the epochs.
 * @column: of the metrics
 * @best: the most of an accuracy, the least of everything else; @at: where, as @x has it
 */
typedef struct {
    guint column;
    double best;
    double last;
    const char *at;
} AditRunFigure;

/* (element-type AditRunFigure): of all columns that are figures of a split: "test.loss". */
GArray *adit_run_record_list_figures(const AditRunRecord *self);
/* Whether column @column of the metrics has numbers that are measured, not counted. */
gboolean adit_run_record_is_figure(const AditRunRecord *self, guint column);
/* The column that curves go along: "epoch"; "step" where several stages count their own epochs. */
const char *adit_run_record_get_x(const AditRunRecord *self);

G_END_DECLS
