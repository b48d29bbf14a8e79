/* tests/plugins/test-blocks.c - SPDX-License-Identifier: MIT */
#include <math.h>

#include "components.h"
#include "rig.h"

/* Numbers that blocks without weights give, in float64 on the CPU, against what their papers and
 * the libraries they follow say, written out here. */

/* What @block, taken, makes of @rows inputs of @shape; free with g_free(). @result: (out) */
static double *
apply(gpointer block, AditMode mode, const AditShape *shape, gsize rows, const double *values,
      guint64 step, AditShape *result)
{
    g_autoptr(AditBlock) taken = block;
    AditGraph *graph = adit_graph_new(mode);
    AditTensor *y = adit_block_build(taken, graph, adit_input(graph, "x", shape, 0));
    g_autoptr(Rig) rig = rig_new(graph);
    guint output = rig_add(rig, ADIT_OUTPUT_READ, y);
    AditArray *array = test_array(shape, rows, 1);

    *result = *adit_tensor_get_shape(y);
    memcpy(array->data, values, rows * adit_shape_count(shape) * sizeof(double));
    rig_prepare(rig, 1, TRUE, rows);
    rig_feed(rig, array);
    rig_run(rig, rows, step);
    return rig_read(rig, output, rows);
}

static void
assert_values(gpointer block, const AditShape *shape, const double *values,
              const AditShape *expected_shape, const double *expected)
{
    AditShape result;
    g_autofree double *got = apply(block, ADIT_MODE_EVALUATION, shape, 1, values, 0, &result);

    g_assert_true(adit_shape_equal(&result, expected_shape));
    for (gsize i = 0; i < adit_shape_count(&result); i++)
        g_assert_cmpfloat_with_epsilon(got[i], expected[i], 1e-12);
}

static void
test_space_to_depth(void)
{
    const double x[] = {0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17};
    const double one[] = {0, 2, 1, 3, 4, 6, 5, 7};
    /* a pixel's channels stay together */
    const double two[] = {0, 2, 10, 12, 1, 3, 11, 13, 4, 6, 14, 16, 5, 7, 15, 17};

    assert_values(test_component("block", "space-to-depth", NULL), &ADIT_SHAPE(1, 2, 4), x,
                  &ADIT_SHAPE(4, 1, 2), one);
    assert_values(test_component("block", "space-to-depth", NULL), &ADIT_SHAPE(2, 2, 4), x,
                  &ADIT_SHAPE(8, 1, 2), two);
    assert_values(test_component("block", "space-to-depth", "factor", (gint64) 1, NULL),
                  &ADIT_SHAPE(2, 2, 4), x, &ADIT_SHAPE(2, 2, 4), x);
}

/* Krizhevsky 2012, section 3.3, on four channels of two pixels. */
static void
test_lrn(void)
{
    const double x[4][2] = {{1, -2}, {3, 4}, {-5, 6}, {7, 0.5}};
    double image[4][2], vector[4];

    for (int i = 0; i < 4; i++) {
        for (int pixel = 0; pixel < 2; pixel++) {
            double sum = 0;
            for (int j = MAX(0, i - 1); j <= MIN(3, i + 1); j++)
                sum += x[j][pixel] * x[j][pixel];
            image[i][pixel] = x[i][pixel] / pow(1.5 + 0.1 * sum, 0.6);
        }
        vector[i] = image[i][0];
    }
    assert_values(test_component("block", "lrn", "size", (gint64) 3, "alpha", 0.1, "beta", 0.6, "k",
                                 1.5, NULL),
                  &ADIT_SHAPE(4, 1, 2), &x[0][0], &ADIT_SHAPE(4, 1, 2), &image[0][0]);
    assert_values(test_component("block", "lrn", "size", (gint64) 3, "alpha", 0.1, "beta", 0.6, "k",
                                 1.5, NULL),
                  &ADIT_SHAPE(4), (double[]){1, 3, -5, 7}, &ADIT_SHAPE(4), vector);
    /* more neighbours than channels: all of them */
    assert_values(test_component("block", "lrn", "size", (gint64) 9, "alpha", 1.0, "beta", 1.0, "k",
                                 1.0, NULL),
                  &ADIT_SHAPE(2), (double[]){1, 2}, &ADIT_SHAPE(2),
                  (double[]){1.0 / 6.0, 2.0 / 6.0});
}

static gpointer
resize(int method, guint n, const double *sizes)
{
    g_autoptr(GArray) size = g_array_new(FALSE, FALSE, sizeof(double));

    g_array_append_vals(size, sizes, n);
    return test_component("block", "resize", "size", size, "method", method, NULL);
}

/* The example of PyTorch's Upsample with mode='bilinear', and what its interpolate() gives. */
static void
test_resize(void)
{
    const double x[] = {1, 2, 3, 4};
    const double doubled[] = {1,   1.25, 1.75, 2,   1.5, 1.75, 2.25, 2.5,
                              2.5, 2.75, 3.25, 3.5, 3,   3.25, 3.75, 4};
    const double line[] = {1, 2, 4, 8, 16, 32};
    const double four = 4, six = 6;

    assert_values(resize(0, 1, &four), &ADIT_SHAPE(1, 2, 2), x, &ADIT_SHAPE(1, 4, 4), doubled);
    assert_values(resize(0, 2, (double[]){1, 3}), &ADIT_SHAPE(1, 1, 6), line, &ADIT_SHAPE(1, 1, 3),
                  (double[]){1.5, 6, 24});
    assert_values(resize(0, 2, (double[]){2, 1}), &ADIT_SHAPE(1, 6, 1), line, &ADIT_SHAPE(1, 2, 1),
                  (double[]){2, 16});
    assert_values(resize(1, 2, (double[]){1, 4}), &ADIT_SHAPE(1, 1, 6), line, &ADIT_SHAPE(1, 1, 4),
                  (double[]){1, 2, 8, 16});
    assert_values(resize(1, 2, (double[]){2, 3}), &ADIT_SHAPE(2, 1, 2), x, &ADIT_SHAPE(2, 2, 3),
                  (double[]){1, 1, 2, 1, 1, 2, 3, 3, 4, 3, 3, 4});
    /* as many pixels as there are: nothing is done */
    assert_values(resize(0, 2, (double[]){1, six}), &ADIT_SHAPE(1, 1, 6), line,
                  &ADIT_SHAPE(1, 1, 6), line);
}

/* A quarter of the largest and three of the mean; the mixture starts at a half. */
static void
test_pool_mix(void)
{
    const double x[2][2][4] = {{{1, 2, 10, 20}, {3, 6, 30, 60}}, {{0, -1, 5, 5}, {-2, -5, 5, 9}}};
    g_autoptr(AditInitializer) quarter =
        test_component("initializer", "constant", "value", 0.25, NULL);

    assert_values(test_component("block", "pool", "type", 2, "initializer", quarter, NULL),
                  &ADIT_SHAPE(2, 2, 4), &x[0][0][0], &ADIT_SHAPE(2, 1, 2),
                  (double[]){1.5 + 0.75 * 3, 15 + 0.75 * 30, 0.75 * -2, 2.25 + 0.75 * 6});
    assert_values(test_component("block", "pool", "type", 2, NULL), &ADIT_SHAPE(2, 2, 4),
                  &x[0][0][0], &ADIT_SHAPE(2, 1, 2), (double[]){4.5, 45, -1, 7.5});
}

/* All means, then the largest. */
static void
test_global_pool(void)
{
    const double x[2][2][3] = {{{1, 2, 3}, {4, 5, 9}}, {{-1, -2, -3}, {-4, -5, -9}}};

    assert_values(test_component("block", "global-pool", NULL), &ADIT_SHAPE(2, 2, 3), &x[0][0][0],
                  &ADIT_SHAPE(2), (double[]){4, -4});
    assert_values(test_component("block", "global-pool", "type", 1, NULL), &ADIT_SHAPE(2, 2, 3),
                  &x[0][0][0], &ADIT_SHAPE(2), (double[]){9, -1});
    assert_values(test_component("block", "global-pool", "type", 2, NULL), &ADIT_SHAPE(2, 2, 3),
                  &x[0][0][0], &ADIT_SHAPE(4), (double[]){4, -4, 9, -1});
}

/* The largest of the initial values of parameter @name. */
static double
find_largest(AditGraph *graph, const char *name)
{
    g_autoptr(AditLayout) layout = adit_layout_new(graph);
    g_autofree double *parameters = g_new0(double, layout->n_parameters);
    double largest = 0;

    test_initialize(layout, 1, parameters, NULL);
    for (guint i = 0; i < layout->slots->len; i++) {
        const AditSlot *slot = layout->slots->pdata[i];

        for (gsize j = 0; j < slot->n * adit_shape_count(&slot->shape); j++)
            if (g_str_equal(slot->names[0], name))
                largest = MAX(largest, fabs(parameters[slot->offset + j]));
    }
    return largest;
}

/* Without an initializer biases are zero; PyTorch's layers draw them up to 1 / sqrt(@fan_in), the
 * fan-in being that of the weights. @block, taken, has some hundred of them. */
static void
assert_biases(gpointer block, const AditShape *shape, double fan_in)
{
    g_autoptr(AditBlock) taken = block;
    g_autoptr(AditInitializer) drawn = test_component("initializer", "kaiming-uniform", NULL);

    for (int i = 0; i < 2; i++) {
        g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
        double bound = i / sqrt(fan_in);

        g_object_set(taken, "bias-initializer", i == 1 ? drawn : NULL, NULL);
        adit_block_build(taken, graph, adit_input(graph, "x", shape, 0));
        g_assert_no_error(adit_graph_get_error(graph));
        g_assert_cmpfloat(find_largest(graph, "bias"), <=, bound);
        g_assert_cmpfloat(find_largest(graph, "bias"), >=, 0.95 * bound);
    }
}

static void
test_biases(void)
{
    AditAmount amount = {300, ADIT_UNIT_NONE};

    assert_biases(test_component("block", "dense", "units", &amount, NULL), &ADIT_SHAPE(50), 50);
    assert_biases(test_component("block", "conv", "filters", &amount, NULL), &ADIT_SHAPE(4, 5, 5),
                  4 * 3 * 3);
    assert_biases(
        test_component("block", "patch-embed", "patch", (gint64) 2, "width", (gint64) 300, NULL),
        &ADIT_SHAPE(3, 4, 4), 3 * 2 * 2);
}

#define SAMPLES 1000

/* Each sample is kept whole, and scaled, or dropped whole. Returns how many are dropped. */
static guint
count_dropped(double rate, guint64 step, gboolean *dropped)
{
    g_autoptr(AditLive) live = adit_live_new(rate);
    double x[SAMPLES][3];
    AditShape result;
    guint n = 0;

    for (guint i = 0; i < SAMPLES; i++) {
        for (guint j = 0; j < 3; j++)
            x[i][j] = 1.0 + i + j;
    }
    g_autofree double *got =
        apply(test_component("block", "drop-path", "rate", live, NULL), ADIT_MODE_TRAINING,
              &ADIT_SHAPE(3), SAMPLES, &x[0][0], step, &result);
    for (guint i = 0; i < SAMPLES; i++) {
        dropped[i] = got[3 * i] == 0;
        n += dropped[i] ? 1 : 0;
        for (guint j = 0; j < 3; j++)
            g_assert_cmpfloat_with_epsilon(got[3 * i + j], dropped[i] ? 0 : x[i][j] / (1.0 - rate),
                                           1e-9);
    }
    return n;
}

static void
test_drop_path(void)
{
    gboolean first[SAMPLES], again[SAMPLES], next[SAMPLES];
    const double x[] = {1, -2, 3};
    guint n = count_dropped(0.25, 1, first);

    /* five standard deviations of 13.7 */
    g_assert_cmpuint(n, >, 250 - 69);
    g_assert_cmpuint(n, <, 250 + 69);
    count_dropped(0.25, 1, again);
    count_dropped(0.25, 2, next);
    g_assert_cmpmem(first, sizeof first, again, sizeof again);
    g_assert_cmpint(memcmp(first, next, sizeof first), !=, 0);
    g_assert_cmpuint(count_dropped(0, 1, first), ==, 0);
    assert_values(test_component("block", "drop-path", NULL), &ADIT_SHAPE(3), x, &ADIT_SHAPE(3), x);
}

/* What the blocks cannot do. */

static void
assert_refused(gpointer block, const AditShape *shape, const char *message)
{
    g_autoptr(AditBlock) taken = block;
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);

    adit_block_build(taken, graph, adit_input(graph, "x", shape, 0));
    g_assert_error(adit_graph_get_error(graph), ADIT_ERROR, ADIT_ERROR_INVALID);
    g_assert_cmpstr(adit_graph_get_error(graph)->message, ==, message);
}

static void
test_refusals(void)
{
    const double four = 4;

    assert_refused(test_component("block", "space-to-depth", NULL), &ADIT_SHAPE(3, 4, 5),
                   "'factor' must divide height and width, got 2 for 3x4x5");
    assert_refused(test_component("block", "space-to-depth", NULL), &ADIT_SHAPE(16),
                   "'space-to-depth' takes an image (channels x height x width), got 16; put "
                   "'reshape' before it");
    assert_refused(resize(0, 1, &four), &ADIT_SHAPE(16, 8),
                   "'resize' takes an image (channels x height x width), got 16x8; put 'reshape' "
                   "before it");
    assert_refused(test_component("block", "lrn", NULL), &ADIT_SCALAR,
                   "'lrn' takes a vector or an image, got a number");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/blocks/space-to-depth/values", test_space_to_depth);
    g_test_add_func("/blocks/lrn/values", test_lrn);
    g_test_add_func("/blocks/resize/values", test_resize);
    g_test_add_func("/blocks/drop-path/values", test_drop_path);
    g_test_add_func("/blocks/pool/mix", test_pool_mix);
    g_test_add_func("/blocks/global-pool/values", test_global_pool);
    g_test_add_func("/blocks/all/biases", test_biases);
    g_test_add_func("/blocks/refusals", test_refusals);
    return g_test_run();
}
