/* tests/core/infer/test-outcome.c - SPDX-License-Identifier: MIT */
#include "adit-outcome.h"

#include <adit/adit-ops.h>

#include "adit-selection.h"
#include "components.h"
#include "rig.h"

#include <math.h>

/* Answers that are made of several, on two exits and a last answer of three classes, beside
 * equations 8 and 9 worked out one by one. */

#define N       3
#define CLASSES 3

static const double logits[N][CLASSES] = {{1, 0, -1}, {0.5, 2, 0}, {0, 0, 3}};

typedef double Numbers[CLASSES];

static void
softmax(const double *x, double *y)
{
    double sum = 0;

    for (guint i = 0; i < CLASSES; i++)
        sum += y[i] = exp(x[i]);
    for (guint i = 0; i < CLASSES; i++)
        y[i] /= sum;
}

/* The outcome's logits, its parameter @name being @values. @name: (nullable) */
static double *
compute(const AditOutcome *outcome, const char *const *names, const double *const *values)
{
    g_autoptr(AditLoss) loss = test_component("loss", "cross-entropy", NULL);
    g_autoptr(GArray) exits = g_array_new(FALSE, FALSE, sizeof(AditPick));
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *answers[N];

    for (guint i = 0; i < N; i++) {
        AditPick pick = {NULL};

        answers[i] = adit_constant_array(graph, &ADIT_SHAPE(CLASSES), logits[i]);
        pick.tensor = answers[i];
        if (i + 1 < N)
            g_array_append_val(exits, pick);
    }
    AditOutcomeInputs inputs = {exits, answers[N - 1], loss, CLASSES};
    AditTensor *y = adit_outcome_build(outcome, &inputs);
    AditTensor *weighed = adit_constant_array(graph, &ADIT_SHAPE(CLASSES), (double[]){1, -2, 0.5});
    AditTensor *sum = adit_sum(adit_mul(y, weighed));
    g_autoptr(Rig) rig = rig_new(graph);
    guint output = rig_add(rig, ADIT_OUTPUT_READ, y), total = rig_add(rig, ADIT_OUTPUT_READ, sum);

    rig_add_gradients(rig, sum);
    rig_prepare(rig, 1, TRUE, 8);
    for (guint i = 0; names != NULL && names[i] != NULL; i++) {
        gsize count, offset = rig_find(rig, names[i], &count);

        adit_memory_write(rig->device, rig->memory, ADIT_ARENA_PARAMETERS, offset, count,
                          values[i]);
    }
    rig_run(rig, 8, 0);
    if (names != NULL)
        rig_check_gradients(rig, total, 8, 1e-6);
    rig_run(rig, 8, 0);
    return rig_read(rig, output, 1);
}

static void
assert_close(const double *got, const double *expected)
{
    for (guint i = 0; i < CLASSES; i++)
        g_assert_cmpfloat(fabs(got[i] - expected[i]), <, 1e-12);
}

/* Equation 8. */
static void
test_combined(gconstpointer data)
{
    AditOutcome outcome = {.kind = (AditOutcomeKind) GPOINTER_TO_INT(data)};
    const char *names[] = {outcome.kind == ADIT_OUTCOME_FREE       ? "exits.free"
                           : outcome.kind == ADIT_OUTCOME_POSITIVE ? "exits.positive"
                                                                   : "exits.softmax",
                           NULL};
    double given[] = {0.5, -1, 2}, weights[N], sum = 0, shares = exp(0.5) + exp(-1) + exp(2);
    Numbers expected = {0}, equal = {0};
    const double *const values[] = {given};
    g_autofree double *got = compute(&outcome, names, values);
    g_autofree double *first = compute(&outcome, NULL, NULL);

    for (guint i = 0; i < N; i++) {
        weights[i] = outcome.kind == ADIT_OUTCOME_FREE       ? given[i]
                     : outcome.kind == ADIT_OUTCOME_POSITIVE ? log(1 + exp(given[i]))
                                                             : exp(given[i]) / shares;
        sum += weights[i];
        for (guint j = 0; j < CLASSES; j++) {
            expected[j] += weights[i] * logits[i][j];
            equal[j] += logits[i][j] / N;
        }
    }
    assert_close(got, expected);
    assert_close(first, equal);
    if (outcome.kind == ADIT_OUTCOME_SOFTMAX)
        g_assert_cmpfloat(fabs(sum - 1), <, 1e-12);
    if (outcome.kind == ADIT_OUTCOME_FREE)
        assert_close(got, (double[]){0, -2, 5.5});
}

static void
test_pooled(void)
{
    Numbers p[N], mean = {0}, largest = {0}, of_mean, of_max, likely;
    double sum = 0;
    g_autofree double *means = compute(&(AditOutcome){ADIT_OUTCOME_MEAN}, NULL, NULL);
    g_autofree double *maxima = compute(&(AditOutcome){ADIT_OUTCOME_MAX}, NULL, NULL);

    for (guint i = 0; i < N; i++) {
        softmax(logits[i], p[i]);
        for (guint j = 0; j < CLASSES; j++) {
            mean[j] += p[i][j] / N;
            largest[j] = MAX(largest[j], p[i][j]);
        }
    }
    for (guint j = 0; j < CLASSES; j++)
        sum += largest[j];
    for (guint j = 0; j < CLASSES; j++)
        likely[j] = largest[j] / sum;
    softmax(means, of_mean);
    softmax(maxima, of_max);
    assert_close(of_mean, mean);
    assert_close(of_max, likely);
}

static double
trust_entropy(const double *p)
{
    double sum = 0;

    for (guint i = 0; i < CLASSES; i++)
        sum += p[i] * log(p[i]);
    return 1 + sum / log(CLASSES);
}

static double
find_largest(const double *p)
{
    return MAX(MAX(p[0], p[1]), p[2]);
}

/* Equation 9. */
static void
test_gated(gconstpointer data)
{
    AditTrust trust = (AditTrust) GPOINTER_TO_INT(data);
    const char *const names[] = {"exits.1.gate.weight", "exits.1.gate.bias", "exits.2.gate.weight",
                                 "exits.2.gate.bias", NULL};
    double v[2][CLASSES + 1] = {{0.3, -0.2, 0.1, 0.5}, {-1, 0.7, 2, -0.4}}, b[2] = {0.4, -0.6};
    const double *const values[] = {v[0], &b[0], v[1], &b[1]};
    AditOutcome outcome = {.kind = ADIT_OUTCOME_GATED, .trust = trust};
    g_autofree double *got = compute(&outcome, trust == ADIT_TRUST_GATE ? names : NULL, values);
    Numbers p[N], expected, of_got;

    for (guint i = 0; i < N; i++)
        softmax(logits[i], p[i]);
    softmax(logits[N - 1], expected);
    for (guint i = N - 1; i > 0; i--) {
        const double *own = p[i - 1], *w = v[i - 1];
        double x = w[0] * own[0] + w[1] * own[1] + w[2] * own[2] + w[3] * find_largest(own);
        double g = trust == ADIT_TRUST_GATE              ? 1 / (1 + exp(-x - b[i - 1]))
                   : trust == ADIT_TRUST_MAX_PROBABILITY ? find_largest(own)
                                                         : trust_entropy(own);

        for (guint j = 0; j < CLASSES; j++)
            expected[j] = g * own[j] + (1 - g) * expected[j];
    }
    softmax(got, of_got);
    assert_close(of_got, expected);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/outcome/combined/free", GINT_TO_POINTER(ADIT_OUTCOME_FREE),
                         test_combined);
    g_test_add_data_func("/outcome/combined/positive", GINT_TO_POINTER(ADIT_OUTCOME_POSITIVE),
                         test_combined);
    g_test_add_data_func("/outcome/combined/softmax", GINT_TO_POINTER(ADIT_OUTCOME_SOFTMAX),
                         test_combined);
    g_test_add_func("/outcome/pooled", test_pooled);
    g_test_add_data_func("/outcome/gated/gate", GINT_TO_POINTER(ADIT_TRUST_GATE), test_gated);
    g_test_add_data_func("/outcome/gated/max-probability",
                         GINT_TO_POINTER(ADIT_TRUST_MAX_PROBABILITY), test_gated);
    g_test_add_data_func("/outcome/gated/entropy", GINT_TO_POINTER(ADIT_TRUST_ENTROPY), test_gated);
    return g_test_run();
}
