/* tests/plugins/test-initializers.c - SPDX-License-Identifier: MIT */
#include <math.h>

#include "adit-philox.h"
#include "plugin-test.h"

typedef struct {
    double mean;
    double std;
    double largest;
} Moments;

/* Of the 20000 weights from 200 inputs to 100 outputs. */
static Moments
draw(AditInitializer *initializer)
{
    const AditShape shape = ADIT_SHAPE(200, 100);
    gsize n = adit_shape_count(&shape);
    g_autofree double *values = g_new(double, n);
    AditRandom random;
    Moments moments = {0};

    adit_random_init(&random, 7, "trunk.1.weight");
    ADIT_INITIALIZER_GET_CLASS(initializer)->fill(initializer, &shape, &random, values);
    for (gsize i = 0; i < n; i++) {
        moments.mean += values[i] / (double) n;
        moments.largest = MAX(moments.largest, fabs(values[i]));
    }
    for (gsize i = 0; i < n; i++)
        moments.std += pow(values[i] - moments.mean, 2.0) / (double) n;
    moments.std = sqrt(moments.std);
    return moments;
}

typedef struct {
    const char *name;
    double variance;
    double bound; /* in standard deviations before the cut, or of the uniform */
} Row;

/* 20000 values give the deviation within about half a percent */
static void
test_variance_scaling(void)
{
    const double normal = 2.0 / 0.87962566103423978;
    const double uniform = sqrt(3.0);
    const Row rows[] = {
        {"he-normal", 2.0 / 200.0, normal},        {"he-uniform", 2.0 / 200.0, uniform},
        {"lecun-normal", 1.0 / 200.0, normal},     {"lecun-uniform", 1.0 / 200.0, uniform},
        {"glorot-normal", 2.0 / 300.0, normal},    {"glorot-uniform", 2.0 / 300.0, uniform},
        {"kaiming-uniform", 1.0 / 600.0, uniform},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(AditInitializer) initializer = make_component("initializer", rows[i].name, NULL);
        Moments moments = draw(initializer);
        double std = sqrt(rows[i].variance);

        g_test_message("%s: std %g, expected %g", rows[i].name, moments.std, std);
        g_assert_cmpfloat(fabs(moments.mean - 0.0), <=, 0.03 * std);
        g_assert_cmpfloat(fabs(moments.std - std), <=, 0.02 * std);
        g_assert_cmpfloat(moments.largest, <=, rows[i].bound * std * (1.0 + 1e-12));
        g_assert_cmpfloat(moments.largest, >, 0.98 * rows[i].bound * std);
    }
}

/* A bias is drawn as the weights of its layer are, with their fans. */
static void
test_bias(void)
{
    const AditShape weights[] = {ADIT_SHAPE(50, 2000), ADIT_SHAPE(2000, 4, 3, 5)};
    const double fan_in[] = {50, 4 * 3 * 5};
    g_autoptr(AditInitializer) uniform = make_component("initializer", "kaiming-uniform", NULL);

    for (guint i = 0; i < G_N_ELEMENTS(weights); i++) {
        g_autoptr(AditInitializer) bias = adit_initializer_new_for_bias(uniform, &weights[i]);
        double bound = 1.0 / sqrt(fan_in[i]), values[2000], largest = 0, mean = 0;
        AditRandom random;

        adit_random_init(&random, 7, "trunk.1.bias");
        ADIT_INITIALIZER_GET_CLASS(bias)->fill(bias, &ADIT_SHAPE(2000), &random, values);
        for (guint j = 0; j < 2000; j++) {
            largest = MAX(largest, fabs(values[j]));
            mean += values[j] / 2000;
        }
        g_assert_cmpfloat(largest, <=, bound);
        g_assert_cmpfloat(largest, >, 0.99 * bound);
        g_assert_cmpfloat(fabs(mean), <=, 0.07 * bound);
    }
}

static void
test_plain(void)
{
    g_autoptr(AditInitializer) zeros = make_component("initializer", "zeros", NULL);
    g_autoptr(AditInitializer) constant =
        make_component("initializer", "constant", "value", 1.5, NULL);
    g_autoptr(AditInitializer) normal =
        make_component("initializer", "normal", "mean", 3.0, "std", 2.0, NULL);
    g_autoptr(AditInitializer) uniform =
        make_component("initializer", "uniform", "min", 1.0, "max", 2.0, NULL);

    g_assert_cmpfloat(draw(zeros).largest, ==, 0.0);
    g_assert_cmpfloat(draw(constant).largest, ==, 1.5);
    g_assert_cmpfloat(fabs(draw(constant).std - 0.0), <=, 1e-12);
    g_assert_cmpfloat(fabs(draw(normal).mean - 3.0), <=, 0.06);
    g_assert_cmpfloat(fabs(draw(normal).std - 2.0), <=, 0.04);
    g_assert_cmpfloat(fabs(draw(uniform).mean - 1.5), <=, 0.01);
    g_assert_cmpfloat(draw(uniform).largest, <, 2.0);
}

/* A convolution's filter sees height x width of the channels of its group; a vector's numbers have
 * one input. */
static void
test_fans(void)
{
    const struct {
        AditShape shape;
        double in, out;
    } rows[] = {
        {ADIT_SHAPE(200, 100), 200, 100},
        {ADIT_SHAPE(16, 8, 3, 5), 8 * 3 * 5, 16 * 3 * 5},
        {ADIT_SHAPE(16, 1, 3, 3), 9, 16 * 9},
        {ADIT_SHAPE(7), 1, 7},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_cmpfloat(adit_shape_fan_in(&rows[i].shape), ==, rows[i].in);
        g_assert_cmpfloat(adit_shape_fan_out(&rows[i].shape), ==, rows[i].out);
    }
}

static void
test_bounds_in_order(void)
{
    g_autoptr(AditComponent) uniform =
        make_component("initializer", "uniform", "min", 1.0, "max", 0.0, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_false(adit_component_check(uniform, &error));
    g_assert_cmpstr(error->message, ==, "'min' must not be above 'max', got 1 and 0");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/initializers/variance-scaling/moments", test_variance_scaling);
    g_test_add_func("/initializers/bias/bound", test_bias);
    g_test_add_func("/initializers/plain/moments", test_plain);
    g_test_add_func("/initializers/fans", test_fans);
    g_test_add_func("/initializers/uniform/bounds-in-order", test_bounds_in_order);
    return g_test_run();
}
