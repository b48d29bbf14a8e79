/* tests/core/device/test-attention.c - SPDX-License-Identifier: MIT */
#include <adit/adit-ops.h>

#include "adit-graph-private.h"
#include "adit-ops-private.h"
#include "rig.h"

#include <string.h>

/* Attention as one operation beside the operations that it stands for, in loops, with dropout: the
 * same masks, the same numbers up to rounding, less memory; and the same bits for every number of
 * threads. */

#define TIMES 3
#define ROWS  21

typedef struct {
    gsize tokens, width, heads;
    double dropout;
} Net;

static const Net nets[] = {{9, 6, 3, 0},    {9, 6, 3, 0.3}, {65, 8, 2, 0},
                           {65, 8, 2, 0.1}, {300, 4, 1, 0}, {300, 4, 1, 0.5}};

typedef AditTensor *(*Attend)(AditTensor *const *inputs, gsize heads, double dropout,
                              const char *name);

static AditTensor *
project(AditTensor *x, const char *name)
{
    gsize width = adit_tensor_get_width(x);

    return adit_tanh(
        adit_matmul(x,
                    adit_parameter_filled(adit_tensor_get_graph(x), name, ADIT_ROLE_WEIGHT,
                                          &ADIT_SHAPE(width, width), 0),
                    FALSE));
}

/* Blocks with a skip; each has weights and a stream of its own. */
static AditTensor *
build(AditGraph *graph, const Net *net, Attend attend)
{
    static const guint strides[ADIT_MAX_LOOPS] = {1};
    AditTensor *x = adit_input(graph, "x", &ADIT_SHAPE(net->tokens, net->width), 0);
    AditLoop *loop = adit_loop_new(graph, TIMES, FALSE);
    AditTensor *carry = adit_loop_carry(loop, x);

    adit_graph_enter_scope(graph, 0, NULL, 0, "trunk", NULL);
    adit_graph_enter_scope(loop->body, 1, strides, 1, NULL, "attention");
    AditTensor *inputs[] = {project(carry, "query"), project(carry, "key"),
                            project(carry, "value")};
    AditTensor *y = attend(inputs, net->heads, net->dropout, "dropout");
    adit_graph_leave_scope(graph);
    adit_graph_leave_scope(graph);
    adit_loop_set_next(loop, carry, adit_add(carry, y));
    return adit_loop_last(loop, carry);
}

/* The output and the gradients of all weights, of two steps; @units: (out) (optional): numbers kept
 * for a row. */
static double *
train(const Net *net, Attend attend, gboolean f64, guint threads, gsize *n, gsize *units)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *y = build(graph, net, attend);
    AditTensor *loss = test_weigh(adit_square(y));
    g_autoptr(Rig) rig = rig_new(graph);
    guint output = rig_add(rig, ADIT_OUTPUT_READ, y);
    gsize n_outputs = ROWS * net->tokens * net->width, each;

    rig_add_gradients(rig, loss);
    rig_prepare(rig, threads, f64, ROWS);
    rig_scatter(rig, 0.7);
    rig_feed(rig, test_array(&ADIT_SHAPE(net->tokens, net->width), ROWS, 1));
    each = n_outputs + rig->layout->n_parameters;
    double *values = g_new(double, 2 * each);

    for (guint step = 0; step < 2; step++) {
        rig_run(rig, ROWS, step + 1);
        g_autofree double *outputs = rig_read(rig, output, ROWS);
        g_autofree double *gradients = rig_read_arena(rig, ADIT_ARENA_GRADIENTS);

        memcpy(values + step * each, outputs, n_outputs * sizeof *values);
        memcpy(values + step * each + n_outputs, gradients, (each - n_outputs) * sizeof *values);
    }
    *n = 2 * each;
    if (units != NULL)
        *units = rig->program->row_units;
    return values;
}

static void
assert_near(const double *got, const double *expected, gsize n, double limit)
{
    double error = 0, power = 0;

    for (gsize i = 0; i < n; i++) {
        error += (got[i] - expected[i]) * (got[i] - expected[i]);
        power += expected[i] * expected[i];
    }
    g_assert_cmpfloat(power, >, 0);
    if (!(error <= limit * power))
        g_test_message("normalised error %g, at most %g", error / power, limit);
    g_assert_true(error <= limit * power);
}

static void
test_same_numbers(gconstpointer data)
{
    gsize n;
    g_autofree double *exact = train(data, adit_attention_composed, TRUE, 1, &n, NULL);
    g_autofree double *fused = train(data, adit_attention_fused, TRUE, 1, &n, NULL);
    g_autofree double *single = train(data, adit_attention_fused, FALSE, 1, &n, NULL);
    g_autofree double *composed = train(data, adit_attention_composed, FALSE, 1, &n, NULL);

    assert_near(fused, exact, n, 1e-24);
    assert_near(single, exact, n, 1e-10);
    assert_near(single, composed, n, 1e-10);
}

static void
test_threads(gconstpointer data)
{
    gsize n;
    g_autofree double *one = train(data, adit_attention_fused, FALSE, 1, &n, NULL);

    for (guint threads = 2; threads <= 9; threads += 7) {
        g_autofree double *many = train(data, adit_attention_fused, FALSE, threads, &n, NULL);

        test_assert_same(many, one, n);
    }
}

static void
test_memory(void)
{
    static const Net net = {300, 4, 1, 0.5};
    gsize n, fused, composed;
    g_autofree double *a = train(&net, adit_attention_fused, TRUE, 1, &n, &fused);
    g_autofree double *b = train(&net, adit_attention_composed, TRUE, 1, &n, &composed);

    g_assert_cmpuint(fused, <, net.tokens * net.tokens);
    g_assert_cmpuint(composed, >, 2 * TIMES * net.tokens * net.tokens);
}

/* ---- which of them ---- */

static gboolean
has_operation(const AditGraph *graph, const char *name)
{
    for (guint i = 0; i < graph->tensors->len; i++) {
        const AditTensor *tensor = graph->tensors->pdata[i];

        if (tensor->op != NULL && g_str_equal(tensor->op->name, name))
            return TRUE;
    }
    return FALSE;
}

static gboolean
is_fused(gboolean rows, AditMode mode, gboolean *draws)
{
    g_autoptr(AditGraph) graph = adit_graph_new(mode);
    AditTensor *x = rows ? adit_input(graph, "x", &ADIT_SHAPE(5, 4), 0)
                         : adit_parameter_filled(graph, "x", ADIT_ROLE_OTHER, &ADIT_SHAPE(5, 4), 1);
    AditTensor *y = adit_attention(x, x, x, 2, 0.3, "dropout");
    gboolean fused = has_operation(graph, "attention");

    g_assert_no_error(adit_graph_get_error(graph));
    g_assert_true(adit_shape_equal(adit_tensor_get_shape(y), &ADIT_SHAPE(5, 4)));
    g_assert_true(fused != has_operation(graph, "batch-matmul"));
    *draws = fused ? adit_tensor_get_streams(y) != NULL : has_operation(graph, "noise-uniform");
    return fused;
}

static void
test_choice(void)
{
    gboolean draws;

    for (guint fuse = 0; fuse < 2; fuse++) {
        g_setenv("ADIT_FUSE", fuse ? "1" : "0", TRUE);
        g_assert_true(is_fused(TRUE, ADIT_MODE_TRAINING, &draws) == (fuse != 0));
        g_assert_true(draws);
        g_assert_true(is_fused(TRUE, ADIT_MODE_EVALUATION, &draws) == (fuse != 0));
        g_assert_false(draws);
        g_assert_false(is_fused(FALSE, ADIT_MODE_EVALUATION, &draws));
    }
}

static void
test_faults(void)
{
    static const struct {
        AditShape shapes[2];
        gsize heads;
        const char *message;
    } faults[] = {
        {{{2, {5, 4}}, {2, {5, 6}}},
         2,
         "attention: expected queries, keys and values of one shape, got 5x4 and 5x6"},
        {{{1, {4}}, {1, {4}}}, 2, "attention: expected tokens x width, got 4"},
        {{{2, {5, 4}}, {2, {5, 4}}}, 3, "attention: expected a width that 3 heads divide, got 5x4"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(faults); i++) {
        g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
        AditTensor *x = adit_input(graph, "x", &faults[i].shapes[0], 0);
        AditTensor *other = adit_input(graph, "other", &faults[i].shapes[1], 0);
        AditTensor *y = adit_attention(x, x, other, faults[i].heads, 0, "dropout");

        g_assert_true(adit_tensor_has_failed(y));
        g_assert_cmpstr(adit_graph_get_error(graph)->message, ==, faults[i].message);
    }
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(nets); i++) {
        const Net *net = &nets[i];
        g_autofree char *name = g_strdup_printf("%" G_GSIZE_FORMAT "-tokens%s", net->tokens,
                                                net->dropout > 0 ? "-dropout" : "");
        g_autofree char *same = g_strconcat("/attention/same-numbers/", name, NULL);
        g_autofree char *threads = g_strconcat("/attention/threads/", name, NULL);

        g_test_add_data_func(same, net, test_same_numbers);
        if (g_getenv("ADIT_TEST_DEVICE") == NULL)
            g_test_add_data_func(threads, net, test_threads);
    }
    g_test_add_func("/attention/memory", test_memory);
    g_test_add_func("/attention/choice", test_choice);
    g_test_add_func("/attention/faults", test_faults);
    return g_test_run();
}
