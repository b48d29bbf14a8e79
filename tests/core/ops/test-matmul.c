/* tests/core/ops/test-matmul.c - SPDX-License-Identifier: MIT */
#include "kernel-test.h"

static const gsize sizes[] = {1, 2, 3, 4, 7, 8, 9, 14, 16, 17, 31, 33, 64};

static void
check_matmul(gsize rows, gsize lead, gsize k, gsize j, gboolean transpose_b)
{
    AditMatmulAttributes attributes = {transpose_b};
    AditShape left = lead > 0 ? ADIT_SHAPE(lead, k) : ADIT_SHAPE(k);
    AditShape right = transpose_b ? ADIT_SHAPE(j, k) : ADIT_SHAPE(k, j);
    gsize lines = rows * MAX(lead, 1);
    g_auto(KernelTest) test = {.kernel = "matmul",
                               .rows = rows,
                               .attributes = &attributes,
                               .output = {TRUE, lead > 0 ? ADIT_SHAPE(lead, j) : ADIT_SHAPE(j)}};
    const double *a = kernel_test_add(&test, TRUE, left, FALSE)->values;
    const double *b = kernel_test_add(&test, FALSE, right, FALSE)->values;
    g_autofree double *expected = g_new0(double, lines *j);

    for (gsize r = 0; r < lines; r++) {
        for (gsize n = 0; n < j; n++) {
            for (gsize i = 0; i < k; i++)
                expected[r * j + n] += a[r * k + i] * (transpose_b ? b[n * k + i] : b[i * j + n]);
        }
    }
    kernel_test_check(&test, expected, PRODUCTS);
}

static void
test_sizes(gconstpointer transpose_b)
{
    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        for (guint k = 0; k < G_N_ELEMENTS(sizes); k++)
            check_matmul(sizes[(i + k) % G_N_ELEMENTS(sizes)], 0, sizes[i], sizes[k],
                         GPOINTER_TO_INT(transpose_b));
    }
}

static void
test_wide(gconstpointer transpose_b)
{
    check_matmul(19, 0, 784, 128, GPOINTER_TO_INT(transpose_b));
    check_matmul(3, 0, 5, 301, GPOINTER_TO_INT(transpose_b));
}

static void
test_leading_axes(gconstpointer transpose_b)
{
    check_matmul(5, 13, 6, 11, GPOINTER_TO_INT(transpose_b));
    check_matmul(1, 3, 16, 16, GPOINTER_TO_INT(transpose_b));
}

static void
check_rows(const char *kernel, gsize rows, gsize lead, gsize i, gsize j)
{
    gboolean over_rows = g_str_equal(kernel, "matmul-rows");
    AditShape left = lead > 0 ? ADIT_SHAPE(lead, i) : ADIT_SHAPE(i);
    AditShape right = lead > 0 ? ADIT_SHAPE(lead, j) : ADIT_SHAPE(j);
    g_auto(KernelTest) test = {.kernel = kernel,
                               .combine = over_rows ? "combine-sum" : NULL,
                               .rows = rows,
                               .output = {FALSE, ADIT_SHAPE(i, j)}};
    const double *a = kernel_test_add(&test, over_rows, left, FALSE)->values;
    const double *b = kernel_test_add(&test, over_rows, right, FALSE)->values;
    g_autofree double *expected = g_new0(double, i *j);

    for (gsize r = 0; r < (over_rows ? rows : 1) * MAX(lead, 1); r++) {
        for (gsize k = 0; k < i * j; k++)
            expected[k] += a[r * i + k / j] * b[r * j + k % j];
    }
    kernel_test_check(&test, expected, PRODUCTS);
}

static void
test_rows(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        for (guint k = 0; k < G_N_ELEMENTS(sizes); k++)
            check_rows("matmul-rows", sizes[(i + 2 * k) % G_N_ELEMENTS(sizes)], 0, sizes[i],
                       sizes[k]);
    }
    check_rows("matmul-rows", 100, 3, 5, 7);
    check_rows("matmul-rows", 1024, 0, 16, 16);
}

static void
test_outer(void)
{
    check_rows("matmul-outer", 1, 0, 5, 7);
    check_rows("matmul-outer", 1, 9, 17, 3);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/ops/matmul/sizes", GINT_TO_POINTER(FALSE), test_sizes);
    g_test_add_data_func("/ops/matmul/sizes-transposed", GINT_TO_POINTER(TRUE), test_sizes);
    g_test_add_data_func("/ops/matmul/wide", GINT_TO_POINTER(FALSE), test_wide);
    g_test_add_data_func("/ops/matmul/wide-transposed", GINT_TO_POINTER(TRUE), test_wide);
    g_test_add_data_func("/ops/matmul/leading-axes", GINT_TO_POINTER(FALSE), test_leading_axes);
    g_test_add_data_func("/ops/matmul/leading-axes-transposed", GINT_TO_POINTER(TRUE),
                         test_leading_axes);
    g_test_add_func("/ops/matmul/rows", test_rows);
    g_test_add_func("/ops/matmul/outer", test_outer);
    return g_test_run();
}
