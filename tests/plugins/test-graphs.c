/* tests/plugins/test-graphs.c - SPDX-License-Identifier: MIT */
#include "adit-graph-private.h"
#include "adit-plan.h"
#include "plugin-test.h"

/* What plugins write into a graph: shapes, parameters, taps and refusals. */

static char *
describe(AditGraph *graph, AditTensor *y)
{
    if (adit_graph_get_error(graph) != NULL) {
        g_assert_true(adit_tensor_has_failed(y));
        return g_strdup(adit_graph_get_error(graph)->message);
    }
    return adit_shape_to_string(adit_tensor_get_shape(y));
}

#define assert_text(expression, expected)                                                          \
    G_STMT_START                                                                                   \
    {                                                                                              \
        g_autofree char *got = expression;                                                         \
        g_assert_cmpstr(got, ==, expected);                                                        \
    }                                                                                              \
    G_STMT_END

/* The output's shape, or the error. */
static char *
build(AditBlock *block, const AditShape *input)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);

    adit_graph_enter_scope(graph, 0, NULL, 0, "trunk", NULL);
    AditTensor *y = adit_block_build(block, graph, adit_input(graph, "x", input, 0));
    return describe(graph, y);
}

static void
test_dense(void)
{
    AditAmount ten = {.value = 10.0};
    AditAmount half = {.value = 0.5, .unit = ADIT_UNIT_PERCENT};
    g_autoptr(AditBlock) dense = make_component("block", "dense", "units", &ten, NULL);

    assert_text(build(dense, &ADIT_SHAPE(4)), "10");
    assert_text(build(dense, &ADIT_SHAPE(65, 128)), "65x10");
    assert_text(build(dense, &ADIT_SHAPE(64, 8, 8)),
                "'dense' takes a vector, got 64x8x8; put 'flatten' or 'global-pool' before it");
    g_object_set(dense, "units", &half, NULL);
    assert_text(build(dense, &ADIT_SHAPE(64)), "32");
    assert_text(build(dense, &ADIT_SHAPE(7)), "'units' must come out whole, got 50% of 7");
}

static guint
count_kind(AditGraph *graph, AditTensorKind kind)
{
    guint count = 0;

    for (guint i = 0; i < graph->tensors->len; i++)
        count += ((AditTensor *) graph->tensors->pdata[i])->kind == kind ? 1 : 0;
    return count;
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

static void
test_dense_order(void)
{
    AditAmount units = {.value = 3.0};
    g_autoptr(AditBlock) relu = make_component("block", "relu", NULL);
    g_autoptr(AditBlock) norm = make_component("block", "batch-norm", NULL);
    g_autoptr(AditBlock) dense =
        make_component("block", "dense", "units", &units, "norm", norm, "activation", relu, NULL);

    for (int order = 0; order < 2; order++) {
        g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
        g_object_set(dense, "order", order, NULL);
        adit_graph_enter_scope(graph, 0, NULL, 0, "trunk", NULL);
        AditTensor *x = adit_input(graph, "x", &ADIT_SHAPE(5), 0);
        AditTensor *y = adit_block_build(dense, graph, x);

        g_assert_no_error(adit_graph_get_error(graph));
        g_assert_cmpuint(count_kind(graph, ADIT_TENSOR_PARAMETER), ==, 4);
        g_assert_cmpuint(count_kind(graph, ADIT_TENSOR_STATE), ==, 2);
        g_assert_cmpuint(graph->updates->len, ==, 2);
        g_assert_true((find_tap(graph, "linear") == y) == (order == 1));
        g_assert_cmpuint(adit_tensor_get_width(find_tap(graph, "pre")), ==, order == 0 ? 3 : 5);
        g_assert_true(g_hash_table_contains(graph->names, "trunk.weight"));
        g_assert_true(g_hash_table_contains(graph->names, "trunk.variance"));
    }
}

static void
test_shapes(void)
{
    static const char *const same[] = {"relu",    "leaky-relu", "gelu",       "silu",
                                       "sigmoid", "tanh",       "softplus",   "identity",
                                       "dropout", "layer-norm", "batch-norm", NULL};
    g_autoptr(AditBlock) flatten = make_component("block", "flatten", NULL);
    g_autoptr(GArray) sizes = make_numbers(3, (double[]){1.0, 2.0, 3.0});
    g_autoptr(AditBlock) reshape = make_component("block", "reshape", "shape", sizes, NULL);

    for (guint i = 0; same[i] != NULL; i++) {
        g_autoptr(AditBlock) block = make_component("block", same[i], NULL);
        g_test_message("%s", same[i]);
        assert_text(build(block, &ADIT_SHAPE(6)), "6");
        assert_text(build(block, &ADIT_SHAPE(3, 4, 5)), "3x4x5");
    }
    assert_text(build(flatten, &ADIT_SHAPE(3, 4, 5)), "60");
    assert_text(build(reshape, &ADIT_SHAPE(6)), "1x2x3");
    assert_text(build(reshape, &ADIT_SHAPE(7)),
                "'reshape' cannot make 1x2x3 of 7; the numbers differ");
}

/* Losses. */

static char *
measure(const char *name, const AditShape *outputs, const AditShape *targets, guint classes,
        gboolean metric)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    g_autoptr(AditLoss) loss = make_component("loss", name, NULL);
    AditLossClass *klass = ADIT_LOSS_GET_CLASS(loss);
    AditTensor *y = adit_input(graph, "y", outputs, 0);
    AditTensor *t = adit_input(graph, "t", targets, classes);

    if (metric && klass->metric != NULL)
        return describe(graph, klass->metric(loss, graph, y, t));
    return describe(graph, klass->build(loss, graph, y, t));
}

static void
assert_loss(const char *name, const AditShape *outputs, const AditShape *targets, guint classes,
            const char *expected)
{
    assert_text(measure(name, outputs, targets, classes, FALSE), expected);
    assert_text(measure(name, outputs, targets, classes, TRUE), expected);
}

static void
test_losses(void)
{
    static const char *const of_values[] = {"mse", "mae", "huber", NULL};

    for (guint i = 0; of_values[i] != NULL; i++) {
        g_autofree char *wrong = g_strdup_printf(
            "'%s' needs 3 outputs for the data's targets, but the head gives 2", of_values[i]);
        g_autofree char *classes = g_strdup_printf(
            "'%s' needs values as targets, but the data has 10 classes", of_values[i]);
        assert_loss(of_values[i], &ADIT_SHAPE(3), &ADIT_SHAPE(3), 0, "1");
        assert_loss(of_values[i], &ADIT_SHAPE(1), &ADIT_SCALAR, 0, "1");
        assert_loss(of_values[i], &ADIT_SHAPE(2), &ADIT_SHAPE(3), 0, wrong);
        assert_loss(of_values[i], &ADIT_SHAPE(10), &ADIT_SCALAR, 10, classes);
    }
    assert_loss("cross-entropy", &ADIT_SHAPE(10), &ADIT_SCALAR, 10, "1");
    assert_loss("cross-entropy", &ADIT_SHAPE(9), &ADIT_SCALAR, 10,
                "'cross-entropy' needs 10 logits for the data's 10 classes, but the head gives 9");
    assert_loss("cross-entropy", &ADIT_SHAPE(1), &ADIT_SCALAR, 0,
                "'cross-entropy' needs classes as targets, but the data has values");
    assert_loss("binary-cross-entropy", &ADIT_SHAPE(1), &ADIT_SCALAR, 2, "1");
    assert_loss("binary-cross-entropy", &ADIT_SHAPE(2), &ADIT_SCALAR, 2,
                "'binary-cross-entropy' needs 1 logit, but the head gives 2");
    assert_loss("binary-cross-entropy", &ADIT_SHAPE(1), &ADIT_SCALAR, 3,
                "'binary-cross-entropy' needs 2 classes, but the data has 3");
    assert_loss("squared-hinge", &ADIT_SHAPE(1), &ADIT_SCALAR, 2, "1");
    assert_loss("squared-hinge", &ADIT_SHAPE(5), &ADIT_SCALAR, 5, "1");
    assert_loss("squared-hinge", &ADIT_SHAPE(4), &ADIT_SCALAR, 5,
                "'squared-hinge' needs 5 logits for the data's 5 classes, but the head gives 4");
}

/* Aggregators: feed and collect after two steps, the second of the given width. */

static char *
fold(AditAggregator *aggregator, gsize second)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditAggregatorClass *klass = ADIT_AGGREGATOR_GET_CLASS(aggregator);
    AditTensor *x = adit_input(graph, "x", &ADIT_SHAPE(4), 0);
    AditFold fold = {.count = 2, .name = "dense"};

    klass->begin(aggregator, graph, x, &fold);
    klass->step(aggregator, graph, adit_input(graph, "a", &ADIT_SHAPE(4), 0), &fold);
    klass->step(aggregator, graph, adit_input(graph, "b", &ADIT_SHAPE(second), 0), &fold);
    g_autofree char *feed = describe(graph, fold.feed);
    g_autofree char *collect = describe(graph, fold.collect);
    return g_strdup_printf("%s / %s", feed, collect);
}

static void
test_aggregators(void)
{
    g_autoptr(AditAggregator) chain = make_component("aggregator", "chain", NULL);
    g_autoptr(AditAggregator) glonet = make_component("aggregator", "glonet", "adapt", 1, NULL);
    g_autoptr(AditAggregator) residual = make_component("aggregator", "residual", "adapt", 1, NULL);
    g_autoptr(AditAggregator) concat = make_component("aggregator", "concat", NULL);

    assert_text(fold(chain, 5), "5 / 5");
    assert_text(fold(glonet, 5), "5 / 5");
    assert_text(fold(residual, 4), "4 / 4");
    assert_text(fold(residual, 6), "6 / 6");
    assert_text(fold(concat, 5), "13 / 13");
    g_object_set(concat, "input", FALSE, NULL);
    assert_text(fold(concat, 5), "9 / 9");
    g_assert_true(adit_aggregator_counts_input(residual));
    g_assert_false(adit_aggregator_counts_input(glonet));
    g_assert_true(ADIT_AGGREGATOR_GET_CLASS(residual)->skips);
    g_assert_false(ADIT_AGGREGATOR_GET_CLASS(glonet)->skips);
}

static void
test_glonet_weights(void)
{
    g_autoptr(AditAggregator) glonet = make_component("aggregator", "glonet", NULL);
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditAggregatorClass *klass = ADIT_AGGREGATOR_GET_CLASS(glonet);
    AditTensor *x = adit_input(graph, "x", &ADIT_SHAPE(4), 0);

    for (int weights = 0; weights < 3; weights++) {
        AditFold fold = {.count = 7};
        g_autofree char *scope = g_strdup_printf("scope-%d", weights);
        g_object_set(glonet, "weights", weights, NULL);
        adit_graph_enter_scope(graph, 0, NULL, 0, scope, NULL);
        klass->begin(glonet, graph, x, &fold);
        adit_graph_leave_scope(graph);
        g_assert_null(fold.collect);
        g_assert_true((fold.each == NULL) == (weights == 0));
        if (fold.each != NULL)
            assert_text(describe(graph, fold.each), "7");
    }
    g_object_set(glonet, "weights", 0, "input", TRUE, NULL);
    AditFold fold = {.count = 7};
    klass->begin(glonet, graph, x, &fold);
    g_assert_true(fold.collect == x);
}

static void
test_residual_input(void)
{
    g_autoptr(AditComponent) residual =
        make_component("aggregator", "residual", "input", FALSE, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_false(adit_component_check(residual, &error));
    g_assert_cmpstr(error->message, ==,
                    "'input' of 'residual' is always true: its sum starts with the input");
}

/* Strategies. */

static AditPlan *
make_plan(AditStrategy *strategy, guint n_exits, guint n_blocks)
{
    g_autoptr(GError) error = NULL;
    AditPlan *plan = adit_plan_new(strategy, n_exits, n_blocks, &error);

    g_assert_no_error(error);
    return plan;
}

static void
assert_no_plan(AditStrategy *strategy, guint n_exits, const char *message)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(adit_plan_new(strategy, n_exits, 5, &error));
    g_assert_cmpstr(error->message, ==, message);
}

static void
test_strategies(void)
{
    g_autoptr(GArray) weights = make_numbers(3, (double[]){0.1, 0.2, 0.3});
    g_autoptr(AditStrategy) plain = make_component("strategy", "plain", NULL);
    g_autoptr(AditStrategy) joint = make_component("strategy", "joint", NULL);
    g_autoptr(AditPlan) alone = make_plan(plain, 3, 5);
    g_autoptr(AditPlan) all = make_plan(joint, 3, 5);

    g_assert_cmpfloat(adit_plan_get(alone, 0)->exit_weights[0], ==, 0.0);
    g_assert_cmpfloat(adit_plan_get(alone, 0)->final_weight, ==, 1.0);
    g_assert_cmpfloat(adit_plan_get(all, 0)->exit_weights[2], ==, 1.0);
    g_assert_cmpfloat(adit_plan_get(all, 0)->ramp_from, ==, -1.0);
    g_object_set(joint, "weights", weights, "final-weight", 2.0, "ramp-from", 0.01, NULL);
    g_autoptr(AditPlan) weighed = make_plan(joint, 3, 5);

    g_assert_cmpfloat(adit_plan_get(weighed, 0)->exit_weights[1], ==, 0.2);
    g_assert_cmpfloat(adit_plan_get(weighed, 0)->final_weight, ==, 2.0);
    g_assert_cmpfloat(adit_plan_get(weighed, 0)->ramp_from, ==, 0.01);
    assert_no_plan(joint, 1, "3 weights for 1 exit; the last answer has 'final-weight'");
}

/* Which segments are frozen, and which exit teaches the next. */
static void
test_pieces(void)
{
    g_autoptr(AditStrategy) layer_wise = make_component("strategy", "layer-wise", NULL);
    g_autoptr(AditStrategy) separate = make_component("strategy", "separate", NULL);
    g_autoptr(AditPlan) layers = make_plan(layer_wise, 2, 5);
    g_autoptr(AditPlan) heads = make_plan(separate, 2, 5);

    g_assert_cmpuint(layers->pieces->len, ==, 3);
    g_assert_cmpuint(heads->pieces->len, ==, 3);
    for (guint i = 0; i < 3; i++) {
        const AditPiece *layer = adit_plan_get(layers, i), *head = adit_plan_get(heads, i);

        g_assert_true(layer->restarts && head->restarts);
        g_assert_cmpuint(layer->first, ==, i);
        g_assert_cmpuint(head->first, ==, i);
        for (guint j = 0; j < 2; j++) {
            g_assert_cmpfloat(layer->exit_weights[j], ==, i == j);
            g_assert_cmpfloat(head->exit_weights[j], ==, i == j + 1);
        }
        g_assert_cmpfloat(layer->final_weight, ==, i == 2);
        g_assert_cmpfloat(head->final_weight, ==, i == 0);
    }
    g_object_set(separate, "backbone", FALSE, NULL);
    g_autoptr(AditPlan) only = make_plan(separate, 2, 5);

    g_assert_cmpuint(only->pieces->len, ==, 2);
    g_assert_cmpuint(adit_plan_get(only, 0)->first, ==, 1);
    assert_no_plan(layer_wise, 0,
                   "strategy 'layer-wise' needs exits, and the network has none; say where with "
                   "'exits'");
}

static void
test_nesterov_needs_momentum(void)
{
    g_autoptr(AditComponent) sgd = make_component("optimizer", "sgd", "nesterov", TRUE, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_false(adit_component_check(sgd, &error));
    g_assert_cmpstr(error->message, ==, "'nesterov' needs a 'momentum' above 0");
    g_object_set(sgd, "momentum", 0.9, NULL);
    g_assert_true(adit_component_check(sgd, NULL));
    g_assert_cmpuint(ADIT_OPTIMIZER_GET_CLASS(sgd)->count_slots(ADIT_OPTIMIZER(sgd)), ==, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/blocks/dense/shapes", test_dense);
    g_test_add_func("/blocks/dense/order", test_dense_order);
    g_test_add_func("/blocks/all/shapes", test_shapes);
    g_test_add_func("/losses/all/shapes", test_losses);
    g_test_add_func("/aggregators/all/folds", test_aggregators);
    g_test_add_func("/aggregators/glonet/weights", test_glonet_weights);
    g_test_add_func("/aggregators/residual/input", test_residual_input);
    g_test_add_func("/strategies/all/plans", test_strategies);
    g_test_add_func("/strategies/all/pieces", test_pieces);
    g_test_add_func("/optimizers/sgd/nesterov-needs-momentum", test_nesterov_needs_momentum);
    return g_test_run();
}
