/* core/study/adit-study-folder.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-study-plan.h"

G_BEGIN_DECLS

/*
 * A study directory:
 *
 *   study.yaml       the study as written
 *   study.json       what was found out of its points, for programs and for going on
 *   sweep.csv        one row for each point
 *   runs/NAME-HASH/  run directories
 *   report/          tables and pictures
 *
 * Of shard I of N there are study.I-of-N.json and sweep.I-of-N.csv. What counts is what the run
 * directories say; everything else is made anew from them, but for figures of evaluations.
 */

/**
 * AditStudyFolder: a study directory held by this process.
 * @suffix: "", or of a shard ".2-of-8"
 * @lock, @shard_lock: processes that work for this one inherit them; -1: the file system has none,
 * or it is no shard
 */
typedef struct {
    char *path;
    char *suffix;
    int lock;
    int shard_lock;
} AditStudyFolder;

/**
 * adit_study_folder_open:
 * @shard, @n_shards: from 1; 0: none
 * @tell: called once if it has to wait for processes of a sweep that was killed
 *
 * Makes the directory or takes it up. ADIT_ERROR_FAILED while another sweep is at work in it:
 * shards go together, but not twice the same; ADIT_ERROR_OUTPUT
 */
AditStudyFolder *adit_study_folder_open(const char *path, guint shard, guint n_shards,
                                        void (*tell)(gpointer), gpointer user_data, GError **error);
void adit_study_folder_free(AditStudyFolder *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditStudyFolder, adit_study_folder_free)

/* Looks at the runs, and at what earlier calls kept: fills in each status and evaluation. What is
 * known to have failed in this call stays so. */
void adit_study_folder_look(const AditStudyFolder *self, AditStudyPlan *plan);
/* Whether the tables that are there may be replaced with those of @plan though nothing is run:
 * ADIT_ERROR_INVALID if they hold results of points that the study, changed since, has no more. */
gboolean adit_study_folder_check_points(const AditStudyFolder *self, const AditStudyPlan *plan,
                                        GError **error);
/* The status of one run, from its directory. */
void adit_study_folder_look_at(const AditStudyFolder *self, AditStudyRun *run);
/* The step of the newest whole checkpoint of a run; 0: there is none. */
guint64 adit_study_folder_find_step(const AditStudyFolder *self, const AditStudyRun *run);
/* Takes away what a kill left of a run that had not begun. ADIT_ERROR_NOT_FOUND: whether it had
 * cannot be seen; ADIT_ERROR_DAMAGED: it had, but its run.json is gone; ADIT_ERROR_OUTPUT */
gboolean adit_study_folder_clear_run(const AditStudyFolder *self, const AditStudyRun *run,
                                     GError **error);
/* Writes study.json, where figures of points that @plan leaves out are kept. @state: "RUNNING",
 * "COMPLETED", "FAILED", "STOPPED" */
gboolean adit_study_folder_write_state(const AditStudyFolder *self, const AditStudyPlan *plan,
                                       const char *state, GError **error);

G_END_DECLS
