/* tests/core/device/test-in-turn.c - SPDX-License-Identifier: MIT */
#include <adit/adit-ops.h>

#include "rig.h"

#include <string.h>

/* Gradients of many weights are joined slice by slice while the slices are computed: to the same
 * bits for every number of threads, rows and panels. And what slices take. */

#define WIDTH    192
#define MAX_ROWS 900

typedef AditTensor *(*Build)(AditGraph *graph, AditTensor *x);

static AditTensor *
layer(AditTensor *x, const char *name)
{
    return adit_relu(
        adit_matmul(x,
                    adit_parameter_filled(adit_tensor_get_graph(x), name, ADIT_ROLE_WEIGHT,
                                          &ADIT_SHAPE(WIDTH, WIDTH), 0),
                    FALSE));
}

static AditTensor *
build_chain(AditGraph *graph, AditTensor *x)
{
    return layer(layer(x, "a"), "b");
}

/* Weights of its own in every iteration. */
static AditTensor *
build_loop(AditGraph *graph, AditTensor *x)
{
    AditLoop *loop = adit_loop_new(graph, 3, FALSE);
    AditTensor *carry = adit_loop_carry(loop, x);

    adit_loop_set_next(loop, carry, layer(carry, "a"));
    return layer(adit_loop_last(loop, carry), "b");
}

/* The same weights in every iteration: what comes of one is added to what came before. */
static AditTensor *
build_tied(AditGraph *graph, AditTensor *x)
{
    AditTensor *w =
        adit_parameter_filled(graph, "a", ADIT_ROLE_WEIGHT, &ADIT_SHAPE(WIDTH, WIDTH), 0);
    AditLoop *loop = adit_loop_new(graph, 3, FALSE);
    AditTensor *carry = adit_loop_carry(loop, x);

    adit_loop_set_next(loop, carry,
                       adit_relu(adit_matmul(carry, adit_graph_import(loop->body, w), FALSE)));
    return adit_loop_last(loop, carry);
}

/* Slices meet in every iteration. */
static AditTensor *
build_meeting(AditGraph *graph, AditTensor *x)
{
    AditLoop *loop = adit_loop_new(graph, 3, FALSE);
    AditTensor *carry = adit_loop_carry(loop, x);
    AditTensor *y = layer(carry, "a");

    adit_loop_set_next(loop, carry, adit_sub(y, adit_reduce_rows(y, ADIT_REDUCE_MEAN)));
    return layer(adit_loop_last(loop, carry), "b");
}

static gboolean
has_turns(const GPtrArray *instructions)
{
    for (guint i = 0; i < instructions->len; i++) {
        const AditInstruction *instruction = instructions->pdata[i];

        if (instruction->in_turn || (instruction->body != NULL && has_turns(instruction->body)))
            return TRUE;
    }
    return FALSE;
}

static Rig *
make_rig(Build build, gboolean f64, guint threads, gboolean fuse)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *y = build(graph, adit_input(graph, "x", &ADIT_SHAPE(WIDTH), 0));
    AditTensor *loss = test_weigh(adit_square(y));
    Rig *rig = rig_new(graph);

    rig_add_gradients(rig, loss);
    g_setenv("ADIT_FUSE", fuse ? "1" : "0", TRUE);
    rig_prepare(rig, threads, f64, MAX_ROWS);
    g_assert_true(has_turns(rig->program->instructions));
    g_assert_cmpuint(rig->program->thread_size, >=, WIDTH * WIDTH);
    rig_scatter(rig, 0.2);
    rig_feed(rig, test_array(&ADIT_SHAPE(WIDTH), MAX_ROWS, 1));
    return rig;
}

/* Runs of many rows, few, and many again; gradients of all. */
static double *
train(Build build, guint threads, gboolean fuse, gsize *n)
{
    static const gsize rows[] = {MAX_ROWS, 5, 1, 200};
    g_autoptr(Rig) rig = make_rig(build, FALSE, threads, fuse);
    gsize each = rig->layout->n_parameters;
    double *values = g_new(double, G_N_ELEMENTS(rows) * each);

    *n = G_N_ELEMENTS(rows) * each;
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        rig_run(rig, rows[i], 1);
        g_autofree double *gradients = rig_read_arena(rig, ADIT_ARENA_GRADIENTS);

        memcpy(values + i * each, gradients, each * sizeof *values);
    }
    return values;
}

static void
test_bits(gconstpointer data)
{
    static const guint threads[] = {2, 3, 8, 11};
    Build build = *(const Build *) data;
    gsize n;
    g_autofree double *one = train(build, 1, TRUE, &n);
    g_autofree double *plain = train(build, 1, FALSE, &n);

    test_assert_same(plain, one, n);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++) {
        g_autofree double *many = train(build, threads[i], TRUE, &n);

        test_assert_same(many, one, n);
    }
}

/* The loss is a mean over the rows: so is the gradient, of those of single rows, which are one
 * slice each. */
static void
test_sum(gconstpointer data)
{
    enum { ROWS = 43 };
    Build build = *(const Build *) data;
    g_autoptr(Rig) rig = make_rig(build, TRUE, 3, TRUE);
    gsize n = rig->layout->n_parameters;
    g_autofree double *mean = g_new0(double, n);
    double error = 0, square = 0;

    for (guint r = 0; r < ROWS; r++) {
        rig_run_from(rig, r, 1, 1);
        g_autofree double *one = rig_read_arena(rig, ADIT_ARENA_GRADIENTS);

        for (gsize i = 0; i < n; i++)
            mean[i] += one[i] / ROWS;
    }
    rig_run(rig, ROWS, 1);
    g_autofree double *all = rig_read_arena(rig, ADIT_ARENA_GRADIENTS);

    for (gsize i = 0; i < n; i++) {
        error += (all[i] - mean[i]) * (all[i] - mean[i]);
        square += all[i] * all[i];
    }
    g_assert_cmpfloat(square, >, 0);
    g_assert_cmpfloat(error, <=, 1e-24 * square);
}

/* Bytes that a program of images which several stretches read takes for @rows rows. */
static gsize
count_bytes(gsize rows, gsize *crossing)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *x = adit_input(graph, "x", &ADIT_SHAPE(1000), 0);
    AditTensor *mean = adit_reduce_rows(x, ADIT_REDUCE_MEAN);
    g_autoptr(Rig) rig = rig_new(graph);
    AditDeviceCounts counts;

    rig_add(rig, ADIT_OUTPUT_READ, adit_reduce_rows(adit_sub(x, mean), ADIT_REDUCE_MAX));
    g_setenv("ADIT_FUSE", "1", TRUE);
    rig_prepare(rig, 1, FALSE, rows);
    adit_device_count(rig->device, &counts);
    *crossing = rig->program->crossing_units;
    return counts.bytes;
}

/* A slice of few rows has room for no more. */
static void
test_few_rows(void)
{
    gsize crossing;
    gsize five = count_bytes(40, &crossing), ten = count_bytes(80, &crossing);

    g_assert_cmpuint(crossing, >=, 1000);
    g_assert_cmpuint(ten - five, ==, crossing * 40 * sizeof(float));
}

int
main(int argc, char *argv[])
{
    static const struct {
        const char *name;
        Build build;
    } cases[] = {{"chain", build_chain},
                 {"loop", build_loop},
                 {"tied", build_tied},
                 {"meeting", build_meeting}};

    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *bits = g_strdup_printf("/in-turn/%s/bits", cases[i].name);
        g_autofree char *sum = g_strdup_printf("/in-turn/%s/sum", cases[i].name);

        g_test_add_data_func(bits, &cases[i].build, test_bits);
        if (cases[i].build != build_meeting) /* of rows that know each other */
            g_test_add_data_func(sum, &cases[i].build, test_sum);
    }
    g_test_add_func("/in-turn/few-rows", test_few_rows);
    return g_test_run();
}
