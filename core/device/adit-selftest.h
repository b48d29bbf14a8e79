/* core/device/adit-selftest.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-device.h"
#include "adit-verdicts.h"

G_BEGIN_DECLS

/* Every kernel of a device against the CPU in float64, with inputs that float32 holds exactly. */

/**
 * AditSelftestOptions:
 * @full: all shapes; else a few of each: what is done at the first use of a device
 * @kernel: (nullable): the cases of this one alone
 * @forms: which forms may be tried, a bit for each AditKernelForm; 0: all, and the first that is
 * right is kept
 */
typedef struct {
    gboolean full;
    const char *kernel;
    guint forms;
} AditSelftestOptions;

/**
 * AditSelftestOutcome: one run of one case.
 * @error: mean squared error over the mean square of what was expected. Where values are special
 * each number counts by the larger of its size and 1; where all are 0, absolute
 * @limit: of @error
 * @got, @expected: where they differ most
 * @reason: (nullable): why it could not be run
 */
typedef struct {
    const char *kernel;
    const char *shapes;
    gsize rows;
    double error;
    double limit;
    double got;
    double expected;
    gsize index; /* number of that element, counted over the rows */
    const char *reason;
    gboolean passed;
} AditSelftestOutcome;

typedef void (*AditSelftestFunc)(const AditSelftestOutcome *outcome, gpointer user_data);

/**
 * AditSelftestResult: what became of a kernel.
 * @form: the first that passed all cases; ADIT_FORM_NONE: none did. A device without forms has one,
 * ADIT_FORM_PLAIN
 * @fell_back: one before @form failed
 * @n_runs: of all cases, in all forms tried
 * @worst: (nullable): the run that failed worst, or if none did, that came closest to it; its texts
 * are owned by the result
 */
typedef struct {
    const char *kernel;
    AditKernelForm form;
    gboolean fell_back;
    guint n_runs;
    AditSelftestOutcome *worst;
} AditSelftestResult;

/**
 * adit_selftest_run:
 * @func: (nullable): called for every run
 *
 * Runs the cases of all kernels and leaves @device with the forms that passed. Fails as
 * adit_device_wait() does, naming the kernel.
 *
 * Returns: (transfer full) (element-type AditSelftestResult): one for each kernel; free with
 * g_ptr_array_unref()
 */
GPtrArray *adit_selftest_run(AditDevice *device, const AditSelftestOptions *options,
                             AditSelftestFunc func, gpointer user_data, GError **error);

/* "7x65 a row, 65x33 -> 7x33 a row; 129 rows: got 1.5, expected 2 at number 7 (error 1e-2, at most
 * 1e-12)", or why it could not be run. */
char *adit_selftest_outcome_describe(const AditSelftestOutcome *self);

/* Adds the results to @verdicts. */
void adit_selftest_note(const GPtrArray *results, AditVerdicts *verdicts);

/**
 * adit_selftest_apply:
 * @verdicts: of this device
 *
 * Sets the forms that passed.
 *
 * Returns: (element-type utf8): the kernels by a plainer form than they have, and those that have
 * no good one; free with g_ptr_array_unref()
 */
GPtrArray *adit_selftest_apply(AditDevice *device, const AditVerdicts *verdicts);

G_END_DECLS
