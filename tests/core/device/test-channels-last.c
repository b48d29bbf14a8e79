/* tests/core/device/test-channels-last.c - SPDX-License-Identifier: MIT */
#include <adit/adit-ops.h>

#include "rig.h"

#include <math.h>
#include <string.h>

/* Images that lie with their channels last give what they give with their channels first, to
 * rounding in float64; and the same bits for every number of threads. */

#define MAX_ROWS 200
#define IMAGE    ADIT_SHAPE(3, 9, 8)

typedef AditTensor *(*Build)(AditGraph *graph, AditTensor *x);

static AditTensor *
weight(AditGraph *graph, const char *name, const AditShape *shape)
{
    return adit_parameter_filled(graph, name, ADIT_ROLE_WEIGHT, shape, 0.1);
}

/* A convolution with a bias of @filters filters of 3x3 pixels on @x, as large as before at a stride
 * of 1. */
static AditTensor *
convolve(AditTensor *x, const char *name, gsize filters, gsize stride, gsize dilation, gsize groups)
{
    AditGraph *graph = adit_tensor_get_graph(x);
    gsize channels = adit_tensor_get_shape(x)->size[0];
    g_autofree char *bias = g_strconcat(name, "-bias", NULL);
    AditWindow window = {
        .size = {3, 3}, .stride = {stride, stride}, .dilation = {dilation, dilation}};
    AditTensor *y;

    adit_window_pad_same(&window);
    y = adit_conv2d(x, weight(graph, name, &ADIT_SHAPE(filters, channels / groups, 3, 3)), &window,
                    (guint) groups);
    return adit_add(
        y, adit_reshape(weight(graph, bias, &ADIT_SHAPE(filters)), &ADIT_SHAPE(filters, 1, 1)));
}

static AditTensor *
normalize(AditTensor *x, const char *name)
{
    gsize channels = adit_tensor_get_shape(x)->size[0];
    AditTensor *scale = weight(adit_tensor_get_graph(x), name, &ADIT_SHAPE(channels));

    return adit_normalize(x, adit_moments(x, 0), scale, scale, 0, 1e-3);
}

static AditTensor *
average(AditTensor *x)
{
    return adit_reduce(x, ADIT_REDUCE_MEAN, (int[]){1, 2}, 2);
}

/* Strides, dilation and groups, and what is flattened in the end. */
static AditTensor *
build_plain(AditGraph *graph, AditTensor *x)
{
    AditTensor *y = adit_relu(convolve(x, "a", 6, 2, 1, 1));

    y = adit_tanh(convolve(y, "b", 4, 1, 2, 2));
    y = convolve(y, "c", 4, 1, 1, 4);
    return adit_matmul(adit_reshape(y, &ADIT_SHAPE(80)), weight(graph, "d", &ADIT_SHAPE(80, 3)),
                       FALSE);
}

/* Windows that see more of the padding than of the image. */
static AditTensor *
build_far(AditGraph *graph, AditTensor *x)
{
    AditTensor *y = convolve(x, "a", 4, 1, 1, 1);

    for (guint i = 0; i < 2; i++) {
        AditWindow window = {.size = {11, 11}, .stride = {i + 1, i + 1}, .dilation = {2, 2}};
        g_autofree char *name = g_strdup_printf("far-%u", i);

        adit_window_pad_same(&window);
        y = adit_conv2d(y, weight(graph, name, &ADIT_SHAPE(4, 4, 11, 11)), &window, 1);
    }
    return average(y);
}

/* Of both kinds, over all and to a size. */
static AditTensor *
build_pools(AditGraph *graph, AditTensor *x)
{
    AditWindow window = {.size = {2, 3}, .stride = {2, 1}, .dilation = {1, 1}, .before = {0, 1}};
    AditTensor *y = convolve(x, "a", 5, 1, 1, 1);

    y = adit_pool2d(y, ADIT_POOL_MAX, &window);
    y = adit_pool2d(y, ADIT_POOL_AVERAGE, &window);
    y = adit_pool2d_to(y, ADIT_POOL_AVERAGE, (gsize[]){2, 3});
    return adit_add(adit_reduce(y, ADIT_REDUCE_MAX, (int[]){0}, 1), adit_sum(y));
}

/* Paths that are joined along each axis, cut and padded, one of which reads no convolution. */
static AditTensor *
build_paths(AditGraph *graph, AditTensor *x)
{
    AditTensor *a = convolve(x, "a", 4, 1, 1, 1), *b = adit_square(x), *joined;

    joined = adit_concat((AditTensor *[]){a, b}, 2, 0);
    joined = adit_concat((AditTensor *[]){joined, adit_slice(joined, 1, 1, 6, 2)}, 2, 1);
    joined = adit_concat((AditTensor *[]){joined, adit_slice(joined, 0, 0, 7, 1)}, 2, 2);
    joined = adit_pad(adit_slice(joined, 0, 1, 6, 2), 2, 1, 2, 0.5);
    return adit_mul(convolve(joined, "c", 2, 2, 1, 1), adit_sum(b));
}

/* Channels and lines that are weighed by what has fewer axes, and as many without rows. */
static AditTensor *
build_broadcast(AditGraph *graph, AditTensor *x)
{
    AditTensor *y = convolve(x, "a", 4, 1, 1, 1);
    AditTensor *gate = adit_sigmoid(adit_reshape(average(y), &ADIT_SHAPE(4, 1, 1)));

    y = adit_add(adit_mul(y, gate), weight(graph, "columns", &ADIT_SHAPE(8)));
    y = adit_mul(y, weight(graph, "lines", &ADIT_SHAPE(9, 1)));
    y = adit_add(y, weight(graph, "positions", &ADIT_SHAPE(4, 9, 8)));
    y = adit_mul(y,
                 adit_broadcast(weight(graph, "all", &ADIT_SHAPE(1, 9, 8)), &ADIT_SHAPE(4, 9, 8)));
    y = adit_sub(y, adit_scale(adit_reduce_rows(y, ADIT_REDUCE_MEAN), 0.5));
    return adit_reduce(y, ADIT_REDUCE_SUM, (int[]){0, 1}, 2);
}

/* The largest and the smallest, weighed so that their order counts. */
static AditTensor *
weigh_extrema(AditTensor *extrema, const char *name)
{
    AditTensor *values = adit_slice(extrema, 0, 0, 4, 2);
    AditGraph *graph = adit_tensor_get_graph(extrema);

    return adit_sum(adit_mul(values, weight(graph, name, adit_tensor_get_shape(values))));
}

/* Of channels, of pixels and over rows; and sums of maps of one line or column. */
static AditTensor *
build_extrema(AditGraph *graph, AditTensor *x)
{
    AditTensor *y = convolve(x, "a", 4, 1, 1, 1);
    AditTensor *sum = weigh_extrema(adit_extrema(y, ADIT_EXTREMA_OF_NUMBERS, 1, 2), "channels");
    AditTensor *line = adit_pool2d_to(y, ADIT_POOL_AVERAGE, (gsize[]){1, 4});
    AditTensor *column = adit_pool2d_to(y, ADIT_POOL_AVERAGE, (gsize[]){3, 1});

    sum = adit_add(sum, weigh_extrema(adit_extrema(y, ADIT_EXTREMA_OF_NUMBERS, 0, 1), "pixels"));
    sum = adit_add(sum, weigh_extrema(adit_extrema_rows(y, ADIT_EXTREMA_OF_NUMBERS), "rows"));
    line = adit_reduce(line, ADIT_REDUCE_SUM, (int[]){2}, 1);
    column = adit_reduce(column, ADIT_REDUCE_SUM, (int[]){1}, 1);
    return adit_add(adit_add(line, adit_reshape(column, &ADIT_SHAPE(4, 1))), sum);
}

/* A residual block of two convolutions. */
static AditTensor *
add_block(AditTensor *x, const char *name)
{
    gsize channels = adit_tensor_get_shape(x)->size[0];
    g_autofree char *second = g_strconcat(name, "-second", NULL);
    g_autofree char *norms[] = {g_strconcat(name, "-n", NULL), g_strconcat(second, "-n", NULL)};
    AditTensor *y = adit_relu(normalize(convolve(x, name, channels, 1, 1, 1), norms[0]));

    return adit_relu(adit_add(x, normalize(convolve(y, second, channels, 1, 1, 1), norms[1])));
}

static AditTensor *
build_residual(AditGraph *graph, AditTensor *x)
{
    AditTensor *y = add_block(convolve(x, "a", 4, 1, 1, 1), "b");

    return average(add_block(convolve(y, "c", 6, 2, 1, 1), "d"));
}

/* Blocks in a loop that begins with an image as it was fed, beside what is carried as it is, stacks
 * all images and reads them as a whole. */
static AditTensor *
build_loop(AditGraph *graph, AditTensor *x)
{
    AditLoop *loop = adit_loop_new(graph, 3, FALSE);
    AditTensor *carry = adit_loop_carry(loop, x), *still = adit_loop_carry(loop, adit_tanh(x));
    AditTensor *y = add_block(carry, "a");
    AditTensor *mean = adit_reduce_rows(y, ADIT_REDUCE_MEAN), *stack;

    y = adit_add(y, adit_mul(still, adit_graph_import(loop->body, x)));
    adit_loop_set_next(loop, carry, y);
    adit_loop_set_next(loop, still, still);
    stack = adit_reduce(adit_loop_stack(loop, mean), ADIT_REDUCE_SUM, (int[]){0}, 1);
    return adit_add(adit_loop_last(loop, carry), stack);
}

/* Loops within a loop. */
static AditTensor *
build_nested(AditGraph *graph, AditTensor *x)
{
    AditLoop *outer = adit_loop_new(graph, 2, FALSE), *inner;
    AditTensor *carry = adit_loop_carry(outer, convolve(x, "a", 4, 1, 1, 1)), *deep;

    inner = adit_loop_new(outer->body, 2, FALSE);
    deep = adit_loop_carry(inner, carry);
    adit_loop_set_next(inner, deep, add_block(deep, "b"));
    adit_loop_set_next(outer, carry, adit_tanh(adit_loop_last(inner, deep)));
    return adit_loop_last(outer, carry);
}

static double *
train(Build build, gboolean f64, gboolean fuse, guint threads, gsize rows, gsize *n)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *y = build(graph, adit_input(graph, "x", &IMAGE, 0));
    AditTensor *loss = test_weigh(adit_square(y));
    g_autoptr(Rig) rig = rig_new(graph);
    guint output = rig_add(rig, ADIT_OUTPUT_READ, y);
    gsize count = adit_shape_count(adit_tensor_get_shape(y)) * rows;

    rig_add_gradients(rig, loss);
    g_setenv("ADIT_FUSE", fuse ? "1" : "0", TRUE);
    rig_prepare(rig, threads, f64, MAX_ROWS);
    g_assert_true((rig->program->laid->len > 0) == fuse);
    rig_scatter(rig, 0.3);
    rig_feed(rig, test_array(&IMAGE, MAX_ROWS, 1));
    rig_run(rig, rows, 1);
    rig_run(rig, rows, 1);
    g_autofree double *read = rig_read(rig, output, rows);
    g_autofree double *gradients = rig_read_arena(rig, ADIT_ARENA_GRADIENTS);
    *n = count + rig->layout->n_parameters;
    double *values = g_new(double, *n);
    memcpy(values, read, count * sizeof *values);
    memcpy(values + count, gradients, (*n - count) * sizeof *values);
    return values;
}

static void
assert_near(const double *got, const double *expected, gsize n, double limit)
{
    double error = 0, square = 0;

    for (gsize i = 0; i < n; i++) {
        error += (got[i] - expected[i]) * (got[i] - expected[i]);
        square += expected[i] * expected[i];
    }
    g_test_message("error %g of %g", error, square);
    g_assert_cmpfloat(square, >, 0);
    g_assert_cmpfloat(error, <=, limit * square);
}

static void
test_build(gconstpointer data)
{
    static const gsize rows[] = {1, 3, 21, 40};
    Build build = *(const Build *) data;

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        gsize n;
        g_autofree double *plain = train(build, TRUE, FALSE, 1, rows[i], &n);
        g_autofree double *fused = train(build, TRUE, TRUE, 1, rows[i], &n);
        g_autofree double *threads = train(build, TRUE, TRUE, 3, rows[i], &n);

        assert_near(fused, plain, n, 1e-22);
        test_assert_same(fused, threads, n);
    }
}

/* In float32, where oneDNN convolves if it is there: more rows than it takes at once in a slice,
 * and fewer. */
static void
test_f32(gconstpointer data)
{
    static const gsize rows[] = {5, 16, 200};
    Build build = *(const Build *) data;

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        gsize n;
        g_autofree double *plain = train(build, TRUE, FALSE, 1, rows[i], &n);
        g_autofree double *single = train(build, FALSE, TRUE, 1, rows[i], &n);
        g_autofree double *threads = train(build, FALSE, TRUE, 3, rows[i], &n);

        assert_near(single, plain, n, 1e-11);
        test_assert_same(single, threads, n);
    }
}

/* Channels that fill whole vectors, of windows of one pixel and of several. */
static AditTensor *
build_wide(AditGraph *graph, AditTensor *x)
{
    AditTensor *y = adit_relu(convolve(convolve(x, "a", 32, 1, 1, 1), "b", 48, 2, 1, 1));
    AditWindow window = {.size = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}};

    return average(adit_conv2d(y, weight(graph, "c", &ADIT_SHAPE(64, 48, 1, 1)), &window, 1));
}

/* What a row gives depends on no other row. */
static void
test_rows(void)
{
    static const struct {
        Build build;
        gsize count;
    } nets[] = {{build_plain, 3}, {build_wide, 64}};
    static const gsize rows[] = {3, 17, 150};

    for (guint i = 0; i < G_N_ELEMENTS(nets); i++) {
        gsize n;
        g_autofree double *many = train(nets[i].build, FALSE, TRUE, 1, MAX_ROWS, &n);

        for (guint j = 0; j < G_N_ELEMENTS(rows); j++) {
            g_autofree double *few = train(nets[i].build, FALSE, TRUE, 1, rows[j], &n);

            test_assert_same(few, many, rows[j] * nets[i].count);
        }
    }
}

int
main(int argc, char *argv[])
{
    static const struct {
        const char *name;
        Build build;
    } cases[] = {{"plain", build_plain},     {"wide", build_wide},
                 {"pools", build_pools},     {"far", build_far},
                 {"paths", build_paths},     {"broadcast", build_broadcast},
                 {"extrema", build_extrema}, {"residual", build_residual},
                 {"loop", build_loop},       {"nested", build_nested}};

    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strdup_printf("/channels-last/%s", cases[i].name);

        g_autofree char *single = g_strconcat(path, "/float32", NULL);

        g_test_add_data_func(path, &cases[i].build, test_build);
        g_test_add_data_func(single, &cases[i].build, test_f32);
    }
    g_test_add_func("/channels-last/rows", test_rows);
    return g_test_run();
}
