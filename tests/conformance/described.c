/* tests/conformance/described.c - SPDX-License-Identifier: MIT */
#include <adit/adit-dataset.h>

#include "conformance.h"

#include <math.h>

/* How a component and its parameters are described, and what values its parameters take. */

gboolean
is_kebab(const char *name)
{
    return g_regex_match_simple("^([a-z][a-z0-9-]*:)?[a-z][a-z0-9]*(-[a-z0-9]+)*$", name,
                                G_REGEX_DOLLAR_ENDONLY, 0);
}

static void
assert_blurb(const char *name, const char *blurb)
{
    if (blurb == NULL || blurb[0] == '\0' || g_str_has_suffix(blurb, ".") ||
        strchr(blurb, '\n') != NULL)
        g_test_message("blurb of '%s': %s", name, blurb != NULL ? blurb : "none");
    g_assert_nonnull(blurb);
    g_assert_cmpuint(strlen(blurb), >, 0);
    g_assert_false(g_str_has_suffix(blurb, "."));
    g_assert_null(strchr(blurb, '\n'));
}

static void
test_described(const AditPlugin *plugin)
{
    g_autoptr(AditComponentClass) klass = g_type_class_ref(plugin->type);
    g_autoptr(GPtrArray) parameters = adit_component_class_list_parameters(klass);

    g_assert_cmpstr(klass->kind, ==, plugin->kind);
    g_assert_cmpstr(klass->name, ==, plugin->name);
    g_assert_true(is_kebab(klass->name));
    assert_blurb(klass->name, klass->blurb);
    for (guint i = 0; i < parameters->len; i++) {
        const AditParameter *parameter = parameters->pdata[i];
        g_assert_true(is_kebab(parameter->name));
        assert_blurb(parameter->name, parameter->blurb);
    }
}

/* By validation: g_param_value_is_valid() of GLib 2.74 rounds numbers to float32 first. */
static gboolean
fits(const AditParameter *parameter, const GValue *value)
{
    g_auto(GValue) copy = G_VALUE_INIT;

    g_value_init(&copy, parameter->pspec->value_type);
    g_value_copy(value, &copy);
    return !g_param_value_validate(parameter->pspec, &copy);
}

static void
test_defaults(const AditPlugin *plugin)
{
    g_autoptr(AditComponentClass) klass = g_type_class_ref(plugin->type);
    g_autoptr(GPtrArray) parameters = adit_component_class_list_parameters(klass);
    g_autoptr(GObject) component = g_object_new(plugin->type, NULL);

    for (guint i = 0; i < parameters->len; i++) {
        const AditParameter *parameter = parameters->pdata[i];
        g_auto(GValue) value = G_VALUE_INIT;
        g_value_init(&value, parameter->pspec->value_type);
        g_object_get_property(component, parameter->name, &value);
        if (parameter->type == ADIT_PARAMETER_REFERENCE) {
            g_assert_null(g_value_get_object(&value));
            continue;
        }
        /* what a dataset holds out when nobody says is its class's matter */
        if (ADIT_IS_DATASET(component) && g_str_equal(parameter->name, "test"))
            g_value_set_boxed(&value, &ADIT_DATASET_GET_CLASS(component)->default_test);
        if (!fits(parameter, &value))
            g_test_message("default of '%s'", parameter->name);
        g_assert_true(fits(parameter, &value));
    }
}

/* A value of the parameter's type; FALSE: it has no numbers. */
static gboolean
set_number(const AditParameter *parameter, double number, GValue *value)
{
    g_value_init(value, parameter->pspec->value_type);
    switch (parameter->type) {
    case ADIT_PARAMETER_INT:
        g_value_set_int64(value, (gint64) number);
        return TRUE;
    case ADIT_PARAMETER_NUMBER:
        g_value_set_double(value, number);
        return TRUE;
    case ADIT_PARAMETER_CHOICE:
        g_value_set_int(value, (int) number);
        return TRUE;
    case ADIT_PARAMETER_AMOUNT:
        g_value_set_boxed(value, &(AditAmount){.value = number});
        return TRUE;
    case ADIT_PARAMETER_LIVE:
        g_value_take_boxed(value, adit_live_new(number));
        return TRUE;
    case ADIT_PARAMETER_NUMBERS: {
        GArray *numbers = g_array_new(FALSE, FALSE, sizeof(double));
        g_array_append_val(numbers, number);
        g_value_take_boxed(value, numbers);
        return TRUE;
    }
    case ADIT_PARAMETER_BOOLEAN:
    case ADIT_PARAMETER_TEXT:
    case ADIT_PARAMETER_PATH:
    case ADIT_PARAMETER_TEXTS:
    case ADIT_PARAMETER_ADDRESSES:
    case ADIT_PARAMETER_REFERENCE:
    default:
        return FALSE;
    }
}

static void
assert_fits(const AditParameter *parameter, double number, gboolean expected)
{
    g_auto(GValue) value = G_VALUE_INIT;

    if (!set_number(parameter, number, &value))
        return;
    if (fits(parameter, &value) != expected)
        g_test_message("'%s' = %.17g", parameter->name, number);
    g_assert_true(fits(parameter, &value) == expected);
}

static void
check_range(const AditParameter *parameter)
{
    gboolean whole = parameter->type == ADIT_PARAMETER_INT ||
                     (parameter->type == ADIT_PARAMETER_NUMBERS && parameter->whole) ||
                     (parameter->type == ADIT_PARAMETER_AMOUNT &&
                      (parameter->form == ADIT_FORM_COUNT || parameter->form == ADIT_FORM_WIDTH));
    double min = parameter->min, max = parameter->max;
    guint n_words = parameter->words != NULL ? g_strv_length((char **) parameter->words) : 0;

    assert_fits(parameter, min, TRUE);
    if (n_words == 0) {
        assert_fits(parameter, whole ? min - 1 : min - 1e-9 * MAX(1, fabs(min)), FALSE);
    } else {
        assert_fits(parameter, -(double) n_words, TRUE);
        assert_fits(parameter, -1.0 - n_words, FALSE);
    }
    if (parameter->type == ADIT_PARAMETER_INT && max >= (double) G_MAXINT64)
        return;
    if (max < G_MAXDOUBLE) {
        assert_fits(parameter, max, TRUE);
        assert_fits(parameter, whole ? max + 1 : max + 1e-9 * MAX(1, fabs(max)), FALSE);
    }
    if (parameter->type != ADIT_PARAMETER_INT) {
        assert_fits(parameter, (double) NAN, FALSE);
        assert_fits(parameter, HUGE_VAL, FALSE);
    }
    if (whole && parameter->type != ADIT_PARAMETER_INT)
        assert_fits(parameter, min + 0.5, FALSE);
}

static void
test_refuses(const AditPlugin *plugin)
{
    g_autoptr(AditComponentClass) klass = g_type_class_ref(plugin->type);
    g_autoptr(GPtrArray) parameters = adit_component_class_list_parameters(klass);

    for (guint i = 0; i < parameters->len; i++) {
        const AditParameter *parameter = parameters->pdata[i];
        switch (parameter->type) {
        case ADIT_PARAMETER_CHOICE: {
            guint n = g_strv_length((char **) parameter->words);
            g_assert_cmpuint(n, >, 1);
            assert_fits(parameter, 0, TRUE);
            assert_fits(parameter, n - 1, TRUE);
            assert_fits(parameter, -1, FALSE);
            assert_fits(parameter, n, FALSE);
            break;
        }
        case ADIT_PARAMETER_INT:
        case ADIT_PARAMETER_NUMBER:
        case ADIT_PARAMETER_AMOUNT:
        case ADIT_PARAMETER_LIVE:
        case ADIT_PARAMETER_NUMBERS:
            check_range(parameter);
            break;
        case ADIT_PARAMETER_BOOLEAN:
        case ADIT_PARAMETER_TEXT:
        case ADIT_PARAMETER_PATH:
        case ADIT_PARAMETER_TEXTS:
        case ADIT_PARAMETER_ADDRESSES:
        case ADIT_PARAMETER_REFERENCE:
        default:
            break;
        }
    }
}

/* The example works, is equal to itself made again, and to nothing else. */
static void
test_example(const AditPlugin *plugin)
{
    g_autoptr(AditComponent) a = make_example(plugin);
    g_autoptr(AditComponent) b = make_example(plugin);

    g_assert_true(adit_component_equal(a, b));
}

void
add_described(const AditPlugin *plugin)
{
    add_case(plugin, "described", test_described);
    add_case(plugin, "defaults", test_defaults);
    add_case(plugin, "refuses", test_refuses);
    add_case(plugin, "example", test_example);
}
