/* tests/core/ops/test-matmul.c - SPDX-License-Identifier: MIT */
#include "kernel-test.h"

#include <math.h>

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

/* Sizes that are cut into blocks, some not whole: of depth, of columns, of lines; and lines far
 * apart. */
static void
test_large(gconstpointer transpose_b)
{
    check_matmul(5, 13, 1027, 71, GPOINTER_TO_INT(transpose_b));
    check_matmul(2, 35, 65, 1100, GPOINTER_TO_INT(transpose_b));
    check_matmul(1, 67, 300, 1041, GPOINTER_TO_INT(transpose_b));
}

/* @n products a row. */
static void
check_batch(gsize rows, gsize n, gsize i, gsize k, gsize j, guint way)
{
    AditBatchMatmulAttributes attributes = {way & 1, way & 2};
    g_auto(KernelTest) test = {.kernel = "batch-matmul",
                               .rows = rows,
                               .attributes = &attributes,
                               .output = {TRUE, ADIT_SHAPE(n, i, j)}};
    AditShape left = way & 1 ? ADIT_SHAPE(n, k, i) : ADIT_SHAPE(n, i, k);
    AditShape right = way & 2 ? ADIT_SHAPE(n, j, k) : ADIT_SHAPE(n, k, j);
    const double *a = kernel_test_add(&test, TRUE, left, FALSE)->values;
    const double *b = kernel_test_add(&test, TRUE, right, FALSE)->values;
    g_autofree double *expected = g_new0(double, rows *n *i *j);

    for (gsize e = 0; e < rows * n * i * j; e++) {
        gsize product = e / (i * j), line = e / j % i, column = e % j;

        for (gsize l = 0; l < k; l++)
            expected[e] += a[product * i * k + (way & 1 ? l * i + line : line * k + l)] *
                           b[product * k * j + (way & 2 ? column * k + l : l * j + column)];
    }
    kernel_test_check(&test, expected, PRODUCTS);
}

static void
test_batch(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        for (guint way = 0; way < 4; way++)
            check_batch(1 + i % 3, 1 + i % 2, sizes[i], sizes[(i + 3 * way + 1) % 13],
                        sizes[(i + 5 * way + 2) % 13], way);
    }
    check_batch(3, 4, 65, 65, 32, 0);
    check_batch(3, 4, 65, 32, 65, 2);
    check_batch(1, 1, 70, 270, 50, 3);
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
    check_rows("matmul-rows", 300, 3, 1027, 33);
    check_rows("matmul-rows", 600, 0, 67, 1030);
}

static void
test_outer(void)
{
    check_rows("matmul-outer", 1, 0, 5, 7);
    check_rows("matmul-outer", 1, 9, 17, 3);
}

static void
check_panels(gsize rows, gsize lead, gsize i, gsize j)
{
    g_auto(KernelTest)
        test = {.kernel = "matmul-rows", .rows = rows, .output = {FALSE, ADIT_SHAPE(i, j)}};

    kernel_test_add(&test, TRUE, lead > 1 ? ADIT_SHAPE(lead, i) : ADIT_SHAPE(i), FALSE);
    kernel_test_add(&test, TRUE, lead > 1 ? ADIT_SHAPE(lead, j) : ADIT_SHAPE(j), FALSE);
    kernel_test_check_panels(&test);
}

static void
test_panels(void)
{
    for (gsize width = 1; width <= 67; width += 3) {
        check_panels(97, 1, width, width);
        check_panels(70 + width, 1, width, 68 - width);
    }
    check_panels(50, 3, 5, 7);
    check_panels(290, 1, 1025, 35);
}

typedef struct {
    gsize lead, k, j;
    gboolean transpose_b;
    gboolean addend_rows;
} Fused;

/* What follows the product and the sum. */
typedef enum { NOTHING, RELU, ADD } Then;

/* The same as the operations one by one, each on what the other gave. */
static double *
run_unfused(const KernelTest *fused, AditIsa isa, gboolean f64, Then then)
{
    KernelTest product = *fused, sum = *fused, last = *fused;
    g_autofree double *products = NULL;
    double *sums;

    product.kernel = "matmul";
    product.n_inputs = 2;
    products = kernel_test_run(&product, isa, f64, 0, fused->rows);
    sum.kernel = "add";
    sum.n_inputs = 2;
    sum.inputs[0] = (Operand){TRUE, fused->output.shape, products};
    sum.inputs[1] = fused->inputs[2];
    sums = kernel_test_run(&sum, isa, f64, 0, fused->rows);
    if (then != NOTHING) {
        g_autofree double *before = sums;

        last.kernel = then == RELU ? "relu" : "add";
        last.n_inputs = then == RELU ? 1 : 2;
        last.inputs[0] = (Operand){TRUE, fused->output.shape, before};
        last.inputs[1] = fused->inputs[3];
        sums = kernel_test_run(&last, isa, f64, 0, fused->rows);
    }
    return sums;
}

static void
check_fused(const Fused *its, gsize rows, Then then)
{
    static const char *const kernels[] = {"matmul-add", "matmul-add-relu", "matmul-add-add"};
    AditMatmulAttributes attributes = {its->transpose_b};
    gsize k = its->k, j = its->j;
    gboolean leads = its->lead > 1;
    g_auto(KernelTest) test = {.kernel = kernels[then],
                               .rows = rows,
                               .attributes = &attributes,
                               .output = {TRUE, leads ? ADIT_SHAPE(its->lead, j) : ADIT_SHAPE(j)}};

    kernel_test_add(&test, TRUE, leads ? ADIT_SHAPE(its->lead, k) : ADIT_SHAPE(k), FALSE);
    kernel_test_add(&test, FALSE, its->transpose_b ? ADIT_SHAPE(j, k) : ADIT_SHAPE(k, j), FALSE);
    kernel_test_add(&test, its->addend_rows, test.output.shape, FALSE);
    if (then == ADD)
        kernel_test_add(&test, TRUE, test.output.shape, FALSE);
    test.inputs[0].values[0] = NAN;
    for (guint i = 0; i < 2 * ADIT_N_ISAS; i++) {
        g_autofree double *got = NULL;
        g_autofree double *expected = NULL;
        gsize n = kernel_test_count(&test, &test.output);

        if (!adit_isa_is_available((AditIsa) (i / 2)))
            continue;
        got = kernel_test_run(&test, (AditIsa) (i / 2), i % 2 == 1, 0, rows);
        expected = run_unfused(&test, (AditIsa) (i / 2), i % 2 == 1, then);
        g_assert_true(isnan(got[0]));
        g_assert_cmpmem(got, n * sizeof(double), expected, n * sizeof(double));
    }
}

static void
test_fused(void)
{
    for (gsize k = 1; k <= 67; k += 2) {
        Fused its = {1, k, (37 * k) % 67 + 1, k % 4 == 1, k % 8 < 4};

        check_fused(&its, 1 + k % 41, NOTHING);
        check_fused(&its, 1 + k % 23, RELU);
        check_fused(&its, 1 + k % 29, ADD);
        its.transpose_b = !its.transpose_b;
        its.addend_rows = !its.addend_rows;
        check_fused(&its, 2 + k % 33, RELU);
        check_fused(&its, 2 + k % 31, ADD);
    }
    for (Then then = RELU; then <= ADD; then++) {
        check_fused(&(Fused){3, 5, 19, FALSE, TRUE}, 7, then);
        check_fused(&(Fused){3, 5, 19, TRUE, FALSE}, 7, then);
        check_fused(&(Fused){1, 16, 16, FALSE, FALSE}, 32, then);
        check_fused(&(Fused){3, 300, 1030, FALSE, FALSE}, 30, then);
        check_fused(&(Fused){1, 1030, 67, TRUE, TRUE}, 70, then);
    }
}

/* The products over rows and the sums of their right factor, in one pass. */
static void
check_rows_sum(gsize lines, gsize columns, gsize rows)
{
    g_autofree double *sums = g_new(double, columns);
    g_auto(KernelTest) test = {.kernel = "matmul-rows-sum",
                               .rows = rows,
                               .output = {FALSE, ADIT_SHAPE(lines, columns)},
                               .further = {FALSE, ADIT_SHAPE(columns), sums}};

    kernel_test_add(&test, TRUE, ADIT_SHAPE(lines), FALSE);
    kernel_test_add(&test, TRUE, ADIT_SHAPE(columns), FALSE);
    for (guint i = 0; i < 2 * ADIT_N_ISAS; i++) {
        KernelTest product = test, sum = test;
        AditIsa isa = (AditIsa) (i / 2);

        if (!adit_isa_is_available(isa))
            continue;
        product.kernel = "matmul-rows";
        sum.kernel = "rows-sum";
        product.further = sum.further = (Operand){0};
        sum.output = (Operand){FALSE, ADIT_SHAPE(columns)};
        sum.inputs[0] = test.inputs[1];
        sum.n_inputs = 1;
        g_autofree double *got = kernel_test_run(&test, isa, i % 2 == 1, 0, rows);
        g_autofree double *products = kernel_test_run(&product, isa, i % 2 == 1, 0, rows);
        g_autofree double *expected = kernel_test_run(&sum, isa, i % 2 == 1, 0, rows);

        g_assert_cmpmem(got, lines * columns * sizeof(double), products,
                        lines * columns * sizeof(double));
        g_assert_cmpmem(sums, columns * sizeof(double), expected, columns * sizeof(double));
    }
}

static void
test_rows_sum(void)
{
    for (gsize k = 1; k <= 41; k++)
        check_rows_sum(k % 19 + 1, (37 * k) % 35 + 1, (11 * k) % 39 + 1);
    check_rows_sum(16, 16, 128);
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
    g_test_add_data_func("/ops/matmul/large", GINT_TO_POINTER(FALSE), test_large);
    g_test_add_data_func("/ops/matmul/large-transposed", GINT_TO_POINTER(TRUE), test_large);
    g_test_add_func("/ops/matmul/batch", test_batch);
    g_test_add_func("/ops/matmul/rows", test_rows);
    g_test_add_func("/ops/matmul/outer", test_outer);
    g_test_add_func("/ops/matmul/panels", test_panels);
    g_test_add_func("/ops/matmul/fused", test_fused);
    g_test_add_func("/ops/matmul/rows-sum", test_rows_sum);
    return g_test_run();
}
