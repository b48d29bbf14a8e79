/* tests/core/train/test-exit-terms.c - SPDX-License-Identifier: MIT */
#include "adit-exit-terms.h"

#include <adit/adit-ops.h>

#include "rig.h"

#include <math.h>

/* What an exit may lose besides its prediction, beside the formulas worked out one by one. */

#define ROWS    6
#define CLASSES 3
#define WIDTH   4

/* The mean over the rows of @term of x w, for parameters w, and its gradient's check. */
static void
finish(Rig *rig, AditTensor *term, AditArray *const *feeds, double *value, double **x_values,
       AditTensor *x)
{
    AditTensor *mean = adit_tensor_has_rows(term) ? adit_reduce_rows(term, ADIT_REDUCE_MEAN) : term;
    guint output = rig_add(rig, ADIT_OUTPUT_READ, mean), values = rig_add(rig, ADIT_OUTPUT_READ, x);

    rig_add_gradients(rig, mean);
    rig_prepare(rig, 2, TRUE, ROWS);
    for (guint i = 0; feeds[i] != NULL; i++)
        rig_feed(rig, feeds[i]);
    rig_scatter(rig, 0.7);
    rig_run(rig, ROWS, 0);
    *value = rig_read_scalar(rig, output);
    *x_values = rig_read(rig, values, ROWS);
    rig_check_gradients(rig, output, ROWS, 1e-5);
}

static AditTensor *
make_x(AditGraph *graph)
{
    AditTensor *input = adit_input(graph, "inputs", &ADIT_SHAPE(WIDTH), 0);

    return adit_mul(input,
                    adit_parameter_filled(graph, "scale", ADIT_ROLE_OTHER, &ADIT_SHAPE(WIDTH), 1));
}

/* Cosine of two vectors without their means. */
static double
compare(const double *a, const double *b, guint n)
{
    double mean_a = 0, mean_b = 0, aa = 1e-8, bb = 1e-8, ab = 0;

    for (guint i = 0; i < n; i++) {
        mean_a += a[i] / n;
        mean_b += b[i] / n;
    }
    for (guint i = 0; i < n; i++) {
        aa += (a[i] - mean_a) * (a[i] - mean_a);
        bb += (b[i] - mean_b) * (b[i] - mean_b);
        ab += (a[i] - mean_a) * (b[i] - mean_b);
    }
    return ab / sqrt(aa * bb);
}

static void
test_similarity(void)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *x = make_x(graph);
    AditTensor *targets = adit_input(graph, "targets", &ADIT_SCALAR, CLASSES);
    AditTensor *term = adit_similarity_build(x, targets);
    AditArray *feeds[] = {test_array(&ADIT_SHAPE(WIDTH), ROWS, 3), test_classes(CLASSES, ROWS),
                          NULL};
    double got, expected = 0;
    g_autofree double *values = NULL;
    g_autoptr(Rig) rig = rig_new(graph);

    finish(rig, term, feeds, &got, &values, x);
    for (guint i = 0; i < ROWS; i++) {
        for (guint j = 0; j < ROWS; j++) {
            double y[CLASSES] = {0}, z[CLASSES] = {0}, difference;

            y[i % CLASSES] = z[j % CLASSES] = 1;
            difference =
                compare(values + i * WIDTH, values + j * WIDTH, WIDTH) - compare(y, z, CLASSES);
            expected += difference * difference / (ROWS * ROWS);
        }
    }
    g_assert_cmpfloat(fabs(got - expected), <, 1e-12);
}

static void
test_similarity_of_values(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *targets = adit_input(graph, "targets", &ADIT_SCALAR, 0);

    adit_similarity_build(make_x(graph), targets);
    g_assert_cmpstr(adit_graph_get_error(graph)->message, ==,
                    "similarity is of classes; the data has values");
}

static void
test_compression(void)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *x = make_x(graph), *term = adit_compression_build(x, 0.3);
    AditArray *feeds[] = {test_array(&ADIT_SHAPE(WIDTH), ROWS, 3), NULL};
    double got, expected = 0;
    g_autofree double *values = NULL;
    g_autoptr(Rig) rig = rig_new(graph);

    finish(rig, term, feeds, &got, &values, x);
    /* KL(N(x, 0.09) || N(0, 1)) of each number */
    for (guint i = 0; i < ROWS * WIDTH; i++)
        expected += (values[i] * values[i] + 0.09 - 1 - log(0.09)) / 2 / ROWS;
    g_assert_cmpfloat(fabs(got - expected), <, 1e-12);
}

static void
soften(const double *x, double temperature, double *y)
{
    double sum = 0;

    for (guint i = 0; i < WIDTH; i++)
        sum += y[i] = exp(x[i] / temperature);
    for (guint i = 0; i < WIDTH; i++)
        y[i] /= sum;
}

static void
test_distillation(gconstpointer data)
{
    guint classes = GPOINTER_TO_UINT(data);
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    static const double said[WIDTH] = {1, -1, 0.5, 2};
    AditTensor *x = make_x(graph);
    AditTensor *teacher = adit_constant_array(graph, &ADIT_SHAPE(WIDTH), said);
    AditTensor *term = adit_distillation_build(x, teacher, classes, 2);
    AditArray *feeds[] = {test_array(&ADIT_SHAPE(WIDTH), ROWS, 3), NULL};
    double got, expected = 0;
    g_autofree double *values = NULL;
    g_autoptr(Rig) rig = rig_new(graph);

    finish(rig, term, feeds, &got, &values, x);
    for (guint i = 0; i < ROWS; i++) {
        const double *own = values + i * WIDTH;
        double p[WIDTH], q[WIDTH];

        soften(said, 2, p);
        soften(own, 2, q);
        for (guint j = 0; j < WIDTH; j++)
            expected += classes > 0 ? 4 * p[j] * log(p[j] / q[j]) / ROWS
                                    : (own[j] - said[j]) * (own[j] - said[j]) / WIDTH / ROWS;
    }
    g_assert_cmpfloat(fabs(got - expected), <, 1e-12);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/exit-terms/similarity/classes", test_similarity);
    g_test_add_func("/exit-terms/similarity/values", test_similarity_of_values);
    g_test_add_func("/exit-terms/compression", test_compression);
    g_test_add_data_func("/exit-terms/distillation/classes", GUINT_TO_POINTER(WIDTH),
                         test_distillation);
    g_test_add_data_func("/exit-terms/distillation/values", GUINT_TO_POINTER(0), test_distillation);
    return g_test_run();
}
