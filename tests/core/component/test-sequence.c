/* tests/core/component/test-sequence.c - SPDX-License-Identifier: MIT */
#include <adit/adit-ops.h>

#include "adit-graph-private.h"
#include "components.h"
#include "rig.h"

#define ROWS 21

static AditSequence *
sequence(const char *aggregator)
{
    return test_sequence(test_component("aggregator", aggregator, NULL));
}

static AditGraph *
build(AditSequence *trunk, gsize width, AditTensor **y)
{
    g_autoptr(AditInitializer) initializer = test_component("initializer", "he-normal", NULL);
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditModel model = {.trunk = ADIT_BLOCK(trunk), .initializer = initializer};

    *y = adit_model_build(&model, graph, adit_input(graph, "x", &ADIT_SHAPE(width), 0));
    return graph;
}

/* Adds a repeat of what @items holds: blocks, taken. */
static AditItem *
repeat(guint times, gboolean tied, AditBlock *first, AditBlock *second)
{
    AditItem *self = adit_item_new_repeat(times, tied);

    g_ptr_array_add(self->items, adit_item_new(first, NULL, "dense"));
    g_object_unref(first);
    if (second != NULL) {
        g_ptr_array_add(self->items, adit_item_new(second, NULL, "dense"));
        g_object_unref(second);
    }
    return self;
}

static void
assert_weights(AditSequence *trunk, gsize width, guint n_loops, const char *expected)
{
    AditTensor *y;
    g_autoptr(AditGraph) graph = build(trunk, width, &y);

    g_assert_no_error(adit_graph_get_error(graph));
    g_autofree char *names = test_list_parameters(graph, "weight");
    g_assert_cmpstr(names, ==, expected);
    g_assert_cmpuint(graph->loops->len, ==, n_loops);
}

/* Numbers and names. */

static void
test_numbers(void)
{
    g_autoptr(AditSequence) trunk = sequence("chain");

    test_add(trunk, test_dense(4, NULL), NULL, "dense");
    adit_sequence_add(trunk, repeat(3, FALSE, test_dense(4, "relu"), NULL));
    adit_sequence_add(trunk, repeat(0, FALSE, test_dense(4, "relu"), NULL));
    test_add(trunk, test_dense(2, NULL), "last", "dense");
    g_assert_cmpuint(adit_sequence_count(trunk), ==, 5);
    g_assert_cmpuint(adit_sequence_get_items(trunk)->len, ==, 4);
    assert_weights(trunk, 4, 1, "trunk.1 trunk.2 trunk.3 trunk.4 trunk.5");
}

static void
test_two_items(void)
{
    g_autoptr(AditSequence) trunk = sequence("chain");

    adit_sequence_add(trunk, repeat(3, FALSE, test_dense(4, "relu"), test_dense(4, NULL)));
    test_add(trunk, test_dense(2, NULL), NULL, "dense");
    /* by the parameters' order: the first of each iteration, then the second */
    assert_weights(trunk, 4, 1, "trunk.1 trunk.3 trunk.5 trunk.2 trunk.4 trunk.6 trunk.7");
}

static void
test_one_is_no_loop(void)
{
    g_autoptr(AditSequence) trunk = sequence("chain");

    adit_sequence_add(trunk, repeat(1, FALSE, test_dense(4, NULL), NULL));
    assert_weights(trunk, 4, 0, "trunk.1");
}

static void
test_first_changes_shape(void)
{
    g_autoptr(AditSequence) trunk = sequence("chain");

    adit_sequence_add(trunk, repeat(4, FALSE, test_dense(6, "relu"), NULL));
    assert_weights(trunk, 3, 1, "trunk.1 trunk.2 trunk.3 trunk.4");
}

static void
test_all_change_shape(void)
{
    g_autoptr(AditSequence) trunk = sequence("concat");

    adit_sequence_add(trunk, repeat(5, FALSE, test_dense(2, "relu"), NULL));
    assert_weights(trunk, 3, 0, "trunk.1 trunk.2 trunk.3 trunk.4 trunk.5");
}

static void
test_glonet_starts_empty(void)
{
    g_autoptr(AditSequence) trunk = sequence("glonet");

    /* the first output is the sum's beginning: it stands alone */
    adit_sequence_add(trunk, repeat(4, FALSE, test_dense(3, "relu"), NULL));
    assert_weights(trunk, 3, 1, "trunk.1 trunk.2 trunk.3 trunk.4");
}

static void
test_nested(void)
{
    g_autoptr(AditSequence) trunk = sequence("chain");
    AditItem *outer = adit_item_new_repeat(2, FALSE);

    g_ptr_array_add(outer->items, repeat(3, FALSE, test_dense(4, "relu"), NULL));
    g_ptr_array_add(outer->items, adit_item_new_repeat(0, FALSE));
    adit_sequence_add(trunk, outer);
    assert_weights(trunk, 4, 1, "trunk.1 trunk.2 trunk.3 trunk.4 trunk.5 trunk.6");
}

static void
test_inner_sequence(void)
{
    g_autoptr(AditSequence) trunk = sequence("residual");
    AditSequence *cell = sequence("chain");

    test_add_repeat(cell, 3, FALSE, FALSE, test_dense(4, "relu"), "dense");
    test_add_repeat(trunk, 2, FALSE, FALSE, ADIT_BLOCK(cell), "sequence");
    assert_weights(trunk, 4, 1, "trunk.1.1 trunk.1.2 trunk.1.3 trunk.2.1 trunk.2.2 trunk.2.3");
}

/* The inner iterations stand alone, in the outer loop's body. */
static void
test_inner_pair(void)
{
    g_autoptr(AditSequence) trunk = sequence("residual");
    AditSequence *cell = sequence("chain");

    test_add_repeat(cell, 2, FALSE, FALSE, test_dense(4, "relu"), "dense");
    test_add_repeat(trunk, 3, FALSE, FALSE, ADIT_BLOCK(cell), "sequence");
    assert_weights(trunk, 4, 1, "trunk.1.1 trunk.2.1 trunk.3.1 trunk.1.2 trunk.2.2 trunk.3.2");
}

/* Tied weights. */

static void
test_tied(void)
{
    g_autoptr(AditSequence) trunk = sequence("chain");

    adit_sequence_add(trunk, repeat(5, TRUE, test_dense(4, "relu"), test_dense(4, NULL)));
    test_add(trunk, test_dense(2, NULL), NULL, "dense");
    assert_weights(trunk, 4, 1, "trunk.1 trunk.2 trunk.11");
}

static void
test_tied_without_loop(void)
{
    g_autoptr(AditSequence) trunk = sequence("glonet");

    adit_sequence_add(trunk, repeat(2, TRUE, test_dense(4, "relu"), NULL));
    assert_weights(trunk, 4, 0, "trunk.1");
}

static void
test_tied_around_untied(void)
{
    g_autoptr(AditSequence) trunk = sequence("chain");
    AditItem *outer = adit_item_new_repeat(2, TRUE);
    AditBlock *behind = test_dense(4, NULL);

    /* three sets of weights and a fourth, the same in both iterations */
    g_ptr_array_add(outer->items, repeat(3, FALSE, test_dense(4, "relu"), NULL));
    g_ptr_array_add(outer->items, adit_item_new(behind, NULL, "dense"));
    g_object_unref(behind);
    adit_sequence_add(trunk, outer);
    test_add(trunk, test_dense(4, NULL), NULL, "dense");
    assert_weights(trunk, 4, 1, "trunk.1 trunk.2 trunk.3 trunk.4 trunk.9");
}

static void
test_untied_around_tied(void)
{
    g_autoptr(AditSequence) trunk = sequence("chain");
    AditItem *outer = adit_item_new_repeat(2, FALSE);

    g_ptr_array_add(outer->items, repeat(3, TRUE, test_dense(4, "relu"), NULL));
    adit_sequence_add(trunk, outer);
    assert_weights(trunk, 4, 1, "trunk.1 trunk.4");
}

static void
test_tied_unequal(void)
{
    g_autoptr(AditSequence) trunk = sequence("chain");
    AditTensor *y;

    adit_sequence_add(trunk, repeat(3, TRUE, test_dense(5, "relu"), NULL));
    g_autoptr(AditGraph) graph = build(trunk, 3, &y);
    g_assert_error(adit_graph_get_error(graph), ADIT_ERROR, ADIT_ERROR_INVALID);
    g_assert_cmpstr(adit_graph_get_error(graph)->message, ==,
                    "tied blocks cannot share 'trunk.1.weight': it is 3x5 and would be 5x5");
}

static void
test_tied_unequal_inner(void)
{
    g_autoptr(AditSequence) trunk = sequence("chain");
    AditItem *outer = adit_item_new_repeat(2, TRUE);
    AditTensor *y;

    /* a repeat of four whose first iteration stands alone, tied to one that is a whole loop */
    g_ptr_array_add(outer->items, repeat(4, FALSE, test_dense(5, "relu"), NULL));
    adit_sequence_add(trunk, outer);
    g_autoptr(AditGraph) graph = build(trunk, 3, &y);
    g_assert_error(adit_graph_get_error(graph), ADIT_ERROR, ADIT_ERROR_INVALID);
    g_assert_cmpstr(adit_graph_get_error(graph)->message, ==,
                    "tied blocks cannot share 'trunk.1.weight': they are repeated differently");
}

/* A loop and the network written out have the same numbers, names and gradients. */

typedef struct {
    const char *name;
    const char *aggregator;
    const char *weights;
    const char *norm;
    gboolean input;
    guint times;
} Form;

static const Form forms[] = {
    {"chain", "chain", NULL, NULL, FALSE, 6},
    {"glonet", "glonet", NULL, NULL, FALSE, 6},
    {"glonet-with-input", "glonet", NULL, NULL, TRUE, 6},
    {"glonet-learned", "glonet", "learned", NULL, FALSE, 6},
    {"glonet-softmax", "glonet", "softmax", NULL, FALSE, 6},
    {"glonet-softmax-with-input", "glonet", "softmax", NULL, TRUE, 6},
    {"residual", "residual", NULL, NULL, TRUE, 6},
    {"residual-batch-norm", "residual", NULL, "batch-norm", TRUE, 5},
    {"chain-batch-norm", "chain", NULL, "batch-norm", FALSE, 2},
    {"glonet-layer-norm", "glonet", "learned", "layer-norm", FALSE, 3},
};

static Rig *
run_form(const Form *form, gboolean unrolled, gboolean f64, double *loss)
{
    static const char *const words[] = {"one", "learned", "softmax"};
    AditAggregator *aggregator =
        test_component("aggregator", form->aggregator, "input", form->input, NULL);
    AditTensor *y;

    for (int i = 0; form->weights != NULL && i < 3; i++) {
        if (g_str_equal(words[i], form->weights))
            g_object_set(aggregator, "weights", i, NULL);
    }
    g_autoptr(AditSequence) trunk = test_sequence(aggregator);
    test_add_repeat(trunk, form->times, FALSE, unrolled, test_dense_pre(4, form->norm, "relu"),
                    "dense");
    AditGraph *graph = build(trunk, 4, &y);
    AditTensor *value = test_weigh(y);
    Rig *rig = rig_new(graph);
    guint output = rig_add(rig, ADIT_OUTPUT_READ, value);
    rig_add_gradients(rig, value);
    rig_add_states(rig);
    rig_prepare(rig, 2, f64, ROWS);
    rig_scatter(rig, 0.1);
    rig_feed(rig, test_array(&ADIT_SHAPE(4), ROWS, 2));
    rig_run(rig, ROWS, 0);
    *loss = rig_read_scalar(rig, output);
    return rig;
}

static void
test_form(gconstpointer data)
{
    for (guint f64 = 0; f64 < 2; f64++) {
        double looped, written;
        g_autoptr(Rig) loop = run_form(data, FALSE, f64, &looped);
        g_autoptr(Rig) unrolled = run_form(data, TRUE, f64, &written);
        g_assert_cmpuint(loop->graph->loops->len, >, 0);
        test_assert_same(&looped, &written, 1);
        rig_assert_same(loop, unrolled, ADIT_ARENA_PARAMETERS);
        rig_assert_same(loop, unrolled, ADIT_ARENA_GRADIENTS);
        rig_assert_same(loop, unrolled, ADIT_ARENA_STATES);
    }
}

/* A trial that is taken back leaves nothing: not in the taps, and no state is updated twice. */
static void
test_trial_leaves_nothing(void)
{
    g_autoptr(AditSequence) trunk = sequence("chain");
    AditTensor *y;

    adit_sequence_add(trunk, repeat(4, FALSE, test_dense_pre(6, "batch-norm", "relu"), NULL));
    g_autoptr(AditGraph) graph = build(trunk, 3, &y);
    g_assert_no_error(adit_graph_get_error(graph));
    g_autofree char *means = test_list_parameters(graph, "weight");
    g_assert_cmpstr(means, ==, "trunk.1 trunk.2 trunk.3 trunk.4");
    /* mean and variance of the first and of the loop */
    g_assert_cmpuint(graph->updates->len, ==, 4);
}

static void
test_equal(void)
{
    g_autoptr(AditSequence) a = sequence("glonet");
    g_autoptr(AditSequence) b = sequence("glonet");
    g_autoptr(AditSequence) c = sequence("chain");

    test_add_repeat(a, 3, FALSE, FALSE, test_dense(4, "relu"), "dense");
    test_add_repeat(b, 3, FALSE, FALSE, test_dense(4, "relu"), "dense");
    test_add_repeat(c, 3, FALSE, FALSE, test_dense(4, "relu"), "dense");
    g_assert_true(adit_component_equal(ADIT_COMPONENT(a), ADIT_COMPONENT(b)));
    g_assert_false(adit_component_equal(ADIT_COMPONENT(a), ADIT_COMPONENT(c)));
    test_add(b, test_dense(4, "relu"), NULL, "dense");
    g_assert_false(adit_component_equal(ADIT_COMPONENT(a), ADIT_COMPONENT(b)));
    test_add(a, test_dense(4, "tanh"), NULL, "dense");
    g_assert_false(adit_component_equal(ADIT_COMPONENT(a), ADIT_COMPONENT(b)));
}

/* Running statistics of repeats. */

static void
assert_updates(AditSequence *trunk, gsize width)
{
    AditTensor *y;
    g_autoptr(AditGraph) graph = build(trunk, width, &y);

    g_assert_no_error(adit_graph_get_error(graph));
    g_assert_cmpuint(graph->updates->len, >, 0);
    for (guint i = 0; i < graph->updates->len; i++) {
        const AditStateUpdate *update = &g_array_index(graph->updates, AditStateUpdate, i);
        g_assert_true(adit_shape_equal(&update->state->shape, &update->value->shape));
    }
    for (guint i = 0; i < graph->loops->len; i++) {
        const AditLoop *loop = graph->loops->pdata[i];
        for (guint j = 0; j < loop->stacks->len; j++)
            g_assert_true(g_ptr_array_find(graph->tensors, loop->stacks->pdata[j], NULL));
    }
}

/* A tied repeat has one set of statistics, whatever the number of its iterations. */
static void
test_tied_statistics(void)
{
    g_autoptr(AditSequence) trunk = sequence("chain");

    adit_sequence_add(trunk, repeat(3, TRUE, test_dense_pre(4, "batch-norm", "relu"), NULL));
    assert_updates(trunk, 4);
}

/* A trial loop that is given up leaves nothing in the loop around it. */
static void
test_statistics_of_a_trial(void)
{
    g_autoptr(AditSequence) trunk = sequence("chain");
    AditSequence *cell = sequence("concat");

    adit_sequence_add(cell, repeat(3, FALSE, test_dense_pre(2, "batch-norm", NULL), NULL));
    adit_sequence_add(trunk, repeat(4, FALSE, ADIT_BLOCK(cell), test_dense(4, NULL)));
    assert_updates(trunk, 4);
}

int
main(int argc, char *argv[])
{
    /* bit for bit as unrolled: values of thin layers, which lie otherwise in loops, are summed in
     * another order */
    g_setenv("ADIT_FUSE", "0", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sequence/numbers", test_numbers);
    g_test_add_func("/sequence/two-items", test_two_items);
    g_test_add_func("/sequence/one-is-no-loop", test_one_is_no_loop);
    g_test_add_func("/sequence/first-changes-shape", test_first_changes_shape);
    g_test_add_func("/sequence/all-change-shape", test_all_change_shape);
    g_test_add_func("/sequence/glonet-starts-empty", test_glonet_starts_empty);
    g_test_add_func("/sequence/nested", test_nested);
    g_test_add_func("/sequence/inner-sequence", test_inner_sequence);
    g_test_add_func("/sequence/inner-pair", test_inner_pair);
    g_test_add_func("/sequence/tied/names", test_tied);
    g_test_add_func("/sequence/tied/without-loop", test_tied_without_loop);
    g_test_add_func("/sequence/tied/around-untied", test_tied_around_untied);
    g_test_add_func("/sequence/tied/inside-untied", test_untied_around_tied);
    g_test_add_func("/sequence/tied/statistics", test_tied_statistics);
    g_test_add_func("/sequence/statistics-of-a-trial", test_statistics_of_a_trial);
    g_test_add_func("/sequence/tied/unequal", test_tied_unequal);
    g_test_add_func("/sequence/tied/unequal-inner", test_tied_unequal_inner);
    g_test_add_func("/sequence/trial-leaves-nothing", test_trial_leaves_nothing);
    g_test_add_func("/sequence/equal", test_equal);
    for (guint i = 0; i < G_N_ELEMENTS(forms); i++) {
        g_autofree char *path = g_strdup_printf("/sequence/loop/%s", forms[i].name);
        g_test_add_data_func(path, &forms[i], test_form);
    }
    return g_test_run();
}
