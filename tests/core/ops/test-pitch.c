/* tests/core/ops/test-pitch.c - SPDX-License-Identifier: MIT */
#include "kernel-test.h"

#include <stdlib.h>

/* Operands that lie feature by feature. */

static const gsize rows[] = {1, 15, 16, 17, 33, 64, 200, 300};

static void
check_product(gsize n, gsize lead, gsize k, gsize j, gboolean transpose_b)
{
    AditMatmulAttributes attributes = {transpose_b};
    AditShape left = lead > 1 ? ADIT_SHAPE(lead, k) : ADIT_SHAPE(k);
    AditShape result = lead > 1 ? ADIT_SHAPE(lead, j) : ADIT_SHAPE(j);
    g_auto(KernelTest)
        test = {.kernel = "matmul", .rows = n, .attributes = &attributes, .output = {TRUE, result}};

    kernel_test_add(&test, TRUE, left, FALSE);
    kernel_test_add(&test, FALSE, transpose_b ? ADIT_SHAPE(j, k) : ADIT_SHAPE(k, j), FALSE);
    kernel_test_check_pitched(&test, TRUE);
    kernel_test_add(&test, k % 2 == 0, result, FALSE);
    test.kernel = "matmul-add";
    kernel_test_check_pitched(&test, TRUE);
    test.kernel = "matmul-add-relu";
    kernel_test_check_pitched(&test, TRUE);
}

static void
test_products(void)
{
    for (gsize width = 1; width <= 19; width++) {
        for (guint i = 0; i < G_N_ELEMENTS(rows); i += 1 + width % 3)
            check_product(rows[i], 1, width, (5 * width) % 23 + 1, i % 2 == 0);
        check_product(rows[width % 8], 1, width, width, width % 2 == 0);
    }
    check_product(33, 3, 5, 4, FALSE);
    check_product(20, 3, 4, 7, TRUE);
}

static void
check_product_of_rows(gsize n, gsize lead, gsize i, gsize j)
{
    g_auto(KernelTest)
        test = {.kernel = "matmul-rows", .rows = n, .output = {FALSE, ADIT_SHAPE(i, j)}};

    kernel_test_add(&test, TRUE, lead > 1 ? ADIT_SHAPE(lead, i) : ADIT_SHAPE(i), FALSE);
    kernel_test_add(&test, TRUE, lead > 1 ? ADIT_SHAPE(lead, j) : ADIT_SHAPE(j), FALSE);
    kernel_test_check_pitched(&test, FALSE);
}

static void
test_products_of_rows(void)
{
    for (gsize width = 1; width <= 17; width++) {
        check_product_of_rows(rows[width % 8], 1, width, width);
        check_product_of_rows(rows[(3 * width) % 8], 1, width, (7 * width) % 13 + 1);
    }
    check_product_of_rows(200, 3, 4, 5);
    check_product_of_rows(300, 1, 37, 41);
}

static void
test_sums(void)
{
    static const char *const names[] = {"rows-sum", "rows-mean"};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        for (gsize count = 1; count <= 40; count = 2 * count + 1) {
            g_auto(KernelTest) test = {
                .kernel = names[i % 2], .rows = rows[i], .output = {FALSE, ADIT_SHAPE(count)}};

            kernel_test_add(&test, TRUE, ADIT_SHAPE(count), FALSE);
            kernel_test_check_pitched(&test, FALSE);
        }
    }
}

/* Operands as in the shapes' names: "r" for rows. */
static void
check_pointwise(const char *kernel, gsize n, AditShape result, const Operand *operands,
                guint n_operands)
{
    AditPointwiseAttributes attributes = {0.25};
    g_auto(KernelTest)
        test = {.kernel = kernel, .rows = n, .attributes = &attributes, .output = {TRUE, result}};

    for (guint i = 0; i < n_operands; i++)
        kernel_test_add(&test, operands[i].rows, operands[i].shape, TRUE);
    kernel_test_check_pitched(&test, TRUE);
}

static void
test_pointwise(void)
{
    const Operand full = {TRUE, ADIT_SHAPE(5), NULL}, bias = {FALSE, ADIT_SHAPE(5), NULL};
    const Operand number = {TRUE, ADIT_SHAPE(1), NULL}, constant = {FALSE, ADIT_SHAPE(), NULL};
    const Operand middle = {TRUE, ADIT_SHAPE(3, 1), NULL}, last = {FALSE, ADIT_SHAPE(4), NULL};
    const Operand all[] = {full, bias, number, constant};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        for (guint a = 0; a < G_N_ELEMENTS(all); a++) {
            for (guint b = 0; b < G_N_ELEMENTS(all); b++) {
                const Operand three[] = {all[a], all[b], full};

                check_pointwise("sub", rows[i], ADIT_SHAPE(5), (Operand[]){all[a], full}, 2);
                check_pointwise("mul", rows[i], ADIT_SHAPE(5), (Operand[]){full, all[b]}, 2);
                check_pointwise("select", rows[i], ADIT_SHAPE(5), three, 3);
            }
        }
        check_pointwise("relu", rows[i], ADIT_SHAPE(5), &full, 1);
        check_pointwise("copy", rows[i], ADIT_SHAPE(5), &bias, 1);
        check_pointwise("broadcast", rows[i], ADIT_SHAPE(5), &number, 1);
        check_pointwise("broadcast-rows", rows[i], ADIT_SHAPE(5), &bias, 1);
        check_pointwise("broadcast-rows-mean", rows[i], ADIT_SHAPE(5), &bias, 1);
        check_pointwise("add", rows[i], ADIT_SHAPE(3, 4), (Operand[]){middle, last}, 2);
        check_pointwise("add", rows[i], ADIT_SHAPE(3, 4), (Operand[]){last, middle}, 2);
    }
}

static void
test_reductions(void)
{
    static const char *const names[] = {"reduce-sum", "reduce-mean", "reduce-max", "reduce-min",
                                        "reduce-argmax"};

    for (guint i = 0; i < G_N_ELEMENTS(names) * G_N_ELEMENTS(rows); i++) {
        gsize size = 1 + i % 9, inner = i % 3 + 1;
        AditReduceAttributes attributes = {1, 1, size, inner};
        g_auto(KernelTest) test = {.kernel = names[i % G_N_ELEMENTS(names)],
                                   .rows = rows[i / G_N_ELEMENTS(names)],
                                   .attributes = &attributes,
                                   .output = {TRUE, ADIT_SHAPE(2, inner)}};

        kernel_test_add(&test, TRUE, ADIT_SHAPE(2, size, inner), FALSE);
        kernel_test_check_pitched(&test, FALSE);
    }
}

/* There and back; nothing but the padding is lost. */
static void
check_conversions(AditIsa isa, gsize n, gsize count)
{
    gsize pitch = (n + 15) / 16 * 16 + 16 * (count % 2);
    float *from = g_new(float, n *count), *back = g_new(float, n *count + 1);
    float *pitched = aligned_alloc(64, count * pitch * sizeof(float));
    AditKernelCall call = {.rows = n, .batch_rows = n, .pitch = pitch, .n_inputs = 1};

    for (gsize i = 0; i < n * count; i++)
        from[i] = (float) i;
    back[n * count] = -1;
    call.inputs[0] = (AditView){from, TRUE, ADIT_SHAPE(count), count};
    call.output = (AditView){pitched, TRUE, ADIT_SHAPE(count), count};
    adit_kernel_find("to-pitch", isa, FALSE)(&call);
    for (gsize i = 0; i < n * count; i++)
        g_assert_cmpfloat(pitched[i % count * pitch + i / count], ==, from[i]);
    call.inputs[0].data = pitched;
    call.output.data = back;
    adit_kernel_find("from-pitch", isa, FALSE)(&call);
    g_assert_cmpmem(back, n * count * sizeof(float), from, n * count * sizeof(float));
    g_assert_cmpfloat(back[n * count], ==, -1);
    g_free(from);
    g_free(back);
    free(pitched);
}

static void
test_conversions(void)
{
    for (guint isa = 0; isa < ADIT_N_ISAS; isa++) {
        if (!adit_isa_is_available((AditIsa) isa))
            continue;
        for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
            for (gsize count = 1; count <= 37; count++)
                check_conversions((AditIsa) isa, rows[i], count);
        }
    }
}

static void
test_names(void)
{
    g_assert_true(adit_kernel_takes_pitch("matmul-add-relu"));
    g_assert_true(adit_kernel_takes_pitch("relu-gradient"));
    g_assert_false(adit_kernel_takes_pitch("softmax"));
    g_assert_false(adit_kernel_takes_pitch("combine-sum"));
    g_assert_false(adit_kernel_takes_pitch("no-such-operation"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ops/pitch/products", test_products);
    g_test_add_func("/ops/pitch/products-of-rows", test_products_of_rows);
    g_test_add_func("/ops/pitch/sums", test_sums);
    g_test_add_func("/ops/pitch/pointwise", test_pointwise);
    g_test_add_func("/ops/pitch/reductions", test_reductions);
    g_test_add_func("/ops/pitch/conversions", test_conversions);
    g_test_add_func("/ops/pitch/names", test_names);
    return g_test_run();
}
