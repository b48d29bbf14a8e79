/* tests/core/device/test-sift.c - SPDX-License-Identifier: MIT */
#include <adit/adit-ops.h>

#include "rig.h"

#include <math.h>

/* A program that runs for the rows which another has left, and one behind it. */

#define WIDTH 18
#define MOST  300

/**
 * Chain: three programs, each fed with what the one before hands on.
 * @numbers: what the first is fed with
 */
typedef struct {
    AditDevice *device;
    Rig *rigs[3];
    AditArray *numbers;
} Chain;

/* A number that decides, and an image that is handed on. */
static Rig *
make_first(void)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_EVALUATION);
    AditTensor *x = adit_input(graph, "inputs", &ADIT_SHAPE(WIDTH), 0);
    Rig *rig = rig_new(graph);

    rig_add(rig, ADIT_OUTPUT_READ, adit_slice(x, 0, 0, 2, 1));
    rig_add(rig, ADIT_OUTPUT_HANDED, adit_reshape(adit_scale(x, 2), &ADIT_SHAPE(2, 3, 3)));
    return rig;
}

static Rig *
make_second(void)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_EVALUATION);
    AditWindow window = {.size = {2, 2}, .stride = {1, 1}, .dilation = {1, 1}};
    AditTensor *x = adit_input(graph, "handed", &ADIT_SHAPE(2, 3, 3), 0);
    AditTensor *weight =
        adit_parameter_filled(graph, "weight", ADIT_ROLE_WEIGHT, &ADIT_SHAPE(3, 2, 2, 2), 0.5);
    AditTensor *y = adit_reshape(adit_conv2d(x, weight, &window, 1), &ADIT_SHAPE(12));
    Rig *rig = rig_new(graph);

    rig_add(rig, ADIT_OUTPUT_READ, adit_softmax(y));
    rig_add(rig, ADIT_OUTPUT_HANDED, y);
    return rig;
}

static Rig *
make_third(void)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_EVALUATION);
    AditTensor *x = adit_input(graph, "handed", &ADIT_SHAPE(12), 0);
    Rig *rig = rig_new(graph);

    rig_add(rig, ADIT_OUTPUT_READ, adit_sum(adit_mul(x, x)));
    return rig;
}

static void
open_chain(Chain *self)
{
    self->device = test_device(3);
    self->rigs[0] = make_first();
    self->rigs[1] = make_second();
    self->rigs[2] = make_third();
    for (guint i = 0; i < G_N_ELEMENTS(self->rigs); i++) {
        self->rigs[i]->device = g_object_ref(self->device);
        rig_prepare(self->rigs[i], 3, FALSE, MOST);
    }
    self->numbers = test_array_f32(&ADIT_SHAPE(WIDTH), MOST, 7);
}

static void
chain_clear(Chain *self)
{
    for (guint i = 0; i < G_N_ELEMENTS(self->rigs); i++)
        g_clear_pointer(&self->rigs[i], rig_free);
    g_clear_pointer(&self->numbers, adit_array_unref);
    g_clear_object(&self->device);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Chain, chain_clear)

static void
run(const Chain *self, guint i, gsize rows, const AditFeed *feed, const AditSift *sift)
{
    double lives[1] = {0};
    AditCall call = {.rows = rows, .feeds = feed, .lives = lives, .sift = sift};

    adit_device_run(self->device, self->rigs[i]->executable, &call);
}

/* The sum of squares of what the second program hands on for a row. */
static double
expect_row(const Chain *self, gsize row)
{
    const float *x = (const float *) self->numbers->data + row * WIDTH;
    double sum = 0;

    for (guint window = 0; window < 4; window++) {
        double y = 0;

        for (guint i = 0; i < 8; i++)
            y += (double) x[i / 4 * 9 + (window / 2 + i / 2 % 2) * 3 + window % 2 + i % 2];
        sum += 3 * y * y;
    }
    return sum;
}

/* Rows whose first number is at least @first leave before the second program, none before the
 * third. */
static void
check(const Chain *self, gsize rows, double first)
{
    AditExecutable *one = self->rigs[0]->executable, *two = self->rigs[1]->executable;
    const AditFeed feeds[] = {
        {.array = self->numbers}, {.source = one, .output = 1}, {.source = two, .output = 1}};
    const AditSift sifts[] = {{.source = one, .threshold = first, .rises = TRUE},
                              {.source = two, .threshold = -1}};
    g_autofree gint32 *left = g_new(gint32, rows);
    g_autofree double *sums = g_new(double, rows);
    gsize n = 0;

    run(self, 0, rows, &feeds[0], NULL);
    run(self, 1, rows, &feeds[1], &sifts[0]);
    run(self, 2, rows, &feeds[2], &sifts[1]);
    adit_executable_read_output(self->device, self->rigs[2]->executable, 0, sums);
    gsize n_left = adit_executable_read_left(self->device, one, left);

    g_assert_true(adit_device_wait(self->device, NULL));
    for (gsize row = 0; row < rows; row++) {
        if ((double) ((const float *) self->numbers->data)[row * WIDTH] >= first)
            continue;
        g_assert_cmpuint(n, <, n_left);
        g_assert_cmpint(left[n], ==, (gint32) row);
        g_assert_cmpfloat_with_epsilon(sums[n] / fmax(expect_row(self, row), 1),
                                       expect_row(self, row) / fmax(expect_row(self, row), 1),
                                       1e-4);
        n++;
    }
    g_assert_cmpuint(n, ==, n_left);
    g_assert_cmpuint(adit_executable_read_left(self->device, two, left), ==, n);
}

static void
test_rows(void)
{
    static const gsize batches[] = {1, 7, 127, 128, 129, MOST};
    static const double thresholds[] = {-100, -1, 0, 1.5, 100};
    g_auto(Chain) chain = {0};

    open_chain(&chain);
    for (guint i = 0; i < G_N_ELEMENTS(batches); i++) {
        for (guint j = 0; j < G_N_ELEMENTS(thresholds); j++)
            check(&chain, batches[i], thresholds[j]);
    }
}

/* What is no number stays; a threshold between two floats decides as it stands. */
static void
test_threshold(void)
{
    const float third = 1.0f / 3;
    const float firsts[] = {NAN, third, nextafterf(third, 1), nextafterf(third, 0), INFINITY};
    g_auto(Chain) chain = {0};
    gint32 left[5];

    open_chain(&chain);
    AditExecutable *one = chain.rigs[0]->executable;
    const AditFeed feeds[] = {{.array = chain.numbers}, {.source = one, .output = 1}};
    AditSift sift = {.source = one, .threshold = 1.0 / 3, .rises = TRUE};

    for (guint i = 0; i < G_N_ELEMENTS(firsts); i++)
        ((float *) chain.numbers->data)[i * WIDTH] = firsts[i];
    g_assert_cmpfloat((double) third, >, sift.threshold);
    run(&chain, 0, 5, &feeds[0], NULL);
    run(&chain, 1, 5, &feeds[1], &sift);
    g_assert_cmpuint(adit_executable_read_left(chain.device, one, left), ==, 2);
    g_assert_cmpint(left[0], ==, 0);
    g_assert_cmpint(left[1], ==, 3);
    sift.rises = FALSE;
    run(&chain, 0, 5, &feeds[0], NULL);
    run(&chain, 1, 5, &feeds[1], &sift);
    g_assert_cmpuint(adit_executable_read_left(chain.device, one, left), ==, 4);
    g_assert_cmpint(left[0], ==, 0);
    g_assert_cmpint(left[1], ==, 1);
    g_assert_cmpint(left[2], ==, 2);
    g_assert_cmpint(left[3], ==, 4);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sift/rows", test_rows);
    g_test_add_func("/sift/threshold", test_threshold);
    return g_test_run();
}
