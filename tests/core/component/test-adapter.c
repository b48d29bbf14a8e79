/* tests/core/component/test-adapter.c - SPDX-License-Identifier: MIT */
#include <adit/adit-aggregator.h>

#include "adit-adapter.h"
#include "adit-graph-private.h"

struct _Adder {
    AditAggregator parent_instance;
};
ADIT_DEFINE_AGGREGATOR(Adder, adder, ADDER)

static void
adder_class_init(AditComponentClass *klass)
{
    adit_component_class_describe(klass, "adder", "Adapts");
}

/* What becomes of @sum and @y: "4 4", or the error. */
static char *
join(int adapt, int space, int to, const AditShape *sum, const AditShape *y_shape)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    g_autoptr(AditAggregator) adder =
        g_object_new(adder_get_type(), "adapt", adapt, "adapt-space", space, "adapt-to", to, NULL);
    AditTensor *y = adit_input(graph, "y", y_shape, 0);
    AditFold fold = {.collect = adit_input(graph, "sum", sum, 0), .name = "dense"};

    adit_aggregator_adapt(adder, graph, &fold, &y);
    if (adit_graph_get_error(graph) != NULL) {
        g_assert_true(adit_tensor_has_failed(y));
        return g_strdup(adit_graph_get_error(graph)->message);
    }
    g_autofree char *a = adit_shape_to_string(adit_tensor_get_shape(fold.collect));
    g_autofree char *b = adit_shape_to_string(adit_tensor_get_shape(y));
    return g_strconcat(a, " ", b, NULL);
}

#define assert_join(adapt, space, to, sum, y, expected)                                            \
    G_STMT_START                                                                                   \
    {                                                                                              \
        g_autofree char *got = join(adapt, space, to, &sum, &y);                                   \
        g_assert_cmpstr(got, ==, expected);                                                        \
    }                                                                                              \
    G_STMT_END

static void
test_equal_shapes(void)
{
    assert_join(ADIT_ADAPT_NONE, 0, 0, ADIT_SHAPE(4), ADIT_SHAPE(4), "4 4");
    assert_join(ADIT_ADAPT_PAD, 1, 0, ADIT_SHAPE(2, 3, 3), ADIT_SHAPE(2, 3, 3), "2x3x3 2x3x3");
}

static void
test_widths(void)
{
    assert_join(ADIT_ADAPT_PAD, 0, ADIT_ADAPT_TO_LAST, ADIT_SHAPE(3), ADIT_SHAPE(5), "5 5");
    assert_join(ADIT_ADAPT_PROJECT, 0, ADIT_ADAPT_TO_LAST, ADIT_SHAPE(5), ADIT_SHAPE(3), "3 3");
    assert_join(ADIT_ADAPT_RANDOM, 0, ADIT_ADAPT_TO_LAST, ADIT_SHAPE(7, 5), ADIT_SHAPE(7, 3),
                "7x3 7x3");
    assert_join(ADIT_ADAPT_TRUNCATE, 0, ADIT_ADAPT_TO_LAST, ADIT_SHAPE(5), ADIT_SHAPE(3), "3 3");
    assert_join(ADIT_ADAPT_PAD, 0, ADIT_ADAPT_TO_WIDEST, ADIT_SHAPE(5), ADIT_SHAPE(3), "5 5");
    assert_join(ADIT_ADAPT_PROJECT, 0, ADIT_ADAPT_TO_WIDEST, ADIT_SHAPE(3), ADIT_SHAPE(5), "5 5");
}

static void
test_images(void)
{
    assert_join(ADIT_ADAPT_PAD, ADIT_ADAPT_SPACE_STRIDE, 0, ADIT_SHAPE(16, 32, 32),
                ADIT_SHAPE(32, 16, 16), "32x16x16 32x16x16");
    assert_join(ADIT_ADAPT_PROJECT, ADIT_ADAPT_SPACE_POOL, 0, ADIT_SHAPE(16, 32, 32),
                ADIT_SHAPE(32, 16, 16), "32x16x16 32x16x16");
    assert_join(ADIT_ADAPT_RANDOM, ADIT_ADAPT_SPACE_CROP, 0, ADIT_SHAPE(3, 9, 9),
                ADIT_SHAPE(2, 4, 4), "2x4x4 2x4x4");
    assert_join(ADIT_ADAPT_NONE, ADIT_ADAPT_SPACE_STRIDE, 0, ADIT_SHAPE(3, 9, 9),
                ADIT_SHAPE(3, 5, 5), "3x5x5 3x5x5");
}

static void
test_refusals(void)
{
    assert_join(ADIT_ADAPT_NONE, 0, 0, ADIT_SHAPE(16, 32, 32), ADIT_SHAPE(32, 16, 16),
                "'dense' gives 32x16x16, but the running sum is 16x32x32; set 'adapt' of 'adder' "
                "(pad, project, random, truncate)");
    assert_join(ADIT_ADAPT_PAD, 0, 0, ADIT_SHAPE(16, 32, 32), ADIT_SHAPE(32, 16, 16),
                "'dense' gives 32x16x16, but the running sum is 16x32x32; set 'adapt-space' of "
                "'adder' (crop, pool, stride)");
    assert_join(ADIT_ADAPT_PAD, 0, 0, ADIT_SHAPE(5), ADIT_SHAPE(3),
                "'dense' gives 3, but the running sum is 5; 'pad' cannot narrow, set 'adapt-to' to "
                "widest or 'adapt' of 'adder' (project, random, truncate)");
    assert_join(
        ADIT_ADAPT_TRUNCATE, 0, 0, ADIT_SHAPE(3), ADIT_SHAPE(5),
        "'dense' gives 5, but the running sum is 3; 'truncate' cannot widen, set 'adapt' of "
        "'adder' (pad, project, random)");
    /* three does not divide seven */
    assert_join(ADIT_ADAPT_NONE, ADIT_ADAPT_SPACE_POOL, 0, ADIT_SHAPE(2, 7, 7), ADIT_SHAPE(2, 3, 3),
                "'dense' gives 2x3x3, but the running sum is 2x7x7; set 'adapt-space' of 'adder' "
                "(crop, pool, stride)");
}

static void
test_check(void)
{
    g_autoptr(AditComponent) adder = g_object_new(adder_get_type(), "adapt", ADIT_ADAPT_TRUNCATE,
                                                  "adapt-to", ADIT_ADAPT_TO_WIDEST, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_false(ADIT_COMPONENT_GET_CLASS(adder)->check(adder, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_INVALID);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/component/adapter/equal-shapes", test_equal_shapes);
    g_test_add_func("/component/adapter/widths", test_widths);
    g_test_add_func("/component/adapter/images", test_images);
    g_test_add_func("/component/adapter/refusals", test_refusals);
    g_test_add_func("/component/adapter/check", test_check);
    return g_test_run();
}
