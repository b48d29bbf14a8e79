/* tests/core/component/test-kinds.c - SPDX-License-Identifier: MIT */
#include <adit/adit-initializer.h>
#include <adit/adit-ops.h>
#include <adit/adit-schedule.h>

#include "adit-component-private.h"
#include "adit-graph-private.h"
#include "adit-settings.h"

/* Types of this program: one aggregator that takes the defaults, one that changes one, ... */

struct _Plain {
    AditAggregator parent_instance;
};
ADIT_DEFINE_AGGREGATOR(Plain, plain, PLAIN)

static void
plain_class_init(AditComponentClass *klass)
{
    adit_component_class_describe(klass, "plain", "Takes the defaults");
}

struct _Greedy {
    AditAggregator parent_instance;
};
ADIT_DEFINE_AGGREGATOR(Greedy, greedy, GREEDY)

static void
greedy_class_init(AditComponentClass *klass)
{
    adit_component_class_describe(klass, "greedy", "Counts its input");
    adit_component_class_set_default(klass, "input", TRUE);
}

struct _Reader {
    AditDataset parent_instance;
    char *path;
};
ADIT_DEFINE_DATASET(Reader, reader, READER)

static void
reader_class_init(AditComponentClass *klass)
{
    adit_component_class_describe(klass, "reader", "A set");
    adit_component_class_add_path(klass, "path", "p", NULL, ADIT_FIELD(Reader, path, char *));
}

struct _Gauge {
    AditProbe parent_instance;
};
ADIT_DEFINE_PROBE(Gauge, gauge, GAUGE)

static gboolean
gauge_check(AditComponent *component, GError **error)
{
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERROR_INVALID, "the gauge's own check");
    return FALSE;
}

static void
gauge_class_init(AditComponentClass *klass)
{
    klass->check = gauge_check;
    adit_component_class_describe(klass, "gauge", "A probe");
}

struct _Penalty {
    AditRegularizer parent_instance;
};
ADIT_DEFINE_REGULARIZER(Penalty, penalty, PENALTY)

static void
penalty_class_init(AditComponentClass *klass)
{
    adit_component_class_describe(klass, "penalty", "A regularizer");
}

struct _Silent {
    AditBlock parent_instance;
    AditBlock *inner;
};
ADIT_DEFINE_BLOCK(Silent, silent, SILENT)

static AditTensor *
silent_build(AditBlock *block, AditGraph *graph, AditTensor *x)
{
    return SILENT(block)->inner != NULL ? adit_block_build(SILENT(block)->inner, graph, x) : NULL;
}

static void
silent_class_init(AditComponentClass *klass)
{
    ADIT_BLOCK_CLASS(klass)->build = silent_build;
    adit_component_class_describe(klass, "silent", "Builds nothing itself");
    adit_component_class_add_reference(klass, "inner", "i", ADIT_TYPE_BLOCK,
                                       ADIT_FIELD(Silent, inner, AditBlock *));
}

static void
test_class_default(void)
{
    g_autoptr(AditAggregator) plain = g_object_new(plain_get_type(), NULL);
    g_autoptr(AditAggregator) greedy = g_object_new(greedy_get_type(), NULL);
    g_autoptr(AditAggregator) refused = g_object_new(greedy_get_type(), "input", FALSE, NULL);
    AditComponentClass *klass = ADIT_COMPONENT_GET_CLASS(greedy);
    g_autoptr(GPtrArray) parameters = adit_component_class_list_parameters(klass);

    g_assert_false(adit_aggregator_counts_input(plain));
    g_assert_true(adit_aggregator_counts_input(greedy));
    g_assert_false(adit_aggregator_counts_input(refused));
    g_assert_cmpfloat(adit_component_class_find_parameter(klass, "input")->def, ==, 1.0);
    g_assert_cmpfloat(
        adit_component_class_find_parameter(ADIT_COMPONENT_GET_CLASS(plain), "input")->def, ==,
        0.0);
    g_assert_cmpuint(parameters->len, ==, 4);
    g_assert_cmpstr(((AditParameter *) parameters->pdata[0])->name, ==, "input");
    g_assert_cmpstr(((AditParameter *) parameters->pdata[3])->name, ==, "adapt-to");
}

static void
test_dataset_settings(void)
{
    AditAmount share = {.value = 0.25, .unit = ADIT_UNIT_PERCENT};
    g_autoptr(AditDataset) dataset =
        g_object_new(reader_get_type(), "name", "clean", "test", &share, "split-seed", (gint64) 42,
                     "standardize", ADIT_STANDARDIZE_FEATURES, "path", "/x", NULL);
    g_autoptr(AditDataset) other = g_object_new(reader_get_type(), NULL);
    const AditDatasetSettings *settings = adit_dataset_get_settings(dataset);

    g_assert_cmpstr(settings->name, ==, "clean");
    g_assert_cmpfloat(settings->test.value, ==, 0.25);
    g_assert_cmpint(settings->test.unit, ==, ADIT_UNIT_PERCENT);
    g_assert_cmpint(settings->split_seed, ==, 42);
    g_assert_cmpint(settings->standardize, ==, ADIT_STANDARDIZE_FEATURES);
    g_assert_null(settings->augment);
    g_assert_cmpstr(READER(dataset)->path, ==, "/x");

    g_assert_cmpfloat(adit_dataset_get_settings(other)->test.value, <, 0.0);
    g_assert_cmpfloat(adit_dataset_get_settings(other)->validation.value, ==, 0.0);
    g_assert_false(adit_component_equal(ADIT_COMPONENT(dataset), ADIT_COMPONENT(other)));
}

static void
test_probe_settings(void)
{
    static const char *const when[] = {"start", "5", "often", NULL};
    g_autoptr(AditProbe) probe = g_object_new(gauge_get_type(), NULL);
    const AditProbeSettings *settings = adit_probe_get_settings(probe);
    g_autoptr(GError) error = NULL;

    g_assert_cmpstr(settings->split, ==, "test");
    g_assert_cmpfloat(settings->samples.value, ==, 1.0);
    g_assert_cmpfloat(settings->memory.value, ==, 1073741824.0);

    /* the kind's check comes before the component's own */
    g_assert_false(adit_component_check(ADIT_COMPONENT(probe), &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_INVALID);
    g_assert_cmpstr(error->message, ==, "the gauge's own check");
    g_clear_error(&error);
    g_object_set(probe, "when", when, NULL);
    g_assert_false(adit_component_check(ADIT_COMPONENT(probe), &error));
    g_assert_cmpstr(error->message, ==, "'when' must be start, end or an epoch, got \"often\"");
    g_clear_error(&error);
    g_object_set(probe, "split", "all", NULL);
    g_assert_false(adit_component_check(ADIT_COMPONENT(probe), &error));
    g_assert_cmpstr(error->message, ==, "'split' must be train, validation or test, got \"all\"");
}

static void
test_regularizer_at(void)
{
    static const char *const at[] = {"trunk", "head", NULL};
    g_autoptr(AditRegularizer) penalty = g_object_new(penalty_get_type(), NULL);

    g_assert_null(adit_regularizer_get_at(penalty));
    g_object_set(penalty, "at", at, NULL);
    g_assert_cmpstrv(adit_regularizer_get_at(penalty), at);
}

static void
test_fans(void)
{
    g_assert_cmpfloat(adit_shape_fan_in(&ADIT_SHAPE(3, 5)), ==, 3.0);
    g_assert_cmpfloat(adit_shape_fan_out(&ADIT_SHAPE(3, 5)), ==, 5.0);
    g_assert_cmpfloat(adit_shape_fan_in(&ADIT_SHAPE(32, 16, 3, 3)), ==, 144.0);
    g_assert_cmpfloat(adit_shape_fan_out(&ADIT_SHAPE(32, 16, 3, 3)), ==, 288.0);
    g_assert_cmpfloat(adit_shape_fan_in(&ADIT_SHAPE(7)), ==, 1.0);
    g_assert_cmpfloat(adit_shape_fan_in(&ADIT_SCALAR), ==, 1.0);
}

static void
test_span(void)
{
    const AditClock clock = {.steps = 100, .steps_per_epoch = 20};

    g_assert_cmpfloat(adit_clock_span(&clock, (AditAmount){.value = 0.5}), ==, 10.0);
    g_assert_cmpfloat(adit_clock_span(&clock, (AditAmount){500.0, ADIT_UNIT_STEPS}), ==, 500.0);
}

static void
test_taken_type_name(void)
{
    GType taken = silent_get_type();

    g_assert_cmpuint(
        adit_component_register(ADIT_TYPE_BLOCK, g_type_name(taken), sizeof(Silent), NULL), ==,
        G_TYPE_NONE);
}

static void
test_block_that_builds_nothing(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    g_autoptr(AditBlock) inner = g_object_new(silent_get_type(), NULL);
    g_autoptr(AditBlock) block = g_object_new(silent_get_type(), "inner", inner, NULL);
    AditTensor *x = adit_input(graph, "x", &ADIT_SHAPE(4), 0);

    g_assert_true(adit_block_build(NULL, graph, x) == x);
    g_assert_true(adit_tensor_has_failed(adit_block_build(block, graph, x)));
    g_assert_cmpstr(adit_graph_get_error(graph)->message, ==, "block 'silent' built nothing");
    g_assert_true(adit_graph_get_error_component(graph) == (gpointer) inner);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/component/kinds/class-default", test_class_default);
    g_test_add_func("/component/kinds/dataset-settings", test_dataset_settings);
    g_test_add_func("/component/kinds/probe-settings", test_probe_settings);
    g_test_add_func("/component/kinds/regularizer-at", test_regularizer_at);
    g_test_add_func("/component/kinds/fans", test_fans);
    g_test_add_func("/component/kinds/span", test_span);
    g_test_add_func("/component/kinds/taken-type-name", test_taken_type_name);
    g_test_add_func("/component/kinds/block-that-builds-nothing", test_block_that_builds_nothing);
    return g_test_run();
}
