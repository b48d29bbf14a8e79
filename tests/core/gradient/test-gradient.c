/* tests/core/gradient/test-gradient.c - SPDX-License-Identifier: MIT */
#include <adit/adit-ops.h>

#include "adit-graph-private.h"
#include "components.h"
#include "rig.h"

#include <math.h>

#define ROWS      11
#define TOLERANCE 1e-8

static AditTensor *
parameter(AditGraph *graph, const char *name, const AditShape *shape)
{
    g_autoptr(AditInitializer) initializer =
        test_component("initializer", "normal", "std", 0.7, NULL);

    return adit_parameter(graph, name, ADIT_ROLE_WEIGHT, shape, initializer);
}

/* A loss with the gradients of all parameters, in float64; run once. */
static Rig *
differentiate(AditGraph *graph, AditTensor *loss, guint *output)
{
    Rig *rig = rig_new(graph);

    *output = rig_add(rig, ADIT_OUTPUT_READ, loss);
    rig_add_gradients(rig, loss);
    rig_prepare(rig, 1, TRUE, ROWS);
    return rig;
}

/* Takes @graph, fed with ROWS rows of @inputs numbers if it has an input. */
static void
check(AditGraph *graph, AditTensor *loss, gsize inputs)
{
    guint output;
    g_autoptr(Rig) rig = differentiate(graph, loss, &output);

    if (inputs > 0)
        rig_feed(rig, test_array(&ADIT_SHAPE(inputs), ROWS, 3));
    rig_run(rig, ROWS, 0);
    rig_check_gradients(rig, output, ROWS, TOLERANCE);
}

/* Functions of one number with derivatives known by heart. */

typedef struct {
    const char *name;
    AditTensor *(*build)(AditTensor *x);
    double at;
    double derivative;
} Known;

static AditTensor *
cube(AditTensor *x)
{
    return adit_mul(x, adit_mul(x, x));
}

static AditTensor *
self_power(AditTensor *x)
{
    return adit_pow(x, x);
}

static AditTensor *
quotient(AditTensor *x)
{
    return adit_div(x, adit_offset(adit_square(x), 1));
}

static AditTensor *
used_thrice(AditTensor *x)
{
    return adit_add(adit_add(x, adit_square(x)), adit_neg(x));
}

static AditTensor *
stopped(AditTensor *x)
{
    return adit_mul(x, adit_stop_gradient(x));
}

static AditTensor *
unused(AditTensor *x)
{
    return adit_constant(adit_tensor_get_graph(x), 5);
}

static AditTensor *
compared(AditTensor *x)
{
    return adit_select(adit_less(x, adit_constant(adit_tensor_get_graph(x), 1)), adit_square(x),
                       adit_exp(x));
}

static const Known knowns[] = {
    {"cube", cube, 2, 12},
    {"self-power", self_power, 1, 1},
    {"quotient", quotient, 2, -3.0 / 25},
    {"used-thrice", used_thrice, 3, 6},
    {"stopped", stopped, 3, 3},
    {"unused", unused, 3, 0},
    {"compared-below", compared, 0.5, 1},
    {"compared-above", compared, 2, 7.38905609893065},
    {"log", adit_log, 4, 0.25},
    {"sqrt", adit_sqrt, 16, 0.125},
    {"reciprocal", adit_reciprocal, 2, -0.25},
    {"abs", adit_abs, -3, -1},
    {"sigmoid", adit_sigmoid, 0, 0.25},
    {"tanh", adit_tanh, 0, 1},
    {"softplus", adit_softplus, 0, 0.5},
    {"silu", adit_silu, 0, 0.5},
    {"gelu", adit_gelu, 0, 0.5},
    {"relu-below", adit_relu, -1, 0},
    {"relu-above", adit_relu, 1, 1},
};

static void
test_known(gconstpointer data)
{
    const Known *known = data;
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *x = adit_parameter_filled(graph, "x", ADIT_ROLE_WEIGHT, &ADIT_SCALAR, known->at);
    guint output;
    g_autoptr(Rig) rig = differentiate(graph, known->build(x), &output);

    rig_run(rig, 1, 0);
    g_autofree double *gradient = rig_read_arena(rig, ADIT_ARENA_GRADIENTS);
    g_assert_cmpfloat(fabs(gradient[0] - known->derivative), <=, 1e-14 * MAX(1, known->at));
}

/* Without loops. */

static void
test_broadcast(void)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *x = adit_input(graph, "x", &ADIT_SHAPE(2, 3), 0);
    AditTensor *row = parameter(graph, "row", &ADIT_SHAPE(3));
    AditTensor *column = parameter(graph, "column", &ADIT_SHAPE(2, 1));
    AditTensor *one = parameter(graph, "one", &ADIT_SCALAR);
    guint output;

    /* each is repeated along other axes, and over the rows */
    AditTensor *y = adit_mul(adit_add(adit_mul(x, row), column), one);
    AditTensor *loss = test_weigh(adit_tanh(y));
    g_autoptr(Rig) rig = differentiate(graph, loss, &output);
    rig_feed(rig, test_array(&ADIT_SHAPE(2, 3), ROWS, 3));
    rig_run(rig, ROWS, 0);
    rig_check_gradients(rig, output, ROWS, TOLERANCE);
}

static void
test_input(void)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *x = adit_input(graph, "x", &ADIT_SHAPE(3), 0);
    AditTensor *loss = test_weigh(adit_tanh(adit_dense(x, 4, TRUE, NULL, NULL, "")));
    AditTensor *gradient;

    adit_gradient(loss, &x, 1, ADIT_GRADIENT_KEEP, &gradient);
    g_assert_true(adit_tensor_has_rows(gradient));
    g_autoptr(Rig) rig = rig_new(graph);
    guint loss_output = rig_add(rig, ADIT_OUTPUT_READ, loss);
    guint gradient_output = rig_add(rig, ADIT_OUTPUT_READ, gradient);
    rig_prepare(rig, 1, TRUE, ROWS);
    for (guint i = 0; i < 15; i++) {
        double value = sin(1.0 + i);
        adit_memory_write(rig->device, rig->memory, ADIT_ARENA_PARAMETERS, i, 1, &value);
    }
    rig_feed(rig, test_array(&ADIT_SHAPE(3), ROWS, 3));
    rig_check_input_gradient(rig, loss_output, 0, gradient_output, ROWS, TOLERANCE);
}

/* Loops, written by hand: x is carried, what is captured and what is each iteration's varies. */

typedef struct {
    AditGraph *graph;
    AditTensor *x;
    AditTensor *stack;
    AditTensor *outer;
} Start;

static Start
start(guint n)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *x = adit_input(graph, "x", &ADIT_SHAPE(3), 0);
    AditTensor *first = parameter(graph, "first", &ADIT_SHAPE(3));
    AditTensor *stack = parameter(graph, "stack", &ADIT_SHAPE(n, 3));
    AditTensor *outer = parameter(graph, "outer", &ADIT_SHAPE(3));

    return (Start){graph, adit_mul(x, first), stack, outer};
}

static void
check_chain(gboolean reverse)
{
    Start s = start(4);
    AditLoop *loop = adit_loop_new(s.graph, 4, reverse);
    AditTensor *carry = adit_loop_carry(loop, s.x);
    AditTensor *weight = adit_loop_each(loop, s.stack);

    /* the outer one is read twice, once through a tanh of the graph around */
    AditTensor *next = adit_tanh(adit_add(adit_mul(carry, weight), s.outer));
    adit_loop_set_next(loop, carry, adit_add(next, adit_tanh(s.outer)));
    check(s.graph, test_weigh(adit_loop_last(loop, carry)), 3);
}

static void
test_loop_forward(void)
{
    check_chain(FALSE);
}

static void
test_loop_reverse(void)
{
    check_chain(TRUE);
}

static void
test_loop_nested(void)
{
    Start s = start(3);
    AditTensor *inner_stack = parameter(s.graph, "inner", &ADIT_SHAPE(3, 2, 3));
    AditLoop *outer = adit_loop_new(s.graph, 3, FALSE);
    AditTensor *carry = adit_loop_carry(outer, s.x);
    AditTensor *weight = adit_loop_each(outer, s.stack);
    AditTensor *weights = adit_loop_each(outer, inner_stack);
    AditLoop *inner = adit_loop_new(outer->body, 2, TRUE);
    AditTensor *inner_carry = adit_loop_carry(inner, adit_tanh(adit_mul(carry, weight)));
    AditTensor *inner_weight = adit_loop_each(inner, weights);

    /* reads both loops' own, the iteration's of the outer one and the graph's */
    AditTensor *y = adit_add(adit_mul(inner_carry, inner_weight), adit_mul(weight, s.outer));
    adit_loop_set_next(inner, inner_carry, adit_tanh(y));
    adit_loop_set_next(outer, carry, adit_add(adit_loop_last(inner, inner_carry), carry));
    check(s.graph, test_weigh(adit_loop_last(outer, carry)), 3);
}

static void
test_loop_two_carries(void)
{
    Start s = start(5);
    AditLoop *loop = adit_loop_new(s.graph, 5, FALSE);
    AditTensor *a = adit_loop_carry(loop, s.x);
    AditTensor *b = adit_loop_carry(loop, adit_broadcast_rows(s.outer));

    /* they change places, so that each is once the other's next */
    adit_loop_set_next(loop, a, adit_tanh(adit_mul(b, adit_loop_each(loop, s.stack))));
    adit_loop_set_next(loop, b, a);
    AditTensor *y = adit_mul(adit_loop_last(loop, a), adit_loop_last(loop, b));
    check(s.graph, test_weigh(y), 3);
}

static void
test_loop_sum(void)
{
    Start s = start(5);
    AditLoop *loop = adit_loop_new(s.graph, 5, FALSE);
    AditTensor *feed = adit_loop_carry(loop, s.x);
    AditTensor *collect = adit_loop_carry(loop, adit_scale(s.x, 0.5));
    AditTensor *y = adit_tanh(adit_mul(feed, adit_loop_each(loop, s.stack)));

    adit_loop_set_next(loop, feed, y);
    adit_loop_set_next(loop, collect, adit_add(collect, y));
    /* the feed's end is read by nobody */
    check(s.graph, test_weigh(adit_loop_last(loop, collect)), 3);
}

static void
test_loop_passed_through(void)
{
    Start s = start(3);
    AditLoop *loop = adit_loop_new(s.graph, 3, FALSE);
    AditTensor *carry = adit_loop_carry(loop, s.x);
    AditTensor *same = adit_loop_carry(loop, adit_tanh(s.outer));

    adit_loop_set_next(loop, same, same);
    adit_loop_set_next(loop, carry, adit_tanh(adit_mul(carry, same)));
    AditTensor *y = adit_mul(adit_loop_last(loop, carry), adit_loop_last(loop, same));
    check(s.graph, test_weigh(y), 3);
}

/* A loop's start is read behind the loop as well, and so is the gradient its way back starts with:
 * a block of repeats within a residual one. */
static void
test_loop_start_read_again(void)
{
    Start s = start(4);
    AditLoop *loop = adit_loop_new(s.graph, 4, FALSE);
    AditTensor *begin = adit_scale(s.x, 0.5);
    AditTensor *carry = adit_loop_carry(loop, begin);

    adit_loop_set_next(loop, carry, adit_mul(carry, adit_loop_each(loop, s.stack)));
    AditTensor *last = adit_loop_last(loop, carry);
    check(s.graph, test_weigh(adit_tanh(adit_add(last, begin))), 3);
}

static void
test_loop_stack(void)
{
    Start s = start(4);
    AditLoop *loop = adit_loop_new(s.graph, 4, FALSE);
    AditTensor *carry = adit_loop_carry(loop, s.x);
    AditTensor *next = adit_tanh(adit_mul(carry, adit_loop_each(loop, s.stack)));

    /* a second loop reads what the first one stacked: the state before and a value beside it */
    adit_loop_set_next(loop, carry, next);
    AditTensor *states = adit_loop_stack(loop, carry);
    AditTensor *beside = adit_loop_stack(loop, adit_square(next));
    AditLoop *reader = adit_loop_new(s.graph, 4, TRUE);
    AditTensor *sum = adit_loop_carry(reader, adit_loop_last(loop, carry));
    AditTensor *y = adit_mul(adit_loop_each(reader, states), adit_loop_each(reader, beside));
    adit_loop_set_next(reader, sum, adit_add(adit_mul(sum, s.outer), y));
    check(s.graph, test_weigh(adit_loop_last(reader, sum)), 3);
}

static void
test_loop_without_rows(void)
{
    Start s = start(4);
    AditLoop *loop = adit_loop_new(s.graph, 4, FALSE);
    AditTensor *carry = adit_loop_carry(loop, s.outer);

    /* numbers without rows and with an axis of their own for the iterations */
    adit_loop_set_next(loop, carry, adit_sigmoid(adit_mul(carry, adit_loop_each(loop, s.stack))));
    AditTensor *stack = adit_loop_stack(loop, carry);
    AditTensor *y = adit_add(test_weigh(stack), test_weigh(adit_loop_last(loop, carry)));
    check(s.graph, y, 0);
}

static void
test_loop_batch_moments(void)
{
    Start s = start(3);
    AditLoop *loop = adit_loop_new(s.graph, 3, FALSE);
    AditTensor *carry = adit_loop_carry(loop, s.x);
    AditTensor *scale = adit_loop_each(loop, s.stack);

    /* a sum over the rows inside the loop, which all slices wait for */
    AditTensor *y = adit_normalize(carry, adit_moments(carry, -1), scale, s.outer, -1, 1e-2);
    adit_loop_set_next(loop, carry, adit_tanh(y));
    check(s.graph, test_weigh(adit_loop_last(loop, carry)), 3);
}

/* Networks from plugins. */

static void
check_network(const char *aggregator, const char *norm, gboolean unrolled)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    g_autoptr(AditInitializer) initializer = test_component("initializer", "he-normal", NULL);
    AditSequence *cell = test_sequence(test_component("aggregator", "chain", NULL));
    g_autoptr(AditSequence) trunk = test_sequence(test_component("aggregator", aggregator, NULL));
    AditTensor *x = adit_input(graph, "x", &ADIT_SHAPE(4), 0);

    /* a repeat of two within a repeat of three */
    test_add_repeat(cell, 2, FALSE, unrolled, test_dense_pre(4, norm, "tanh"), "dense");
    test_add_repeat(trunk, 3, FALSE, unrolled, ADIT_BLOCK(cell), "sequence");
    AditModel model = {.trunk = ADIT_BLOCK(trunk), .initializer = initializer};
    check(graph, test_weigh(adit_model_build(&model, graph, x)), 4);
}

static void
test_glonet(void)
{
    check_network("glonet", NULL, FALSE);
}

static void
test_residual(void)
{
    check_network("residual", NULL, FALSE);
}

static void
test_residual_unrolled(void)
{
    check_network("residual", NULL, TRUE);
}

static void
test_batch_norm(void)
{
    check_network("residual", "batch-norm", FALSE);
}

static void
test_fails_softly(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *x = adit_parameter_filled(graph, "x", ADIT_ROLE_WEIGHT, &ADIT_SHAPE(2), 1);
    AditTensor *loss = adit_sum(adit_reshape(x, &ADIT_SHAPE(3)));
    AditTensor *gradient = NULL;

    adit_gradient(loss, &x, 1, ADIT_GRADIENT_KEEP, &gradient);
    g_assert_nonnull(gradient);
    g_assert_error(adit_graph_get_error(graph), ADIT_ERROR, ADIT_ERROR_INVALID);
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(knowns); i++) {
        g_autofree char *path = g_strdup_printf("/gradient/known/%s", knowns[i].name);
        g_test_add_data_func(path, &knowns[i], test_known);
    }
    g_test_add_func("/gradient/broadcast", test_broadcast);
    g_test_add_func("/gradient/input", test_input);
    g_test_add_func("/gradient/loop/forward", test_loop_forward);
    g_test_add_func("/gradient/loop/reverse", test_loop_reverse);
    g_test_add_func("/gradient/loop/nested", test_loop_nested);
    g_test_add_func("/gradient/loop/two-carries", test_loop_two_carries);
    g_test_add_func("/gradient/loop/sum", test_loop_sum);
    g_test_add_func("/gradient/loop/passed-through", test_loop_passed_through);
    g_test_add_func("/gradient/loop/start-read-again", test_loop_start_read_again);
    g_test_add_func("/gradient/loop/stack", test_loop_stack);
    g_test_add_func("/gradient/loop/without-rows", test_loop_without_rows);
    g_test_add_func("/gradient/loop/batch-moments", test_loop_batch_moments);
    g_test_add_func("/gradient/network/glonet", test_glonet);
    g_test_add_func("/gradient/network/residual", test_residual);
    g_test_add_func("/gradient/network/residual-unrolled", test_residual_unrolled);
    g_test_add_func("/gradient/network/batch-norm", test_batch_norm);
    g_test_add_func("/gradient/fails-softly", test_fails_softly);
    return g_test_run();
}
