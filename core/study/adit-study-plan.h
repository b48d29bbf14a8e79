/* core/study/adit-study-plan.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-study-columns.h"

G_BEGIN_DECLS

typedef enum {
    ADIT_STUDY_PENDING,
    ADIT_STUDY_DONE,
    ADIT_STUDY_FAILED,
    ADIT_STUDY_STOPPED,
    ADIT_STUDY_DIVERGED, /* its loss was not finite: a result, for it would be so again */
    ADIT_STUDY_N_STATUSES,
} AditStudyStatus;

/* "done" */
const char *adit_study_status_get_name(AditStudyStatus status);

typedef struct _AditStudyGroup AditStudyGroup;

/**
 * AditStudyEvaluation: one point of `evaluate` on one run.
 * @id: of run and change: what its figures are kept by
 * @changes: words for `adit eval`
 * @code, @reason: why it failed; 0: it did not
 * @figures: (nullable) (element-type utf8 double): "test.loss"; NULL: not there yet
 */
typedef struct {
    const AditStudyPoint *point;
    char *id;
    GStrv changes;
    int code;
    char *reason;
    GHashTable *figures;
} AditStudyEvaluation;

/**
 * AditStudyRun: a point and what is known of its run.
 * @id: SHA-256 of the resolved pipeline, in hexadecimal
 * @folder: within the study's: "runs/sgemm-0123456789ab"
 * @arguments: words that set the point's values behind `adit run FILE`
 * @rising: names of metrics of which more is better
 * @cost: an estimate of the work, in no unit
 * @mine: this call runs it; no shard: all are
 * @step: of its newest checkpoint, which it goes on from; 0: there is none, or it is done
 * @code, @reason: why it failed or diverged, if its process or its run.json told
 * @evaluations: AditStudyEvaluation
 */
typedef struct {
    const AditStudyPoint *point;
    AditStudyGroup *group;
    char *id;
    char *folder;
    GStrv arguments;
    GPtrArray *rising;
    guint64 epochs;
    double cost;
    gboolean mine;
    AditStudyStatus status;
    guint64 step;
    int code;
    char *reason;
    GPtrArray *evaluations;
} AditStudyRun;

/**
 * AditStudyGroup: runs that share a graph: they differ in seed and live values alone, so that they
 * could be trained side by side in one process.
 * @is_timed: a stage ends by the clock (`max-time`): each is trained by itself, for beside others
 * it would come less far
 * @runs: AditStudyRun, borrowed
 */
struct _AditStudyGroup {
    guint64 parameters;
    guint64 rows;
    gboolean is_timed;
    GPtrArray *runs;
};

/**
 * AditStudyPlan: all that a study will run.
 * @runs: AditStudyRun, in the order of the points
 * @groups: AditStudyGroup
 * @columns: what the runs' tables will have
 */
typedef struct {
    const AditStudy *study;
    GPtrArray *runs;
    GPtrArray *groups;
    AditStudyColumns *columns;
} AditStudyPlan;

/**
 * adit_study_plan_new:
 * @data_folder: (nullable): what `$data` stands for
 * @diagnostics: gets all errors
 *
 * Reads the pipeline of every point and builds every distinct graph once. Two points with one
 * pipeline are an error, and so is a column in a report that no run will have. Starts nothing.
 *
 * Returns: (nullable): the plan, which borrows @study; NULL if there were errors
 */
AditStudyPlan *adit_study_plan_new(const AditStudy *study, const char *data_folder,
                                   AditDiagnostics *diagnostics);
void adit_study_plan_free(AditStudyPlan *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditStudyPlan, adit_study_plan_free)

/* Leaves this call every @n_shards-th run, beginning with number @shard, from 1. */
void adit_study_plan_take_shard(AditStudyPlan *self, guint shard, guint n_shards);
/* How many runs have @status. @mine: only of those of this call */
guint adit_study_plan_count(const AditStudyPlan *self, AditStudyStatus status, gboolean mine);
/* How many have come to their end: those that are done, and those that diverged. */
guint adit_study_plan_count_ended(const AditStudyPlan *self, gboolean mine);

G_END_DECLS
