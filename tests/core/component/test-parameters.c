/* tests/core/component/test-parameters.c - SPDX-License-Identifier: MIT */
#include <adit/adit-block.h>
#include <adit/adit-initializer.h>

#include <math.h>

#include "adit-component-private.h"

/* A component with every type of parameter. */

struct _Sampler {
    AditBlock parent_instance;
    gint64 count;
    double share;
    gboolean sure;
    char *label;
    char *file;
    int colour;
    AditAmount width;
    AditAmount pause;
    AditLive *rate;
    GArray *sizes;
    GArray *paces;
    GArray *window;
    GStrv words;
    GStrv at;
    AditBlock *inner;
};
ADIT_DEFINE_BLOCK(Sampler, sampler, SAMPLER)

static void
sampler_class_init(AditComponentClass *klass)
{
    static const char *const colours[] = {"red", "green", NULL};
    static const char *const paces[] = {"slow", "fast", NULL};

    adit_component_class_describe(klass, "sampler", "One of everything");
    adit_component_class_add_int(klass, "count", "c", 1, 10, 3, ADIT_FIELD(Sampler, count, gint64));
    adit_component_class_add_number(klass, "share", "s", 0, 1, 0.5,
                                    ADIT_FIELD(Sampler, share, double));
    adit_component_class_add_boolean(klass, "sure", "s", TRUE, ADIT_FIELD(Sampler, sure, gboolean));
    adit_component_class_add_text(klass, "label", "l", "none", ADIT_FIELD(Sampler, label, char *));
    adit_component_class_add_path(klass, "file", "f", NULL, ADIT_FIELD(Sampler, file, char *));
    adit_component_class_add_choice(klass, "colour", "c", colours, 1,
                                    ADIT_FIELD(Sampler, colour, int));
    adit_component_class_add_amount(klass, "width", "w", ADIT_FORM_WIDTH, 1, 100,
                                    (AditAmount){.value = 8.0},
                                    ADIT_FIELD(Sampler, width, AditAmount));
    adit_component_class_add_amount(klass, "pause", "p", ADIT_FORM_SPAN, 0, 100, (AditAmount){0},
                                    ADIT_FIELD(Sampler, pause, AditAmount));
    adit_component_class_add_live(klass, "rate", "r", 0, 1, 0.25,
                                  ADIT_FIELD(Sampler, rate, AditLive *));
    adit_component_class_add_numbers(klass, "sizes", "s", TRUE, 1, 9,
                                     ADIT_FIELD(Sampler, sizes, GArray *));
    adit_component_class_add_numbers(klass, "paces", "p", TRUE, 0, 9,
                                     ADIT_FIELD(Sampler, paces, GArray *));
    adit_component_class_allow_words(klass, "paces", paces);
    adit_component_class_add_pair(klass, "window", "w", 1, 9,
                                  ADIT_FIELD(Sampler, window, GArray *));
    adit_component_class_require(klass, "window");
    adit_component_class_add_texts(klass, "words", "w", ADIT_FIELD(Sampler, words, GStrv));
    adit_component_class_add_addresses(klass, "at", "a", "trunk.*", ADIT_FIELD(Sampler, at, GStrv));
    adit_component_class_add_reference(klass, "inner", "i", ADIT_TYPE_BLOCK,
                                       ADIT_FIELD(Sampler, inner, AditBlock *));
    adit_component_class_require(klass, "count");
}

/* A live number that doubles each step. */

struct _Doubling {
    AditSchedule parent_instance;
    double from;
};
ADIT_DEFINE_SCHEDULE(Doubling, doubling, DOUBLING)

static double
value(AditSchedule *schedule, const AditClock *clock)
{
    return DOUBLING(schedule)->from * (double) (1u << clock->step);
}

static void
doubling_class_init(AditComponentClass *klass)
{
    ADIT_SCHEDULE_CLASS(klass)->value = value;
    adit_component_class_describe(klass, "doubling", "Twice as much each step");
    adit_component_class_add_number(klass, "from", "f", 0, 10, 1,
                                    ADIT_FIELD(Doubling, from, double));
}

static GArray *
make_numbers(guint n, const double *values)
{
    GArray *numbers = g_array_new(FALSE, FALSE, sizeof(double));

    return g_array_append_vals(numbers, values, n);
}

static GParamSpec *
find_property(const char *name)
{
    AditComponentClass *klass = g_type_class_peek(sampler_get_type());
    const AditParameter *parameter = adit_component_class_find_parameter(klass, name);

    g_assert_nonnull(parameter);
    return parameter->pspec;
}

static void
test_defaults(void)
{
    g_autoptr(GObject) object = g_object_new(sampler_get_type(), NULL);
    Sampler *self = SAMPLER(object);
    const AditClock clock = {.steps = 1, .steps_per_epoch = 1};

    g_assert_cmpint(self->count, ==, 3);
    g_assert_cmpfloat(self->share, ==, 0.5);
    g_assert_true(self->sure);
    g_assert_cmpstr(self->label, ==, "none");
    g_assert_null(self->file);
    g_assert_cmpint(self->colour, ==, 1);
    g_assert_cmpfloat(self->width.value, ==, 8.0);
    g_assert_cmpint(self->pause.unit, ==, ADIT_UNIT_NONE);
    g_assert_cmpfloat(adit_live_get(self->rate, &clock), ==, 0.25);
    g_assert_cmpuint(self->sizes->len, ==, 0);
    g_assert_null(self->words);
    g_assert_cmpstr(self->at[0], ==, "trunk.*");
    g_assert_null(self->inner);
}

static void
test_set_and_get(void)
{
    static const char *const words[] = {"a", "b", NULL};
    g_autoptr(GObject) inner = g_object_new(sampler_get_type(), NULL);
    g_autoptr(AditLive) rate = adit_live_new(0.75);
    g_autoptr(GArray) sizes = make_numbers(2, (double[]){2.0, 3.0});
    AditAmount width = {.value = 0.5, .unit = ADIT_UNIT_PERCENT};
    g_autoptr(GObject) object =
        g_object_new(sampler_get_type(), "count", (gint64) 7, "share", 0.125, "sure", FALSE,
                     "label", "x", "file", "/f", "colour", 0, "width", &width, "rate", rate,
                     "sizes", sizes, "words", words, "inner", inner, NULL);
    gint64 count;
    double share;
    gboolean sure;
    int colour;
    g_autofree char *label = NULL;
    AditAmount *got_width;
    g_autoptr(AditLive) got_rate = NULL;
    g_autoptr(GArray) got_sizes = NULL;
    g_auto(GStrv) got_words = NULL;
    g_autoptr(GObject) got_inner = NULL;

    g_object_get(object, "count", &count, "share", &share, "sure", &sure, "label", &label, "colour",
                 &colour, "width", &got_width, "rate", &got_rate, "sizes", &got_sizes, "words",
                 &got_words, "inner", &got_inner, NULL);
    g_assert_cmpint(count, ==, 7);
    g_assert_cmpfloat(share, ==, 0.125);
    g_assert_false(sure);
    g_assert_cmpstr(label, ==, "x");
    g_assert_cmpint(colour, ==, 0);
    g_assert_cmpfloat(got_width->value, ==, 0.5);
    g_assert_cmpint(got_width->unit, ==, ADIT_UNIT_PERCENT);
    g_boxed_free(ADIT_TYPE_AMOUNT, got_width);
    g_assert_true(got_rate == rate);
    g_assert_cmpuint(got_sizes->len, ==, 2);
    g_assert_cmpfloat(g_array_index(got_sizes, double, 1), ==, 3.0);
    g_assert_cmpstrv(got_words, words);
    g_assert_true(got_inner == inner);
    g_assert_cmpstr(SAMPLER(object)->file, ==, "/f");

    /* setting again frees what was there */
    g_object_set(object, "label", NULL, "inner", NULL, "words", NULL, NULL);
    g_assert_null(SAMPLER(object)->label);
    g_assert_null(SAMPLER(object)->inner);
    g_assert_null(SAMPLER(object)->words);
}

static void
assert_int_valid(const char *name, gint64 number, gboolean expected)
{
    g_auto(GValue) value = G_VALUE_INIT;

    g_value_init(&value, G_TYPE_INT64);
    g_value_set_int64(&value, number);
    g_assert_true(g_param_value_is_valid(find_property(name), &value) == expected);
}

static void
assert_boxed_valid(const char *name, GType type, gconstpointer boxed, gboolean expected)
{
    g_auto(GValue) value = G_VALUE_INIT;

    g_value_init(&value, type);
    g_value_set_boxed(&value, boxed);
    g_assert_true(g_param_value_is_valid(find_property(name), &value) == expected);
}

static void
assert_amount_valid(const char *name, double number, AditUnit unit, gboolean expected)
{
    AditAmount amount = {.value = number, .unit = unit};

    assert_boxed_valid(name, ADIT_TYPE_AMOUNT, &amount, expected);
}

static void
assert_numbers_valid(const char *name, guint n, const double *values, gboolean expected)
{
    g_autoptr(GArray) numbers = make_numbers(n, values);

    assert_boxed_valid(name, ADIT_TYPE_NUMBERS, numbers, expected);
}

static void
test_ranges(void)
{
    g_autoptr(AditLive) inside = adit_live_new(1.0);
    g_autoptr(AditLive) outside = adit_live_new(1.5);
    g_autoptr(AditLive) nan = adit_live_new((double) NAN);
    g_autoptr(GObject) schedule = g_object_new(doubling_get_type(), NULL);
    g_autoptr(AditLive) moving = adit_live_new_scheduled(ADIT_SCHEDULE(schedule));

    assert_int_valid("count", 10, TRUE);
    assert_int_valid("count", 11, FALSE);
    assert_int_valid("count", 0, FALSE);
    assert_amount_valid("width", 100.0, ADIT_UNIT_NONE, TRUE);
    assert_amount_valid("width", 101.0, ADIT_UNIT_NONE, FALSE);
    assert_amount_valid("width", 2.5, ADIT_UNIT_NONE, FALSE);
    assert_amount_valid("width", 0.5, ADIT_UNIT_PERCENT, TRUE);
    assert_amount_valid("width", 5.0, ADIT_UNIT_STEPS, FALSE);
    assert_amount_valid("pause", 0.5, ADIT_UNIT_NONE, TRUE);
    assert_amount_valid("pause", 50.0, ADIT_UNIT_STEPS, TRUE);
    assert_amount_valid("pause", -1.0, ADIT_UNIT_NONE, FALSE);
    assert_amount_valid("pause", 0.5, ADIT_UNIT_PERCENT, FALSE);
    assert_boxed_valid("rate", ADIT_TYPE_LIVE, inside, TRUE);
    assert_boxed_valid("rate", ADIT_TYPE_LIVE, outside, FALSE);
    assert_boxed_valid("rate", ADIT_TYPE_LIVE, nan, FALSE);
    assert_boxed_valid("rate", ADIT_TYPE_LIVE, moving, TRUE);
    assert_boxed_valid("rate", ADIT_TYPE_LIVE, NULL, FALSE);
    assert_numbers_valid("sizes", 0, NULL, TRUE);
    assert_numbers_valid("sizes", 2, (double[]){1.0, 9.0}, TRUE);
    assert_numbers_valid("sizes", 2, (double[]){1.0, 10.0}, FALSE);
    assert_numbers_valid("sizes", 1, (double[]){1.5}, FALSE);
    assert_numbers_valid("sizes", 1, (double[]){-1.0}, FALSE);
    /* two words */
    assert_numbers_valid("paces", 3, (double[]){-1.0, 3.0, -2.0}, TRUE);
    assert_numbers_valid("paces", 1, (double[]){-3.0}, FALSE);
    assert_numbers_valid("paces", 1, (double[]){-1.5}, FALSE);
}

/* A pair is one number or two, as far as it is needed; its message names it. */
static void
test_pairs(void)
{
    static const double sizes[] = {3, 5, 7};

    for (guint n = 0; n <= 3; n++) {
        g_autoptr(GArray) window = make_numbers(n, sizes);
        g_autoptr(GObject) object = g_object_new(sampler_get_type(), "window", window, NULL);
        g_autoptr(GError) error = NULL;
        g_autofree char *message =
            g_strdup_printf("'window' must be one number or height and width, got %u", n);

        if (n == 1 || n == 2) {
            g_assert_true(adit_component_check(ADIT_COMPONENT(object), &error));
            g_assert_no_error(error);
            continue;
        }
        g_assert_false(adit_component_check(ADIT_COMPONENT(object), &error));
        g_assert_error(error, ADIT_ERROR, ADIT_ERROR_INVALID);
        g_assert_cmpstr(error->message, ==, message);
    }
    assert_numbers_valid("window", 2, (double[]){1.5, 2}, FALSE);
    assert_numbers_valid("window", 2, (double[]){1, 10}, FALSE);
}

static void
test_refused_values_change_nothing(void)
{
    g_autoptr(GObject) object = g_object_new(sampler_get_type(), NULL);
    AditAmount wide = {.value = 1000.0};

    g_test_expect_message("GLib-GObject", G_LOG_LEVEL_WARNING, "*width*");
    g_object_set(object, "width", &wide, NULL);
    g_test_assert_expected_messages();
    g_assert_cmpfloat(SAMPLER(object)->width.value, ==, 8.0);
}

static void
test_list(void)
{
    static const char *const names[] = {"count",  "share",  "sure",  "label", "file",
                                        "colour", "width",  "pause", "rate",  "sizes",
                                        "paces",  "window", "words", "at",    "inner"};
    g_autoptr(GObject) object = g_object_new(sampler_get_type(), NULL);
    AditComponentClass *klass = ADIT_COMPONENT_GET_CLASS(object);
    g_autoptr(GPtrArray) parameters = adit_component_class_list_parameters(klass);

    g_assert_cmpuint(parameters->len, ==, G_N_ELEMENTS(names));
    for (guint i = 0; i < parameters->len; i++)
        g_assert_cmpstr(((const AditParameter *) parameters->pdata[i])->name, ==, names[i]);
    g_assert_true(adit_component_class_find_parameter(klass, "count")->required);
    g_assert_false(adit_component_class_find_parameter(klass, "share")->required);
    g_assert_cmpstr(adit_component_class_find_parameter(klass, "colour")->words[0], ==, "red");
    g_assert_null(adit_component_class_find_parameter(klass, "colours"));
    g_assert_cmpstr(klass->kind, ==, "block");
    g_assert_cmpstr(klass->name, ==, "sampler");
}

static void
test_live(void)
{
    g_autoptr(GObject) schedule = g_object_new(doubling_get_type(), "from", 0.5, NULL);
    g_autoptr(AditLive) live = adit_live_new_scheduled(ADIT_SCHEDULE(schedule));
    AditClock clock = {.step = 0, .steps = 10, .steps_per_epoch = 5};

    g_assert_cmpfloat(adit_live_get(live, &clock), ==, 0.5);
    clock.step = 3;
    g_assert_cmpfloat(adit_live_get(live, &clock), ==, 4.0);
    g_assert_true((gpointer) adit_live_get_schedule(live) == (gpointer) schedule);
}

static void
test_equal(void)
{
    g_autoptr(GObject) a = g_object_new(sampler_get_type(), NULL);
    g_autoptr(GObject) b = g_object_new(sampler_get_type(), NULL);
    g_autoptr(GObject) inner_a = g_object_new(sampler_get_type(), "count", (gint64) 2, NULL);
    g_autoptr(GObject) inner_b = g_object_new(sampler_get_type(), "count", (gint64) 2, NULL);
    g_autoptr(GObject) schedule_a = g_object_new(doubling_get_type(), NULL);
    g_autoptr(GObject) schedule_b = g_object_new(doubling_get_type(), NULL);
    g_autoptr(AditLive) live_a = adit_live_new_scheduled(ADIT_SCHEDULE(schedule_a));
    g_autoptr(AditLive) live_b = adit_live_new_scheduled(ADIT_SCHEDULE(schedule_b));
    g_autoptr(GArray) sizes = make_numbers(1, (double[]){2.0});
    AditComponent *first = ADIT_COMPONENT(a);
    AditComponent *second = ADIT_COMPONENT(b);

    g_assert_true(adit_component_equal(first, second));
    g_assert_true(adit_component_equal(NULL, NULL));
    g_assert_false(adit_component_equal(first, NULL));
    g_assert_false(adit_component_equal(first, ADIT_COMPONENT(schedule_a)));

    g_object_set(a, "inner", inner_a, "rate", live_a, NULL);
    g_assert_false(adit_component_equal(first, second));
    g_object_set(b, "inner", inner_b, "rate", live_b, NULL);
    g_assert_true(adit_component_equal(first, second));
    g_object_set(schedule_b, "from", 2.0, NULL);
    g_assert_false(adit_component_equal(first, second));
    g_object_set(schedule_b, "from", 1.0, NULL);
    g_object_set(inner_b, "count", (gint64) 3, NULL);
    g_assert_false(adit_component_equal(first, second));
    g_object_set(inner_b, "count", (gint64) 2, "sizes", sizes, NULL);
    g_assert_false(adit_component_equal(first, second));
}

static void
test_freed(void)
{
    GObject *inner = g_object_new(sampler_get_type(), NULL);
    GObject *object = g_object_new(sampler_get_type(), "inner", inner, NULL);

    g_object_add_weak_pointer(inner, (gpointer *) &inner);
    g_object_unref(inner);
    g_assert_nonnull(inner);
    g_object_unref(object);
    g_assert_null(inner);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_type_class_unref(g_type_class_ref(sampler_get_type()));
    g_test_add_func("/component/parameters/defaults", test_defaults);
    g_test_add_func("/component/parameters/set-and-get", test_set_and_get);
    g_test_add_func("/component/parameters/ranges", test_ranges);
    g_test_add_func("/component/parameters/pairs", test_pairs);
    g_test_add_func("/component/parameters/refused-values-change-nothing",
                    test_refused_values_change_nothing);
    g_test_add_func("/component/parameters/list", test_list);
    g_test_add_func("/component/parameters/live", test_live);
    g_test_add_func("/component/parameters/equal", test_equal);
    g_test_add_func("/component/parameters/freed", test_freed);
    return g_test_run();
}
