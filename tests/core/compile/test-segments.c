/* tests/core/compile/test-segments.c - SPDX-License-Identifier: MIT */
#include "adit-segments.h"

#include <adit/adit-ops.h>

#include "rig.h"

static AditTensor *
find_op(const AditSegment *segment, const char *name)
{
    for (guint i = 0; i < segment->graph->tensors->len; i++) {
        AditTensor *tensor = segment->graph->tensors->pdata[i];

        if (tensor->op != NULL && g_str_equal(tensor->op->name, name))
            return tensor;
    }
    return NULL;
}

static AditSegment *
get(const GPtrArray *segments, guint i)
{
    return segments->pdata[i];
}

/* What two ends compute alike is computed once, and handed on. */
static void
test_shares(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_EVALUATION);
    AditTensor *x = adit_input(graph, "inputs", &ADIT_SHAPE(4), 0);
    const AditSegmentEnd ends[] = {{adit_sum(adit_relu(x)), 0},
                                   {adit_sum(adit_exp(adit_relu(x))), 0}};
    g_autoptr(GPtrArray) segments = adit_graph_cut(graph, ends, G_N_ELEMENTS(ends), NULL);

    g_assert_cmpuint(segments->len, ==, 2);
    g_assert_cmpuint(get(segments, 0)->handed->len, ==, 1);
    g_assert_true(get(segments, 0)->handed->pdata[0] == find_op(get(segments, 0), "relu"));
    g_assert_cmpuint(get(segments, 0)->taken->len, ==, 0);
    g_assert_cmpuint(get(segments, 1)->taken->len, ==, 1);
    g_assert_null(find_op(get(segments, 1), "relu"));
    g_assert_nonnull(find_op(get(segments, 1), "exp"));
    g_assert_cmpuint(get(segments, 1)->handed->len, ==, 0);
}

/* What is needed two segments further on goes through the one between, as does the network's
 * input. */
static void
test_passes_on(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_EVALUATION);
    AditTensor *x = adit_input(graph, "inputs", &ADIT_SHAPE(4), 0), *early = adit_tanh(x);
    const AditSegmentEnd ends[] = {
        {adit_sum(early), 0}, {adit_sum(adit_neg(x)), 0}, {adit_sum(adit_exp(early)), 0}};
    g_autoptr(GPtrArray) segments = adit_graph_cut(graph, ends, G_N_ELEMENTS(ends), NULL);

    g_assert_cmpuint(get(segments, 0)->handed->len, ==, 2);
    g_assert_cmpuint(get(segments, 1)->taken->len, ==, 2);
    g_assert_cmpuint(get(segments, 1)->handed->len, ==, 1);
    g_assert_true(get(segments, 1)->handed->pdata[0] == get(segments, 1)->taken->pdata[0] ||
                  get(segments, 1)->handed->pdata[0] == get(segments, 1)->taken->pdata[1]);
    g_assert_null(find_op(get(segments, 2), "tanh"));
}

/* A loop without an end stays one, for all that it leaves; each of the iterations of one with ends
 * is a segment. */
static void
test_loops(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_EVALUATION);
    AditTensor *x = adit_input(graph, "inputs", &ADIT_SHAPE(4), 0);
    AditLoop *loop = adit_loop_new(graph, 5, FALSE), *opened;
    AditTensor *a = adit_loop_carry(loop, x), *b = adit_loop_carry(loop, x), *next = adit_tanh(b);

    adit_loop_set_next(loop, a, adit_add(a, next));
    adit_loop_set_next(loop, b, next);
    AditTensor *sum = adit_loop_last(loop, a), *last = adit_loop_last(loop, b);

    opened = adit_loop_new(graph, 2, FALSE);
    AditTensor *carry = adit_loop_carry(opened, last), *step = adit_exp(carry);

    adit_loop_set_next(opened, carry, step);
    AditTensor *end = adit_sum(step);
    const AditSegmentEnd ends[] = {{adit_sum(sum), 0}, {end, 0}, {end, 1}};
    g_autoptr(GPtrArray) segments = adit_graph_cut(graph, ends, G_N_ELEMENTS(ends), NULL);

    g_assert_cmpuint(get(segments, 0)->graph->loops->len, ==, 1);
    const AditLoop *copy = get(segments, 0)->graph->loops->pdata[0];

    g_assert_cmpuint(copy->n, ==, 5);
    g_assert_cmpuint(copy->lasts->len, ==, 2);
    g_assert_cmpuint(get(segments, 0)->handed->len, ==, 1);
    for (guint i = 1; i < 3; i++) {
        g_assert_cmpuint(get(segments, i)->graph->loops->len, ==, 0);
        g_assert_nonnull(find_op(get(segments, i), "exp"));
    }
}

/* Rows that depend on each other cannot leave. */
static void
test_refuses(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_EVALUATION);
    AditTensor *x = adit_input(graph, "inputs", &ADIT_SHAPE(4), 0);
    AditTensor *noise = adit_noise_normal(graph, "noise", &ADIT_SHAPE(4));
    const AditSegmentEnd joined = {adit_sum(adit_sub(x, adit_reduce_rows(x, ADIT_REDUCE_MEAN))), 0};
    const AditSegmentEnd drawn = {adit_sum(adit_add(x, noise)), 0};
    g_autoptr(GError) error = NULL;

    g_assert_null(adit_graph_cut(graph, &joined, 1, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_INVALID);
    g_assert_cmpstr(error->message, ==,
                    "a row cannot leave: 'rows-mean' joins rows, and the others would have other "
                    "answers");
    g_clear_error(&error);
    g_assert_null(adit_graph_cut(graph, &drawn, 1, &error));
    g_assert_cmpstr(error->message, ==,
                    "a row cannot leave: 'noise-normal' counts rows, and the others would have "
                    "other answers");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/segments/shares", test_shares);
    g_test_add_func("/segments/passes-on", test_passes_on);
    g_test_add_func("/segments/loops", test_loops);
    g_test_add_func("/segments/refuses", test_refuses);
    return g_test_run();
}
