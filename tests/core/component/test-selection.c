/* tests/core/component/test-selection.c - SPDX-License-Identifier: MIT */
#include "adit-selection.h"
#include "components.h"

/* stem: dense; trunk: dense, 2 x (sequence of a named dense and an affine one), 20 x dense behind;
 * head: dense. */
static AditGraph *
build(void)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    g_autoptr(AditInitializer) initializer = test_component("initializer", "he-normal", NULL);
    g_autoptr(AditSequence) trunk = test_sequence(test_component("aggregator", "glonet", NULL));
    g_autoptr(AditBlock) stem = test_dense(4, NULL);
    AditSequence *cell = test_sequence(test_component("aggregator", "chain", NULL));
    g_autoptr(AditBlock) head = test_dense(2, NULL);
    AditSequence *head_list = test_sequence(test_component("aggregator", "chain", NULL));
    g_autoptr(AditBlock) head_block = ADIT_BLOCK(head_list);

    test_add(cell, test_dense(4, "relu"), "wide", "dense");
    test_add(cell, test_component("block", "layer-norm", NULL), NULL, "layer-norm");
    test_add(trunk, test_dense(4, "tanh"), "first", "dense");
    test_add_repeat(trunk, 2, FALSE, FALSE, ADIT_BLOCK(cell), "cell");
    test_add_repeat(trunk, 17, FALSE, FALSE, test_dense(4, "relu"), "dense");
    /* a part that is a part that is one dense */
    g_autoptr(AditItem) unit = adit_item_new(head, NULL, "classifier");
    adit_item_set_other_types(unit, (const char *const[]){"unit", "dense", NULL});
    adit_sequence_add(head_list, g_steal_pointer(&unit));
    AditModel model = {
        .stem = stem, .trunk = ADIT_BLOCK(trunk), .head = head_block, .initializer = initializer};
    adit_model_build(&model, graph, adit_input(graph, "x", &ADIT_SHAPE(3), 0));
    g_assert_no_error(adit_graph_get_error(graph));
    return graph;
}

typedef struct {
    const char *pattern;
    const char *found;
} Row;

/* Written like the reference does it; what is found stands in forward order. */
static const Row rows[] = {
    {"trunk.7", "trunk.7"},
    {"trunk.7:in", "trunk.7:in"},
    {"trunk.7:linear", "trunk.7:linear"},
    {"trunk.7:pre", "trunk.7:pre"},
    {"trunk.7:collect", "trunk.7:collect"},
    {"input", "input"},
    {"stem", "stem"},
    {"stem:linear", "stem:linear"},
    {"trunk", "trunk"},
    {"head", "head"},
    {"head.1", "head.1"},
    {"trunk.5..20/5", "trunk.5 trunk.10 trunk.15 trunk.20"},
    {"trunk.18..30", "trunk.18 trunk.19 trunk.20"},
    {"trunk.20..20", "trunk.20"},
    {"trunk.first", "trunk.1"},
    {"trunk.first:pre", "trunk.1:pre"},
    {"trunk.cell", "trunk.2 trunk.3"},
    {"trunk.2.1", "trunk.2.1"},
    {"trunk.cell.wide", "trunk.2.1 trunk.3.1"},
    {"trunk.*.wide:linear", "trunk.2.1:linear trunk.3.1:linear"},
    {"trunk.cell.*", "trunk.2.1 trunk.2.2 trunk.3.1 trunk.3.2"},
    {"trunk.**.layer-norm", "trunk.2.2 trunk.3.2"},
    /* the cells' ends are the cells' outputs */
    {"trunk.2..3.**", "trunk.2.1 trunk.2.2 trunk.3.1 trunk.3.2"},
    {"head.**", "head.1"},
    {"head.classifier", "head.1"},
    {"head.unit", "head.1"},
    {"head.**.dense:linear", "head.1:linear"},
    {"**.unit", "head.1"},
    {"head.1.unit", ""},
    {"**.head", "head"},
    {"**.wide", "trunk.2.1 trunk.3.1"},
    {"*.first", "trunk.1"},
    {"trunk.1..4:in", "trunk.1:in trunk.2:in trunk.3:in trunk.4:in"},
    {"trunk.cell:pre", ""},
    {"trunk.21", ""},
    {"trunk.0", ""},
    {"trunk.7.1", ""},
    {"trunk.second", ""},
    {"stem.1", ""},
    {"heads", ""},
    {"exits.1", ""},
    {"*", "input stem trunk head"},
};

static char *
pick(AditGraph *graph, const char *pattern)
{
    g_autoptr(GArray) picks = adit_graph_pick(graph, pattern);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < picks->len; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? " " : "",
                               g_array_index(picks, AditPick, i).address);
    return g_string_free(text, FALSE);
}

static void
test_pattern(gconstpointer data)
{
    const Row *row = data;
    g_autoptr(AditGraph) graph = build();
    g_autofree char *found = pick(graph, row->pattern);

    g_assert_cmpstr(found, ==, row->found);
}

static guint
count(AditGraph *graph, const char *pattern)
{
    g_autoptr(GArray) picks = adit_graph_pick(graph, pattern);

    return picks->len;
}

static void
test_counts(void)
{
    g_autoptr(AditGraph) graph = build();

    g_assert_cmpuint(count(graph, "trunk.*"), ==, 20);
    g_assert_cmpuint(count(graph, "trunk.dense"), ==, 18);
    /* blocks, the items of the cells that are not the cell's end, nothing twice */
    g_assert_cmpuint(count(graph, "trunk.**"), ==, 22);
    g_autofree char *found = pick(graph, "trunk.**");
    g_assert_true(g_str_has_prefix(found, "trunk.1 trunk.2.1 trunk.2 trunk.3.1 trunk.3 trunk.4 "));
    /* one for each rectifier and the tanh */
    g_assert_cmpuint(count(graph, "**:pre"), ==, 20);
    /* all affine maps: stem, 18 in the trunk, 2 in cells, head */
    g_assert_cmpuint(count(graph, "**:linear"), ==, 22);
}

static void
test_instances(void)
{
    g_autoptr(AditGraph) graph = build();
    g_autoptr(GArray) picks = adit_graph_pick(graph, "trunk.4..20");

    /* one tensor of a loop's body, seventeen instances */
    g_assert_cmpuint(picks->len, ==, 17);
    for (guint i = 0; i < picks->len; i++) {
        const AditPick *first = &g_array_index(picks, AditPick, 0);
        const AditPick *found = &g_array_index(picks, AditPick, i);
        g_assert_true(found->tensor == first->tensor);
        g_assert_cmpuint(found->instance, ==, i);
    }
}

/* Why nothing is there, in the reference's words. */

static const Row reasons[] = {
    {"trunk.25", "nothing is at 'trunk.25'; 'trunk' has 20 items"},
    {"trunk.0", "nothing is at 'trunk.0'; 'trunk' has 20 items"},
    {"trunk.21..30", "nothing is at 'trunk.21..30'; 'trunk' has 20 items"},
    {"trunk.second", "nothing is at 'trunk.second'; 'trunk' has 20 items"},
    {"trunk.2.3", "nothing is at 'trunk.2.3'; 'trunk.2' has 2 items"},
    {"trunk.cell.9", "nothing is at 'trunk.cell.9'; 'trunk.cell' has 2 items"},
    {"trunk.7.1", "nothing is at 'trunk.7.1'; 'trunk' has 20 items"},
    {"head.2", "nothing is at 'head.2'; 'head' has 1 item"},
    {"stem.1", "nothing is at 'stem.1'"},
    {"heads", "nothing is at 'heads'"},
    /* called by the name it was written with */
    {"head.dense:pre",
     "'head.dense' has no ':pre'; it is a 'classifier' (in, linear, out, collect)"},
    {"trunk.2:pre", "'trunk.2' has no ':pre'; it is a 'cell' (in, out, collect)"},
    {"trunk.2.2:linear", "'trunk.2.2' has no ':linear'; it is a 'layer-norm' (in, out, collect)"},
};

static void
test_reason(gconstpointer data)
{
    const Row *row = data;
    g_autoptr(AditGraph) graph = build();
    g_autofree char *reason = adit_graph_explain_address(graph, row->pattern);

    g_assert_cmpstr(reason, ==, row->found);
}

/* What is inside an item belongs to it. */

static gboolean
covers(AditGraph *graph, const char *address, const char *parameter)
{
    for (guint i = 0; i < graph->tensors->len; i++) {
        const AditTensor *tensor = graph->tensors->pdata[i];
        for (guint j = 0; tensor->names != NULL && tensor->names[j] != NULL; j++) {
            if (g_str_equal(tensor->names[j], parameter))
                return adit_address_covers(address, tensor->scope, j);
        }
    }
    g_assert_not_reached();
}

static void
test_covers(void)
{
    g_autoptr(AditGraph) graph = build();

    g_assert_true(covers(graph, "trunk", "trunk.2.1.weight"));
    g_assert_true(covers(graph, "trunk.2", "trunk.2.1.weight"));
    g_assert_false(covers(graph, "trunk.3", "trunk.2.1.weight"));
    g_assert_true(covers(graph, "trunk.cell", "trunk.3.2.scale"));
    g_assert_true(covers(graph, "trunk.*.wide", "trunk.3.1.bias"));
    g_assert_false(covers(graph, "trunk.*.wide", "trunk.3.2.scale"));
    g_assert_true(covers(graph, "trunk.**", "trunk.12.weight"));
    g_assert_true(covers(graph, "trunk.10..12", "trunk.12.weight"));
    g_assert_false(covers(graph, "trunk.10..12", "trunk.13.weight"));
    g_assert_true(covers(graph, "stem", "stem.weight"));
    g_assert_false(covers(graph, "trunk", "stem.weight"));
    g_assert_true(covers(graph, "*", "head.1.bias"));
    g_assert_true(covers(graph, "head.unit", "head.1.bias"));
    g_assert_false(covers(graph, "trunk.unit", "trunk.12.weight"));
}

static void
add_rows(const char *folder, const Row *table, guint n, GTestDataFunc func)
{
    for (guint i = 0; i < n; i++) {
        /* test paths take no slash of a range */
        g_autofree char *name = g_strdelimit(g_strdup(table[i].pattern), "/", '%');
        g_autofree char *path = g_strdup_printf("/selection/%s/%s", folder, name);
        g_test_add_data_func(path, &table[i], func);
    }
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    add_rows("pattern", rows, G_N_ELEMENTS(rows), test_pattern);
    add_rows("reason", reasons, G_N_ELEMENTS(reasons), test_reason);
    g_test_add_func("/selection/counts", test_counts);
    g_test_add_func("/selection/instances", test_instances);
    g_test_add_func("/selection/covers", test_covers);
    return g_test_run();
}
