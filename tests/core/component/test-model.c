/* tests/core/component/test-model.c - SPDX-License-Identifier: MIT */
#include "adit-selection.h"
#include "components.h"

/* A head of some layers, themselves a loop, and one, behind a GloNet of @depth blocks. */
static AditGraph *
build(guint depth, guint layers, AditModel *model)
{
    AditSequence *trunk = test_sequence(test_component("aggregator", "glonet", NULL));
    AditSequence *head = test_sequence(test_component("aggregator", "chain", NULL));
    AditGraph *graph = adit_graph_new(ADIT_MODE_EVALUATION);

    test_add_repeat(trunk, depth, FALSE, FALSE, test_dense(5, "relu"), "dense");
    test_add_repeat(head, layers, FALSE, FALSE, test_dense(5, "relu"), "dense");
    test_add(head, test_dense(2, NULL), NULL, "dense");
    *model = (AditModel){.trunk = ADIT_BLOCK(trunk),
                         .head = ADIT_BLOCK(head),
                         .initializer = test_component("initializer", "he-normal", NULL)};
    adit_model_build(model, graph, adit_input(graph, "x", &ADIT_SHAPE(5), 0));
    return graph;
}

static guint
count_tensors(const AditGraph *graph)
{
    guint count = graph->tensors->len;

    for (guint i = 0; i < graph->loops->len; i++)
        count += count_tensors(((const AditLoop *) graph->loops->pdata[i])->body);
    return count;
}

/* Puts the head on what each of @depth blocks leaves; the number of tensors that takes. */
static guint
add_heads(guint depth, guint layers)
{
    AditModel model;
    g_autoptr(AditGraph) graph = build(depth, layers, &model);
    g_autoptr(GArray) picks = adit_graph_pick(graph, "trunk.*:collect");
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    guint before = count_tensors(graph), n_names = g_hash_table_size(graph->names);

    g_assert_cmpuint(picks->len, ==, depth);
    for (guint i = 0; i < picks->len; i++) {
        AditTensor *collected = g_array_index(picks, AditPick, i).tensor;
        if (!g_hash_table_add(seen, collected))
            continue;
        AditTensor *y = adit_model_build_head(&model, collected);
        g_assert_true(adit_tensor_get_graph(y) == adit_tensor_get_graph(collected));
        g_assert_true(adit_shape_equal(adit_tensor_get_shape(y), &ADIT_SHAPE(2)));
    }
    g_assert_no_error(adit_graph_get_error(graph));
    /* the first block stands alone, the others are a loop */
    g_assert_cmpuint(g_hash_table_size(seen), ==, 2);
    g_assert_cmpuint(g_hash_table_size(graph->names), ==, n_names);
    adit_model_clear(&model);
    return count_tensors(graph) - before;
}

/* However deep the trunk: one head for all iterations of a loop, and no weight more. */
static void
test_head_again(void)
{
    for (guint layers = 1; layers < 4; layers++) {
        guint count = add_heads(4, layers);

        g_assert_cmpuint(count, >, 0);
        g_assert_cmpuint(add_heads(1000, layers), ==, count);
    }
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/model/head-again", test_head_again);
    return g_test_run();
}
