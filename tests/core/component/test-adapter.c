/* tests/core/component/test-adapter.c - SPDX-License-Identifier: MIT */
#include <adit/adit-aggregator.h>
#include <adit/adit-ops.h>

#include "adit-adapter.h"
#include "adit-graph-private.h"
#include "components.h"
#include "rig.h"

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
    /* means, where nothing is said of the resolution */
    assert_join(ADIT_ADAPT_PAD, 0, 0, ADIT_SHAPE(16, 32, 32), ADIT_SHAPE(32, 16, 16),
                "32x16x16 32x16x16");
    assert_join(ADIT_ADAPT_PAD, ADIT_ADAPT_SPACE_POOL, ADIT_ADAPT_TO_WIDEST, ADIT_SHAPE(6, 4, 8),
                ADIT_SHAPE(2, 2, 2), "6x2x2 6x2x2");
}

static void
test_refusals(void)
{
    assert_join(ADIT_ADAPT_NONE, 0, 0, ADIT_SHAPE(16, 32, 32), ADIT_SHAPE(32, 16, 16),
                "'dense' gives 32x16x16, but the running sum is 16x32x32; set 'adapt' of 'adder' "
                "(pad, project, random, truncate)");
    /* tokens are not averaged unless asked to */
    assert_join(ADIT_ADAPT_PAD, 0, 0, ADIT_SHAPE(16, 8), ADIT_SHAPE(4, 8),
                "'dense' gives 4x8, but the running sum is 16x8; set 'adapt-space' of 'adder' "
                "(crop, pool, stride)");
    assert_join(ADIT_ADAPT_PAD, 0, 0, ADIT_SHAPE(5), ADIT_SHAPE(3),
                "'dense' gives 3, but the running sum is 5; 'pad' cannot narrow, set 'adapt-to' to "
                "widest or 'adapt' of 'adder' (project, random, truncate)");
    assert_join(
        ADIT_ADAPT_TRUNCATE, 0, 0, ADIT_SHAPE(3), ADIT_SHAPE(5),
        "'dense' gives 5, but the running sum is 3; 'truncate' cannot widen, set 'adapt' of "
        "'adder' (pad, project, random)");
    assert_join(ADIT_ADAPT_NONE, ADIT_ADAPT_SPACE_POOL, 0, ADIT_SHAPE(2, 7, 7), ADIT_SHAPE(2, 3, 3),
                "'dense' gives 2x3x3, but the running sum is 2x7x7; 'pool' needs a whole factor, "
                "set 'adapt-space' of 'adder' (crop, stride)");
    assert_join(ADIT_ADAPT_NONE, ADIT_ADAPT_SPACE_STRIDE, 0, ADIT_SHAPE(2, 7, 7),
                ADIT_SHAPE(2, 5, 5),
                "'dense' gives 2x5x5, but the running sum is 2x7x7; 'stride' needs a whole step, "
                "set 'adapt-space' of 'adder' (crop)");
    assert_join(ADIT_ADAPT_PAD, ADIT_ADAPT_SPACE_CROP, 0, ADIT_SHAPE(2, 4, 4), ADIT_SHAPE(2, 4, 8),
                "'dense' gives 2x4x8, but the running sum is 2x4x4; no adapter of 'adder' makes a "
                "resolution finer");
    assert_join(ADIT_ADAPT_PAD, ADIT_ADAPT_SPACE_POOL, 0, ADIT_SHAPE(2, 2), ADIT_SHAPE(4),
                "'dense' gives 4, but the running sum is 2x2; no adapter joins unequal numbers of "
                "axes");
}

/* Numbers. */

/* What becomes of the sum 0, 1, 2, .. beside a block's output of shape @y. */
static void
assert_values(int adapt, int space, const AditShape *sum, const AditShape *y_shape,
              const double *expected)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    g_autoptr(AditAggregator) adder =
        g_object_new(adder_get_type(), "adapt", adapt, "adapt-space", space, NULL);
    AditTensor *y = adit_input(graph, "y", y_shape, 0);
    AditFold fold = {.collect = adit_input(graph, "sum", sum, 0)};

    adit_aggregator_adapt(adder, graph, &fold, &y);
    g_autoptr(Rig) rig = rig_new(graph);
    AditArray *array = test_array(sum, 1, 1);
    guint output = rig_add(rig, ADIT_OUTPUT_READ, fold.collect);
    for (gsize i = 0; i < adit_shape_count(sum); i++)
        ((double *) array->data)[i] = (double) i;
    rig_prepare(rig, 1, TRUE, 1);
    rig_feed(rig, array);
    rig_run(rig, 1, 0);
    g_autofree double *got = rig_read(rig, output, 1);
    for (gsize i = 0; i < adit_shape_count(y_shape); i++)
        g_assert_cmpfloat(got[i], ==, expected[i]);
}

static void
test_values(void)
{
    const double padded[] = {0, 1, 2, 3, 0, 0, 0, 0}, tokens[] = {0, 1, 0, 2, 3, 0};
    const double truncated[] = {0, 1, 2, 3}, pooled[] = {2.5, 4.5, 10.5, 12.5, 0, 0, 0, 0};
    const double strided[] = {0, 2, 8, 10}, cropped[] = {5, 6, 9, 10};
    const double rows_alone[] = {2, 3, 4, 5};
    const AditShape one = ADIT_SHAPE(1, 2, 2), two = ADIT_SHAPE(2, 2, 2),
                    four = ADIT_SHAPE(1, 4, 4);

    assert_values(ADIT_ADAPT_PAD, 0, &one, &two, padded);
    assert_values(ADIT_ADAPT_PAD, 0, &ADIT_SHAPE(2, 2), &ADIT_SHAPE(2, 3), tokens);
    assert_values(ADIT_ADAPT_TRUNCATE, 0, &two, &one, truncated);
    assert_values(ADIT_ADAPT_PAD, ADIT_ADAPT_SPACE_POOL, &four, &two, pooled);
    assert_values(ADIT_ADAPT_PAD, 0, &four, &two, pooled);
    assert_values(ADIT_ADAPT_NONE, ADIT_ADAPT_SPACE_STRIDE, &four, &one, strided);
    assert_values(ADIT_ADAPT_NONE, ADIT_ADAPT_SPACE_CROP, &four, &one, cropped);
    assert_values(ADIT_ADAPT_NONE, ADIT_ADAPT_SPACE_POOL, &ADIT_SHAPE(1, 2, 4),
                  &ADIT_SHAPE(1, 1, 4), rows_alone);
}

/* In sequences. */

static AditGraph *
build(AditSequence *trunk, AditMode mode, const AditShape *input, AditTensor **y)
{
    g_autoptr(AditInitializer) initializer = test_component("initializer", "he-normal", NULL);
    AditGraph *graph = adit_graph_new(mode);
    AditModel model = {.trunk = ADIT_BLOCK(trunk), .initializer = initializer};

    *y = adit_model_build(&model, graph, adit_input(graph, "x", input, 0));
    g_assert_no_error(adit_graph_get_error(graph));
    return graph;
}

static void
add_reshape(AditSequence *trunk, double channels, double side)
{
    const double sizes[] = {channels, side, side};
    g_autoptr(GArray) shape = g_array_new(FALSE, FALSE, sizeof(double));

    g_array_append_vals(shape, sizes, 3);
    test_add(trunk, test_component("block", "reshape", "shape", shape, NULL), NULL, "reshape");
}

/* A sum over stages as of a GloNet of images: 3x4x4, 12x2x2, 48x1x1. */
static AditSequence *
make_stages(int adapt, int space)
{
    AditSequence *trunk = test_sequence(test_component("aggregator", "glonet", "input", TRUE,
                                                       "adapt", adapt, "adapt-space", space, NULL));

    test_add(trunk, test_component("block", "tanh", NULL), NULL, "tanh");
    add_reshape(trunk, 12, 2);
    test_add(trunk, test_component("block", "tanh", NULL), NULL, "tanh");
    add_reshape(trunk, 48, 1);
    return trunk;
}

/* The gradient by input and weights through every pair of adapters. */
static void
test_stages(void)
{
    for (int adapt = ADIT_ADAPT_PAD; adapt <= ADIT_ADAPT_RANDOM; adapt++) {
        for (int space = ADIT_ADAPT_SPACE_NONE; space <= ADIT_ADAPT_SPACE_CROP; space++) {
            g_autoptr(AditSequence) trunk = make_stages(adapt, space);
            AditTensor *y;
            AditGraph *graph = build(trunk, ADIT_MODE_TRAINING, &ADIT_SHAPE(3, 4, 4), &y);
            AditTensor *value = test_weigh(y);
            g_autofree char *weights = test_list_parameters(graph, "adapt.weight");
            g_autoptr(Rig) rig = rig_new(graph);
            guint loss = rig_add(rig, ADIT_OUTPUT_READ, value);

            g_assert_cmpuint(adit_shape_count(adit_tensor_get_shape(y)), ==, 48);
            g_assert_cmpstr(weights, ==, adapt == ADIT_ADAPT_PROJECT ? "trunk.2 trunk.4" : "");
            rig_add_gradients(rig, value);
            rig_prepare(rig, 1, TRUE, 3);
            rig_feed(rig, test_array(&ADIT_SHAPE(3, 4, 4), 3, 2));
            rig_run(rig, 3, 0);
            rig_check_gradients(rig, loss, 3, 1e-6);
        }
    }
}

/* What the fixed 1x1 makes of the image whose channel 0 alone is 1 and of that of channel 1. */
static void
read_random(AditMode mode, gboolean behind, double *values)
{
    g_autoptr(AditSequence) trunk = test_sequence(
        test_component("aggregator", "glonet", "input", TRUE, "adapt", ADIT_ADAPT_RANDOM,
                       "adapt-space", ADIT_ADAPT_SPACE_CROP, NULL));
    AditTensor *y;

    if (behind)
        test_add(trunk, test_component("block", "relu", NULL), NULL, "relu");
    add_reshape(trunk, 128, 1);
    AditGraph *graph = build(trunk, mode, &ADIT_SHAPE(32, 2, 2), &y);
    g_autoptr(Rig) rig = rig_new(graph);
    guint output = rig_add(rig, ADIT_OUTPUT_READ, y);
    AditArray *array = test_array(&ADIT_SHAPE(32, 2, 2), 2, 1);
    memset(array->data, 0, 2 * 128 * sizeof(double));
    ((double *) array->data)[0] = 1;
    ((double *) array->data)[128 + 4] = 1;
    rig_prepare(rig, 1, TRUE, 2);
    rig_feed(rig, array);
    rig_run(rig, 2, 0);
    g_autofree double *got = rig_read(rig, output, 2);
    memcpy(values, got, 256 * sizeof(double));
    /* the block's own output */
    values[0] -= 1;
    values[128 + 4] -= 1;
}

/* Drawn once: the same in training and in evaluation, of variance 1 / inputs, another elsewhere. */
static void
test_random(void)
{
    double training[256], evaluation[256], elsewhere[256], squares = 0;

    read_random(ADIT_MODE_TRAINING, FALSE, training);
    read_random(ADIT_MODE_EVALUATION, FALSE, evaluation);
    read_random(ADIT_MODE_TRAINING, TRUE, elsewhere);
    test_assert_same(training, evaluation, 256);
    for (guint i = 0; i < 256; i++) {
        g_assert_cmpfloat(training[i], !=, elsewhere[i]);
        squares += training[i] * training[i];
    }
    g_assert_cmpfloat(training[1], !=, training[128 + 1]);
    /* 256 draws: a standard deviation of 9 % */
    g_assert_cmpfloat_with_epsilon(squares / 256 * 32, 1, 0.3);
}

/* The sum is wider than what the blocks give: each is adapted, in the loop as written out. */
static Rig *
run_narrow(int adapt, gboolean unrolled, double *loss)
{
    g_autoptr(AditSequence) trunk =
        test_sequence(test_component("aggregator", "glonet", "input", TRUE, "adapt", adapt,
                                     "adapt-to", ADIT_ADAPT_TO_WIDEST, NULL));
    AditTensor *y;

    test_add_repeat(trunk, 5, FALSE, unrolled, test_dense(4, "tanh"), "dense");
    AditGraph *graph = build(trunk, ADIT_MODE_TRAINING, &ADIT_SHAPE(6), &y);
    g_assert_cmpuint(graph->loops->len, ==, unrolled ? 0 : 1);
    AditTensor *value = test_weigh(y);
    Rig *rig = rig_new(graph);
    guint output = rig_add(rig, ADIT_OUTPUT_READ, value);
    rig_add_gradients(rig, value);
    rig_prepare(rig, 1, TRUE, 7);
    rig_feed(rig, test_array(&ADIT_SHAPE(6), 7, 2));
    rig_run(rig, 7, 0);
    *loss = rig_read_scalar(rig, output);
    return rig;
}

static void
test_loops(void)
{
    for (int adapt = ADIT_ADAPT_PAD; adapt <= ADIT_ADAPT_RANDOM; adapt++) {
        double looped, written;
        g_autoptr(Rig) loop = run_narrow(adapt, FALSE, &looped);
        g_autoptr(Rig) unrolled = run_narrow(adapt, TRUE, &written);

        test_assert_same(&looped, &written, 1);
        rig_assert_same(loop, unrolled, ADIT_ARENA_PARAMETERS);
        rig_assert_same(loop, unrolled, ADIT_ARENA_GRADIENTS);
    }
}

/* Images side by side: channels behind channels, means where the resolution falls. */
static void
test_concat(void)
{
    g_autoptr(AditSequence) trunk = test_sequence(
        test_component("aggregator", "concat", "adapt-space", ADIT_ADAPT_SPACE_POOL, NULL));
    const double x[] = {1, -2, 3, -4};
    const double expected[] = {-0.5, 1, 1, -2, 3, -4, 1, 0, 3, 0};
    AditTensor *y;

    test_add(trunk, test_component("block", "relu", NULL), NULL, "relu");
    add_reshape(trunk, 8, 1);
    AditGraph *graph = build(trunk, ADIT_MODE_TRAINING, &ADIT_SHAPE(1, 2, 2), &y);
    g_autoptr(Rig) rig = rig_new(graph);
    guint output = rig_add(rig, ADIT_OUTPUT_READ, y);
    AditArray *array = test_array(&ADIT_SHAPE(1, 2, 2), 1, 1);
    g_autofree char *shape = adit_shape_to_string(adit_tensor_get_shape(y));
    g_assert_cmpstr(shape, ==, "10x1x1");
    memcpy(array->data, x, sizeof x);
    rig_prepare(rig, 1, TRUE, 1);
    rig_feed(rig, array);
    rig_run(rig, 1, 0);
    g_autofree double *got = rig_read(rig, output, 1);
    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++)
        g_assert_cmpfloat(got[i], ==, expected[i]);
}

/* A stand-in for a residual block that halves the resolution and doubles the channels. */
struct _Halve {
    AditBlock parent_instance;
};
ADIT_DEFINE_BLOCK(Halve, halve, HALVE)

static AditTensor *
halve_build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    const AditShape *shape = adit_tensor_get_shape(x);
    AditTensor *rows = adit_slice(x, 1, 0, shape->size[1], 2);
    AditTensor *half = adit_slice(rows, 2, 0, shape->size[2], 2);

    return adit_concat((AditTensor *[]){half, half}, 2, 0);
}

static void
halve_class_init(AditComponentClass *klass)
{
    ADIT_BLOCK_CLASS(klass)->build = halve_build;
    adit_component_class_describe(klass, "halve", "Halves");
}

/* The reference's row 29. */
static void
test_reference(void)
{
    g_autoptr(AditSequence) trunk = test_sequence(test_component("aggregator", "residual", NULL));
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditModel model = {.trunk = ADIT_BLOCK(trunk)};

    test_add(trunk, g_object_new(halve_get_type(), NULL), NULL, "residual-block");
    adit_model_build(&model, graph, adit_input(graph, "x", &ADIT_SHAPE(16, 32, 32), 0));
    g_assert_error(adit_graph_get_error(graph), ADIT_ERROR, ADIT_ERROR_INVALID);
    g_assert_cmpstr(adit_graph_get_error(graph)->message, ==,
                    "'residual-block' gives 32x16x16, but the running sum is 16x32x32; set 'adapt' "
                    "of 'residual' (pad, project, random, truncate)");
    g_assert_true(ADIT_IS_BLOCK(adit_graph_get_error_component(graph)));
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
    /* bit for bit as unrolled */
    g_setenv("ADIT_FUSE", "0", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/component/adapter/equal-shapes", test_equal_shapes);
    g_test_add_func("/component/adapter/widths", test_widths);
    g_test_add_func("/component/adapter/images", test_images);
    g_test_add_func("/component/adapter/refusals", test_refusals);
    g_test_add_func("/component/adapter/reference", test_reference);
    g_test_add_func("/component/adapter/check", test_check);
    g_test_add_func("/component/adapter/values", test_values);
    g_test_add_func("/component/adapter/stages", test_stages);
    g_test_add_func("/component/adapter/random", test_random);
    g_test_add_func("/component/adapter/loops", test_loops);
    g_test_add_func("/component/adapter/concat", test_concat);
    return g_test_run();
}
