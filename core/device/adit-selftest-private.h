/* core/device/adit-selftest-private.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-selftest.h"

G_BEGIN_DECLS

/* An operation under test is built and seen alone: its inputs are fed, or parameters. */

#define ADIT_SELFTEST_INPUTS  8
#define ADIT_SELFTEST_RUNS    8
#define ADIT_SELFTEST_NUMBERS 11

/**
 * AditSelftestValues: what the numbers of an input may be. Positions are numbers of an axis or
 * classes: 0 to the case's @positions - 1.
 */
typedef enum {
    ADIT_VALUES_ANY,
    ADIT_VALUES_POSITIVE,
    ADIT_VALUES_SHARES, /* between 0 and 1 */
    ADIT_VALUES_POSITIONS,
} AditSelftestValues;

/**
 * AditSelftestSpread: which of them.
 * @ADIT_SPREAD_PLAIN: 1/8 to 2 in size, three quarters of them positive, so that sums do not
 * cancel; a quarter are multiples of 1/4, so that equal ones occur
 * @ADIT_SPREAD_WIDE: the first input from 1e-6 to 1e4 in size
 * @ADIT_SPREAD_LARGE: the first input to 1e4 in size, evenly
 * @ADIT_SPREAD_SPRINKLED: one in 29 is special (NaN, infinite, denormal, 0) or no position
 * @ADIT_SPREAD_CROSSED: each special value beside each one of the other inputs
 */
typedef enum {
    ADIT_SPREAD_PLAIN,
    ADIT_SPREAD_WIDE,
    ADIT_SPREAD_LARGE,
    ADIT_SPREAD_SPRINKLED,
    ADIT_SPREAD_CROSSED,
} AditSelftestSpread;

/**
 * AditSelftestKind: what a case looks at.
 * @ADIT_SELFTEST_OPERATION: the operation's result
 * @ADIT_SELFTEST_FUSED: that of a whole expression, or its gradient by input 0: a device may take
 * neighbouring operations together
 * @ADIT_SELFTEST_FEED: rows of data, out of order and of all types, as they arrive
 * @ADIT_SELFTEST_SUMS: the sum over the rows that the device keeps
 * @ADIT_SELFTEST_GUARD: that sum, when the second run is not finite: nothing is done from there on
 */
typedef enum {
    ADIT_SELFTEST_OPERATION,
    ADIT_SELFTEST_FUSED,
    ADIT_SELFTEST_FEED,
    ADIT_SELFTEST_SUMS,
    ADIT_SELFTEST_GUARD,
} AditSelftestKind;

/* One run of a case's program, as in AditCall; @feed_row: the first row that is fed. */
typedef struct {
    gsize rows;
    gsize first_row;
    guint64 step;
    gsize feed_row;
} AditSelftestRun;

/**
 * AditSelftestInput: what an expression is built of.
 */
typedef struct {
    gboolean rows;
    AditShape shape;
} AditSelftestInput;

typedef struct _AditSelftestCase AditSelftestCase;

/* An expression over the case's inputs. */
typedef AditTensor *(*AditSelftestBuild)(AditGraph *graph, AditTensor *const *inputs,
                                         const AditSelftestCase *self);

/**
 * AditSelftestCase: one operation with its shapes, run for some numbers of rows.
 * @kernel: whose case it is
 * @target: (OPERATION): its name: @kernel, or the operation whose slices that joins
 * @build: an expression that has the operation in it, or whose gradient has
 * @of_gradient: look for it in the gradient
 * @op: (nullable): for @build
 * @numbers: for @build: axes, sizes
 * @shape: for @build
 * @values: of the operation's own inputs, which may be others than the expression's
 * @limit: of the normalised mean squared error; 0: the same numbers
 */
struct _AditSelftestCase {
    AditSelftestKind kind;
    const char *kernel;
    const char *target;
    AditSelftestBuild build;
    gboolean of_gradient;
    const AditOp *op;
    gsize numbers[ADIT_SELFTEST_NUMBERS];
    AditShape shape;
    guint n_inputs;
    AditSelftestInput inputs[ADIT_SELFTEST_INPUTS];
    AditSelftestValues values[ADIT_SELFTEST_INPUTS];
    gsize positions;
    AditSelftestSpread spread;
    double limit;
    guint n_runs;
    AditSelftestRun runs[ADIT_SELFTEST_RUNS];
};

/* All cases, those of a kernel one behind the other: what others lean on first. Free with
 * g_ptr_array_unref(). */
GPtrArray *adit_selftest_list_cases(gboolean full);

/**
 * AditSelftestTrial: a case made ready to run on any device.
 * @result: of the operation under test
 * @sources: what that is computed of
 * @feeds: (element-type AditArray): in the program's order
 * @parameters: (array): values of the parameters' arena
 * @has_denormals: devices may take some of the inputs for 0
 */
typedef struct {
    const AditSelftestCase *of;
    AditGraph *graph;
    AditTensor *result;
    guint n_sources;
    AditTensor *sources[ADIT_SELFTEST_INPUTS];
    AditLayout *layout;
    AditProgram *program;
    GPtrArray *feeds;
    double *parameters;
    gboolean has_denormals;
} AditSelftestTrial;

/* Aborts if the case cannot be built: that is its author's mistake. */
AditSelftestTrial *adit_selftest_trial_new(const AditSelftestCase *of);
void adit_selftest_trial_free(AditSelftestTrial *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditSelftestTrial, adit_selftest_trial_free)

/* "7x65 a row, 65x33; special values" */
char *adit_selftest_trial_describe(const AditSelftestTrial *self);
/* Numbers that run @index leaves. */
gsize adit_selftest_trial_count(const AditSelftestTrial *self, guint index);
/* The numbers of all runs, one behind the other; NULL with an error. @flushed: denormal inputs are
 * 0, from now on. */
double *adit_selftest_trial_run(AditSelftestTrial *self, AditDevice *device, gboolean flushed,
                                GError **error);

G_END_DECLS
