/* core/device/adit-selftest.c - SPDX-License-Identifier: MIT */
#include "adit-selftest-private.h"

#include <math.h>
#include <string.h>

/**
 * Selftest: one under way.
 * @reference: the CPU in float64
 * @changed: a kernel's form was, or one has none
 * @lost: (nullable): why nothing can be computed any more
 */
typedef struct {
    AditDevice *device;
    AditDevice *reference;
    const AditSelftestOptions *options;
    AditSelftestFunc func;
    gpointer user_data;
    GPtrArray *cases;
    gboolean changed;
    GError *lost;
} Selftest;

/* ---- comparing ---- */

typedef enum { KIND_FINITE, KIND_PLUS, KIND_MINUS, KIND_NAN } Kind;

/* What a float32 of this value is, by its bits. */
static Kind
kind_of(double value)
{
    union {
        float number;
        guint32 bits;
    } both = {.number = (float) value};

    if ((both.bits & 0x7fffffff) > 0x7f800000)
        return KIND_NAN;
    if (both.bits == 0x7f800000)
        return KIND_PLUS;
    return both.bits == 0xff800000 ? KIND_MINUS : KIND_FINITE;
}

/* How far @got is off: in units of @expected's size where that is above 1, if @weighted. */
static double
difference(double got, double expected, gboolean weighted)
{
    Kind kind = kind_of(expected);

    if (kind_of(got) != kind)
        return (double) INFINITY;
    if (kind != KIND_FINITE)
        return 0;
    return fabs(got - expected) / (weighted ? MAX(1, fabs(expected)) : 1);
}

static double
size_of(double expected, gboolean weighted)
{
    double size = kind_of(expected) == KIND_FINITE ? fabs(expected) : 0;

    return weighted ? MIN(size, 1) : size;
}

/* @other: (nullable): what is right as well, where devices may take denormal numbers for 0 */
static void
compare(AditSelftestOutcome *outcome, const double *got, const double *expected,
        const double *other, gsize n, gboolean weighted)
{
    double error = 0, power = 0, worst = -1;

    for (gsize i = 0; i < n; i++) {
        double wanted = expected[i], off = difference(got[i], wanted, weighted);

        if (other != NULL && difference(got[i], other[i], weighted) < off) {
            wanted = other[i];
            off = difference(got[i], wanted, weighted);
        }
        error += off * off;
        power += size_of(wanted, weighted) * size_of(wanted, weighted);
        if (off > worst) {
            worst = off;
            outcome->got = got[i];
            outcome->expected = wanted;
            outcome->index = i;
        }
    }
    outcome->error = error == 0 ? 0 : error / (power > 0 ? power : (double) n);
    outcome->passed = outcome->error <= outcome->limit;
}

/* ---- one case ---- */

static AditSelftestOutcome *
outcome_copy(const AditSelftestOutcome *outcome)
{
    AditSelftestOutcome *copy = g_memdup2(outcome, sizeof *outcome);

    copy->shapes = g_strdup(outcome->shapes);
    copy->reason = g_strdup(outcome->reason);
    return copy;
}

static void
outcome_free(AditSelftestOutcome *outcome)
{
    g_free((char *) outcome->shapes);
    g_free((char *) outcome->reason);
    g_free(outcome);
}

static void
result_free(gpointer data)
{
    AditSelftestResult *self = data;

    g_clear_pointer(&self->worst, outcome_free);
    g_free(self);
}

/* How near to its limit or how far beyond it; what could not be run is worst. */
static double
badness(const AditSelftestOutcome *outcome)
{
    if (outcome->reason != NULL)
        return (double) INFINITY;
    return outcome->limit > 0 ? outcome->error / outcome->limit : outcome->error;
}

static void
note(Selftest *self, AditSelftestResult *result, const AditSelftestOutcome *outcome)
{
    const AditSelftestOutcome *worst = result->worst;

    result->n_runs++;
    if (self->func != NULL)
        self->func(outcome, self->user_data);
    if (worst != NULL && (!worst->passed || outcome->passed) &&
        (worst->passed != outcome->passed || badness(outcome) <= badness(worst)))
        return;
    AditSelftestOutcome *copy = outcome_copy(outcome);

    g_clear_pointer(&result->worst, outcome_free);
    result->worst = copy;
}

/* Whether all runs of the case gave what the reference gives. */
static gboolean
check_runs(Selftest *self, AditSelftestResult *result, AditSelftestTrial *trial,
           AditSelftestOutcome *outcome, const double *got)
{
    const AditSelftestCase *of = trial->of;
    g_autofree double *expected = adit_selftest_trial_run(trial, self->reference, FALSE, NULL);
    g_autofree double *flushed = NULL;
    gboolean weighted = of->spread != ADIT_SPREAD_PLAIN, passed = TRUE;
    gsize at = 0;

    if (trial->has_denormals)
        flushed = adit_selftest_trial_run(trial, self->reference, TRUE, NULL);
    for (guint i = 0; i < of->n_runs; i++) {
        gsize n = adit_selftest_trial_count(trial, i);

        outcome->rows = of->runs[i].rows;
        compare(outcome, got + at, expected + at, flushed != NULL ? flushed + at : NULL, n,
                weighted);
        note(self, result, outcome);
        passed = passed && outcome->passed;
        at += n;
    }
    return passed;
}

static gboolean
check_case(Selftest *self, AditSelftestResult *result, const AditSelftestCase *of)
{
    g_autoptr(AditSelftestTrial) trial = adit_selftest_trial_new(of);
    g_autofree char *shapes = adit_selftest_trial_describe(trial);
    g_autoptr(GError) error = NULL;
    AditSelftestOutcome outcome = {.kernel = of->kernel, .shapes = shapes, .limit = of->limit};
    g_autofree double *got = adit_selftest_trial_run(trial, self->device, FALSE, &error);

    if (got != NULL)
        return check_runs(self, result, trial, &outcome, got);
    /* a full memory says nothing of the kernel, and may be another one's */
    if (g_error_matches(error, ADIT_ERROR, ADIT_ERROR_MEMORY))
        self->lost = g_error_copy(error);
    if (self->lost != NULL || !adit_device_wait(self->device, &self->lost))
        g_prefix_error(&self->lost, "'%s': ", of->kernel);
    outcome.reason = error->message;
    outcome.rows = of->runs[0].rows;
    note(self, result, &outcome);
    return FALSE;
}

/* ---- one kernel ---- */

/* All cases, so that the worst is told; those of a kernel lie from @first on. */
static gboolean
check_kernel(Selftest *self, AditSelftestResult *result, guint first)
{
    gboolean passed = TRUE;

    for (guint i = first; i < self->cases->len && self->lost == NULL; i++) {
        const AditSelftestCase *of = self->cases->pdata[i];

        if (!g_str_equal(of->kernel, result->kernel))
            break;
        passed = check_case(self, result, of) && passed;
    }
    return passed;
}

static gboolean
may_try(const Selftest *self, AditKernelForm form)
{
    return self->options->forms == 0 || (self->options->forms & 1u << form) != 0;
}

/* Whether the device has the form, and takes it from here on. */
static gboolean
take_form(const Selftest *self, const char *kernel, AditKernelForm form)
{
    return may_try(self, form) && adit_device_set_form(self->device, kernel, form);
}

/* Tries the forms, best first, and leaves the device with the one that passed. */
static void
find_form(Selftest *self, AditSelftestResult *result, guint first)
{
    gboolean failed = FALSE, tried = FALSE;

    result->form = ADIT_FORM_NONE;
    for (AditKernelForm form = ADIT_FORM_SUBGROUP; form <= ADIT_FORM_PLAIN; form++) {
        gboolean is_only = form == ADIT_FORM_PLAIN && !tried && self->options->forms == 0;

        if (self->lost != NULL || (!take_form(self, result->kernel, form) && !is_only))
            continue;
        tried = TRUE;
        if (check_kernel(self, result, first)) {
            result->form = form;
            result->fell_back = failed;
            break;
        }
        failed = TRUE;
    }
    self->changed = self->changed || failed;
}

/* A kernel that found no form may have failed by one that had not found its own yet. */
static void
try_again(Selftest *self, GPtrArray *results, const GArray *firsts)
{
    for (guint i = 0; self->changed && i < results->len; i++) {
        AditSelftestResult *result = results->pdata[i];

        if (result->form == ADIT_FORM_NONE && result->n_runs > 0)
            find_form(self, result, g_array_index(firsts, guint, i));
    }
}

GPtrArray *
adit_selftest_run(AditDevice *device, const AditSelftestOptions *options, AditSelftestFunc func,
                  gpointer user_data, GError **error)
{
    g_autoptr(GPtrArray) results = g_ptr_array_new_with_free_func(result_free);
    g_autoptr(GPtrArray) cases = adit_selftest_list_cases(options->full);
    g_autoptr(GArray) firsts = g_array_new(FALSE, FALSE, sizeof(guint));
    g_autoptr(AditDevice) reference = adit_cpu_device_new(1, TRUE);
    Selftest self = {.device = device,
                     .reference = reference,
                     .options = options,
                     .func = func,
                     .user_data = user_data,
                     .cases = cases};
    const char *kernel = NULL;

    for (guint i = 0; i < cases->len && self.lost == NULL; i++) {
        const AditSelftestCase *of = cases->pdata[i];

        if (g_strcmp0(of->kernel, kernel) == 0 ||
            (options->kernel != NULL && !g_str_equal(options->kernel, of->kernel)))
            continue;
        AditSelftestResult *result = g_new0(AditSelftestResult, 1);

        result->kernel = kernel = of->kernel;
        g_ptr_array_add(results, result);
        g_array_append_val(firsts, i);
        find_form(&self, result, i);
    }
    try_again(&self, results, firsts);
    if (self.lost == NULL)
        return g_steal_pointer(&results);
    g_propagate_error(error, self.lost);
    return NULL;
}

char *
adit_selftest_outcome_describe(const AditSelftestOutcome *self)
{
    if (self->reason != NULL)
        return g_strdup_printf("%s; %" G_GSIZE_FORMAT " rows: %s", self->shapes, self->rows,
                               self->reason);
    return g_strdup_printf(
        "%s; %" G_GSIZE_FORMAT " rows: got %.9g, expected %.9g at number %" G_GSIZE_FORMAT
        " (error %.2g, at most %.2g)",
        self->shapes, self->rows, self->got, self->expected, self->index, self->error, self->limit);
}

/* ---- verdicts ---- */

void
adit_selftest_note(const GPtrArray *results, AditVerdicts *verdicts)
{
    for (guint i = 0; i < results->len; i++) {
        const AditSelftestResult *result = results->pdata[i];

        adit_verdicts_set(verdicts, result->kernel, result->form);
    }
}

/* Whether the device has a form of the kernel that is better than @form. */
static gboolean
has_better(AditDevice *device, const char *kernel, AditKernelForm form)
{
    gboolean found = FALSE;

    for (AditKernelForm better = ADIT_FORM_SUBGROUP; better < form; better++)
        found = adit_device_set_form(device, kernel, better) || found;
    return found;
}

GPtrArray *
adit_selftest_apply(AditDevice *device, const AditVerdicts *verdicts)
{
    g_autoptr(GPtrArray) names = adit_verdicts_list(verdicts);
    GPtrArray *plainer = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < names->len; i++) {
        const char *kernel = names->pdata[i];
        AditKernelForm form = ADIT_FORM_NONE;

        adit_verdicts_lookup(verdicts, kernel, &form);
        if (form == ADIT_FORM_NONE || has_better(device, kernel, form))
            g_ptr_array_add(plainer, g_strdup(kernel));
        if (form != ADIT_FORM_NONE)
            adit_device_set_form(device, kernel, form);
    }
    return plainer;
}
