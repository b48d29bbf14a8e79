/* tests/core/ops/test-reach.c - SPDX-License-Identifier: MIT */
#include "adit-reach.h"

#include <adit/adit-op.h>
#include <adit/adit-ops.h>

#include "adit-ops-private.h"

/* What whole networks do not show; those are in tests/pipelines/test-receptive-fields.py. */

static AditTensor *
image(AditGraph *graph)
{
    return adit_input(graph, "x", &ADIT_SHAPE(2, 8, 6), 0);
}

/* That axis @axis of @y follows axis @from of input @input, by @step, seeing @extent. */
static void
assert_follows(AditTensor *y, guint input, guint axis, int from, double step, gsize extent)
{
    AditReach reach;

    g_assert_false(adit_tensor_has_failed(y));
    adit_reach_find(y, input, &reach);
    g_assert_cmpint(reach.from[axis], ==, from);
    if (from < 0)
        return;
    g_assert_cmpfloat(reach.step[axis], ==, step);
    g_assert_cmpuint(reach.extent[axis], ==, extent);
}

/* Of a window whose place is known; any other may show anything. */
static void
test_crop(void)
{
    static const double wholes[] = {1, 5, 2, -1}, parts[] = {0.5, 0, 1, 1.5};
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_EVALUATION);
    AditTensor *x = image(graph);
    AditTensor *place = adit_constant_array(graph, &ADIT_SHAPE(4), wholes);
    AditTensor *between = adit_constant_array(graph, &ADIT_SHAPE(4), parts);
    AditTensor *random = adit_noise_uniform(graph, "place", &ADIT_SHAPE(4));
    AditTensor *y = adit_crop(x, place, 3, 6, ADIT_OUTSIDE_ZERO);

    assert_follows(y, 0, 0, 0, 1, 1);
    assert_follows(y, 0, 1, 1, 2, 1);
    assert_follows(y, 0, 2, 2, 1, 1);
    y = adit_crop(x, between, 3, 3, ADIT_OUTSIDE_EDGE);
    assert_follows(y, 0, 1, 1, 1, 2);
    assert_follows(y, 0, 2, 2, 1.5, 2);
    y = adit_crop(x, random, 3, 3, ADIT_OUTSIDE_ZERO);
    assert_follows(y, 0, 0, 0, 1, 1);
    assert_follows(y, 0, 1, -1, 0, 0);
}

/* Along the axes that are moved or cut, and along the others. */
static void
test_move(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_EVALUATION);
    AditTensor *x = image(graph);
    AditTensor *two[] = {x, x};
    AditTensor *y = adit_slice(x, 1, 1, 8, 3);

    assert_follows(y, 0, 1, 1, 3, 1);
    assert_follows(y, 0, 2, 2, 1, 1);
    y = adit_pad(x, 2, 1, 2, 0);
    assert_follows(y, 0, 2, 2, 1, 1);
    assert_follows(y, 0, 1, 1, 1, 1);
    y = adit_concat(two, 2, 1);
    assert_follows(y, 1, 0, 0, 1, 1);
    assert_follows(y, 1, 1, 1, 1, 0);
    y = adit_reduce(x, ADIT_REDUCE_MAX, (int[]){1}, 1);
    assert_follows(y, 0, 0, 0, 1, 1);
    assert_follows(y, 0, 1, 2, 1, 1);
    y = adit_add(x, adit_constant_array(graph, &ADIT_SHAPE(8, 1), (double[8]){0}));
    assert_follows(y, 0, 2, 2, 1, 1);
    assert_follows(y, 1, 1, 0, 1, 1);
    assert_follows(y, 1, 2, -1, 0, 0);
}

static void
test_products(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_EVALUATION);
    AditTensor *x = image(graph);
    /* [2, 8, 6] x [2, 6, 8]; the second turned */
    AditTensor *y = adit_batch_matmul(x, x, FALSE, TRUE);

    assert_follows(y, 0, 0, 0, 1, 1);
    assert_follows(y, 0, 1, 1, 1, 1);
    assert_follows(y, 0, 2, -1, 0, 0);
    assert_follows(y, 1, 2, 1, 1, 1);
    assert_follows(y, 1, 1, -1, 0, 0);
    y = adit_batch_matmul(x, x, TRUE, FALSE);
    assert_follows(y, 0, 1, 2, 1, 1);
    assert_follows(y, 1, 2, 2, 1, 1);
    AditTensor *tokens = adit_input(graph, "tokens", &ADIT_SHAPE(5, 4), 0);
    AditTensor *inputs[] = {tokens, tokens, tokens};

    y = adit_attention_fused(inputs, 2, 0, NULL);
    for (guint i = 0; i < 3; i++) { /* a token sees all others */
        assert_follows(y, i, 0, -1, 0, 0);
        assert_follows(y, i, 1, -1, 0, 0);
    }
    y = adit_log_softmax(x);
    assert_follows(y, 0, 1, 1, 1, 1);
    assert_follows(y, 0, 2, -1, 0, 0);
}

/* Of an operation that a plugin brings nothing is known. */
static void
test_foreign(void)
{
    static const AditOp foreign = {.name = "acme:fft"};
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_EVALUATION);
    AditTensor *x = image(graph);
    AditTensor *y = adit_apply(&foreign, &x, 1, NULL, 0);

    for (guint axis = 0; axis < 3; axis++)
        assert_follows(y, 0, axis, -1, 0, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ops/reach/crop", test_crop);
    g_test_add_func("/ops/reach/move", test_move);
    g_test_add_func("/ops/reach/products", test_products);
    g_test_add_func("/ops/reach/foreign", test_foreign);
    return g_test_run();
}
