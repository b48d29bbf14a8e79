/* tests/core/infer/test-exit-fit.c - SPDX-License-Identifier: MIT */
#include "adit-exit-fit.h"
#include "adit-overthinking.h"

#include <math.h>

/* Thresholds, curves and overthinking of tables small enough to be done by hand. */

/* Four rows, two exits and the last answer, which cost 1, 2 and 4. */
static double costs[] = {1, 2, 4};
static double right[] = {1, 1, 1, /**/ 0, 1, 1, /**/ 0, 0, 1, /**/ 1, 1, 0};
static double sure[] = {0.9, 0.9, 0, /**/ 0.6, 0.8, 0, /**/ 0.7, 0.4, 0, /**/ 0.8, 0.7, 0};
static double distances[] = {0, 0, 0, /**/ 0.5, 0, 0, /**/ 1, 1, 0, /**/ 0.25, 0.25, 0};

static AditExitTable
make_table(void)
{
    return (AditExitTable){.rows = 4,
                           .n = 3,
                           .costs = costs,
                           .metrics = right,
                           .measures = sure,
                           .distances = distances,
                           .rises = TRUE,
                           .fixed = 3};
}

static void
assert_close(double got, double expected)
{
    g_assert_cmpfloat_with_epsilon(got, expected, 1e-12);
}

static void
assert_fit(const AditExitTable *table, const AditExitAim *aim, double metric, double cost)
{
    double thresholds[2];

    g_assert_true(adit_exit_fit(table, aim, thresholds));
    AditExitPoint point = adit_exit_table_weigh(table, thresholds, costs);

    assert_close(point.metric, metric);
    assert_close(point.cost, cost);
}

/* As the threshold falls: at 0.9 row 1 leaves at exit 1; at 0.8 row 4 there and row 2 at exit 2; at
 * 0.7 row 3 at exit 1, wrong; at 0.6 row 2 at exit 1, wrong. */
static void
test_curve(void)
{
    AditExitTable table = make_table();
    g_autoptr(AditExitCurve) curve = adit_exit_curve_new(&table, costs, 1000);
    const double metrics[] = {0.75, 0.75, 1, 0.75, 0.5};
    const double means[] = {4, 3.25, 2, 1.25, 1};
    const double shares[] = {0, 0, 1, 0.25, 0, 0.75, 0.5, 0.25, 0.25, 0.75, 0.25, 0, 1, 0, 0};

    g_assert_cmpuint(curve->points->len, ==, 5);
    for (guint i = 0; i < 5; i++) {
        assert_close(g_array_index(curve->points, AditExitPoint, i).metric, metrics[i]);
        assert_close(g_array_index(curve->points, AditExitPoint, i).cost, means[i]);
    }
    for (guint i = 0; i < G_N_ELEMENTS(shares); i++)
        assert_close(g_array_index(curve->shares, double, i), shares[i]);
    assert_close(g_array_index(curve->points, AditExitPoint, 2).threshold, 0.75);
}

static void
test_one(void)
{
    AditExitTable table = make_table();

    assert_fit(&table, &(AditExitAim){costs, -1, 0.75, FALSE}, 0.75, 1.25);
    assert_fit(&table, &(AditExitAim){costs, -1, 0.8, FALSE}, 1, 2);
    assert_fit(&table, &(AditExitAim){costs, 4, (double) NAN, FALSE}, 1, 2);
    assert_fit(&table, &(AditExitAim){costs, 1.9, (double) NAN, FALSE}, 0.75, 1.25);
    assert_fit(&table, &(AditExitAim){costs, 1, (double) NAN, FALSE}, 0.5, 1);
}

/* Row 3 is right at the end alone: it must stay, all others may leave as soon as they are right.
 * With one threshold row 2 cannot leave at exit 2 and row 3 go on any more cheaply; with one for
 * each neither: 1 + 2 + 4 + 1. At three quarters exit 1 lets rows 1, 4 and 3 go, and exit 2 row 2:
 * there is nothing cheaper either. */
static void
test_each(void)
{
    AditExitTable table = make_table();
    double other[] = {0.9, 0.1, 0, /**/ 0.6, 0.3, 0, /**/ 0.7, 0.2, 0, /**/ 0.8, 0.3, 0};

    assert_fit(&table, &(AditExitAim){costs, -1, 1, TRUE}, 1, 2);
    assert_fit(&table, &(AditExitAim){costs, -1, 0.75, TRUE}, 0.75, 1.25);
    /* exit 2 is less sure of everything: one threshold is either too strict there or too loose at
     * exit 1 */
    table.measures = other;
    assert_fit(&table, &(AditExitAim){costs, -1, 1, FALSE}, 1, 2.5);
    assert_fit(&table, &(AditExitAim){costs, -1, 1, TRUE}, 1, 2);
}

/* Measures that fall, strictly below the threshold; equal ones leave together. */
static void
test_falling(void)
{
    double unsure[] = {0.1, 0.1, 0, /**/ 0.4, 0.2, 0, /**/ 0.3, 0.6, 0, /**/ 0.2, 0.3, 0};
    AditExitTable table = make_table();
    double thresholds[2];

    table.measures = unsure;
    table.rises = FALSE;
    assert_fit(&table, &(AditExitAim){costs, 4, (double) NAN, FALSE}, 1, 2);
    g_assert_true(adit_exit_fit(&table, &(AditExitAim){costs, 4, (double) NAN, FALSE}, thresholds));
    assert_close(thresholds[0], 0.25);
}

static void
test_impossible(void)
{
    AditExitTable table = make_table();
    double thresholds[2];

    g_assert_false(
        adit_exit_fit(&table, &(AditExitAim){costs, 0.5, (double) NAN, FALSE}, thresholds));
    assert_close(adit_exit_table_weigh(&table, thresholds, costs).cost, 1);
}

/* A row that nobody is sure of answers with the surest of all. */
static void
test_fall_back(void)
{
    AditExitTable table = make_table();
    const double nobody[] = {2, 2};
    AditExitPoint point;

    table.most_confident = TRUE;
    point = adit_exit_table_weigh(&table, nobody, costs);
    assert_close(point.metric, 0.75); /* exits 1, 2, 1 and 1 */
    assert_close(point.cost, 4);
}

/* Half of all at exit 1: rows 1 and 4; a quarter at exit 2: of rows 2 and 3 the surer. */
static void
test_shares(void)
{
    AditExitTable table = make_table();
    double thresholds[2];
    double alike[] = {0.5, 0.5, 0, /**/ 0.5, 0.5, 0, /**/ 0.5, 0.5, 0, /**/ 0.5, 0.5, 0};

    adit_exit_fit_shares(&table, (double[]){0.5, 0.25}, thresholds);
    assert_close(thresholds[0], 0.75);
    assert_close(thresholds[1], 0.6);
    assert_close(adit_exit_table_weigh(&table, thresholds, costs).cost, (1 + 2 + 4 + 1) / 4.0);
    table.measures = alike;
    adit_exit_fit_shares(&table, (double[]){0.5, 0.25}, thresholds);
    assert_close(adit_exit_table_weigh(&table, thresholds, costs).cost, 4);
}

/* Where nobody arrives nothing is known of who is sure: nobody leaves. */
static void
test_nobody(void)
{
    AditExitTable table = make_table();
    double thresholds[2];

    adit_exit_fit_shares(&table, (double[]){1, 0}, thresholds);
    g_assert_cmpfloat(thresholds[1], ==, (double) INFINITY);
    assert_close(adit_exit_table_weigh(&table, thresholds, costs).cost, 1);
    table.rises = FALSE;
    adit_exit_fit_shares(&table, (double[]){1, 0}, thresholds);
    g_assert_cmpfloat(thresholds[1], ==, (double) -INFINITY);
    assert_close(adit_exit_table_weigh(&table, thresholds, costs).cost, 1);
}

/* A policy that does not ask has no thresholds to fit. */
static void
test_unasked(void)
{
    AditExitTable table = make_table();
    double thresholds[2];

    table.measures = NULL;
    g_test_expect_message("adit-infer", G_LOG_LEVEL_CRITICAL, "*measures != NULL*");
    g_assert_false(
        adit_exit_fit(&table, &(AditExitAim){costs, 4, (double) NAN, FALSE}, thresholds));
    g_test_assert_expected_messages();
}

static void
test_overthinking(void)
{
    AditExitTable table = make_table();
    g_autoptr(AditOverthinking) found = adit_overthinking_new(&table);
    const double any[] = {0.5, 0.75, 1}, first[] = {0.5, 0.25, 0.25};
    AditConfusion confusion = adit_confusion_measure(&table), scale = {1, 0.5, 0, 0};

    for (guint i = 0; i < 3; i++) {
        assert_close(found->any[i], any[i]);
        assert_close(found->first[i], first[i]);
    }
    assert_close(found->wasteful, 0.5);     /* rows 1 and 2 */
    assert_close(found->destructive, 0.25); /* row 4 */
    assert_close(confusion.mean, 0.75);
    assert_close(confusion.deviation, sqrt((0 + 0.25 + 4 + 0.25) / 4 - 0.5625));
    assert_close(confusion.right, 2.5 / 3);
    assert_close(confusion.wrong, 0.5);
    adit_confusion_standardize(&confusion, &scale);
    assert_close(confusion.wrong, -1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/infer/exit-fit/curve", test_curve);
    g_test_add_func("/infer/exit-fit/one", test_one);
    g_test_add_func("/infer/exit-fit/each", test_each);
    g_test_add_func("/infer/exit-fit/falling", test_falling);
    g_test_add_func("/infer/exit-fit/impossible", test_impossible);
    g_test_add_func("/infer/exit-fit/fall-back", test_fall_back);
    g_test_add_func("/infer/exit-fit/shares", test_shares);
    g_test_add_func("/infer/exit-fit/nobody", test_nobody);
    g_test_add_func("/infer/exit-fit/unasked", test_unasked);
    g_test_add_func("/infer/exit-fit/overthinking", test_overthinking);
    return g_test_run();
}
