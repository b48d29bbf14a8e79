/* core/infer/adit-calibration.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-exit-fit.h"

G_BEGIN_DECLS

/* Folder of a run that calibration writes to, and its files. */
#define ADIT_EXITS_FOLDER     "exits"
#define ADIT_THRESHOLDS_FILE  "thresholds.json"
#define ADIT_EXIT_CURVE_FILE  "curve.csv"
#define ADIT_EXIT_CURVE_STEPS 400

/**
 * AditCalibration: thresholds that were fitted, and what they come to on the rows they were fitted
 * to.
 * @policy: as AditExperiment.policy_text
 * @names: of the exits
 * @thresholds: (array length=n): of each exit
 * @goal: ADIT_GOAL_NONE: shares that the policy itself says
 * @rows: they were fitted to
 * @metric, @last: mean metric by the policy, and of the last answer
 * @cost: mean multiply-adds over those of the network without exits
 * @seconds: of a row by itself, on average; NaN: not measured
 * @curve: (nullable): NULL: it was read, not fitted
 */
typedef struct {
    char *policy;
    GPtrArray *names;
    guint n;
    double *thresholds;
    AditGoalKind goal;
    double value;
    gboolean each;
    gsize rows;
    double metric;
    double last;
    double cost;
    double seconds;
    AditExitCurve *curve;
} AditCalibration;

/**
 * adit_calibrate:
 * @network: with exits, and a policy that asks
 * @validation: rows that training never sees
 * @goal: (nullable): NULL, or of no kind: for a policy that says shares
 *
 * Fits the policy's thresholds (share/doc/language.md). Fails with ADIT_ERROR_INVALID when nothing
 * can be fitted, no thresholds come to the goal (the message says what is nearest), and as
 * adit_exit_table_new().
 */
AditCalibration *adit_calibrate(AditNetwork *network, const AditSplit *validation,
                                const AditEvaluationSetup *setup, const AditGoal *goal,
                                GError **error);
void adit_calibration_free(AditCalibration *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditCalibration, adit_calibration_free)

/* Writes thresholds and curve into the run directory @folder. */
gboolean adit_calibration_write(const AditCalibration *self, const char *folder, GError **error);
/* What was written there. NULL without an error: nothing; else ADIT_ERROR_DAMAGED. */
AditCalibration *adit_calibration_read(const char *folder, GError **error);

/* Whether these are thresholds of the experiment's policy, and the user turned none after the run
 * was made. */
gboolean adit_calibration_is_for(const AditCalibration *self, const AditExperiment *experiment);
/* Gives the experiment's policy these thresholds. */
void adit_calibration_apply(const AditCalibration *self, const AditExperiment *experiment);

/* Adds an error if the experiment wants thresholds fitted, by its goal or its policy, and that
 * cannot be done: the first data set has no validation split, or the network no exits. */
void adit_calibration_check(const AditExperiment *experiment, guint n_exits,
                            AditDiagnostics *diagnostics);
/* Whether thresholds are fitted when the experiment has been trained. */
gboolean adit_experiment_calibrates(const AditExperiment *experiment);

G_END_DECLS
