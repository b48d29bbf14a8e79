/* tests/plugins/test-jumpstart.c - SPDX-License-Identifier: MIT */

/* Deficits and gradients of jumpstart, worked out by hand. */

#include <adit/adit-ops.h>

#include "adit-penalty.h"

#include "components.h"
#include "rig.h"

#define TOLERANCE 1e-6
#define MAX_COUNT 16

enum { MEAN, L1, L2, SUM_OF_SQUARES, SUM, BALANCED };
enum { SPACE, POSITION };
enum { FIRST, AVERAGE };

/**
 * Case: pre-activations of one layer, and what comes of them.
 * @off: the terms that are switched off, of "dlDL": dead and linear units, dead and linear points
 * @term: without the coefficient
 * @dx: its gradient
 */
typedef struct {
    const char *name;
    AditShape shape;
    gsize rows;
    double x[MAX_COUNT];
    int aggregation;
    int scope;
    int gradient;
    const char *off;
    double term;
    double dx[MAX_COUNT];
} Case;

#define SHAPED(r, ...)                                                                             \
    {                                                                                              \
        .rank = r, .size = __VA_ARGS__                                                             \
    }
/* Unit 1 has its maximum twice. */
#define DENSE                                                                                      \
    SHAPED(1, {2}), 3,                                                                             \
    {                                                                                              \
        2, 0.25, -0.5, 0.25, 0.5, -0.25                                                            \
    }
/* Channel 1 has its maximum three times, once in row 0. */
#define MAP                                                                                        \
    SHAPED(3, {2, 1, 2}), 2,                                                                       \
    {                                                                                              \
        0.5, 2, -3, 0.25, 2, -0.5, 0.25, 0.25                                                      \
    }
/* The same numbers as tokens x width. */
#define TOKENS                                                                                     \
    SHAPED(2, {2, 2}), 2,                                                                          \
    {                                                                                              \
        0.5, -3, 2, 0.25, 2, 0.25, -0.5, 0.25                                                      \
    }
#define ROOT 1.3404756618454507 /* of 1.796875 */

static const Case cases[] = {
    {"sum", DENSE, SUM, SPACE, FIRST, "", 2.875, {0, 0, 1, -0.5, -0.5, 1}},
    {"l1", DENSE, L1, POSITION, FIRST, "", 2.875, {0, 0, 1, -0.5, -0.5, 1}},
    {"ties-average", DENSE, SUM, SPACE, AVERAGE, "", 2.875, {0, 0.25, 1, -0.75, -0.5, 1}},
    {"sum-of-squares",
     DENSE,
     SUM_OF_SQUARES,
     SPACE,
     FIRST,
     "",
     1.796875,
     {0, -0.125, 0.875, -0.625, -0.625, 1.375}},
    {"l2",
     DENSE,
     L2,
     SPACE,
     FIRST,
     "",
     ROOT,
     {0, -0.0625 / ROOT, 0.4375 / ROOT, -0.3125 / ROOT, -0.3125 / ROOT, 0.6875 / ROOT}},
    {"mean", DENSE, MEAN, SPACE, FIRST, "", 0.575, {0, 0, 0.2, -0.1, -0.1, 0.2}},
    {"balanced",
     DENSE,
     BALANCED,
     SPACE,
     FIRST,
     "",
     1.125,
     {0, -1.0 / 12, 5.0 / 12, -1.0 / 6, -1.0 / 6, 5.0 / 12}},
    {"dead-units", DENSE, SUM, SPACE, FIRST, "lDL", 0.375, {0, -0.5, 0, 0, 0, 0}},
    {"linear-units", DENSE, SUM, SPACE, FIRST, "dDL", 0.625, {0, 0, 0.5, 0, 0, 0.5}},
    {"dead-points", DENSE, SUM, SPACE, FIRST, "dlL", 0.625, {0, 0, 0, -0.5, -0.5, 0}},
    {"linear-points", DENSE, SUM, SPACE, FIRST, "dlD", 1.25, {0, 0.5, 0.5, 0, 0, 0.5}},
    {"all-dead",
     SHAPED(1, {2}),
     2,
     {-1, -1, -1, -1},
     SUM,
     SPACE,
     FIRST,
     "",
     4,
     {-1, -0.5, -0.5, 0}},
    {"all-dead-average",
     SHAPED(1, {2}),
     2,
     {-1, -1, -1, -1},
     SUM,
     SPACE,
     AVERAGE,
     "",
     4,
     {-0.5, -0.5, -0.5, -0.5}},
    {"one-unit", SHAPED(1, {1}), 3, {0.5, -2, 0}, SUM, SPACE, FIRST, "", 3.75, {-0.5, -0.5, 0}},
    {"one-number", SHAPED(0, {0}), 3, {0.5, -2, 0}, SUM, SPACE, FIRST, "", 3.75, {-0.5, -0.5, 0}},
    {"one-sample", SHAPED(1, {3}), 1, {0.5, 0.5, -3}, SUM, SPACE, FIRST, "", 4.25, {-0.5, 0, -0.5}},
    {"nothing-lacking", SHAPED(1, {2}), 2, {2, -2, -2, 2}, L2, SPACE, FIRST, "", 0, {0}},
    {"map-space", MAP, SUM, SPACE, FIRST, "", 0.875, {0, 0, 0, -0.5, 0, 1, 0, 0}},
    {"map-space-average",
     MAP,
     SUM,
     SPACE,
     AVERAGE,
     "",
     0.875,
     {0, 0, 0, -1.0 / 6, 0, 1, -1.0 / 6, -1.0 / 6}},
    {"map-position", MAP, SUM, POSITION, FIRST, "", 4.5, {0, 0, 0, 0.5, 0, 1, 0, -0.5}},
    {"map-position-mean",
     MAP,
     MEAN,
     POSITION,
     FIRST,
     "",
     0.5625,
     {0, 0, 0, 0.0625, 0, 0.125, 0, -0.0625}},
    {"tokens-space", TOKENS, SUM, SPACE, FIRST, "", 0.875, {0, 0, 0, -0.5, 0, 0, 1, 0}},
    {"tokens-position", TOKENS, SUM, POSITION, FIRST, "", 4.5, {0, 0, 0, 0.5, 0, 0, 1, -0.5}},
};

static AditRegularizer *
make_jumpstart(const Case *item)
{
    return test_component(
        "regularizer", "jumpstart", "aggregation", item->aggregation, "scope", item->scope,
        "gradient", item->gradient, "dead-units", strchr(item->off, 'd') == NULL, "linear-units",
        strchr(item->off, 'l') == NULL, "dead-points", strchr(item->off, 'D') == NULL,
        "linear-points", strchr(item->off, 'L') == NULL, NULL);
}

static AditArray *
make_array(const AditShape *shape, gsize rows, const double *values)
{
    AditArray *array = adit_array_new(ADIT_TYPE_CODE_F64, shape, rows, NULL);

    memcpy((gpointer) array->data, values, rows * adit_shape_count(shape) * sizeof(double));
    return array;
}

/* A layer in an item of the trunk. */
static AditTensor *
tap_layer(AditGraph *graph, AditTensor *x, guint number)
{
    adit_graph_enter_scope(graph, 0, NULL, 0, "trunk", NULL);
    adit_graph_enter_scope(graph, number, NULL, number, NULL, "layer");
    adit_tap(x, "pre");
    adit_graph_leave_scope(graph);
    adit_graph_leave_scope(graph);
    return x;
}

static void
check_case(const Case *item, gboolean f64)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *x = tap_layer(graph, adit_input(graph, "x", &item->shape, 0), 1), *figure, *dx;
    g_autoptr(AditRegularizer) jumpstart = make_jumpstart(item);
    AditTensor *objective =
        adit_penalty_add(adit_constant(graph, 3), jumpstart, graph, NULL, &figure);
    gsize count = item->rows * adit_shape_count(&item->shape);

    adit_gradient(figure, &x, 1, ADIT_GRADIENT_KEEP, &dx);
    g_autoptr(Rig) rig = rig_new(graph);
    guint term = rig_add(rig, ADIT_OUTPUT_READ, figure), total, gradient;
    total = rig_add(rig, ADIT_OUTPUT_READ, objective);
    gradient = rig_add(rig, ADIT_OUTPUT_READ, dx);
    rig_prepare(rig, 1, f64, item->rows);
    rig_feed(rig, make_array(&item->shape, item->rows, item->x));
    rig_run(rig, item->rows, 0);
    g_assert_cmpfloat_with_epsilon(rig_read_scalar(rig, term), item->term, TOLERANCE);
    g_assert_cmpfloat_with_epsilon(rig_read_scalar(rig, total), 3 + 1e-4 * item->term, TOLERANCE);
    g_autofree double *found = rig_read(rig, gradient, item->rows);
    for (gsize i = 0; i < count; i++)
        g_assert_cmpfloat_with_epsilon(found[i], item->dx[i], TOLERANCE);
}

static void
test_case(gconstpointer data)
{
    check_case(data, TRUE);
    check_case(data, FALSE);
}

/* The mean over two layers of different width, one of which is found by two addresses. */
static void
test_layers(void)
{
    const char *const at[] = {"trunk.2:pre", "**:pre", NULL};
    const double narrow[] = {0.5, -2, 0}, wide[] = {2, 0.25, -0.5, 0.25, 0.5, -0.25};
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    g_autoptr(AditRegularizer) jumpstart =
        test_component("regularizer", "jumpstart", "at", at, NULL);
    AditTensor *figure;

    tap_layer(graph, adit_input(graph, "narrow", &ADIT_SHAPE(1), 0), 1);
    tap_layer(graph, adit_input(graph, "wide", &ADIT_SHAPE(2), 0), 2);
    adit_penalty_add(adit_constant(graph, 0), jumpstart, graph, NULL, &figure);
    g_autoptr(Rig) rig = rig_new(graph);
    guint term = rig_add(rig, ADIT_OUTPUT_READ, figure);
    rig_prepare(rig, 1, FALSE, 3);
    for (guint i = 0; i < 2; i++) {
        const char *name = ((AditTensor *) rig->program->feeds->pdata[i])->name;
        gboolean is_wide = g_str_equal(name, "wide");

        rig_feed(rig, make_array(&ADIT_SHAPE(is_wide ? 2 : 1), 3, is_wide ? wide : narrow));
    }
    rig_run(rig, 3, 0);
    /* 3 units and 3 points in each layer */
    g_assert_cmpfloat_with_epsilon(rig_read_scalar(rig, term), (2.875 + 3.75) / 9, TOLERANCE);
}

/* Rows of all slices and of several panels: extrema at the ends of slices, and equal ones in
 * several. */
static void
test_many_rows(void)
{
    const AditShape shape = ADIT_SHAPE(2);
    gsize rows = 1003;
    AditArray *array = adit_array_new(ADIT_TYPE_CODE_F64, &shape, rows, NULL);
    double *values = (gpointer) array->data;
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *extrema =
        adit_extrema_rows(adit_input(graph, "x", &shape, 0), ADIT_EXTREMA_OF_NUMBERS);
    g_autoptr(Rig) rig = rig_new(graph);
    guint output = rig_add(rig, ADIT_OUTPUT_READ, extrema);
    const double expected[] = {2, 3, 125, 0, -1, -4, 1002, 377};

    for (gsize i = 0; i < 2 * rows; i++)
        values[i] = i % 2 == 0 ? 0 : 3;
    values[2 * 125] = values[2 * 126] = values[2 * 1002 + 1] = 2;
    values[2 * 1002] = -1;
    values[2 * 377 + 1] = values[2 * 900 + 1] = -4;
    rig_prepare(rig, 2, FALSE, rows);
    rig_feed(rig, array);
    rig_run(rig, rows, 0);
    g_autofree double *found = rig_read(rig, output, rows);
    for (guint i = 0; i < G_N_ELEMENTS(expected); i++)
        g_assert_cmpfloat_with_epsilon(found[i], expected[i], TOLERANCE);
}

#define DEPTH    4
#define MAX_ROWS 350

static AditTensor *
weight(AditGraph *graph, const char *name, const AditShape *shape)
{
    g_autoptr(AditInitializer) initializer =
        test_component("initializer", "normal", "std", 0.4, NULL);

    return adit_parameter(graph, name, ADIT_ROLE_WEIGHT, shape, initializer);
}

/* Layers in a loop, of lines of @width numbers or maps of as many channels, and what they lack. */
static AditTensor *
build_layers(AditTensor *x, gsize width, gboolean maps, AditRegularizer *jumpstart)
{
    AditWindow window = {
        .size = {3, 3}, .stride = {1, 1}, .dilation = {1, 1}, .before = {1, 1}, .after = {1, 1}};
    AditGraph *graph = adit_tensor_get_graph(x);
    AditLoop *loop = adit_loop_new(graph, DEPTH, FALSE);
    AditTensor *carry = adit_loop_carry(loop, x), *g, *figure;
    AditMeasured measured = {.n = DEPTH, .shape = *adit_tensor_get_shape(x)};

    if (maps)
        g = adit_conv2d(carry, weight(loop->body, "w", &ADIT_SHAPE(width, width, 3, 3)), &window,
                        1);
    else
        g = adit_matmul(carry, weight(loop->body, "w", &ADIT_SHAPE(width, width)), FALSE);
    g = adit_add(g, weight(loop->body, "b", maps ? &ADIT_SHAPE(width, 1, 1) : &ADIT_SHAPE(width)));
    adit_loop_set_next(loop, carry, adit_relu(g));
    ADIT_REGULARIZER_GET_CLASS(jumpstart)->measure(jumpstart, loop->body, g, measured.values);
    for (guint i = 0; i < ADIT_MAX_MEASURES; i++) {
        if (measured.values[i] != NULL)
            measured.values[i] = adit_tensor_unroll(measured.values[i]);
    }
    ADIT_REGULARIZER_GET_CLASS(jumpstart)->join(jumpstart, graph, &measured, 1, &figure);
    return adit_add(test_weigh(adit_loop_last(loop, carry)), figure);
}

typedef struct {
    gsize width;
    gboolean maps;
    int scope;
    gboolean points_alone; /* nothing waits: all values are of one stretch */
} Layers;

/* Loss and gradients, in float32. */
static double *
train(const Layers *layers, gboolean fuse, gsize rows, gsize *n)
{
    AditShape shape = layers->maps ? ADIT_SHAPE(layers->width, 3, 2) : ADIT_SHAPE(layers->width);
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    g_autoptr(AditRegularizer) jumpstart = test_component(
        "regularizer", "jumpstart", "aggregation", SUM_OF_SQUARES, "scope", layers->scope,
        "dead-units", !layers->points_alone, "linear-units", !layers->points_alone, NULL);
    AditTensor *loss =
        build_layers(adit_input(graph, "x", &shape, 0), layers->width, layers->maps, jumpstart);
    g_autoptr(Rig) rig = rig_new(graph);
    guint output = rig_add(rig, ADIT_OUTPUT_READ, loss);

    rig_add_gradients(rig, loss);
    g_setenv("ADIT_FUSE", fuse ? "1" : "0", TRUE);
    rig_prepare(rig, fuse ? 3 : 1, FALSE, MAX_ROWS);
    g_unsetenv("ADIT_FUSE");
    rig_feed(rig, test_array(&shape, MAX_ROWS, 1));
    rig_run(rig, rows, 1);
    rig_run(rig, rows, 1);
    *n = rig->layout->n_parameters + 1;
    double *values = g_new(double, *n);
    g_autofree double *gradients = rig_read_arena(rig, ADIT_ARENA_GRADIENTS);
    values[0] = rig_read_scalar(rig, output);
    memcpy(values + 1, gradients, (*n - 1) * sizeof *values);
    return values;
}

static void
test_layers_fused(gconstpointer data)
{
    static const gsize rows[] = {1, 3, 21, MAX_ROWS};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        gsize n;
        g_autofree double *plain = train(data, FALSE, rows[i], &n);
        g_autofree double *fused = train(data, TRUE, rows[i], &n);
        double error = 0, square = 0;

        for (gsize j = 0; j < n; j++) {
            error += (fused[j] - plain[j]) * (fused[j] - plain[j]);
            square += plain[j] * plain[j];
        }
        g_test_message("%" G_GSIZE_FORMAT " rows: error %g of %g", rows[i], error, square);
        g_assert_cmpfloat(error, <=, 1e-10 * square);
    }
}

int
main(int argc, char **argv)
{
    static const Layers layers[] = {
        {3, FALSE, SPACE},        {13, FALSE, SPACE},     {16, FALSE, SPACE},
        {25, FALSE, SPACE},       {3, TRUE, POSITION},    {16, TRUE, POSITION},
        {18, TRUE, POSITION},     {5, TRUE, SPACE},       {3, FALSE, SPACE, TRUE},
        {16, FALSE, SPACE, TRUE}, {5, TRUE, SPACE, TRUE}, {18, TRUE, POSITION, TRUE},
    };

    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strdup_printf("/jumpstart/%s", cases[i].name);

        g_test_add_data_func(path, &cases[i], test_case);
    }
    for (guint i = 0; i < G_N_ELEMENTS(layers); i++) {
        g_autofree char *path = g_strdup_printf("/jumpstart/fused/%s-%" G_GSIZE_FORMAT "-%s%s",
                                                layers[i].maps ? "maps" : "lines", layers[i].width,
                                                layers[i].scope == SPACE ? "space" : "position",
                                                layers[i].points_alone ? "-points" : "");

        g_test_add_data_func(path, &layers[i], test_layers_fused);
    }
    g_test_add_func("/jumpstart/layers", test_layers);
    g_test_add_func("/jumpstart/many-rows", test_many_rows);
    return g_test_run();
}
