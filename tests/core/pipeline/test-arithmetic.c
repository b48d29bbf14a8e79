/* tests/core/pipeline/test-arithmetic.c - SPDX-License-Identifier: MIT */
#include "adit-substitute.h"

static AditQuantity
lookup_cb(const char *word, gpointer user_data)
{
    if (g_strcmp0(word, "depth") == 0)
        return (AditQuantity){.is_integer = TRUE, .integer = 20, .number = 20};
    if (g_strcmp0(word, "drop-rate") == 0)
        return (AditQuantity){.number = 0.5};
    if (g_strcmp0(word, "n") == 0)
        return (AditQuantity){.is_integer = TRUE, .integer = -3, .number = -3};
    if (g_strcmp0(word, "l") == 0)
        return (AditQuantity){.opaque = TRUE};
    return (AditQuantity){.wrong = TRUE};
}

/* @result: the value; with something opaque in it, the text; the message of an error. */
static void
check(const char *text, const char *result)
{
    g_autoptr(GString) bound = g_string_new(NULL);
    g_autofree char *message = NULL, *got = NULL;
    AditQuantity quantity = adit_arithmetic(text, lookup_cb, NULL, bound, &message);

    if (message != NULL || quantity.wrong)
        got = g_strdup(message);
    else if (quantity.opaque)
        got = g_strdup(bound->str);
    else
        got = adit_quantity_to_string(quantity);
    g_assert_cmpstr(got, ==, result);
}

static void
test_values(void)
{
    check("1 + 2 * 3", "7");
    check("(1 + 2) * 3", "9");
    check("2 ^ 3 ^ 2", "512");
    check("-2 ^ 2", "4");
    check("10 - 2 - 3", "5");
    check("100 / 10 / 5", "2");
    check("depth / 2", "10");
    check("depth / 3", "6.666666666666667");
    check("depth / 8 * 2", "5");
    check("4 * drop-rate", "2");
    check("0.1 * 3", "0.30000000000000004");
    check("1 / 3", "0.3333333333333333");
    check("depth - n", "23");
    check("-depth", "-20");
    check("-(depth - 1)", "-19");
    check("0x10 + 1e2", "116");
    check("2 ^ 62", "4611686018427387904");
    check("2 ^ -1", "0.5");
    check("(-1) ^ 1000000000000", "1");
    check("0 ^ 0", "1");
    check("  depth  ", "20");
}

static void
test_opaque(void)
{
    check("l", "l");
    check("0.1 * l", "0.1 * l");
    check("depth * l + n", "20 * l + (-3)");
    check("(l - 1) / depth", "(l - 1) / 20");
}

static void
test_errors(void)
{
    check("", "$() is empty");
    check("1 +", "'+' stands between blanks in $(1 +)");
    check("1 + ", "$(1 + ) ends too early");
    check("1+2", "'+' stands between blanks in $(1+2)");
    check("(1 + 2", "')' is missing in $((1 + 2)");
    check("1 2", "an operator is missing before '2' in $(1 2)");
    check("1 / 0", "$(1 / 0) divides by zero");
    check("1.2.3", "'1.2.3' is not a number");
    check("9223372036854775807 + 1", "$(9223372036854775807 + 1) is too large an integer");
    check("10 ^ 19", "$(10 ^ 19) is too large an integer");
    check("10.5 ^ 1000", "$(10.5 ^ 1000) is not finite");
    check("* 2", "'*' has no meaning in $(* 2)");
    check("depth < 3", "an operator is missing before '< 3' in $(depth < 3)");
}

static void
test_depth(void)
{
    g_autofree char *open = g_strnfill(60000, '('), *minus = g_strnfill(60000, '-');
    g_autoptr(GString) power = g_string_new("2");

    check(open, "$(...) is nested deeper than 64");
    check(minus, "$(...) is nested deeper than 64");
    for (guint i = 0; i < 10000; i++)
        g_string_append(power, " ^ 1");
    check(power->str, "$(...) is nested deeper than 64");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pipeline/arithmetic/values", test_values);
    g_test_add_func("/pipeline/arithmetic/opaque", test_opaque);
    g_test_add_func("/pipeline/arithmetic/errors", test_errors);
    g_test_add_func("/pipeline/arithmetic/depth", test_depth);
    return g_test_run();
}
