/* tests/conformance/policies.c - SPDX-License-Identifier: MIT */
#include <adit/adit-ops.h>
#include <adit/adit-policy.h>

#include "conformance.h"
#include "rig.h"

#include <math.h>
#include <string.h>

/* What policies owe: a number for every row, which no other row has a part in; shares that are
 * some; an answer that there is. */

#define ROWS    7
#define CLASSES 4
#define ANSWERS 3

/* Probabilities of answer @answer; the first row is sure of it, the second of nothing. */
static AditArray *
make_probabilities(guint answer)
{
    g_autoptr(GError) error = NULL;
    AditArray *array = adit_array_new(ADIT_TYPE_CODE_F64, &ADIT_SHAPE(CLASSES), ROWS, &error);
    double *values = array->data;

    g_assert_no_error(error);
    for (guint row = 0; row < ROWS; row++) {
        double sum = 0;

        for (guint i = 0; i < CLASSES; i++) {
            double value = 1 + (row * 7 + i * 5 + answer * 3) % 11;

            values[row * CLASSES + i] = row == 0 ? i == answer : row == 1 ? 1 : value;
            sum += values[row * CLASSES + i];
        }
        for (guint i = 0; i < CLASSES; i++)
            values[row * CLASSES + i] /= sum;
    }
    return array;
}

static void
build(AditPolicy *policy, AditGraph *graph, Rig *rig)
{
    AditPolicyClass *klass = ADIT_POLICY_GET_CLASS(policy);
    AditExitStep step = {.n_exits = ANSWERS - 1};
    guint n_state = klass->count_state != NULL ? klass->count_state(policy, CLASSES) : 0;

    for (guint i = 0; i < ANSWERS; i++) {
        g_autofree char *name = g_strdup_printf("answer-%u", i);
        AditTensor *x = adit_input(graph, name, &ADIT_SHAPE(CLASSES), 0), *y;

        if (i == 0 && n_state > 0)
            step.state = adit_broadcast(
                adit_reshape(adit_sum_last(adit_less(x, x)), &ADIT_SHAPE(1)), &ADIT_SHAPE(n_state));
        step.probabilities = x;
        step.exit = adit_constant(graph, i);
        y = klass->follow != NULL ? klass->follow(policy, graph, &step)
                                  : klass->measure(policy, graph, x);
        g_assert_no_error(adit_graph_get_error(graph));
        g_assert_cmpuint(adit_tensor_get_shape(y)->rank, ==, 0);
        g_assert_true(adit_tensor_has_rows(y));
        rig_add(rig, ADIT_OUTPUT_READ, y);
        rig_add(rig, ADIT_OUTPUT_READ, step.probabilities);
    }
}

static void
test_rows_stand_alone(const AditPlugin *plugin)
{
    g_autoptr(AditPolicy) policy = make_example(plugin);
    AditGraph *graph = adit_graph_new(ADIT_MODE_EVALUATION);
    g_autoptr(Rig) rig = rig_new(graph);
    double *together[2 * ANSWERS];

    build(policy, graph, rig);
    rig_prepare(rig, 1, TRUE, ROWS);
    for (guint i = 0; i < ANSWERS; i++)
        rig_feed(rig, make_probabilities(i));
    rig_run(rig, ROWS, 1);
    for (guint i = 0; i < 2 * ANSWERS; i++)
        together[i] = rig_read(rig, i, ROWS);
    for (guint row = 0; row < ROWS; row++) {
        rig_run_from(rig, row, 1, 1);
        for (guint i = 0; i < 2 * ANSWERS; i++) {
            gsize width = i % 2 == 0 ? 1 : CLASSES;
            g_autofree double *alone = rig_read(rig, i, 1);

            for (gsize j = 0; j < width; j++) {
                g_assert_true(isfinite(alone[j]));
                g_assert_cmpfloat(alone[j], ==, together[i][row * width + j]);
            }
        }
    }
    for (guint i = 0; i < 2 * ANSWERS; i++)
        g_free(together[i]);
}

static void
test_shares(const AditPlugin *plugin)
{
    g_autoptr(AditPolicy) policy = make_example(plugin);
    double shares[ANSWERS], sum = 0;

    ADIT_POLICY_GET_CLASS(policy)->share(policy, ANSWERS - 1, shares);
    for (guint i = 0; i + 1 < ANSWERS; i++) {
        g_assert_cmpfloat(shares[i], >=, 0);
        sum += shares[i];
    }
    g_assert_cmpfloat(sum, <=, 1 + 1e-12);
}

static void
test_fixes(const AditPlugin *plugin)
{
    g_autoptr(AditPolicy) policy = make_example(plugin);
    const double seconds[ANSWERS] = {0.001, 0.002, 0.003};

    g_assert_cmpuint(ADIT_POLICY_GET_CLASS(policy)->fix(policy, ANSWERS - 1, seconds), <, ANSWERS);
}

void
add_policy(const AditPlugin *plugin)
{
    g_autoptr(AditPolicy) policy = make_example(plugin);
    const AditPolicyClass *klass = ADIT_POLICY_GET_CLASS(policy);

    if (klass->measure != NULL || klass->follow != NULL)
        add_case(plugin, "rows-stand-alone", test_rows_stand_alone);
    if (klass->share != NULL)
        add_case(plugin, "shares", test_shares);
    if (klass->fix != NULL)
        add_case(plugin, "fixes", test_fixes);
}
