/* tests/plugins/test-images.c - SPDX-License-Identifier: MIT */
#include "adit-graph-private.h"
#include "plugin-test.h"

#include <string.h>

/* What blocks of images write into a graph: shapes, parameters, taps and refusals. */

static AditGraph *
build(AditBlock *block, const AditShape *input, AditTensor **y)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);

    adit_graph_enter_scope(graph, 0, NULL, 0, "trunk", NULL);
    *y = adit_block_build(block, graph, adit_input(graph, "x", input, 0));
    return graph;
}

/* The output's shape, or the error. */
static void
check(AditBlock *block, const AditShape *input, const char *expected)
{
    AditTensor *y;
    g_autoptr(AditGraph) graph = build(block, input, &y);
    const GError *error = adit_graph_get_error(graph);
    g_autofree char *got =
        error != NULL ? g_strdup(error->message) : adit_shape_to_string(adit_tensor_get_shape(y));

    g_assert_true(adit_tensor_has_failed(y) == (error != NULL));
    g_assert_cmpstr(got, ==, expected);
}

/* Sets a list of one or two numbers; those below 0 are words. */
static void
set_numbers(gpointer block, const char *name, guint n, double first, double second)
{
    g_autoptr(GArray) numbers = make_numbers(n, (double[]){first, second});

    g_object_set(block, name, numbers, NULL);
}

static AditTensor *
find_parameter(AditGraph *graph, const char *name)
{
    for (guint i = 0; i < graph->tensors->len; i++) {
        AditTensor *tensor = graph->tensors->pdata[i];

        if (tensor->kind == ADIT_TENSOR_PARAMETER &&
            g_strv_contains((const char *const *) tensor->names, name))
            return tensor;
    }
    return NULL;
}

static void
assert_parameter(AditGraph *graph, const char *name, const char *expected)
{
    AditTensor *tensor = find_parameter(graph, name);
    g_autofree char *shape = NULL;

    g_assert_nonnull(tensor);
    shape = adit_shape_to_string(adit_tensor_get_shape(tensor));
    g_assert_cmpstr(shape, ==, expected);
}

static void
test_conv(void)
{
    AditAmount filters = {.value = 8}, half = {.value = 0.5, .unit = ADIT_UNIT_PERCENT};
    g_autoptr(AditBlock) conv = make_component("block", "conv", "filters", &filters, NULL);
    const AditShape image = ADIT_SHAPE(6, 9, 7);

    check(conv, &image, "8x9x7");
    set_numbers(conv, "stride", 2, 2, 3);
    check(conv, &image, "8x5x3");
    set_numbers(conv, "padding", 1, -2, 0);
    check(conv, &image, "8x4x2");
    set_numbers(conv, "padding", 1, 3, 0);
    check(conv, &image, "8x7x4");
    set_numbers(conv, "padding", 2, -1, 0);
    check(conv, &image, "8x5x2");
    set_numbers(conv, "stride", 1, 1, 0);
    set_numbers(conv, "kernel", 2, 5, 1);
    set_numbers(conv, "dilation", 2, 2, 1);
    set_numbers(conv, "padding", 1, 0, 0);
    check(conv, &image, "8x1x7");
    set_numbers(conv, "kernel", 2, 6, 1);
    check(conv, &image,
          "conv2d: a window of 11x1 pixels does not fit on an image of 9x7 with its padding");
    check(conv, &ADIT_SHAPE(63),
          "'conv' takes an image (channels x height x width), got 63; put 'reshape' before it");
    set_numbers(conv, "kernel", 2, 2, 1);
    g_object_set(conv, "filters", &half, NULL);
    check(conv, &image, "3x7x7");
    check(conv, &ADIT_SHAPE(5, 9, 7), "'filters' must come out whole, got 50% of 5");
}

static void
test_conv_groups(void)
{
    AditAmount filters = {.value = 12}, three = {.value = 3};
    AditAmount each = {.value = 1, .unit = ADIT_UNIT_PERCENT};
    AditAmount third = {.value = 0.3, .unit = ADIT_UNIT_PERCENT};
    g_autoptr(AditBlock) conv =
        make_component("block", "conv", "filters", &filters, "groups", &three, NULL);
    AditTensor *y;
    g_autoptr(AditGraph) grouped = build(conv, &ADIT_SHAPE(6, 4, 4), &y);

    assert_parameter(grouped, "trunk.weight", "12x2x3x3");
    g_object_set(conv, "groups", &each, NULL);
    g_autoptr(AditGraph) apart = build(conv, &ADIT_SHAPE(6, 4, 4), &y);
    assert_parameter(apart, "trunk.weight", "12x1x3x3");
    check(conv, &ADIT_SHAPE(5, 4, 4),
          "'groups' must divide channels and filters, got 5 groups of 5 channels and 12 filters");
    g_object_set(conv, "groups", &third, NULL);
    check(conv, &ADIT_SHAPE(6, 4, 4), "'groups' must come out whole, got 30% of 6");
}

static AditTensor *
find_tap(AditGraph *graph, const char *port)
{
    for (guint i = 0; i < graph->taps->len; i++) {
        if (strcmp(g_array_index(graph->taps, AditTap, i).port, port) == 0)
            return g_array_index(graph->taps, AditTap, i).tensor;
    }
    return NULL;
}

/* Ports and parameters before and after the convolution. */
static void
test_conv_order(void)
{
    AditAmount filters = {.value = 3};
    g_autoptr(AditBlock) relu = make_component("block", "relu", NULL);
    g_autoptr(AditBlock) norm = make_component("block", "batch-norm", NULL);
    g_autoptr(AditBlock) conv = make_component("block", "conv", "filters", &filters, "norm", norm,
                                               "activation", relu, NULL);

    for (int order = 0; order < 2; order++) {
        AditTensor *y;

        g_object_set(conv, "order", order, "bias", order == 0, NULL);
        g_autoptr(AditGraph) graph = build(conv, &ADIT_SHAPE(5, 4, 4), &y);
        g_assert_no_error(adit_graph_get_error(graph));
        g_assert_true((find_tap(graph, "linear") == y) == (order == 1));
        g_assert_cmpuint(adit_tensor_get_shape(find_tap(graph, "pre"))->size[0], ==,
                         order == 0 ? 3 : 5);
        assert_parameter(graph, "trunk.weight", "3x5x3x3");
        assert_parameter(graph, "trunk.scale", order == 0 ? "3" : "5");
        if (order == 0)
            assert_parameter(graph, "trunk.bias", "3");
        else
            g_assert_null(find_parameter(graph, "trunk.bias"));
    }
}

static void
test_pool(void)
{
    g_autoptr(AditBlock) pool = make_component("block", "pool", NULL);
    const AditShape image = ADIT_SHAPE(3, 9, 8);

    check(pool, &image, "3x4x4");
    set_numbers(pool, "padding", 1, -1, 0);
    check(pool, &image, "3x5x4");
    set_numbers(pool, "size", 1, 3, 0);
    set_numbers(pool, "stride", 1, 2, 0);
    set_numbers(pool, "padding", 1, 1, 0);
    check(pool, &image, "3x5x4");
    check(pool, &ADIT_SHAPE(27),
          "'pool' takes an image (channels x height x width), got 27; put 'reshape' before it");
    set_numbers(pool, "size", 1, 2, 0);
    set_numbers(pool, "padding", 1, 2, 0);
    check(pool, &image, "pool2d: a window of 2x2 on an image of 9x8 sees nothing but padding");
}

/* A mixture has one number to train; what comes out has the size that is wanted, or less. */
static void
test_pool_to(void)
{
    for (int type = 0; type < 3; type++) {
        g_autoptr(AditBlock) pool = make_component("block", "pool", "type", type, NULL);
        AditTensor *y;

        set_numbers(pool, "to", 1, 4, 0);
        g_autoptr(AditGraph) graph = build(pool, &ADIT_SHAPE(3, 9, 8), &y);
        g_assert_no_error(adit_graph_get_error(graph));
        if (type == 2)
            assert_parameter(graph, "trunk.alpha", "1");
        else
            g_assert_null(find_parameter(graph, "trunk.alpha"));
        check(pool, &ADIT_SHAPE(3, 9, 8), "3x4x4");
        check(pool, &ADIT_SHAPE(3, 2, 8), "3x2x4");
    }
}

static void
test_global_pool(void)
{
    static const char *const expected[] = {"5", "5", "10"};

    for (int type = 0; type < 3; type++) {
        g_autoptr(AditBlock) pool = make_component("block", "global-pool", "type", type, NULL);

        check(pool, &ADIT_SHAPE(5, 9, 8), expected[type]);
        check(pool, &ADIT_SHAPE(5, 9),
              "'global-pool' takes an image (channels x height x width), got 5x9; put 'reshape' "
              "before it");
    }
}

static void
assert_refused(AditBlock *block, const char *expected)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(adit_component_check(ADIT_COMPONENT(block), &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_INVALID);
    g_assert_cmpstr(error->message, ==, expected);
}

static void
test_refusals(void)
{
    g_autoptr(AditBlock) conv = make_component("block", "conv", NULL);
    g_autoptr(AditBlock) pool = make_component("block", "pool", NULL);
    g_autoptr(GArray) three = make_numbers(3, (double[]){1, 2, 3});

    g_object_set(conv, "dilation", three, NULL);
    assert_refused(conv, "'dilation' must be one number or height and width, got 3");
    g_object_set(pool, "stride", three, NULL);
    assert_refused(pool, "'stride' must be one number or height and width, got 3");
    set_numbers(pool, "stride", 1, 2, 0);
    set_numbers(pool, "to", 1, 2, 0);
    assert_refused(pool, "'to' says what comes out and 'stride' how; set one of them");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plugins/blocks/conv", test_conv);
    g_test_add_func("/plugins/blocks/conv/groups", test_conv_groups);
    g_test_add_func("/plugins/blocks/conv/order", test_conv_order);
    g_test_add_func("/plugins/blocks/pool", test_pool);
    g_test_add_func("/plugins/blocks/pool/to", test_pool_to);
    g_test_add_func("/plugins/blocks/global-pool", test_global_pool);
    g_test_add_func("/plugins/blocks/refusals", test_refusals);
    return g_test_run();
}
