/* core/study/adit-study-runner.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-json.h"
#include "adit-study-folder.h"

G_BEGIN_DECLS

/**
 * AditStudyProgress: how far a study has come; counts are of the runs of this call.
 * @share: of the estimated work of all of them that is done, 0 to 1
 * @eta: seconds; infinite while nothing is known
 */
typedef struct {
    guint total;
    guint done;
    guint running;
    guint failed;
    double share;
    double eta;
} AditStudyProgress;

/**
 * AditStudyRunner: runs what a plan has left to run, in processes.
 */
typedef struct _AditStudyRunner AditStudyRunner;

/**
 * AditStudyRunnerSetup:
 * @program: the command `adit`
 * @options: (nullable): options that `run` and `eval` take alike: "--device", NAME, "--data", DIR
 * @jobs: processes at a time, at most
 * @threads: of each; 0: the cores are shared out among them
 * @together: runs of one group that a process trains side by side, at most; 0: one. One if they
 * end by the clock
 * @retry: runs that diverged are tried again
 * @began: a run is about to be trained
 * @ended: a run, or one evaluation of it, has ended; @summary: (nullable): what it said of itself.
 * FALSE with an error: everything is stopped
 * @tick: called twice a second
 */
typedef struct {
    const char *program;
    GStrv options;
    guint jobs;
    guint threads;
    guint together;
    gboolean retry;
    void (*began)(const AditStudyRun *run, gpointer user_data);
    gboolean (*ended)(const AditStudyRun *run, const AditStudyEvaluation *evaluation,
                      JsonObject *summary, gpointer user_data, GError **error);
    void (*tick)(gpointer user_data);
    gpointer user_data;
} AditStudyRunnerSetup;

/* Borrows everything but @setup, of which it keeps a copy. */
AditStudyRunner *adit_study_runner_new(const AditStudyFolder *folder, AditStudyPlan *plan,
                                       const AditStudyRunnerSetup *setup);
void adit_study_runner_free(AditStudyRunner *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditStudyRunner, adit_study_runner_free)

/* How many runs and evaluations there are left to do. */
guint adit_study_runner_count(const AditStudyRunner *self);
/* How many of the runs among them go on from a checkpoint. */
guint adit_study_runner_count_resumed(const AditStudyRunner *self);
/* How many of them are done at a time, at most; before they are run. */
guint adit_study_runner_get_width(const AditStudyRunner *self);

/**
 * adit_study_runner_run:
 *
 * Trains the runs that have not come to their end, the longest processes first, and evaluates those
 * that are. A run that fails, or whose folder cannot be made ready, is noted, and the rest goes on.
 * Returns when nothing is left or all have stopped; FALSE if a process could not be started or
 * @ended failed. Iterates the default main context.
 */
gboolean adit_study_runner_run(AditStudyRunner *self, GError **error);
/* Starts nothing more and tells all processes to stop; they save their state. Again: they stop at
 * once. */
void adit_study_runner_stop(AditStudyRunner *self);
AditStudyProgress adit_study_runner_get_progress(const AditStudyRunner *self);

G_END_DECLS
