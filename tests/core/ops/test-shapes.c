/* tests/core/ops/test-shapes.c - SPDX-License-Identifier: MIT */
#include <adit/adit-ops.h>

#include "adit-kernels.h"
#include "adit-pointwise.h"

#include <string.h>

/* What builders make of shapes, and how they refuse. */

static AditTensor *
rows(AditGraph *graph, AditShape shape)
{
    return adit_input(graph, "rows", &shape, 0);
}

static AditTensor *
whole(AditGraph *graph, AditShape shape)
{
    g_autofree double *values = g_new0(double, adit_shape_count(&shape));

    return adit_constant_array(graph, &shape, values);
}

static void
assert_is(AditTensor *x, gboolean has_rows, const char *shape)
{
    g_autofree char *text = adit_shape_to_string(adit_tensor_get_shape(x));

    g_assert_no_error(adit_graph_get_error(adit_tensor_get_graph(x)));
    g_assert_cmpstr(text, ==, shape);
    g_assert_cmpint(adit_tensor_has_rows(x), ==, has_rows);
}

static void
test_shapes(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *x = rows(graph, ADIT_SHAPE(2, 3, 4));
    AditTensor *v = rows(graph, ADIT_SHAPE(6));
    AditTensor *w = whole(graph, ADIT_SHAPE(6, 5));
    AditTensor *number = rows(graph, ADIT_SCALAR);
    AditTensor *list[10];

    assert_is(adit_add(x, whole(graph, ADIT_SHAPE(3, 1))), TRUE, "2x3x4");
    assert_is(adit_add(whole(graph, ADIT_SHAPE(7, 1)), v), TRUE, "7x6");
    assert_is(adit_mul(whole(graph, ADIT_SCALAR), whole(graph, ADIT_SHAPE(3))), FALSE, "3");
    assert_is(adit_matmul(v, w, FALSE), TRUE, "5");
    assert_is(adit_matmul(rows(graph, ADIT_SHAPE(2, 5)), w, TRUE), TRUE, "2x6");
    assert_is(adit_matmul_rows(v, rows(graph, ADIT_SHAPE(9))), FALSE, "6x9");
    assert_is(adit_batch_matmul(x, rows(graph, ADIT_SHAPE(2, 4, 7)), FALSE, FALSE), TRUE, "2x3x7");
    assert_is(adit_batch_matmul(x, x, TRUE, FALSE), TRUE, "2x4x4");
    assert_is(adit_batch_matmul(x, x, FALSE, TRUE), TRUE, "2x3x3");
    assert_is(adit_reduce(x, ADIT_REDUCE_SUM, (int[]){0, -1}, 2), TRUE, "3");
    assert_is(adit_reduce(x, ADIT_REDUCE_ARGMAX, (int[]){1}, 1), TRUE, "2x4");
    assert_is(adit_sum(x), TRUE, "1");
    assert_is(adit_sum_last(x), TRUE, "2x3");
    assert_is(adit_reduce_rows(x, ADIT_REDUCE_MEAN), FALSE, "2x3x4");
    assert_is(adit_broadcast(v, &ADIT_SHAPE(3, 6)), TRUE, "3x6");
    assert_is(adit_broadcast_rows(w), TRUE, "6x5");
    assert_is(adit_reshape(x, &ADIT_SHAPE(24)), TRUE, "24");
    assert_is(adit_transpose(x, (int[]){2, 0, -2}), TRUE, "4x2x3");
    assert_is(adit_slice(x, 2, 1, 4, 2), TRUE, "2x3x2");
    assert_is(adit_pad(x, -1, 3, 2, 0), TRUE, "2x3x9");
    for (guint i = 0; i < G_N_ELEMENTS(list); i++)
        list[i] = whole(graph, ADIT_SHAPE(2, i + 1));
    list[9] = rows(graph, ADIT_SHAPE(2, 1));
    assert_is(adit_concat(list, 10, 1), TRUE, "2x46");
    assert_is(adit_concat(&x, 1, 0), TRUE, "2x3x4");
    assert_is(adit_gather(w, number), TRUE, "5");
    assert_is(adit_one_hot(number, 10), TRUE, "10");
    assert_is(adit_softmax(v), TRUE, "6");
    assert_is(adit_cross_entropy(v, number), TRUE, "1");
    assert_is(adit_moments(x, 1), FALSE, "2x3");
    assert_is(adit_layer_norm(v, whole(graph, ADIT_SHAPE(6)), whole(graph, ADIT_SHAPE(6)), 1e-5),
              TRUE, "6");
    assert_is(adit_dropout(v, whole(graph, ADIT_SCALAR), "noise"), TRUE, "6");
    assert_is(adit_dense(v, 7, TRUE, NULL, NULL, "gate"), TRUE, "7");
    assert_is(adit_stop_gradient(v), TRUE, "6");
}

static AditTensor *
conv(AditTensor *x, AditTensor *weight, gsize height, gsize width, gsize stride, guint groups)
{
    AditWindow window = {{height, width}, {stride, stride}, {1, 1}, {0, 0}, {0, 0}};

    adit_window_pad_same(&window);
    return adit_conv2d(x, weight, &window, groups);
}

/* "Same" gives ceil(size / stride), with the larger half of an odd padding after the image. */
static void
test_images(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *x = rows(graph, ADIT_SHAPE(4, 7, 5));
    AditTensor *w = whole(graph, ADIT_SHAPE(6, 4, 3, 2)), *y;
    AditWindow window = {{3, 2}, {2, 1}, {2, 3}, {0, 0}, {0, 0}};

    assert_is(conv(x, w, 3, 2, 1, 1), TRUE, "6x7x5");
    assert_is(conv(x, w, 3, 2, 2, 1), TRUE, "6x4x3");
    assert_is(conv(x, whole(graph, ADIT_SHAPE(6, 2, 1, 1)), 1, 1, 3, 2), TRUE, "6x3x2");
    assert_is(conv(x, whole(graph, ADIT_SHAPE(4, 1, 9, 9)), 9, 9, 1, 4), TRUE, "4x7x5");
    y = adit_conv2d(x, w, &window, 1);
    assert_is(y, TRUE, "6x2x2");
    assert_is(adit_conv2d_back(y, w, &window, 1, (gsize[]){7, 5}), TRUE, "4x7x5");
    assert_is(adit_conv2d_rows(x, y, &window, 1), FALSE, "6x4x3x2");
    assert_is(adit_pool2d(x, ADIT_POOL_MAX, &window), TRUE, "4x2x2");
    assert_is(adit_pool2d(whole(graph, ADIT_SHAPE(1, 7, 5)), ADIT_POOL_AVERAGE, &window), FALSE,
              "1x2x2");
    assert_is(adit_pool2d_to(x, ADIT_POOL_AVERAGE, (gsize[]){4, 5}), TRUE, "4x4x5");
    adit_window_pad_same(&window);
    g_assert_cmpuint(window.before[0], ==, 2);
    g_assert_cmpuint(window.after[0], ==, 2);
    g_assert_cmpuint(window.before[1], ==, 1);
    g_assert_cmpuint(window.after[1], ==, 2);
}

static void
test_evaluation_drops_nothing(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_EVALUATION);
    AditTensor *x = rows(graph, ADIT_SHAPE(6));

    g_assert_true(adit_dropout(x, whole(graph, ADIT_SCALAR), "noise") == x);
}

typedef AditTensor *(*Build)(AditGraph *graph);

static AditTensor *
add(AditGraph *graph)
{
    return adit_add(rows(graph, ADIT_SHAPE(16)), rows(graph, ADIT_SHAPE(32)));
}

static AditTensor *
matmul(AditGraph *graph)
{
    return adit_matmul(rows(graph, ADIT_SHAPE(16)), whole(graph, ADIT_SHAPE(32, 10)), FALSE);
}

static AditTensor *
matmul_transposed(AditGraph *graph)
{
    return adit_matmul(rows(graph, ADIT_SHAPE(16)), whole(graph, ADIT_SHAPE(10, 32)), TRUE);
}

static AditTensor *
matmul_scalar(AditGraph *graph)
{
    return adit_matmul(rows(graph, ADIT_SCALAR), whole(graph, ADIT_SHAPE(1, 1)), FALSE);
}

static AditTensor *
matmul_of_rows(AditGraph *graph)
{
    return adit_matmul(rows(graph, ADIT_SHAPE(2)), rows(graph, ADIT_SHAPE(2, 2)), FALSE);
}

static AditTensor *
matmul_vector(AditGraph *graph)
{
    return adit_matmul(rows(graph, ADIT_SHAPE(2)), whole(graph, ADIT_SHAPE(2)), FALSE);
}

static AditTensor *
matmul_rows(AditGraph *graph)
{
    return adit_matmul_rows(rows(graph, ADIT_SHAPE(2, 3)), rows(graph, ADIT_SHAPE(4, 3)));
}

static AditTensor *
batch_matmul(AditGraph *graph)
{
    return adit_batch_matmul(rows(graph, ADIT_SHAPE(2, 3, 4)), rows(graph, ADIT_SHAPE(2, 3, 4)),
                             FALSE, FALSE);
}

static AditTensor *
batch_matmul_leading(AditGraph *graph)
{
    return adit_batch_matmul(rows(graph, ADIT_SHAPE(2, 3, 4)), rows(graph, ADIT_SHAPE(3, 4, 5)),
                             FALSE, FALSE);
}

static AditTensor *
batch_matmul_vector(AditGraph *graph)
{
    return adit_batch_matmul(rows(graph, ADIT_SHAPE(3)), rows(graph, ADIT_SHAPE(3)), FALSE, FALSE);
}

static AditTensor *
batch_matmul_whole(AditGraph *graph)
{
    return adit_batch_matmul(rows(graph, ADIT_SHAPE(3, 4)), whole(graph, ADIT_SHAPE(4, 5)), FALSE,
                             FALSE);
}

static AditTensor *
reduce(AditGraph *graph)
{
    return adit_reduce(rows(graph, ADIT_SHAPE(2, 3)), ADIT_REDUCE_SUM, (int[]){2}, 1);
}

static AditTensor *
reduce_twice(AditGraph *graph)
{
    return adit_reduce(rows(graph, ADIT_SHAPE(2, 3)), ADIT_REDUCE_SUM, (int[]){1, -1}, 2);
}

static AditTensor *
argmax(AditGraph *graph)
{
    return adit_reduce(rows(graph, ADIT_SHAPE(2, 3)), ADIT_REDUCE_ARGMAX, NULL, 0);
}

static AditTensor *
reduce_rows(AditGraph *graph)
{
    return adit_reduce_rows(whole(graph, ADIT_SHAPE(3)), ADIT_REDUCE_SUM);
}

static AditTensor *
broadcast(AditGraph *graph)
{
    return adit_broadcast(rows(graph, ADIT_SHAPE(3)), &ADIT_SHAPE(3, 4));
}

static AditTensor *
reshape(AditGraph *graph)
{
    return adit_reshape(rows(graph, ADIT_SHAPE(3, 4)), &ADIT_SHAPE(13));
}

static AditTensor *
transpose(AditGraph *graph)
{
    return adit_transpose(rows(graph, ADIT_SHAPE(3, 4)), (int[]){0, 0});
}

static AditTensor *
concat(AditGraph *graph)
{
    AditTensor *x[] = {rows(graph, ADIT_SHAPE(3, 4)), rows(graph, ADIT_SHAPE(2, 5))};

    return adit_concat(x, 2, 1);
}

static AditTensor *
slice(AditGraph *graph)
{
    return adit_slice(rows(graph, ADIT_SHAPE(3)), 0, 1, 4, 1);
}

static AditTensor *
gather(AditGraph *graph)
{
    return adit_gather(rows(graph, ADIT_SHAPE(3, 4)), rows(graph, ADIT_SCALAR));
}

static AditTensor *
softmax(AditGraph *graph)
{
    return adit_softmax(rows(graph, ADIT_SCALAR));
}

static AditTensor *
cross_entropy(AditGraph *graph)
{
    return adit_cross_entropy(rows(graph, ADIT_SHAPE(3)), rows(graph, ADIT_SHAPE(3)));
}

static AditTensor *
moments(AditGraph *graph)
{
    return adit_moments(whole(graph, ADIT_SHAPE(3)), 0);
}

static AditTensor *
normalize(AditGraph *graph)
{
    AditTensor *scale = whole(graph, ADIT_SHAPE(3));

    return adit_normalize(rows(graph, ADIT_SHAPE(3)), whole(graph, ADIT_SHAPE(2, 4)), scale, scale,
                          0, 1e-3);
}

static AditTensor *
layer_norm(AditGraph *graph)
{
    AditTensor *scale = whole(graph, ADIT_SHAPE(4));

    return adit_layer_norm(rows(graph, ADIT_SHAPE(3)), scale, scale, 1e-5);
}

static AditTensor *
one_hot(AditGraph *graph)
{
    return adit_one_hot(rows(graph, ADIT_SCALAR), 0);
}

static AditTensor *
dense(AditGraph *graph)
{
    return adit_dense(rows(graph, ADIT_SHAPE(3)), 0, TRUE, NULL, NULL, "");
}

static AditTensor *
broadcast_to_nothing(AditGraph *graph)
{
    return adit_broadcast(rows(graph, ADIT_SHAPE(1)), &ADIT_SHAPE(0));
}

static const AditWindow nine = {{3, 3}, {1, 1}, {1, 1}, {0, 0}, {0, 0}};
static const AditWindow far = {{2, 2}, {1, 1}, {4, 4}, {2, 2}, {2, 2}};

static AditTensor *
conv2d_vector(AditGraph *graph)
{
    return adit_conv2d(rows(graph, ADIT_SHAPE(784)), whole(graph, ADIT_SHAPE(8, 1, 3, 3)), &nine,
                       1);
}

static AditTensor *
conv2d_channels(AditGraph *graph)
{
    return adit_conv2d(rows(graph, ADIT_SHAPE(3, 9, 9)), whole(graph, ADIT_SHAPE(8, 1, 3, 3)),
                       &nine, 1);
}

static AditTensor *
conv2d_kernel(AditGraph *graph)
{
    return adit_conv2d(rows(graph, ADIT_SHAPE(3, 9, 9)), rows(graph, ADIT_SHAPE(8, 3, 3, 3)), &nine,
                       1);
}

static AditTensor *
conv2d_groups(AditGraph *graph)
{
    return adit_conv2d(rows(graph, ADIT_SHAPE(4, 9, 9)), whole(graph, ADIT_SHAPE(6, 1, 3, 3)),
                       &nine, 4);
}

static AditTensor *
conv2d_small(AditGraph *graph)
{
    return adit_conv2d(rows(graph, ADIT_SHAPE(3, 2, 9)), whole(graph, ADIT_SHAPE(8, 3, 3, 3)),
                       &nine, 1);
}

static AditTensor *
conv2d_stride(AditGraph *graph)
{
    AditWindow window = nine;

    window.stride[1] = 0;
    return adit_conv2d(rows(graph, ADIT_SHAPE(3, 9, 9)), whole(graph, ADIT_SHAPE(8, 3, 3, 3)),
                       &window, 1);
}

static AditTensor *
conv2d_back(AditGraph *graph)
{
    return adit_conv2d_back(rows(graph, ADIT_SHAPE(8, 7, 7)), whole(graph, ADIT_SHAPE(8, 3, 3, 3)),
                            &nine, 1, (gsize[]){10, 9});
}

static AditTensor *
conv2d_back_filters(AditGraph *graph)
{
    return adit_conv2d_back(rows(graph, ADIT_SHAPE(9, 7, 7)), whole(graph, ADIT_SHAPE(8, 3, 3, 3)),
                            &nine, 1, (gsize[]){9, 9});
}

static AditTensor *
conv2d_rows(AditGraph *graph)
{
    return adit_conv2d_rows(rows(graph, ADIT_SHAPE(3, 9, 9)), rows(graph, ADIT_SHAPE(8, 7, 6)),
                            &nine, 1);
}

static AditTensor *
pool2d_vector(AditGraph *graph)
{
    return adit_pool2d(rows(graph, ADIT_SHAPE(784)), ADIT_POOL_MAX, &nine);
}

static AditTensor *
pool2d_padding(AditGraph *graph)
{
    return adit_pool2d(rows(graph, ADIT_SHAPE(1, 2, 2)), ADIT_POOL_AVERAGE, &far);
}

static AditTensor *
pool2d_to(AditGraph *graph)
{
    return adit_pool2d_to(rows(graph, ADIT_SHAPE(3, 2, 9)), ADIT_POOL_MAX, (gsize[]){4, 4});
}

static void
test_errors(void)
{
    static const struct {
        Build build;
        const char *message;
    } cases[] = {
        {add, "cannot add 16 and 32"},
        {matmul, "matmul of 16 with 32x10: the inner sizes differ"},
        {matmul_transposed, "matmul of 16 with 10x32 transposed: the inner sizes differ"},
        {matmul_scalar, "matmul: expected a vector on the left, got 1"},
        {matmul_of_rows, "matmul: expected a matrix without rows on the right, got 2x2"},
        {matmul_vector, "matmul: expected a matrix on the right, got 2 without rows"},
        {matmul_rows, "outer product of 2x3 with 4x3: only the last axes may differ"},
        {batch_matmul, "batch-matmul of 2x3x4 with 2x3x4: the inner sizes differ"},
        {batch_matmul_leading, "batch-matmul of 2x3x4 with 3x4x5: the leading axes differ"},
        {batch_matmul_vector, "batch-matmul: expected matrices, got 3"},
        {batch_matmul_whole, "batch-matmul of 3x4 with 4x5: expected both with rows or neither"},
        {reduce, "reduce: axis 2 is not one of the 2 axes of 2x3"},
        {reduce_twice, "reduce: axis -1 is given twice"},
        {argmax, "argmax: expected one axis, got 2; reshape joins axes"},
        {reduce_rows, "reduce-rows: expected a value for every row, got 3 without rows"},
        {broadcast, "cannot broadcast 3 to 3x4"},
        {reshape, "cannot reshape 3x4 to 13: 12 elements, not 13"},
        {transpose, "transpose: axis 0 is given twice"},
        {concat, "cannot concat 3x4 and 2x5: only axis 1 may differ"},
        {slice, "slice: expected begin < end <= 3 and a stride, got 1..4/1"},
        {gather, "gather: expected a table without rows, got 3x4"},
        {softmax, "softmax: expected a vector, got 1"},
        {cross_entropy, "cross-entropy: expected class numbers of shape 1, got 3"},
        {moments, "moments: expected a value for every row, got 3 without rows"},
        {normalize, "normalize: expected 6 numbers without rows, got 2x4 without rows"},
        {one_hot, "one-hot: expected at least one class, got 0"},
        {dense, "dense: expected at least one unit, got 0"},
        {broadcast_to_nothing, "cannot broadcast 1 to 0"},
        {conv2d_vector, "conv2d: expected an image, channels x height x width, got 784"},
        {conv2d_channels, "conv2d: expected weights of 8x3x3x3, got 8x1x3x3"},
        {conv2d_kernel, "conv2d: expected weights without rows, filters x channels x height x "
                        "width, got 8x3x3x3"},
        {conv2d_groups, "conv2d: expected groups that divide channels and filters, got 4 groups of "
                        "4 channels and 6 filters"},
        {conv2d_small, "conv2d: a window of 3x3 pixels does not fit on an image of 2x9 with its "
                       "padding"},
        {conv2d_stride, "conv2d: expected a window whose size, stride and dilation are at least 1, "
                        "got size 3x3, stride 1x0, dilation 1x1"},
        {conv2d_back, "conv2d: expected 8x7 windows for an image of 10x9, got 8x7x7"},
        {conv2d_back_filters, "conv2d: expected 8 filters, got 9x7x7"},
        {conv2d_rows, "conv2d: expected 7x7 windows for an image of 9x9, got 8x7x6"},
        {pool2d_vector, "pool2d: expected an image, channels x height x width, got 784"},
        {pool2d_padding, "pool2d: a window of 2x2 on an image of 2x2 sees nothing but padding"},
        {pool2d_to, "pool2d: expected an image of at least 4x4 pixels, got 3x2x9"},
        {layer_norm, "layer-norm: expected 3 numbers without rows, got 4 without rows"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
        AditTensor *x = cases[i].build(graph);

        g_assert_true(adit_tensor_has_failed(x));
        g_assert_error(adit_graph_get_error(graph), ADIT_ERROR, ADIT_ERROR_INVALID);
        g_assert_cmpstr(adit_graph_get_error(graph)->message, ==, cases[i].message);
    }
}

/* Everything takes a failed tensor and hands it on, and the first error stays. */
static void
test_failed_tensors(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *x = add(graph), *w = whole(graph, ADIT_SHAPE(6, 5));
    AditTensor *results[] = {
        adit_add(x, w),
        adit_sub(w, x),
        adit_scale(x, 2),
        adit_select(x, w, x),
        adit_matmul(x, w, FALSE),
        adit_matmul(w, x, TRUE),
        adit_matmul_rows(x, x),
        adit_reduce(x, ADIT_REDUCE_ARGMAX, (int[]){5}, 1),
        adit_reduce_rows(x, ADIT_REDUCE_SUM),
        adit_sum(x),
        adit_broadcast(x, &ADIT_SHAPE(3)),
        adit_broadcast_rows(x),
        adit_reshape(x, &ADIT_SHAPE(3)),
        adit_transpose(x, (int[]){1, 0}),
        adit_concat((AditTensor *[]){w, x}, 2, 0),
        adit_slice(x, 3, 0, 9, 1),
        adit_pad(x, 3, 1, 1, 0),
        adit_gather(w, x),
        adit_one_hot(x, 3),
        adit_softmax(x),
        adit_cross_entropy(x, x),
        adit_moments(x, 4),
        adit_normalize(x, w, w, w, 4, 0),
        adit_layer_norm(x, w, w, 0),
        adit_dropout(x, w, "noise"),
        adit_dense(x, 4, TRUE, NULL, NULL, ""),
        adit_stop_gradient(x),
        adit_conv2d(x, w, &nine, 1),
        adit_conv2d_back(x, w, &nine, 1, (gsize[]){3, 3}),
        adit_conv2d_rows(x, x, &nine, 1),
        adit_pool2d(x, ADIT_POOL_MAX, &nine),
        adit_pool2d_to(x, ADIT_POOL_MAX, (gsize[]){3, 3}),
    };

    for (guint i = 0; i < G_N_ELEMENTS(results); i++)
        g_assert_true(adit_tensor_has_failed(results[i]));
    g_assert_cmpstr(adit_graph_get_error(graph)->message, ==, "cannot add 16 and 32");
}

/* Every pointwise operation has its builder, its kernel and its text. */
static void
test_table(void)
{
    guint n;
    const AditPointwise *table = adit_pointwise_list(&n);

    for (guint i = 0; i < n; i++) {
        g_assert_cmpstr(table[i].name, ==, table[i].op->name);
        g_assert_true(adit_pointwise_find(table[i].op) == &table[i]);
        g_assert_cmpuint(strlen(table[i].glsl), >, 0);
        for (guint isa = 0; isa < ADIT_N_ISAS; isa++) {
            if (!adit_isa_is_available((AditIsa) isa))
                continue;
            g_assert_nonnull(adit_kernel_find(table[i].name, (AditIsa) isa, FALSE));
            g_assert_nonnull(adit_kernel_find(table[i].name, (AditIsa) isa, TRUE));
        }
    }
    g_assert_null(adit_kernel_find("no-such-operation", ADIT_ISA_PORTABLE, FALSE));
}

static void
test_instruction_sets(void)
{
    AditIsa best;

    g_unsetenv("ADIT_ISA");
    best = adit_isa_detect();
    g_assert_true(adit_isa_is_available(ADIT_ISA_PORTABLE));
    g_assert_true(adit_isa_is_available(best));
    for (guint i = 0; i < ADIT_N_ISAS; i++) {
        const char *name = adit_isa_get_name((AditIsa) i);

        g_setenv("ADIT_ISA", name, TRUE);
        if (adit_isa_is_available((AditIsa) i)) {
            g_assert_cmpint(adit_isa_detect(), ==, i);
            continue;
        }
        g_test_expect_message("adit-ops", G_LOG_LEVEL_WARNING, "*does not have*");
        g_assert_cmpint(adit_isa_detect(), ==, best);
        g_test_assert_expected_messages();
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ops/shapes/results", test_shapes);
    g_test_add_func("/ops/shapes/images", test_images);
    g_test_add_func("/ops/shapes/evaluation-drops-nothing", test_evaluation_drops_nothing);
    g_test_add_func("/ops/shapes/errors", test_errors);
    g_test_add_func("/ops/shapes/failed-tensors", test_failed_tensors);
    g_test_add_func("/ops/kernels/table", test_table);
    g_test_add_func("/ops/kernels/instruction-sets", test_instruction_sets);
    return g_test_run();
}
