/* tests/conformance/networks.c - SPDX-License-Identifier: MIT */
#include <adit/adit-ops.h>

#include "adit-graph-private.h"
#include "conformance.h"

#include <math.h>

/* Blocks and aggregators: derivatives, float32 beside float64, and the same bits whatever the
 * threads and the batch. */

#define ROWS           9
#define EVALUATED_ROWS 64
#define TOLERANCE      1e-6
#define NEARNESS       1e-11 /* of float32 to float64 */

static const AditShape input_shapes[] = {
    {1, {4}}, {1, {7}}, {2, {3, 4}}, {3, {2, 4, 3}}, {3, {2, 5, 4}}, {3, {3, 2, 4}}, {0, {0}},
};

/* A network of one block. @x: (out) */
static AditGraph *
build_graph(AditBlock *block, AditMode mode, const AditShape *shape, AditTensor **x, AditTensor **y)
{
    g_autoptr(AditInitializer) initializer =
        test_component("initializer", "normal", "std", 0.5, NULL);
    AditGraph *graph = adit_graph_new(mode);
    AditModel model = {.trunk = block, .initializer = initializer};

    *x = adit_input(graph, "x", shape, 0);
    *y = adit_model_build(&model, graph, *x);
    return graph;
}

/* What does not fit is refused in words. */
static gboolean
builds(AditBlock *block, const AditShape *shape)
{
    AditTensor *x, *y;
    g_autoptr(AditGraph) graph = build_graph(block, ADIT_MODE_TRAINING, shape, &x, &y);
    const GError *error = adit_graph_get_error(graph);

    if (error == NULL)
        return TRUE;
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_INVALID);
    g_assert_false(g_str_has_suffix(error->message, "."));
    g_assert_false(g_ascii_isupper(error->message[0]));
    g_assert_true(adit_tensor_has_failed(y));
    return FALSE;
}

/* Runs @check on every shape that the block takes; one at least. */
static void
for_shapes(AditBlock *block, void (*check)(AditBlock *block, const AditShape *shape))
{
    guint n = 0;

    for (guint i = 0; i < G_N_ELEMENTS(input_shapes); i++) {
        if (!builds(block, &input_shapes[i]))
            continue;
        check(block, &input_shapes[i]);
        n++;
    }
    g_assert_cmpuint(n, >, 0);
}

/* Numbers at least 0.05 from 0, where rectifiers have their kinks. */
static AditArray *
off_kinks(const AditShape *shape, gsize rows)
{
    AditArray *array = test_array(shape, rows, 5);
    double *values = array->data;

    for (gsize i = 0; i < rows * adit_shape_count(shape); i++)
        values[i] += values[i] < 0 ? -0.05 : 0.05;
    return array;
}

static void
check_gradient(AditBlock *block, const AditShape *shape)
{
    AditTensor *x, *y, *gradient;
    AditGraph *graph = build_graph(block, ADIT_MODE_TRAINING, shape, &x, &y);
    AditTensor *loss = test_weigh(y);

    adit_gradient(loss, &x, 1, ADIT_GRADIENT_KEEP, &gradient);
    g_autoptr(Rig) rig = rig_new(graph);
    guint loss_output = rig_add(rig, ADIT_OUTPUT_READ, loss);
    guint gradient_output = rig_add(rig, ADIT_OUTPUT_READ, gradient);
    rig_add_gradients(rig, loss);
    rig_prepare(rig, 1, TRUE, ROWS);
    rig_scatter(rig, 0.2);
    rig_feed(rig, off_kinks(shape, ROWS));
    rig_run(rig, ROWS, 0);
    g_assert_true(isfinite(rig_read_scalar(rig, loss_output)));
    rig_check_gradients(rig, loss_output, ROWS, TOLERANCE);
    rig_check_input_gradient(rig, loss_output, 0, gradient_output, ROWS, TOLERANCE);
}

/* The outputs of an evaluation of @batch rows at a time, in float32. */
static double *
evaluate(AditBlock *block, const AditShape *shape, guint threads, gsize batch, gsize *count)
{
    AditTensor *x, *y;
    AditGraph *graph = build_graph(block, ADIT_MODE_EVALUATION, shape, &x, &y);
    g_autoptr(Rig) rig = rig_new(graph);
    guint output = rig_add(rig, ADIT_OUTPUT_READ, y);
    gsize width = adit_shape_count(adit_tensor_get_shape(y));
    double *values = g_new0(double, width *EVALUATED_ROWS);

    rig_prepare(rig, threads, FALSE, EVALUATED_ROWS);
    rig_scatter(rig, 0.2);
    rig_feed(rig, off_kinks(shape, EVALUATED_ROWS));
    for (gsize first = 0; first < EVALUATED_ROWS; first += batch) {
        gsize rows = MIN(batch, EVALUATED_ROWS - first);
        rig_run_from(rig, first, rows, first);
        adit_executable_read_output(rig->device, rig->executable, output, values + first * width);
    }
    *count = width * EVALUATED_ROWS;
    return values;
}

static void
check_evaluation(AditBlock *block, const AditShape *shape)
{
    static const struct {
        guint threads;
        gsize batch;
    } ways[] = {{2, 64}, {3, 64}, {4, 64}, {1, 1}, {1, 7}, {2, 13}, {3, 50}};
    gsize count;
    g_autofree double *expected = evaluate(block, shape, 1, EVALUATED_ROWS, &count);

    for (gsize i = 0; i < count; i++)
        g_assert_true(isfinite(expected[i]));
    for (guint i = 0; i < G_N_ELEMENTS(ways); i++) {
        g_autofree double *values = evaluate(block, shape, ways[i].threads, ways[i].batch, &count);
        test_assert_same(values, expected, count);
    }
}

/**
 * Trained: gradients and states after two steps of training.
 */
typedef struct {
    double *gradients;
    double *states;
    gsize n_gradients;
    gsize n_states;
} Trained;

static void
trained_clear(Trained *self)
{
    g_free(self->gradients);
    g_free(self->states);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Trained, trained_clear)

static void
train(AditBlock *block, const AditShape *shape, guint threads, gboolean f64, Trained *trained)
{
    AditTensor *x, *y;
    AditGraph *graph = build_graph(block, ADIT_MODE_TRAINING, shape, &x, &y);
    AditTensor *loss = test_weigh(y);
    g_autoptr(Rig) rig = rig_new(graph);

    rig_add_gradients(rig, loss);
    rig_add(rig, ADIT_OUTPUT_GUARD, loss);
    rig_add_states(rig);
    rig_prepare(rig, threads, f64, EVALUATED_ROWS);
    rig_feed(rig, off_kinks(shape, EVALUATED_ROWS));
    rig_run(rig, EVALUATED_ROWS, 0);
    rig_run(rig, EVALUATED_ROWS - 3, 1);
    g_assert_true(adit_memory_is_finite(rig->device, rig->memory, NULL));
    trained->gradients = rig_read_arena(rig, ADIT_ARENA_GRADIENTS);
    trained->states = rig_read_arena(rig, ADIT_ARENA_STATES);
    trained->n_gradients = rig->layout->n_parameters;
    trained->n_states = rig->layout->n_states;
}

static void
check_training(AditBlock *block, const AditShape *shape)
{
    g_auto(Trained) expected = {0};

    train(block, shape, 1, FALSE, &expected);
    for (guint threads = 1; threads <= 4; threads++) {
        g_auto(Trained) trained = {0};
        train(block, shape, threads, FALSE, &trained);
        test_assert_same(trained.gradients, expected.gradients, expected.n_gradients);
        test_assert_same(trained.states, expected.states, expected.n_states);
    }
}

/* Squares of the differences over squares of what is expected, summed over all numbers. */
static void
assert_near(const char *what, const double *got, const double *expected, gsize n)
{
    double error = 0, power = 0;

    for (gsize i = 0; i < n; i++) {
        error += (got[i] - expected[i]) * (got[i] - expected[i]);
        power += expected[i] * expected[i];
    }
    if (!(error <= NEARNESS * power))
        g_test_message("%s: normalised error %g, at most %g", what, error / power, NEARNESS);
    g_assert_true(error <= NEARNESS * power);
}

static void
check_agreement(AditBlock *block, const AditShape *shape)
{
    g_auto(Trained) single = {0};
    g_auto(Trained) reference = {0};

    train(block, shape, 1, FALSE, &single);
    train(block, shape, 1, TRUE, &reference);
    assert_near("gradients", single.gradients, reference.gradients, reference.n_gradients);
    assert_near("states", single.states, reference.states, reference.n_states);
}

/* Every other word of a choice and of a boolean, one at a time: what @check says of the component
 * holds of all that its own checks let pass. */
static void
for_variants(const AditPlugin *plugin, void (*check)(gpointer component))
{
    g_autoptr(AditComponentClass) klass = g_type_class_ref(plugin->type);
    g_autoptr(GPtrArray) parameters = adit_component_class_list_parameters(klass);

    for (guint i = 0; i < parameters->len; i++) {
        const AditParameter *parameter = parameters->pdata[i];
        gboolean choice = parameter->type == ADIT_PARAMETER_CHOICE;
        if (!choice && parameter->type != ADIT_PARAMETER_BOOLEAN)
            continue;
        guint n = choice ? g_strv_length((char **) parameter->words) : 2;
        for (guint j = 0; j < n; j++) {
            g_autoptr(AditComponent) component = make_example(plugin);
            g_object_set(component, parameter->name, j, NULL);
            if (adit_component_check(component, NULL))
                check(component);
        }
    }
}

/* Blocks. */

static void
gradient_of_block(gpointer block)
{
    for_shapes(block, check_gradient);
}

static void
test_block_gradient(const AditPlugin *plugin)
{
    g_autoptr(AditBlock) block = make_example(plugin);

    gradient_of_block(block);
    for_variants(plugin, gradient_of_block);
}

static void
test_block_evaluation(const AditPlugin *plugin)
{
    g_autoptr(AditBlock) block = make_example(plugin);

    for_shapes(block, check_evaluation);
}

static void
test_block_training(const AditPlugin *plugin)
{
    g_autoptr(AditBlock) block = make_example(plugin);

    for_shapes(block, check_training);
}

static void
agreement_of_block(gpointer block)
{
    for_shapes(block, check_agreement);
}

static void
test_block_agreement(const AditPlugin *plugin)
{
    g_autoptr(AditBlock) block = make_example(plugin);

    agreement_of_block(block);
    for_variants(plugin, agreement_of_block);
}

void
add_block(const AditPlugin *plugin)
{
    add_case(plugin, "gradient", test_block_gradient);
    add_device_case(plugin, "evaluation", test_block_evaluation);
    add_device_case(plugin, "training", test_block_training);
    add_device_case(plugin, "agreement", test_block_agreement);
}

/* Aggregators: sequences of dense blocks. */

static AditBlock *
make_sequence(AditAggregator *aggregator, gboolean unrolled)
{
    AditSequence *sequence = test_sequence(g_object_ref(aggregator));

    test_add_repeat(sequence, 4, FALSE, unrolled, test_dense(5, "tanh"), "dense");
    return ADIT_BLOCK(sequence);
}

static AditBlock *
make_uneven(AditAggregator *aggregator)
{
    static const double widths[] = {5, 7, 7, 3};
    AditSequence *sequence = test_sequence(g_object_ref(aggregator));

    for (guint i = 0; i < G_N_ELEMENTS(widths); i++)
        test_add(sequence, test_dense(widths[i], "tanh"), NULL, "dense");
    return ADIT_BLOCK(sequence);
}

static void
gradient_of_aggregator(gpointer aggregator)
{
    g_autoptr(AditBlock) even = make_sequence(aggregator, FALSE);
    g_autoptr(AditBlock) uneven = make_uneven(aggregator);

    /* an input as wide as the blocks, and tokens of that width */
    check_gradient(even, &ADIT_SHAPE(5));
    check_gradient(even, &ADIT_SHAPE(2, 5));
    /* another width fits only with an adapter */
    if (builds(uneven, &ADIT_SHAPE(4)))
        check_gradient(uneven, &ADIT_SHAPE(4));
}

static void
test_aggregator_gradient(const AditPlugin *plugin)
{
    g_autoptr(AditAggregator) aggregator = make_example(plugin);

    gradient_of_aggregator(aggregator);
    for_variants(plugin, gradient_of_aggregator);
}

static void
loop_of_aggregator(gpointer aggregator)
{
    g_autoptr(AditBlock) loop = make_sequence(aggregator, FALSE);
    g_autoptr(AditBlock) unrolled = make_sequence(aggregator, TRUE);
    gsize count, n;
    g_autofree double *a = evaluate(loop, &ADIT_SHAPE(5), 1, EVALUATED_ROWS, &count);
    g_autofree double *b = evaluate(unrolled, &ADIT_SHAPE(5), 1, EVALUATED_ROWS, &n);

    g_assert_cmpuint(count, ==, n);
    test_assert_same(a, b, n);
}

static void
test_aggregator_loop(const AditPlugin *plugin)
{
    g_autoptr(AditAggregator) aggregator = make_example(plugin);

    loop_of_aggregator(aggregator);
    for_variants(plugin, loop_of_aggregator);
}

static void
test_aggregator_evaluation(const AditPlugin *plugin)
{
    g_autoptr(AditAggregator) aggregator = make_example(plugin);
    g_autoptr(AditBlock) block = make_sequence(aggregator, FALSE);

    check_evaluation(block, &ADIT_SHAPE(5));
}

static void
test_aggregator_training(const AditPlugin *plugin)
{
    g_autoptr(AditAggregator) aggregator = make_example(plugin);
    g_autoptr(AditBlock) block = make_sequence(aggregator, FALSE);

    check_training(block, &ADIT_SHAPE(5));
}

static void
agreement_of_aggregator(gpointer aggregator)
{
    g_autoptr(AditBlock) even = make_sequence(aggregator, FALSE);
    g_autoptr(AditBlock) uneven = make_uneven(aggregator);

    check_agreement(even, &ADIT_SHAPE(5));
    if (builds(uneven, &ADIT_SHAPE(4)))
        check_agreement(uneven, &ADIT_SHAPE(4));
}

static void
test_aggregator_agreement(const AditPlugin *plugin)
{
    g_autoptr(AditAggregator) aggregator = make_example(plugin);

    agreement_of_aggregator(aggregator);
    for_variants(plugin, agreement_of_aggregator);
}

/* No block at all: the input leaves as it came. */
static void
test_aggregator_empty(const AditPlugin *plugin)
{
    g_autoptr(AditAggregator) aggregator = make_example(plugin);
    g_autoptr(AditSequence) sequence = test_sequence(g_object_ref(aggregator));
    AditTensor *x, *y;
    g_autoptr(AditGraph) graph =
        build_graph(ADIT_BLOCK(sequence), ADIT_MODE_TRAINING, &ADIT_SHAPE(5), &x, &y);

    g_assert_no_error(adit_graph_get_error(graph));
    g_assert_true(x == y);
}

void
add_aggregator(const AditPlugin *plugin)
{
    add_case(plugin, "gradient", test_aggregator_gradient);
    add_device_case(plugin, "loop", test_aggregator_loop);
    add_device_case(plugin, "evaluation", test_aggregator_evaluation);
    add_device_case(plugin, "training", test_aggregator_training);
    add_device_case(plugin, "agreement", test_aggregator_agreement);
    add_case(plugin, "empty", test_aggregator_empty);
}
