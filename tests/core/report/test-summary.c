/* tests/core/report/test-summary.c - SPDX-License-Identifier: MIT */
#include "adit-scale.h"
#include "adit-summary.h"
#include "adit-text.h"

#include <math.h>

static void
assert_number(double value, const char *expected)
{
    g_autofree char *text = adit_number_to_text(value);

    g_assert_cmpstr(text, ==, expected);
}

static void
test_number(void)
{
    assert_number(0, "0");
    assert_number(762, "762");
    assert_number(-3, "-3");
    assert_number(0.021456, "0.02146");
    assert_number(0.5, "0.5000");
    assert_number(27.125, "27.12");
    assert_number(123456.7, "123457");
    assert_number(0.00001234567, "1.235e-05");
    assert_number(1.5e12 + 0.25, "1.500e+12");
    assert_number((double) NAN, "nan");
    assert_number((double) INFINITY, "inf");
    assert_number((double) -INFINITY, "-inf");
}

static void
assert_summary(const double *values, guint n, guint expected, const char *text)
{
    AditSummary summary;
    g_autofree char *got = NULL;

    adit_summary_init(&summary, values, n);
    got = adit_summary_to_text(&summary, expected);
    g_assert_cmpstr(got, ==, text);
}

#define ASSERT_SUMMARY(expected, text, ...)                                                        \
    assert_summary((const double[]){__VA_ARGS__},                                                  \
                   sizeof((const double[]){__VA_ARGS__}) / sizeof(double), expected, text)

/* The mean ends where the deviation's second digit does. */
static void
test_text(void)
{
    ASSERT_SUMMARY(3, "0.0251 ± 0.0015", 0.0236, 0.0251, 0.0266);
    ASSERT_SUMMARY(2, "0.9907 ± 0.0094", 0.984, 0.9973);
    ASSERT_SUMMARY(3, "1234 ± 321", 913, 1234, 1555);
    ASSERT_SUMMARY(2, "0.500 ± 0.014", 0.49, 0.51);
    ASSERT_SUMMARY(2, "-0.500 ± 0.014", -0.49, -0.51);
    ASSERT_SUMMARY(2, "0.693147 ± 1e-07", 0.6931471, 0.6931473);
    ASSERT_SUMMARY(2, "2.500e-06 ± 7.1e-07", 2e-6, 3e-6);
    ASSERT_SUMMARY(3, "0.5000", 0.5, 0.5, 0.5);
    ASSERT_SUMMARY(1, "762", 762);
    ASSERT_SUMMARY(3, "0.500 ± 0.014 (n = 2)", 0.49, 0.51);
    ASSERT_SUMMARY(2, "nan", 0.5, (double) NAN);
    ASSERT_SUMMARY(2, "inf", 0.5, (double) INFINITY);
    assert_summary(NULL, 0, 3, "-");
}

/* A failed point is told apart from one that is not there. */
static void
test_failed(void)
{
    AditSummary none = {.failed = 2}, some = {.n = 1, .failed = 2, .mean = 0.25};
    g_autofree char *text = adit_summary_to_text(&none, 3);
    g_autofree char *other = adit_summary_to_text(&some, 3);

    g_assert_cmpstr(text, ==, "failed");
    g_assert_cmpstr(other, ==, "0.2500 (n = 1, 2 failed)");
    none = (AditSummary){.diverged = 2};
    some.diverged = 1;
    g_free(text);
    g_free(other);
    text = adit_summary_to_text(&none, 3);
    other = adit_summary_to_text(&some, 3);
    g_assert_cmpstr(text, ==, "diverged");
    g_assert_cmpstr(other, ==, "0.2500 (n = 1, 2 failed, 1 diverged)");
}

/* Two passes: a large mean leaves the deviation exact. */
static void
test_deviation(void)
{
    const double values[] = {1e9 + 1, 1e9 + 2, 1e9 + 3};
    AditSummary summary;

    adit_summary_init(&summary, values, 3);
    g_assert_cmpfloat(summary.mean, ==, 1e9 + 2);
    g_assert_cmpfloat(summary.deviation, ==, 1);
    g_assert_cmpfloat(summary.low, ==, 1e9 + 1);
    g_assert_cmpfloat(summary.high, ==, 1e9 + 3);
}

static AditScale
scale_of(const double *numbers, guint n)
{
    g_autoptr(GArray) array = g_array_new(FALSE, FALSE, sizeof(double));
    AditScale scale;

    g_array_append_vals(array, numbers, n);
    adit_scale_init(&scale, array);
    return scale;
}

#define SCALE_OF(...)                                                                              \
    scale_of((const double[]){__VA_ARGS__}, sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

static void
assert_scale(AditScale scale, gboolean is_wide, double low, double high)
{
    g_assert_cmpint(scale.is_wide, ==, is_wide);
    g_assert_cmpfloat(scale.low, ==, low);
    g_assert_cmpfloat(scale.high, ==, high);
    g_assert_cmpfloat_with_epsilon(adit_scale_get(&scale, adit_scale_place(&scale, high)), high,
                                   1e-12 * fmax(fabs(high), 1));
}

static void
test_scale(void)
{
    assert_scale(SCALE_OF(0.5, 1, 0.9), FALSE, 0.5, 1);
    assert_scale(SCALE_OF(1000, 10, 24), TRUE, 10, 1000);
    assert_scale(SCALE_OF(10, 999), FALSE, 10, 999);
    assert_scale(SCALE_OF(-1, 1, 1000), FALSE, -1, 1000);
    assert_scale(SCALE_OF(0, 1, 1000), TRUE, 1, 1000);
    assert_scale(SCALE_OF(0, 0), FALSE, 0, 0);
    assert_scale(SCALE_OF((double) NAN, 2, (double) INFINITY, 5), FALSE, 2, 5);
    assert_scale(SCALE_OF(1e-300, 1), TRUE, 1e-9, 1);
    /* a spike of a loss takes nothing of the others' room */
    assert_scale(SCALE_OF(0.01, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 1e12),
                 TRUE, 0.01, 2000);
    assert_scale(scale_of(NULL, 0), FALSE, 0, 1);
}

/* One number in forty does not bend the scale of the others. */
static void
test_outlier(void)
{
    double numbers[40];

    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++)
        numbers[i] = 10 + i;
    numbers[7] = 0.001;
    assert_scale(scale_of(numbers, G_N_ELEMENTS(numbers)), FALSE, 0.001, 49);
}

static void
test_markdown(void)
{
    const char *const header[] = {"a", "b", NULL}, *const row[] = {"é ± 1", "12345", NULL};
    g_autoptr(GPtrArray) rows = g_ptr_array_new();
    g_autoptr(GString) text = g_string_new(NULL);

    g_ptr_array_add(rows, (gpointer) header);
    g_ptr_array_add(rows, (gpointer) row);
    adit_markdown_append_table(text, rows);
    g_assert_cmpstr(text->str, ==,
                    "| a     |     b |\n"
                    "| :---- | ----: |\n"
                    "| é ± 1 | 12345 |\n");
    g_string_truncate(text, 0);
    adit_markdown_append(text, "a|b *c* <d> `e` [f]\n");
    g_assert_cmpstr(text->str, ==, "a\\|b \\*c\\* &lt;d> \\`e\\` \\[f\\] ");
}

static void
test_csv(void)
{
    g_autoptr(GString) csv = g_string_new(NULL);

    adit_csv_append(csv, "");
    adit_csv_append(csv, "a,b");
    adit_csv_append(csv, "say \"x\"\nor y");
    adit_csv_append_number(csv, 0.1, TRUE);
    adit_csv_append_number(csv, 0.1, FALSE);
    adit_csv_append_number(csv, (double) NAN, TRUE);
    adit_csv_end_row(csv);
    g_assert_cmpstr(csv->str, ==, ",\"a,b\",\"say \"\"x\"\" or y\",0.1,,nan\n");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/report/summary/number", test_number);
    g_test_add_func("/report/summary/text", test_text);
    g_test_add_func("/report/summary/failed", test_failed);
    g_test_add_func("/report/summary/deviation", test_deviation);
    g_test_add_func("/report/scale/ends", test_scale);
    g_test_add_func("/report/scale/outlier", test_outlier);
    g_test_add_func("/report/text/markdown", test_markdown);
    g_test_add_func("/report/text/csv", test_csv);
    return g_test_run();
}
