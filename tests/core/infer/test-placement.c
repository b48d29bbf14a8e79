/* tests/core/infer/test-placement.c - SPDX-License-Identifier: MIT */
#include "adit-placement.h"

#include <math.h>

/* The survey's rules of placement on numbers done by hand: two exits. The trunk costs 10, 10 more
 * and 20 more; the heads 2 and 4. */
static const double trunk[] = {10, 20, 40};
static const double alone[] = {12, 24};

/* Ten rows; six are sure at exit 1, one of the others at exit 2. */
#define ROWS 10
static double right[ROWS * 3], sure[ROWS * 3];
static double thresholds[] = {0.5, 0.5, 0};

static AditExitTable
make_table(void)
{
    for (guint row = 0; row < ROWS; row++) {
        sure[row * 3] = row < 6;
        sure[row * 3 + 1] = row < 7;
        for (guint i = 0; i < 3; i++)
            right[row * 3 + i] = 1;
    }
    right[0] = 0; /* the first row is wrong at exit 1 */
    return (AditExitTable){.rows = ROWS,
                           .n = 3,
                           .metrics = right,
                           .measures = sure,
                           .thresholds = thresholds,
                           .rises = TRUE,
                           .fixed = 3};
}

static void
assert_kept(const gboolean *kept, gboolean first, gboolean second)
{
    g_assert_cmpint(kept[0], ==, first);
    g_assert_cmpint(kept[1], ==, second);
}

static void
assert_close(double got, double expected)
{
    g_assert_cmpfloat_with_epsilon(got, expected, 1e-12);
}

static void
test_prices(void)
{
    g_autoptr(AditExitPrices) prices = adit_exit_prices_new(2, trunk, alone);

    assert_close(prices->trunk[0], 10);
    assert_close(prices->trunk[1], 20);
    assert_close(prices->trunk[2], 40);
    assert_close(prices->heads[0], 2);
    assert_close(prices->heads[1], 4);
    /* times that contradict each other */
    g_autoptr(AditExitPrices) odd =
        adit_exit_prices_new(2, (double[]){10, 9, 40}, (double[]){8, 12});

    assert_close(odd->trunk[1], 10);
    assert_close(odd->heads[0], 0);
    assert_close(odd->heads[1], 2);
}

/* gamma is 12, 24, 40. Of all rows 0.4 come to exit 2 and 0.3 to the end:
 *   exit 1: (24 - 12) 0.6 = 7.2 > 12 * 0.4 = 4.8;  exit 2: (40 - 24) 0.1 = 1.6 > 24 * 0.3 = 7.2: no
 */
static void
test_inequality(void)
{
    g_autoptr(AditExitPrices) prices = adit_exit_prices_new(2, trunk, alone);
    gboolean kept[2];

    adit_placement_by_inequality(prices, (double[]){1, 0.4, 0.3}, kept);
    assert_kept(kept, TRUE, FALSE);
    /* 12 * 0.5 = 6 > 12 * 0.5 = 6: no; 16 * 0.5 = 8 > 0: yes */
    adit_placement_by_inequality(prices, (double[]){1, 0.5, 0}, kept);
    assert_kept(kept, FALSE, TRUE);
}

/* With TH = 1: exit 1: (1 - 0.4) 10 - (1 - 0.4) 2 = 4.8 >= 0; exit 2: cm = 0.75, 0.25 * 20 - 0.25 *
 * 4 = 4 >= 0. With TH = 0.9: exit 1: 0.5 * 10 - 0.6 * 2 - 0.1 * 10 = 2.8; exit 2: 0.15 * 20 - 0.25
 * * 4 - 0.1 * 10 = 1. With TH = 0.8: exit 1: 0.4 * 10 - 1.2 - 2 = 0.8; exit 2: 0.05 * 20 - 1 - 2 =
 * -2. With TH = 0.6: exit 1: 0.2 * 10 - 1.2 - 4 < 0, so it is dropped: all ten come to exit 2 and
 * seven leave there, cm = 0.3, behind 20: 0.3 * 20 - 0.7 * 4 - 0.4 * 20 < 0; with TH = 0.7 exit 1:
 * 0.3 * 10 - 1.2 - 3 < 0, exit 2: 0.4 * 20 - 2.8 - 0.3 * 20 = -0.8 < 0; with TH = 0.75 exit 1: 0.35
 * * 10 - 1.2 - 2.5 = -0.2 < 0, exit 2: 0.45 * 20 - 2.8 - 0.25 * 20 = 1.2 >= 0. */
static void
test_greedy(void)
{
    AditExitTable table = make_table();
    g_autoptr(AditExitPrices) prices = adit_exit_prices_new(2, trunk, alone);
    const double th[] = {1, 0.9, 0.8, 0.75, 0.7, 0.6};
    const gboolean expected[][2] = {{1, 1}, {1, 1}, {1, 0}, {0, 1}, {0, 0}, {0, 0}};
    gboolean kept[2];

    for (guint i = 0; i < G_N_ELEMENTS(th); i++) {
        adit_placement_greedily(&table, prices, th[i], kept);
        assert_kept(kept, expected[i][0], expected[i][1]);
    }
}

/* Both: 6 * 12 + 26 + 3 * 46 = 236; exit 1 alone: 6 * 12 + 4 * 42 = 240; exit 2 alone: 7 * 24 + 3 *
 * 44 = 300; none: 400. Exit 1 has one row wrong. */
static void
test_exhaustive(void)
{
    AditExitTable table = make_table();
    g_autoptr(AditExitPrices) prices = adit_exit_prices_new(2, trunk, alone);
    gboolean kept[2];
    double cost, metric;

    g_assert_true(adit_placement_exhaustively(&table, prices, 0.9, kept));
    assert_kept(kept, TRUE, TRUE);
    adit_placement_weigh(&table, prices, kept, &cost, &metric);
    assert_close(cost, 23.6);
    assert_close(metric, 0.9);
    g_assert_true(adit_placement_exhaustively(&table, prices, 1, kept));
    assert_kept(kept, FALSE, TRUE);
    adit_placement_weigh(&table, prices, kept, &cost, &metric);
    assert_close(cost, 30);
    g_assert_false(adit_placement_exhaustively(&table, prices, 1.1, kept));
    adit_placement_weigh(&table, prices, (gboolean[]){TRUE, FALSE}, &cost, &metric);
    assert_close(cost, 24);
}

/* At exit 1 five of six are right, and five of them are of class 2; at exit 2 the one row is right,
 * as is any class that is always said. */
static void
test_constants(void)
{
    AditExitTable table = make_table();
    const double same[ROWS] = {2, 2, 2, 2, 2, 1, 0, 0, 0, 0};
    const double mixed[ROWS] = {2, 2, 2, 1, 1, 1, 0, 0, 0, 0};
    double constant[2], adaptive[2];
    gboolean kept[2];

    adit_placement_against_constants(&table, same, constant, adaptive, kept);
    assert_close(constant[0], 5.0 / 6);
    assert_close(adaptive[0], 5.0 / 6);
    assert_kept(kept, FALSE, FALSE);
    adit_placement_against_constants(&table, mixed, constant, adaptive, kept);
    assert_close(constant[0], 0.5);
    assert_close(constant[1], 1);
    assert_kept(kept, TRUE, FALSE);
}

static void
test_nearest(void)
{
    const double costs[] = {10, 20, 30, 60};

    g_assert_cmpuint(adit_placement_find_nearest(costs, 4, 0), ==, 0);
    g_assert_cmpuint(adit_placement_find_nearest(costs, 4, 15), ==, 0);
    g_assert_cmpuint(adit_placement_find_nearest(costs, 4, 46), ==, 3);
    g_assert_cmpuint(adit_placement_find_nearest(costs, 3, 46), ==, 2);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/infer/placement/prices", test_prices);
    g_test_add_func("/infer/placement/inequality", test_inequality);
    g_test_add_func("/infer/placement/greedy", test_greedy);
    g_test_add_func("/infer/placement/exhaustive", test_exhaustive);
    g_test_add_func("/infer/placement/constants", test_constants);
    g_test_add_func("/infer/placement/nearest", test_nearest);
    return g_test_run();
}
