/* tests/core/ops/test-move.c - SPDX-License-Identifier: MIT */
#include "kernel-test.h"

#include <math.h>

/* Nothing is computed: results are equal, not near. */
#define EXACT 0

static void
test_transpose(void)
{
    static const guint orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                      {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    static const gsize sizes[] = {3, 4, 17};

    for (guint i = 0; i < G_N_ELEMENTS(orders); i++) {
        AditTransposeAttributes attributes = {{orders[i][0], orders[i][1], orders[i][2]}};
        g_auto(KernelTest)
            test = {.kernel = "transpose",
                    .rows = 9,
                    .attributes = &attributes,
                    .output = {TRUE, ADIT_SHAPE(sizes[orders[i][0]], sizes[orders[i][1]],
                                                sizes[orders[i][2]])}};
        gsize count = 3 * 4 * 17;
        g_autofree double *expected = g_new(double, 9 * count);

        kernel_test_add(&test, TRUE, ADIT_SHAPE(3, 4, 17), FALSE);
        for (gsize k = 0; k < 9 * count; k++) {
            gsize at = k % count, from[3] = {0};

            for (guint axis = 3; axis-- > 0; at /= test.output.shape.size[axis])
                from[orders[i][axis]] = at % test.output.shape.size[axis];
            expected[k] =
                kernel_test_get(&test, 0, k / count, (from[0] * 4 + from[1]) * 17 + from[2]);
        }
        kernel_test_check(&test, expected, EXACT);
    }
}

static void
test_transpose_scalar(void)
{
    AditTransposeAttributes attributes = {{0}};
    g_auto(KernelTest) test = {
        .kernel = "transpose", .rows = 5, .attributes = &attributes, .output = {TRUE, ADIT_SCALAR}};
    const double *x = kernel_test_add(&test, TRUE, ADIT_SCALAR, FALSE)->values;

    kernel_test_check(&test, x, EXACT);
}

/* [2, n, 3] for some n, the second without rows. */
static void
test_concat(void)
{
    static const gsize sizes[] = {1, 5, 2};
    AditConcatAttributes attributes = {1, 3};
    g_auto(KernelTest) test = {.kernel = "concat",
                               .rows = 9,
                               .attributes = &attributes,
                               .output = {TRUE, ADIT_SHAPE(2, 8, 3)}};
    double expected[9 * 2 * 8 * 3];

    for (guint i = 0; i < 3; i++)
        kernel_test_add(&test, i != 1, ADIT_SHAPE(2, sizes[i], 3), FALSE);
    for (gsize k = 0; k < G_N_ELEMENTS(expected); k++) {
        gsize row = k / 48, outer = k / 24 % 2, at = k / 3 % 8, inner = k % 3;
        guint i = 0;

        for (; at >= sizes[i]; i++)
            at -= sizes[i];
        expected[k] = kernel_test_get(&test, i, row, (outer * sizes[i] + at) * 3 + inner);
    }
    kernel_test_check(&test, expected, EXACT);
}

static void
check_slice(gsize full, gsize begin, gsize stride, gsize size, gsize inner)
{
    AditSliceAttributes attributes = {1, begin, stride, size, full, inner, 0};
    g_auto(KernelTest) test = {.kernel = "slice",
                               .rows = 8,
                               .attributes = &attributes,
                               .output = {TRUE, ADIT_SHAPE(2, size, inner)}};
    const double *x = kernel_test_add(&test, TRUE, ADIT_SHAPE(2, full, inner), FALSE)->values;
    g_autofree double *expected = g_new(double, 16 * size * inner);

    for (gsize k = 0; k < 16 * size * inner; k++)
        expected[k] =
            x[(k / inner / size * full + begin + k / inner % size * stride) * inner + k % inner];
    kernel_test_check(&test, expected, EXACT);
}

static void
test_slice(void)
{
    check_slice(7, 0, 1, 7, 1);
    check_slice(7, 2, 1, 3, 5);
    check_slice(7, 1, 2, 3, 1);
    check_slice(9, 0, 4, 3, 17);
}

static void
check_pad(gsize size, gsize begin, gsize stride, gsize full, gsize inner, double value)
{
    AditSliceAttributes attributes = {1, begin, stride, size, full, inner, value};
    g_auto(KernelTest) test = {.kernel = "pad",
                               .rows = 8,
                               .attributes = &attributes,
                               .output = {TRUE, ADIT_SHAPE(2, full, inner)}};
    const double *x = kernel_test_add(&test, TRUE, ADIT_SHAPE(2, size, inner), FALSE)->values;
    g_autofree double *expected = g_new(double, 16 * full * inner);

    for (gsize k = 0; k < 16 * full * inner; k++) {
        gsize at = k / inner % full, line = k / inner / full;
        gboolean is_inside =
            at >= begin && (at - begin) % stride == 0 && (at - begin) / stride < size;

        expected[k] =
            is_inside ? x[(line * size + (at - begin) / stride) * inner + k % inner] : value;
    }
    kernel_test_check(&test, expected, EXACT);
}

static void
test_pad(void)
{
    check_pad(3, 0, 1, 3, 1, 0);
    check_pad(3, 2, 1, 9, 5, -1.5);
    check_pad(3, 1, 3, 9, 2, 0);
}

static void
test_broadcast(void)
{
    AditShapeAttributes attributes = {ADIT_SHAPE(2, 3, 5)};
    g_auto(KernelTest) test = {.kernel = "broadcast",
                               .rows = 9,
                               .attributes = &attributes,
                               .output = {TRUE, attributes.shape}};
    const double *x = kernel_test_add(&test, TRUE, ADIT_SHAPE(3, 1), FALSE)->values;
    double expected[9 * 30];

    for (gsize k = 0; k < G_N_ELEMENTS(expected); k++)
        expected[k] = x[k / 30 * 3 + k / 5 % 3];
    kernel_test_check(&test, expected, EXACT);
}

static void
test_broadcast_rows(void)
{
    g_auto(KernelTest)
        test = {.kernel = "broadcast-rows", .rows = 9, .output = {TRUE, ADIT_SHAPE(5)}};
    const double *x = kernel_test_add(&test, FALSE, ADIT_SHAPE(5), FALSE)->values;
    double expected[9 * 5];

    for (gsize k = 0; k < G_N_ELEMENTS(expected); k++)
        expected[k] = x[k % 5];
    kernel_test_check(&test, expected, EXACT);
}

static void
test_gather(void)
{
    g_auto(KernelTest) test = {.kernel = "gather", .rows = 9, .output = {TRUE, ADIT_SHAPE(2, 3)}};
    const double *table = kernel_test_add(&test, FALSE, ADIT_SHAPE(7, 3), FALSE)->values;
    const double *index = kernel_test_add_numbers(&test, TRUE, ADIT_SHAPE(2), 7)->values;
    double expected[9 * 6];

    for (gsize k = 0; k < G_N_ELEMENTS(expected); k++)
        expected[k] = table[(gsize) index[k / 3] * 3 + k % 3];
    kernel_test_check(&test, expected, EXACT);
}

static void
test_gather_outside(void)
{
    static const double bad[] = {-1, 7, 1e30, NAN};
    g_auto(KernelTest) test = {.kernel = "gather", .rows = 4, .output = {TRUE, ADIT_SHAPE(3)}};
    g_autofree double *got = NULL;

    kernel_test_add(&test, FALSE, ADIT_SHAPE(7, 3), FALSE);
    memcpy(kernel_test_add_numbers(&test, TRUE, ADIT_SCALAR, 7)->values, bad, sizeof bad);
    got = kernel_test_run(&test, ADIT_ISA_PORTABLE, FALSE, 0, 4);
    for (guint i = 0; i < 12; i++)
        g_assert_true(isnan(got[i]));
}

static void
check_gather_gradient(gboolean rows)
{
    AditGatherAttributes attributes = {7};
    g_auto(KernelTest) test = {.kernel = rows ? "gather-gradient" : "gather-gradient-outer",
                               .combine = rows ? "combine-sum" : NULL,
                               .rows = rows ? 50 : 1,
                               .attributes = &attributes,
                               .output = {FALSE, ADIT_SHAPE(7, 3)}};
    const double *index = kernel_test_add_numbers(&test, rows, ADIT_SHAPE(2), 7)->values;
    const double *dy = kernel_test_add(&test, rows, ADIT_SHAPE(2, 3), FALSE)->values;
    double expected[21] = {0};

    for (gsize k = 0; k < test.rows * 6; k++)
        expected[(gsize) index[k / 3] * 3 + k % 3] += dy[k];
    kernel_test_check(&test, expected, ELEMENT_WISE);
    if (rows)
        kernel_test_check_panels(&test);
}

static void
test_gather_gradient(void)
{
    check_gather_gradient(TRUE);
    check_gather_gradient(FALSE);
}

static void
test_one_hot(void)
{
    AditGatherAttributes attributes = {5};
    g_auto(KernelTest) test = {
        .kernel = "one-hot", .rows = 9, .attributes = &attributes, .output = {TRUE, ADIT_SHAPE(5)}};
    const double *index = kernel_test_add_numbers(&test, TRUE, ADIT_SCALAR, 5)->values;
    double expected[45] = {0};

    for (gsize r = 0; r < 9; r++)
        expected[r * 5 + (gsize) index[r]] = 1;
    kernel_test_check(&test, expected, EXACT);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ops/move/transpose", test_transpose);
    g_test_add_func("/ops/move/transpose-scalar", test_transpose_scalar);
    g_test_add_func("/ops/move/concat", test_concat);
    g_test_add_func("/ops/move/slice", test_slice);
    g_test_add_func("/ops/move/pad", test_pad);
    g_test_add_func("/ops/move/broadcast", test_broadcast);
    g_test_add_func("/ops/move/broadcast-rows", test_broadcast_rows);
    g_test_add_func("/ops/gather/rows-of-a-table", test_gather);
    g_test_add_func("/ops/gather/outside", test_gather_outside);
    g_test_add_func("/ops/gather/gradient", test_gather_gradient);
    g_test_add_func("/ops/gather/one-hot", test_one_hot);
    return g_test_run();
}
