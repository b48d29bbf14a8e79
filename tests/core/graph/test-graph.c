/* tests/core/graph/test-graph.c - SPDX-License-Identifier: MIT */
#include <adit/adit-ops.h>

#include "adit-graph-private.h"
#include "components.h"

static AditTensor *
vector(AditGraph *graph, const char *name, gsize width)
{
    return adit_input(graph, name, &ADIT_SHAPE(width), 0);
}

/* Errors. */

static void
test_sticky(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *a = vector(graph, "a", 3), *b = vector(graph, "b", 4);

    g_assert_null(adit_graph_get_error(graph));
    AditTensor *failed = adit_add(a, b);
    g_assert_true(adit_tensor_has_failed(failed));
    g_assert_error(adit_graph_get_error(graph), ADIT_ERROR, ADIT_ERROR_INVALID);
    g_assert_cmpstr(adit_graph_get_error(graph)->message, ==, "cannot add 3 and 4");

    /* the first error stays, and everything may go on */
    adit_graph_fail(graph, "another %d", 2);
    g_assert_true(adit_tensor_has_failed(adit_relu(failed)));
    g_assert_true(adit_tensor_has_failed(adit_matmul(a, failed, FALSE)));
    g_assert_true(adit_tensor_has_failed(adit_concat((AditTensor *[]){a, failed}, 2, 0)));
    g_assert_true(adit_tensor_has_failed(adit_dense(failed, 4, TRUE, NULL, NULL, "")));
    g_assert_true(adit_tensor_has_failed(
        adit_parameter_filled(graph, "late", ADIT_ROLE_WEIGHT, &ADIT_SHAPE(2), 0)));
    g_assert_true(adit_tensor_has_failed(adit_noise_normal(graph, "late", &ADIT_SHAPE(2))));
    g_assert_true(adit_tap(failed, "pre") == failed);
    g_assert_cmpstr(adit_graph_get_error(graph)->message, ==, "cannot add 3 and 4");
}

static void
test_failed_reads_one(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *failed = adit_graph_fail(graph, "no");

    g_assert_cmpuint(adit_tensor_get_width(failed), ==, 1);
    g_assert_cmpuint(adit_shape_count(adit_tensor_get_shape(failed)), ==, 1);
    g_assert_cmpuint(adit_tensor_get_shape(failed)->rank, ==, 0);
    for (guint i = 0; i < ADIT_MAX_RANK; i++)
        g_assert_cmpuint(adit_tensor_get_shape(failed)->size[i], <=, 1);
    g_assert_cmpuint(adit_tensor_get_classes(failed), ==, 0);
    g_assert_true(adit_tensor_get_graph(failed) == graph);
}

static void
test_error_component(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    g_autoptr(AditBlock) dense = test_dense(4, NULL);
    g_autoptr(AditBlock) outer = test_dense(4, NULL);
    AditTensor *image = adit_input(graph, "x", &ADIT_SHAPE(2, 3, 4), 0);

    adit_graph_enter_component(graph, outer);
    adit_block_build(dense, graph, image);
    adit_graph_leave_component(graph);
    g_assert_true(adit_graph_get_error_component(graph) == dense);
    g_assert_cmpstr(adit_graph_get_error(graph)->message, ==,
                    "'dense' takes a vector, got 2x3x4; put 'flatten' or 'global-pool' before it");
}

static void
test_too_many_elements(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    gsize large = (gsize) 1 << 30;

    adit_parameter_filled(graph, "weight", ADIT_ROLE_WEIGHT, &ADIT_SHAPE(large, large, large), 0);
    g_assert_cmpstr(adit_graph_get_error(graph)->message, ==,
                    "'weight' has more than 2^40 elements");
}

static void
test_error_in_loop(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditLoop *loop = adit_loop_new(graph, 3, FALSE);
    AditTensor *carry = adit_loop_carry(loop, vector(graph, "x", 3));
    AditTensor *failed = adit_reshape(carry, &ADIT_SHAPE(5));

    /* it is the root's error, and the loop's functions let it through */
    g_assert_nonnull(adit_graph_get_error(graph));
    g_assert_true(adit_graph_get_error(loop->body) == adit_graph_get_error(graph));
    adit_loop_set_next(loop, carry, failed);
    g_assert_true(adit_loop_last(loop, failed) == failed);
    g_assert_true(adit_loop_stack(loop, failed) == failed);
    g_assert_true(adit_loop_each(loop, failed) == failed);
    g_assert_true(adit_loop_carry(loop, failed) == failed);
}

/* Names. */

static void
assert_names(AditTensor *parameter, const char *expected)
{
    g_assert_no_error(adit_graph_get_error(adit_tensor_get_graph(parameter)));
    while (parameter->kind == ADIT_TENSOR_EACH || parameter->kind == ADIT_TENSOR_CAPTURE)
        parameter = parameter->other;
    g_autofree char *names = g_strjoinv(" ", parameter->names);
    g_assert_cmpstr(names, ==, expected);
}

static AditTensor *
weight(AditGraph *graph)
{
    return adit_parameter_filled(graph, "weight", ADIT_ROLE_WEIGHT, &ADIT_SHAPE(3), 0);
}

static void
test_scopes(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);

    assert_names(adit_parameter_filled(graph, "free", ADIT_ROLE_OTHER, &ADIT_SCALAR, 0), "free");
    adit_graph_enter_scope(graph, 0, NULL, 0, "trunk", NULL);
    adit_graph_enter_scope(graph, 7, NULL, 7, "wide", "dense");
    AditScope *scope = graph->scope;
    assert_names(weight(graph), "trunk.7.weight");
    adit_graph_leave_scope(graph);
    adit_graph_enter_scope(graph, 8, NULL, 7, NULL, "dense");
    /* named by whom it shares its weights with */
    assert_names(adit_parameter_filled(graph, "bias", ADIT_ROLE_BIAS, &ADIT_SHAPE(3), 0),
                 "trunk.7.bias");
    adit_graph_leave_scope(graph);
    adit_graph_leave_scope(graph);
    g_assert_null(graph->scope);
    g_autofree char *address = adit_scope_to_string(scope, 0);
    g_assert_cmpstr(address, ==, "trunk.7");
    g_assert_cmpuint(adit_scope_count(scope), ==, 1);
}

static void
test_made_twice(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);

    adit_graph_enter_scope(graph, 0, NULL, 0, "trunk", NULL);
    weight(graph);
    g_assert_null(adit_graph_get_error(graph));
    weight(graph);
    g_assert_cmpstr(adit_graph_get_error(graph)->message, ==,
                    "parameter 'trunk.weight' is made twice");
}

static void
test_shared(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);

    adit_graph_share_weights(graph, 1);
    AditTensor *first = weight(graph);
    g_assert_true(weight(graph) == first);
    adit_graph_share_weights(graph, -1);
    g_assert_null(adit_graph_get_error(graph));
}

static void
test_loop_names(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    guint outer_strides[ADIT_MAX_LOOPS] = {7}, inner_strides[ADIT_MAX_LOOPS] = {7, 2};

    /* 2 x (one item, 3 x two items), in one list: numbers 1 and 8, 2, 4, 6 and 9, 11, 13 */
    adit_graph_enter_scope(graph, 0, NULL, 0, "trunk", NULL);
    AditLoop *outer = adit_loop_new(graph, 2, FALSE);
    AditLoop *inner = adit_loop_new(outer->body, 3, FALSE);
    adit_graph_enter_scope(inner->body, 2, inner_strides, 2, NULL, "dense");
    AditScope *scope = graph->scope;
    AditTensor *parameter = weight(inner->body);
    adit_graph_leave_scope(inner->body);
    adit_graph_enter_scope(outer->body, 1, outer_strides, 1, NULL, "dense");
    AditTensor *other = weight(outer->body);
    adit_graph_leave_scope(outer->body);

    assert_names(parameter, "trunk.2.weight trunk.4.weight trunk.6.weight trunk.9.weight "
                            "trunk.11.weight trunk.13.weight");
    assert_names(other, "trunk.1.weight trunk.8.weight");
    g_assert_cmpuint(adit_scope_count(scope), ==, 6);
    g_autofree char *address = adit_scope_to_string(scope, 4);
    g_assert_cmpstr(address, ==, "trunk.11");
    /* seen in the body without the loops' axes, kept with them */
    g_assert_true(adit_shape_equal(adit_tensor_get_shape(parameter), &ADIT_SHAPE(3)));
    g_assert_true(
        adit_shape_equal(adit_tensor_get_shape(parameter->other->other), &ADIT_SHAPE(2, 3, 3)));
}

static void
test_tied_names(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    guint strides[ADIT_MAX_LOOPS] = {3, 1};
    AditLoop *outer = adit_loop_new(graph, 2, FALSE);
    AditLoop *inner = adit_loop_new(outer->body, 3, FALSE);

    outer->tied = TRUE;
    adit_graph_enter_scope(graph, 0, NULL, 0, "trunk", NULL);
    adit_graph_enter_scope(inner->body, 1, strides, 1, NULL, "dense");
    AditTensor *parameter = weight(inner->body);
    assert_names(parameter, "trunk.1.weight trunk.2.weight trunk.3.weight");
    /* noise has a stream for every instance, tied or not */
    AditTensor *noise = adit_noise_normal(inner->body, "noise", &ADIT_SHAPE(2));
    g_assert_cmpuint(g_strv_length(noise->names), ==, 6);
    g_assert_cmpstr(noise->names[3], ==, "trunk.4.noise");
}

/* What lies outside of a loop and is used again inside it has one set of weights there. */
static void
test_names_used_again(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    guint outer_strides[ADIT_MAX_LOOPS] = {1}, inner_strides[ADIT_MAX_LOOPS] = {0, 1};
    AditLoop *own = adit_loop_new(graph, 3, FALSE);
    AditLoop *loop = adit_loop_new(graph, 5, FALSE);
    AditLoop *inner = adit_loop_new(loop->body, 3, FALSE);

    /* a head that is itself a loop of three, then the same head in the body of another loop */
    adit_graph_enter_scope(graph, 0, NULL, 0, "head", NULL);
    AditTensor *scale = weight(graph);
    adit_graph_enter_scope(own->body, 1, outer_strides, 1, NULL, "dense");
    AditTensor *first = weight(own->body);
    adit_graph_leave_scope(graph);
    adit_graph_leave_scope(graph);
    adit_graph_share_weights(graph, 1);
    adit_graph_enter_scope(loop->body, 0, NULL, 0, "head", NULL);
    AditTensor *again = weight(loop->body);
    adit_graph_enter_scope(inner->body, 1, inner_strides, 1, NULL, "dense");
    AditTensor *second = weight(inner->body);

    assert_names(again, "head.weight");
    assert_names(second, "head.1.weight head.2.weight head.3.weight");
    g_assert_cmpint(again->kind, ==, ADIT_TENSOR_CAPTURE);
    g_assert_true(again->other == scale);
    /* each iteration of the inner loop has its own, whatever that of the outer one */
    g_assert_cmpint(second->kind, ==, ADIT_TENSOR_EACH);
    g_assert_cmpint(second->other->kind, ==, ADIT_TENSOR_CAPTURE);
    g_assert_true(second->other->other == first->other);
}

/* Loops. */

static void
test_views(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *x = vector(graph, "x", 3);
    AditTensor *stack = adit_parameter_filled(graph, "s", ADIT_ROLE_OTHER, &ADIT_SHAPE(4, 3), 0);
    AditTensor *outer = adit_scale(x, 2);
    AditLoop *loop = adit_loop_new(graph, 4, TRUE);
    AditTensor *carry = adit_loop_carry(loop, x);
    AditTensor *each = adit_loop_each(loop, stack);
    AditTensor *y = adit_add(adit_mul(carry, each), outer);

    g_assert_true(adit_tensor_get_graph(y) == loop->body);
    g_assert_true(adit_shape_equal(adit_tensor_get_shape(each), &ADIT_SHAPE(3)));
    /* one tensor is seen through one view */
    g_assert_true(adit_loop_each(loop, stack) == each);
    AditTensor *capture = adit_graph_import(loop->body, outer);
    g_assert_cmpint(capture->kind, ==, ADIT_TENSOR_CAPTURE);
    g_assert_true(y->inputs[1] == capture);
    g_assert_true(adit_graph_import(loop->body, outer) == capture);
    g_assert_cmpuint(loop->captures->len, ==, 1);

    adit_loop_set_next(loop, carry, y);
    AditTensor *last = adit_loop_last(loop, carry);
    AditTensor *all = adit_loop_stack(loop, y);
    g_assert_true(adit_loop_last(loop, carry) == last);
    g_assert_true(adit_loop_stack(loop, y) == all);
    g_assert_true(adit_tensor_get_graph(last) == graph);
    g_assert_true(adit_tensor_has_rows(last));
    g_assert_true(adit_shape_equal(adit_tensor_get_shape(all), &ADIT_SHAPE(4, 3)));
    g_assert_cmpuint(all->lead, ==, 1);
    g_assert_true(adit_tensor_unroll(y) == all);
    g_assert_true(adit_tensor_unroll(last) == last);
}

static void
test_views_nested(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *x = adit_input(graph, "x", &ADIT_SHAPE(3), 5);
    AditLoop *outer = adit_loop_new(graph, 2, FALSE);
    AditLoop *inner = adit_loop_new(outer->body, 4, FALSE);
    AditTensor *seen = adit_graph_import(inner->body, x);
    AditTensor *y = adit_relu(seen);

    /* through both loops, one view for each */
    g_assert_true(seen->other->graph == outer->body);
    g_assert_true(seen->other->other == x);
    g_assert_cmpuint(adit_tensor_get_classes(seen), ==, 5);
    AditTensor *all = adit_tensor_unroll(y);
    g_assert_true(adit_tensor_get_graph(all) == graph);
    g_assert_true(adit_shape_equal(adit_tensor_get_shape(all), &ADIT_SHAPE(2, 4, 3)));
    g_assert_cmpuint(all->lead, ==, 2);
}

static void
test_attributes_through_loops(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditLoop *loop = adit_loop_new(graph, 2, FALSE);
    AditTensor *y = adit_scale(adit_loop_carry(loop, vector(graph, "x", 3)), 0.25);
    AditLoop *reader = adit_loop_new(graph, 2, TRUE);
    AditTensor *view = adit_loop_each(reader, adit_loop_stack(loop, y));

    g_assert_nonnull(adit_tensor_get_attributes(y));
    g_assert_true(adit_tensor_get_attributes(view) == adit_tensor_get_attributes(y));
}

static void
test_states(void)
{
    for (guint training = 0; training < 2; training++) {
        g_autoptr(AditGraph) graph =
            adit_graph_new(training ? ADIT_MODE_TRAINING : ADIT_MODE_EVALUATION);
        guint strides[ADIT_MAX_LOOPS] = {1};
        AditLoop *loop = adit_loop_new(graph, 3, FALSE);
        adit_graph_enter_scope(loop->body, 1, strides, 1, NULL, "batch-norm");
        AditTensor *state = adit_state(loop->body, "mean", &ADIT_SHAPE(2), 1);

        adit_state_update(state, adit_scale(state, 0.5));
        g_assert_null(adit_graph_get_error(graph));
        g_assert_cmpuint(graph->updates->len, ==, training);
        if (!training)
            continue;
        const AditStateUpdate *update = &g_array_index(graph->updates, AditStateUpdate, 0);
        g_assert_cmpint(update->state->kind, ==, ADIT_TENSOR_STATE);
        g_assert_true(adit_shape_equal(&update->value->shape, &update->state->shape));
        adit_state_update(state, adit_constant(graph, 1));
        g_assert_cmpstr(adit_graph_get_error(graph)->message, ==,
                        "a state's new value has another shape");
    }
}

/* Trials. */

static void
test_rollback(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *x = vector(graph, "x", 3);

    adit_graph_enter_scope(graph, 0, NULL, 0, "trunk", NULL);
    AditTensor *kept = weight(graph);
    AditLoop *around = adit_loop_new(graph, 2, FALSE);
    AditTensor *carry = adit_loop_carry(around, x);
    AditMark mark = adit_graph_mark(around->body);
    guint n_tensors = graph->tensors->len, n_inner = around->body->tensors->len;

    AditLoop *trial = adit_loop_new(around->body, 3, FALSE);
    guint strides[ADIT_MAX_LOOPS] = {3, 1};
    adit_graph_enter_scope(trial->body, 1, strides, 1, NULL, "dense");
    AditTensor *inner = adit_loop_carry(trial, carry);
    AditTensor *state = adit_state(trial->body, "mean", &ADIT_SHAPE(3), 0);
    AditTensor *own =
        adit_parameter_filled(trial->body, "own", ADIT_ROLE_WEIGHT, &ADIT_SHAPE(3), 0);
    adit_state_update(state, adit_add(state, own));
    adit_tap(adit_mul(adit_mul(inner, kept), own), "pre");
    adit_graph_leave_scope(trial->body);
    g_assert_null(adit_graph_get_error(graph));

    adit_graph_rollback(around->body, &mark);
    g_assert_cmpuint(graph->tensors->len, ==, n_tensors);
    g_assert_cmpuint(around->body->tensors->len, ==, n_inner);
    g_assert_cmpuint(around->body->loops->len, ==, 0);
    g_assert_cmpuint(around->captures->len, ==, 0);
    g_assert_cmpuint(around->eaches->len, ==, 0);
    g_assert_cmpuint(graph->updates->len, ==, 0);
    g_assert_cmpuint(graph->taps->len, ==, 0);

    /* its names are free again, those from before are not */
    adit_graph_enter_scope(graph, 1, NULL, 1, NULL, "dense");
    adit_parameter_filled(graph, "own", ADIT_ROLE_WEIGHT, &ADIT_SHAPE(5), 0);
    g_assert_null(adit_graph_get_error(graph));
    adit_graph_leave_scope(graph);
    weight(graph);
    g_assert_nonnull(adit_graph_get_error(graph));
}

static void
test_taps(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *x = vector(graph, "x", 3);

    g_assert_true(adit_tap(x, "pre") == x);
    g_assert_cmpuint(graph->taps->len, ==, 0);
    adit_graph_enter_scope(graph, 0, NULL, 0, "trunk", NULL);
    adit_tap(x, "in");
    adit_tap(adit_scale(x, 2), "pre");
    /* the second of a port is not recorded */
    adit_tap(adit_scale(x, 3), "pre");
    g_assert_cmpuint(graph->taps->len, ==, 2);
    adit_tap(x, "out");
    g_assert_cmpuint(graph->taps->len, ==, 3);
}

static void
test_dot(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    guint strides[ADIT_MAX_LOOPS] = {1};
    AditLoop *loop = adit_loop_new(graph, 3, TRUE);
    AditTensor *carry = adit_loop_carry(loop, vector(graph, "features", 3));

    adit_graph_enter_scope(loop->body, 1, strides, 1, NULL, "dense");
    adit_loop_set_next(loop, carry, adit_relu(adit_mul(carry, weight(loop->body))));
    adit_loop_last(loop, carry);
    g_assert_null(adit_graph_get_error(graph));
    g_autofree char *dot = adit_graph_to_dot(graph);
    g_assert_true(g_str_has_prefix(dot, "digraph adit {\n"));
    g_assert_nonnull(strstr(dot, "\n  t1 [label="));
    g_assert_nonnull(strstr(dot, "subgraph cluster_1 {"));
    g_assert_true(g_str_has_suffix(dot, "}\n"));
    g_assert_nonnull(strstr(dot, "label=\"reverse loop of 3\""));
    g_assert_nonnull(strstr(dot, "label=\"input features\\nrows x 3\""));
    g_assert_nonnull(strstr(dot, "label=\"parameter 1.weight\\n3x3\""));
    g_assert_nonnull(strstr(dot, "label=\"relu\\nrows x 3\""));
    g_assert_nonnull(strstr(dot, "label=\"last\\nrows x 3\""));
}

static void
test_references(void)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_EVALUATION);
    AditTensor *x = vector(graph, "x", 3);

    g_assert_true(adit_graph_ref(graph) == graph);
    adit_graph_unref(graph);
    g_assert_cmpuint(adit_tensor_get_width(x), ==, 3);
    g_assert_cmpint(adit_graph_get_mode(graph), ==, ADIT_MODE_EVALUATION);
    adit_graph_unref(graph);
}

/* Rows of several iterations lie apart: only a loop can take one iteration's of them. */
static void
test_stack_of_rows(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditLoop *loop = adit_loop_new(graph, 3, FALSE);
    AditTensor *carry = adit_loop_carry(loop, adit_input(graph, "x", &ADIT_SHAPE(2), 0));

    adit_loop_set_next(loop, carry, adit_relu(carry));
    AditTensor *stack = adit_loop_stack(loop, carry);
    g_assert_no_error(adit_graph_get_error(graph));
    g_assert_true(adit_tensor_has_failed(adit_relu(stack)));
    g_assert_cmpstr(adit_graph_get_error(graph)->message, ==,
                    "'relu' cannot take what a loop stacked of every row");
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/graph/error/sticky", test_sticky);
    g_test_add_func("/graph/error/failed-reads-one", test_failed_reads_one);
    g_test_add_func("/graph/error/component", test_error_component);
    g_test_add_func("/graph/error/too-many-elements", test_too_many_elements);
    g_test_add_func("/graph/error/in-loop", test_error_in_loop);
    g_test_add_func("/graph/names/scopes", test_scopes);
    g_test_add_func("/graph/names/made-twice", test_made_twice);
    g_test_add_func("/graph/names/shared", test_shared);
    g_test_add_func("/graph/names/loops", test_loop_names);
    g_test_add_func("/graph/loop/stack-of-rows", test_stack_of_rows);
    g_test_add_func("/graph/names/tied", test_tied_names);
    g_test_add_func("/graph/names/used-again", test_names_used_again);
    g_test_add_func("/graph/loop/views", test_views);
    g_test_add_func("/graph/loop/views-nested", test_views_nested);
    g_test_add_func("/graph/loop/attributes", test_attributes_through_loops);
    g_test_add_func("/graph/states", test_states);
    g_test_add_func("/graph/rollback", test_rollback);
    g_test_add_func("/graph/taps", test_taps);
    g_test_add_func("/graph/dot", test_dot);
    g_test_add_func("/graph/references", test_references);
    return g_test_run();
}
