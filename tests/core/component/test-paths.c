/* tests/core/component/test-paths.c - SPDX-License-Identifier: MIT */
#include "adit-paths.h"

#include <adit/adit-ops.h>

#include "adit-component-private.h"
#include "adit-graph-private.h"
#include "adit-selection.h"
#include "components.h"
#include "rig.h"

#define ROWS 21

static AditSequence *
chain(void)
{
    return test_sequence(test_component("aggregator", "chain", NULL));
}

static AditPaths *
paths(const char *join, const char *axis)
{
    static const char *const joins[] = {"sum", "mean", "max", "product", "concat", NULL};
    AditPaths *self = adit_paths_new();
    guint i = 0;

    while (!g_str_equal(joins[i], join))
        i++;
    g_object_set(self, "join", (int) i, "axis", g_strcmp0(axis, "tokens") == 0 ? 1 : 0, NULL);
    return self;
}

/* Adds a path that is a block, taken; NULL: the empty path. */
static void
add(AditPaths *self, const char *name, gpointer block, const char *type)
{
    AditBlock *path = block != NULL ? block : ADIT_BLOCK(chain());

    adit_paths_add(self, name, path, (const char *const[]){type, NULL});
    g_object_unref(path);
}

/* A dense, @times of them one after the other, nothing. */
static AditPaths *
three_paths(const char *join, guint times, gboolean unrolled)
{
    AditPaths *self = paths(join, NULL);
    AditSequence *deep = chain();

    test_add_repeat(deep, times, FALSE, unrolled, test_dense(4, "tanh"), "dense");
    add(self, "short", test_dense_pre(4, "batch-norm", "tanh"), "dense");
    add(self, "long", deep, NULL);
    add(self, "skip", NULL, NULL);
    return self;
}

static AditGraph *
build(AditSequence *trunk, const AditShape *input, AditTensor **y)
{
    g_autoptr(AditInitializer) initializer = test_component("initializer", "he-normal", NULL);
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditModel model = {.trunk = ADIT_BLOCK(trunk), .initializer = initializer};

    *y = adit_model_build(&model, graph, adit_input(graph, "x", input, 0));
    return graph;
}

/* Names and addresses. */

/* trunk: 3 x paths, then paths around paths. */
static AditGraph *
build_nested(void)
{
    g_autoptr(AditSequence) trunk = chain();
    AditSequence *down = chain();
    AditPaths *inner = paths("sum", NULL), *outer = paths("sum", NULL);
    AditTensor *y;

    add(inner, "down", test_dense(4, "relu"), "dense");
    add(inner, "across", NULL, NULL);
    test_add(down, test_dense(4, "relu"), NULL, "dense");
    test_add(down, ADIT_BLOCK(inner), "bottom", "paths");
    test_add(down, test_dense(4, "relu"), NULL, "dense");
    add(outer, "input", down, NULL);
    add(outer, "across", NULL, NULL);
    test_add_repeat(trunk, 3, FALSE, FALSE, ADIT_BLOCK(three_paths("sum", 3, FALSE)), "cell");
    test_add(trunk, ADIT_BLOCK(outer), "u", "paths");
    AditGraph *graph = build(trunk, &ADIT_SHAPE(4), &y);
    g_assert_no_error(adit_graph_get_error(graph));
    return graph;
}

static void
test_names(void)
{
    g_autoptr(AditGraph) graph = build_nested();
    g_autofree char *names = test_list_parameters(graph, "weight");

    /* one loop, and in it one for the long path */
    g_assert_cmpuint(graph->loops->len, ==, 1);
    g_assert_cmpstr(names, ==,
                    "trunk.1.short trunk.2.short trunk.3.short "
                    "trunk.1.long.1 trunk.1.long.2 trunk.1.long.3 "
                    "trunk.2.long.1 trunk.2.long.2 trunk.2.long.3 "
                    "trunk.3.long.1 trunk.3.long.2 trunk.3.long.3 "
                    "trunk.4.input.1 trunk.4.input.2.down trunk.4.input.3");
}

typedef struct {
    const char *pattern;
    const char *found;
} Row;

static const Row rows[] = {
    {"trunk.2.long", "trunk.2.long"},
    {"trunk.2.long.3", "trunk.2.long.3"},
    {"trunk.2.short", "trunk.2.short"},
    {"trunk.2.short:linear", "trunk.2.short:linear"},
    {"trunk.2.short:collect", "trunk.2.short:collect"},
    {"trunk.2.long.2:pre", "trunk.2.long.2:pre"},
    {"trunk.2.*", "trunk.2.short trunk.2.long trunk.2.skip"},
    {"trunk.cell.long.1..2", "trunk.1.long.1 trunk.1.long.2 trunk.2.long.1 trunk.2.long.2 "
                             "trunk.3.long.1 trunk.3.long.2"},
    {"trunk.3.**", "trunk.3.short trunk.3.long.1 trunk.3.long.2 trunk.3.long.3 trunk.3.long "
                   "trunk.3.skip"},
    /* a path that is one reference is that block */
    {"trunk.cell.dense", "trunk.1.short trunk.2.short trunk.3.short"},
    {"trunk.**.dense:linear",
     "trunk.1.short:linear trunk.1.long.1:linear trunk.1.long.2:linear trunk.1.long.3:linear "
     "trunk.2.short:linear trunk.2.long.1:linear trunk.2.long.2:linear trunk.2.long.3:linear "
     "trunk.3.short:linear trunk.3.long.1:linear trunk.3.long.2:linear trunk.3.long.3:linear "
     "trunk.4.input.1:linear trunk.4.input.2.down:linear trunk.4.input.3:linear"},
    /* the empty path's tensor has a shorter address, the sequence's end is its last item's */
    {"trunk.u.across", "trunk.4.across"},
    {"trunk.u.**", "trunk.4.input.1 trunk.4.input.2.down trunk.4.input.2 trunk.4.input "
                   "trunk.4.across"},
    {"trunk.u.input.bottom", "trunk.4.input.2"},
    {"trunk.**.down", "trunk.4.input.2.down"},
    {"trunk.2.1", ""},
    {"trunk.2.long.4", ""},
    {"**.input", "input trunk.4.input"},
};

static void
test_pattern(gconstpointer data)
{
    const Row *row = data;
    g_autoptr(AditGraph) graph = build_nested();
    g_autoptr(GArray) picks = adit_graph_pick(graph, row->pattern);
    g_autoptr(GString) found = g_string_new(NULL);

    for (guint i = 0; i < picks->len; i++)
        g_string_append_printf(found, "%s%s", i > 0 ? " " : "",
                               g_array_index(picks, AditPick, i).address);
    g_assert_cmpstr(found->str, ==, row->found);
}

static const Row reasons[] = {
    {"trunk.3.logn", "nothing is at 'trunk.3.logn'; 'trunk.3' has the paths short, long, skip"},
    {"trunk.3.2", "nothing is at 'trunk.3.2'; 'trunk.3' has the paths short, long, skip"},
    {"trunk.3.long.4", "nothing is at 'trunk.3.long.4'; 'trunk.3.long' has 3 items"},
    {"trunk.3.long:pre", "'trunk.3.long' has no ':pre'; it is a 'path' (in, out, collect)"},
    {"trunk.3.skip:pre", "'trunk.3.skip' has no ':pre'; it is a 'path' (in, out, collect)"},
    {"trunk.3.short.1",
     "nothing is at 'trunk.3.short.1'; 'trunk.3' has the paths short, long, skip"},
};

static void
test_reason(gconstpointer data)
{
    const Row *row = data;
    g_autoptr(AditGraph) graph = build_nested();
    g_autofree char *reason = adit_graph_explain_address(graph, row->pattern);

    g_assert_cmpstr(reason, ==, row->found);
}

/* Numbers. */

static const double x[] = {1, -2, 3, 4};

/* The block of one path: a number times its input. */
struct _Times {
    AditBlock parent_instance;
    double factor;
};
ADIT_DEFINE_BLOCK(Times, times, TIMES)

static AditTensor *
times_build(AditBlock *block, AditGraph *graph, AditTensor *input)
{
    return adit_scale(input, TIMES(block)->factor);
}

static void
times_class_init(AditComponentClass *klass)
{
    ADIT_BLOCK_CLASS(klass)->build = times_build;
    adit_component_class_describe(klass, "times", "Multiplies");
    adit_component_class_add_number(klass, "factor", "What by", -9, 9, 1,
                                    ADIT_FIELD(Times, factor, double));
}

static void
assert_joined(const char *join, const char *axis, const AditShape *shape, const AditShape *expected,
              const double *values)
{
    g_autoptr(AditSequence) trunk = chain();
    AditPaths *block = paths(join, axis);
    AditTensor *y;

    add(block, "same", NULL, NULL);
    add(block, "triple", g_object_new(times_get_type(), "factor", 3.0, NULL), NULL);
    test_add(trunk, ADIT_BLOCK(block), NULL, "paths");
    AditGraph *graph = build(trunk, shape, &y);
    g_autoptr(Rig) rig = rig_new(graph);
    AditArray *array = test_array(shape, 1, 1);
    guint output = rig_add(rig, ADIT_OUTPUT_READ, y);

    g_assert_true(adit_shape_equal(adit_tensor_get_shape(y), expected));
    memcpy(array->data, x, sizeof x);
    rig_prepare(rig, 1, TRUE, 1);
    rig_feed(rig, array);
    rig_run(rig, 1, 0);
    g_autofree double *got = rig_read(rig, output, 1);
    for (gsize i = 0; i < adit_shape_count(expected); i++)
        g_assert_cmpfloat(got[i], ==, values[i]);
}

static void
test_joins(void)
{
    const double sum[] = {4, -8, 12, 16}, mean[] = {2, -4, 6, 8}, max[] = {3, -2, 9, 12};
    const double product[] = {3, 12, 27, 48};

    assert_joined("sum", NULL, &ADIT_SHAPE(4), &ADIT_SHAPE(4), sum);
    assert_joined("mean", NULL, &ADIT_SHAPE(4), &ADIT_SHAPE(4), mean);
    assert_joined("max", NULL, &ADIT_SHAPE(2, 2), &ADIT_SHAPE(2, 2), max);
    assert_joined("product", NULL, &ADIT_SHAPE(1, 2, 2), &ADIT_SHAPE(1, 2, 2), product);
}

static void
test_concat(void)
{
    const double behind[] = {1, -2, 3, 4, 3, -6, 9, 12};
    const double beside[] = {1, -2, 3, -6, 3, 4, 9, 12};

    assert_joined("concat", NULL, &ADIT_SHAPE(4), &ADIT_SHAPE(8), behind);
    /* channels of images come first */
    assert_joined("concat", NULL, &ADIT_SHAPE(1, 2, 2), &ADIT_SHAPE(2, 2, 2), behind);
    /* two tokens of width 2 */
    assert_joined("concat", NULL, &ADIT_SHAPE(2, 2), &ADIT_SHAPE(2, 4), beside);
    assert_joined("concat", "tokens", &ADIT_SHAPE(2, 2), &ADIT_SHAPE(4, 2), behind);
}

/* As loops and written out: the same numbers, names and gradients. */

static Rig *
run_form(const char *join, guint times, gboolean unrolled, gboolean f64, double *loss)
{
    g_autoptr(AditSequence) trunk = test_sequence(test_component("aggregator", "residual", NULL));
    AditTensor *y;

    test_add_repeat(trunk, times, FALSE, unrolled, ADIT_BLOCK(three_paths(join, 3, unrolled)),
                    "paths");
    AditGraph *graph = build(trunk, &ADIT_SHAPE(4), &y);
    g_assert_cmpuint(graph->loops->len, ==, unrolled ? 0 : 1);
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
test_loop(gconstpointer data)
{
    for (guint f64 = 0; f64 < 2; f64++) {
        double looped, written;
        g_autoptr(Rig) loop = run_form(data, 5, FALSE, f64, &looped);
        g_autoptr(Rig) unrolled = run_form(data, 5, TRUE, f64, &written);
        test_assert_same(&looped, &written, 1);
        rig_assert_same(loop, unrolled, ADIT_ARENA_PARAMETERS);
        rig_assert_same(loop, unrolled, ADIT_ARENA_GRADIENTS);
        rig_assert_same(loop, unrolled, ADIT_ARENA_STATES);
    }
}

static void
test_gradients(gconstpointer data)
{
    double loss;
    g_autoptr(Rig) rig = run_form(data, 1, FALSE, TRUE, &loss);

    rig_check_gradients(rig, 0, ROWS, 1e-6);
}

/* Concatenated, each block is fed more than the one before: none is a loop. */
static void
test_growing(void)
{
    g_autoptr(AditSequence) trunk = chain();
    AditPaths *block = paths("concat", NULL);
    AditTensor *y;

    add(block, "all", NULL, NULL);
    add(block, "more", test_dense(2, "relu"), "dense");
    test_add_repeat(trunk, 4, FALSE, FALSE, ADIT_BLOCK(block), "paths");
    g_autoptr(AditGraph) graph = build(trunk, &ADIT_SHAPE(3), &y);
    g_assert_no_error(adit_graph_get_error(graph));
    g_assert_cmpuint(adit_tensor_get_width(y), ==, 3 + 4 * 2);
    g_assert_cmpuint(graph->loops->len, ==, 0);
}

/* What cannot be joined. */

static void
assert_refused(AditPaths *block, const AditShape *input, const char *message)
{
    g_autoptr(AditSequence) trunk = chain();
    AditTensor *y;

    test_add(trunk, ADIT_BLOCK(block), NULL, "paths");
    g_autoptr(AditGraph) graph = build(trunk, input, &y);
    g_assert_error(adit_graph_get_error(graph), ADIT_ERROR, ADIT_ERROR_INVALID);
    g_assert_cmpstr(adit_graph_get_error(graph)->message, ==, message);
    g_assert_true(adit_graph_get_error_component(graph) == (gpointer) block);
}

static void
test_refusals(void)
{
    AditPaths *block = paths("product", NULL);

    add(block, "narrow", test_dense(3, NULL), "dense");
    add(block, "skip", NULL, NULL);
    add(block, "wide", test_dense(4, NULL), "dense");
    assert_refused(block, &ADIT_SHAPE(4),
                   "the paths give 'narrow' 3, 'skip' 4, 'wide' 4; 'product' joins equal shapes");

    block = paths("concat", NULL);
    add(block, "skip", NULL, NULL);
    add(block, "flat", test_component("block", "flatten", NULL), "flatten");
    assert_refused(block, &ADIT_SHAPE(2, 3, 3),
                   "the paths give 'skip' 2x3x3, 'flat' 18; 'concat' joins what differs in its "
                   "channels alone");

    block = paths("concat", "tokens");
    add(block, "skip", NULL, NULL);
    add(block, "narrow", test_dense(3, NULL), "dense");
    assert_refused(block, &ADIT_SHAPE(5, 4),
                   "the paths give 'skip' 5x4, 'narrow' 5x3; 'concat' joins what differs in its "
                   "tokens alone");

    block = paths("concat", "tokens");
    add(block, "skip", NULL, NULL);
    add(block, "dense", test_dense(4, NULL), "dense");
    assert_refused(block, &ADIT_SHAPE(4),
                   "'axis' tokens joins tokens x width, but the paths give 'skip' 4, 'dense' 4");
}

/* Section 4 of the GloNet paper: the sum takes the place of skips. */
static void
assert_warned(AditPaths *block, gboolean warned)
{
    g_autoptr(AditSequence) trunk = test_sequence(test_component("aggregator", "glonet", NULL));
    AditTensor *y;

    test_add(trunk, ADIT_BLOCK(block), NULL, "cell");
    g_autoptr(AditGraph) graph = build(trunk, &ADIT_SHAPE(4), &y);
    g_assert_no_error(adit_graph_get_error(graph));
    g_assert_cmpuint(graph->warnings->len, ==, warned ? 1 : 0);
}

static void
test_skips(void)
{
    AditPaths *without = paths("sum", NULL), *outer = paths("product", NULL);
    AditSequence *residual = test_sequence(test_component("aggregator", "residual", NULL));

    assert_warned(three_paths("sum", 2, FALSE), TRUE);
    assert_warned(three_paths("concat", 2, FALSE), TRUE);
    /* what goes by the empty path is no term of a sum here */
    assert_warned(three_paths("product", 2, FALSE), FALSE);
    add(without, "a", test_dense(4, "relu"), "dense");
    add(without, "b", test_dense(4, "relu"), "dense");
    assert_warned(without, FALSE);
    test_add(residual, test_dense(4, "relu"), NULL, "dense");
    add(outer, "a", residual, NULL);
    assert_warned(outer, TRUE);
}

static void
test_equal(void)
{
    g_autoptr(AditPaths) a = three_paths("sum", 2, FALSE);
    g_autoptr(AditPaths) b = three_paths("sum", 2, FALSE);
    g_autoptr(AditPaths) mean = three_paths("mean", 2, FALSE);
    g_autoptr(AditPaths) longer = three_paths("sum", 3, FALSE);
    g_autoptr(AditPaths) named = paths("sum", NULL);
    g_autoptr(AditPaths) other = paths("sum", NULL);

    g_assert_true(adit_component_equal(ADIT_COMPONENT(a), ADIT_COMPONENT(b)));
    g_assert_false(adit_component_equal(ADIT_COMPONENT(a), ADIT_COMPONENT(mean)));
    g_assert_false(adit_component_equal(ADIT_COMPONENT(a), ADIT_COMPONENT(longer)));
    add(named, "a", NULL, NULL);
    add(other, "b", NULL, NULL);
    g_assert_false(adit_component_equal(ADIT_COMPONENT(named), ADIT_COMPONENT(other)));
    add(b, "another", NULL, NULL);
    g_assert_false(adit_component_equal(ADIT_COMPONENT(a), ADIT_COMPONENT(b)));
    g_assert_cmpuint(adit_paths_count(b), ==, 4);
    g_assert_cmpstr(adit_paths_get_name(b, 3), ==, "another");
}

static void
add_rows(const char *folder, const Row *table, guint n, GTestDataFunc func)
{
    for (guint i = 0; i < n; i++) {
        g_autofree char *path = g_strdup_printf("/paths/%s/%s", folder, table[i].pattern);
        g_test_add_data_func(path, &table[i], func);
    }
}

int
main(int argc, char *argv[])
{
    static const char *const joins[] = {"sum", "mean", "max", "product"};

    /* bit for bit as unrolled: values of thin layers, which lie otherwise in loops, are summed in
     * another order */
    g_setenv("ADIT_FUSE", "0", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/paths/names", test_names);
    add_rows("pattern", rows, G_N_ELEMENTS(rows), test_pattern);
    add_rows("reason", reasons, G_N_ELEMENTS(reasons), test_reason);
    g_test_add_func("/paths/joins", test_joins);
    g_test_add_func("/paths/concat", test_concat);
    for (guint i = 0; i < G_N_ELEMENTS(joins); i++) {
        g_autofree char *loop = g_strdup_printf("/paths/loop/%s", joins[i]);
        g_autofree char *gradients = g_strdup_printf("/paths/gradients/%s", joins[i]);
        g_test_add_data_func(loop, joins[i], test_loop);
        g_test_add_data_func(gradients, joins[i], test_gradients);
    }
    g_test_add_func("/paths/growing", test_growing);
    g_test_add_func("/paths/refusals", test_refusals);
    g_test_add_func("/paths/skips", test_skips);
    g_test_add_func("/paths/equal", test_equal);
    return g_test_run();
}
