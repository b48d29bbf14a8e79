/* tests/plugins/test-units.c - SPDX-License-Identifier: MIT */

/* Dead, linear and nonlinear units and points, counted by hand. */

#include <adit/adit-probe.h>

#include "plugin-test.h"

#define N_COLUMNS 17

enum { SPACE, POSITION };

/* Units 0 linear, 1 dead, 2 neither. */
static const float dense[] = {1, -1, 2, 2, -3, -1, 3, 0, -5};
/* Channel 1 is dead, and so is sample 1. */
static const float map[] = {1, 2, -1, -2, -1, -1, -3, -4};
static const float tokens[] = {1, -1, 2, -2, -1, -3, -1, -4};

static void
check(int scope, const AditShape *shape, gsize samples, const float *values, const double *expected)
{
    g_autoptr(AditProbe) probe = make_component("probe", "units", "scope", scope, NULL);
    const AditFeatures features = {
        .address = "trunk.1:pre", .shape = *shape, .samples = samples, .values = values};
    double found[N_COLUMNS] = {0};
    const char *const *columns = ADIT_PROBE_GET_CLASS(probe)->columns;

    g_assert_cmpuint(g_strv_length((char **) columns), ==, N_COLUMNS);
    g_autoptr(GError) error = NULL;
    AditFindings findings = {.values = found};

    g_assert_true(ADIT_PROBE_GET_CLASS(probe)->measure(probe, &features, &findings, &error));
    g_assert_no_error(error);
    for (guint i = 0; i < N_COLUMNS; i++) {
        g_test_message("%s", columns[i]);
        g_assert_cmpfloat_with_epsilon(found[i], expected[i], 1e-12);
    }
}

static void
test_dense(void)
{
    const double expected[N_COLUMNS] = {3, 1,       1,       1, 3, 0,       0,        3,          0,
                                        0, 1.0 / 3, 1.0 / 3, 0, 0, 5.0 / 9, 1.0 / 27, 125.0 / 729};

    check(SPACE, &ADIT_SHAPE(3), 3, dense, expected);
    check(POSITION, &ADIT_SHAPE(3), 3, dense, expected);
}

/* A dead layer, all of whose points are dead; a linear one. */
static void
test_stable(void)
{
    const float dead[] = {0, -1, -2, 0}, linear[] = {1, 2, 3, 4};

    check(SPACE, &ADIT_SHAPE(2), 2, dead,
          (double[N_COLUMNS]){2, 2, 0, 0, 2, 2, 0, 0, 1, 0, 1, 0, 1, 0, 1, 1, 1});
    check(SPACE, &ADIT_SHAPE(2), 2, linear,
          (double[N_COLUMNS]){2, 0, 2, 0, 2, 0, 2, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0});
}

static void
test_map(void)
{
    const double space[N_COLUMNS] = {2, 1, 0, 1, 2, 1, 0, 1, 0, 0, .5, 0, .5, 0, .75, .25, .5625};
    const double position[N_COLUMNS] = {4, 2,  0, 2,  4, 2,   0,     2,    0,
                                        0, .5, 0, .5, 0, .75, .0625, .5625};

    check(SPACE, &ADIT_SHAPE(2, 1, 2), 2, map, space);
    check(POSITION, &ADIT_SHAPE(2, 1, 2), 2, map, position);
    check(SPACE, &ADIT_SHAPE(2, 2), 2, tokens, space);
    check(POSITION, &ADIT_SHAPE(2, 2), 2, tokens, position);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/units/dense", test_dense);
    g_test_add_func("/units/stable", test_stable);
    g_test_add_func("/units/map", test_map);
    return g_test_run();
}
