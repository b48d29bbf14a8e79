/* tests/core/ops/test-reduce.c - SPDX-License-Identifier: MIT */
#include "kernel-test.h"

#include <math.h>

/* @n numbers, @step apart. */
typedef double (*Fold)(const double *x, gsize n, gsize step);

static double
fold_sum(const double *x, gsize n, gsize step)
{
    double sum = 0;

    for (gsize i = 0; i < n; i++)
        sum += x[i * step];
    return sum;
}

static double
fold_mean(const double *x, gsize n, gsize step)
{
    return fold_sum(x, n, step) / (double) n;
}

static double
fold_argmax(const double *x, gsize n, gsize step)
{
    gsize best = 0;

    for (gsize i = 0; i < n; i++)
        best = x[i * step] > x[best * step] ? i : best;
    return (double) best;
}

static double
fold_max(const double *x, gsize n, gsize step)
{
    return x[(gsize) fold_argmax(x, n, step) * step];
}

static double
fold_min(const double *x, gsize n, gsize step)
{
    double best = x[0];

    for (gsize i = 0; i < n; i++)
        best = MIN(best, x[i * step]);
    return best;
}

static const struct {
    const char *name;
    const char *rows_name;
    const char *combine;
    Fold fold;
} reductions[] = {
    {"reduce-sum", "rows-sum", "combine-sum", fold_sum},
    {"reduce-mean", "rows-mean", "combine-mean", fold_mean},
    {"reduce-max", "rows-max", "combine-max", fold_max},
    {"reduce-min", "rows-min", "combine-min", fold_min},
    {"reduce-argmax", NULL, NULL, fold_argmax},
};

static void
check_axes(guint which, gboolean has_rows, gsize outer, gsize size, gsize inner)
{
    AditReduceAttributes attributes = {1, 1, size, inner};
    g_auto(KernelTest) test = {.kernel = reductions[which].name,
                               .rows = has_rows ? 9 : 1,
                               .attributes = &attributes,
                               .output = {has_rows, ADIT_SHAPE(outer, inner)}};
    const double *x =
        kernel_test_add(&test, has_rows, ADIT_SHAPE(outer, size, inner), FALSE)->values;
    gsize lines = test.rows * outer;
    g_autofree double *expected = g_new(double, lines *inner);

    for (gsize i = 0; i < lines * inner; i++)
        expected[i] = reductions[which].fold(x + i / inner * size * inner + i % inner, size, inner);
    kernel_test_check(&test, expected, ELEMENT_WISE);
}

static void
test_axes(gconstpointer data)
{
    static const gsize sizes[][3] = {{1, 1, 1},  {1, 2, 1},  {3, 17, 1}, {2, 16, 1}, {1, 1000, 1},
                                     {2, 15, 1}, {2, 5, 3},  {1, 7, 16}, {1, 7, 17}, {3, 1, 33},
                                     {1, 9, 64}, {4, 31, 1}, {1, 33, 2}};

    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        check_axes(GPOINTER_TO_UINT(data), TRUE, sizes[i][0], sizes[i][1], sizes[i][2]);
        check_axes(GPOINTER_TO_UINT(data), FALSE, sizes[i][0], sizes[i][1], sizes[i][2]);
    }
}

/* Sums of either sign cancel, as those in products do. */
static void
test_rows(gconstpointer data)
{
    static const gsize counts[] = {1, 3, 16, 17, 33, 100};
    static const gsize rows[] = {1, 2, 7, 8, 9, 17, 100, 1001};
    guint which = GPOINTER_TO_UINT(data);

    for (guint i = 0; i < G_N_ELEMENTS(counts) * G_N_ELEMENTS(rows); i++) {
        gsize count = counts[i / G_N_ELEMENTS(rows)];
        g_auto(KernelTest) test = {.kernel = reductions[which].rows_name,
                                   .combine = reductions[which].combine,
                                   .rows = rows[i % G_N_ELEMENTS(rows)],
                                   .output = {FALSE, ADIT_SHAPE(count)}};
        const double *x = kernel_test_add(&test, TRUE, ADIT_SHAPE(count), FALSE)->values;
        g_autofree double *expected = g_new(double, count);

        for (gsize j = 0; j < count; j++)
            expected[j] = reductions[which].fold(x + j, test.rows, count);
        kernel_test_check(&test, expected, PRODUCTS);
        kernel_test_check_panels(&test);
    }
}

static void
test_broadcast_rows_mean(void)
{
    g_auto(KernelTest) test = {.kernel = "broadcast-rows-mean",
                               .rows = 13,
                               .batch_rows = 40,
                               .output = {TRUE, ADIT_SHAPE(5)}};
    const double *x = kernel_test_add(&test, FALSE, ADIT_SHAPE(5), FALSE)->values;
    double expected[13 * 5];

    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++)
        expected[i] = x[i % 5] / 40;
    kernel_test_check(&test, expected, ELEMENT_WISE);
}

static void
test_nan(void)
{
    static const gsize sizes[] = {1, 3, 16, 40};

    for (guint i = 0; i < G_N_ELEMENTS(sizes) * G_N_ELEMENTS(reductions) * ADIT_N_ISAS; i++) {
        AditIsa isa = (AditIsa) (i % ADIT_N_ISAS);
        guint which = i / ADIT_N_ISAS % G_N_ELEMENTS(reductions);
        gsize size = sizes[i / ADIT_N_ISAS / G_N_ELEMENTS(reductions)];
        AditReduceAttributes attributes = {0, 1, size, 1};
        g_auto(KernelTest) test = {.kernel = reductions[which].name,
                                   .rows = 1,
                                   .attributes = &attributes,
                                   .output = {TRUE, ADIT_SCALAR}};
        Operand *x = kernel_test_add(&test, TRUE, ADIT_SHAPE(size), FALSE);
        g_autofree double *got = NULL;

        if (!adit_isa_is_available(isa))
            continue;
        x->values[size / 2] = NAN;
        got = kernel_test_run(&test, isa, FALSE, 0, 1);
        if (reductions[which].combine != NULL)
            g_assert_true(isnan(got[0]));
        else
            g_assert_cmpfloat(got[0], ==, (double) (size / 2));
    }
}

static void
test_argmax_takes_the_first(void)
{
    AditReduceAttributes attributes = {0, 1, 4, 1};
    g_auto(KernelTest) test = {.kernel = "reduce-argmax",
                               .rows = 1,
                               .attributes = &attributes,
                               .output = {TRUE, ADIT_SCALAR}};
    static const double values[] = {1, 5, 5, 2};
    const double expected = 1;

    memcpy(kernel_test_add(&test, TRUE, ADIT_SHAPE(4), FALSE)->values, values, sizeof values);
    kernel_test_check(&test, &expected, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(reductions); i++) {
        g_autofree char *axes = g_strdup_printf("/ops/reduce/axes/%s", reductions[i].name);
        g_autofree char *rows = g_strdup_printf("/ops/reduce/rows/%s", reductions[i].name);

        g_test_add_data_func(axes, GUINT_TO_POINTER(i), test_axes);
        if (reductions[i].combine != NULL)
            g_test_add_data_func(rows, GUINT_TO_POINTER(i), test_rows);
    }
    g_test_add_func("/ops/reduce/broadcast-rows-mean", test_broadcast_rows_mean);
    g_test_add_func("/ops/reduce/nan", test_nan);
    g_test_add_func("/ops/reduce/argmax-takes-the-first", test_argmax_takes_the_first);
    return g_test_run();
}
