/* core/device/adit-selftest-extrema.c - SPDX-License-Identifier: MIT */
#include "adit-selftest-expressions.h"
#include "adit-selftest-list.h"

#include <adit/adit-ops.h>

/* The cases of extrema with their numbers, and of what they lack of a margin. */

/* What extrema are taken of, along which axes; the first two are the quick test's. */
static const struct {
    AditShape shape;
    AditExtremaOf of;
    guint first, n_axes;
} extrema[] = {
    {{3, {3, 5, 5}}, ADIT_EXTREMA_OF_NUMBERS, 1, 2}, {{2, {4, 17}}, ADIT_EXTREMA_OF_EXTREMA, 0, 1},
    {{1, {1}}, ADIT_EXTREMA_OF_NUMBERS, 0, 1},       {{1, {129}}, ADIT_EXTREMA_OF_NUMBERS, 0, 1},
    {{3, {7, 3, 5}}, ADIT_EXTREMA_OF_NUMBERS, 0, 1}, {{2, {65, 17}}, ADIT_EXTREMA_OF_NUMBERS, 0, 1},
    {{2, {65, 17}}, ADIT_EXTREMA_OF_NUMBERS, 1, 1},  {{2, {65, 4}}, ADIT_EXTREMA_OF_NUMBERS, 0, 1},
    {{2, {4, 129}}, ADIT_EXTREMA_OF_EXTREMA, 0, 1},
};
#define QUICK_EXTREMA 2

/* @of_gradient: of a gradient, whose first input is of numbers of rows or along axes */
static AditSelftestCase *
add_extrema(AditSelftestList *list, const char *kernel, const char *target, AditSelftestBuild build,
            gboolean of_gradient, guint i)
{
    AditSelftestCase *self = adit_selftest_add_one(
        list, kernel, build, of_gradient ? ELEMENTS : MOVES, TRUE, extrema[i / 2].shape);

    self->target = target;
    self->numbers[0] = extrema[i / 2].of;
    self->numbers[1] = extrema[i / 2].first;
    self->numbers[2] = extrema[i / 2].n_axes;
    self->of_gradient = of_gradient;
    self->positions = 5;
    self->values[0] = of_gradient ? ADIT_VALUES_POSITIONS : ADIT_VALUES_ANY;
    self->spread = i % 2 == 0 ? ADIT_SPREAD_PLAIN : ADIT_SPREAD_SPRINKLED;
    return self;
}

/* A slice of one row is that row: what is found is found by the combining. */
static void
add_single_rows(AditSelftestCase *self)
{
    static const gsize rows[] = {8, 1, 2, 7};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        self->runs[self->n_runs++] = (AditSelftestRun){.rows = rows[i]};
}

static void
list_extrema(AditSelftestList *list)
{
    guint n = 2 * (list->full ? G_N_ELEMENTS(extrema) : QUICK_EXTREMA);

    for (guint i = 0; i < n; i++)
        add_extrema(list, "extrema", "extrema", adit_selftest_build_extrema, FALSE, i);
    for (guint i = 0; i < n; i++)
        add_extrema(list, "extrema-gradient", "extrema-gradient", adit_selftest_build_extrema, TRUE,
                    i);
    for (guint i = 0; i < n; i++)
        add_extrema(list, "rows-extrema", "rows-extrema", adit_selftest_build_extrema_rows, FALSE,
                    i);
    for (guint i = 0; i < n; i++)
        add_single_rows(add_extrema(list, "combine-extrema", "rows-extrema",
                                    adit_selftest_build_extrema_rows, FALSE, i));
    for (guint i = 0; i < n; i++)
        add_extrema(list, "rows-extrema-gradient", "rows-extrema-gradient",
                    adit_selftest_build_extrema_rows, TRUE, i);
}

static void
list_deficits(AditSelftestList *list)
{
    static const gsize sizes[] = {17, 1, 2, 64, 65, 129};
    guint n = list->full ? G_N_ELEMENTS(sizes) : 1;

    for (guint of_gradient = 0; of_gradient < 2; of_gradient++) {
        for (guint i = 0; i < 2 * n; i++) {
            AditSelftestCase *self = adit_selftest_add_one(
                list, of_gradient ? "rows-deficits-gradient" : "rows-deficits",
                adit_selftest_build_deficits_rows, ELEMENTS, TRUE, ADIT_SHAPE(4, sizes[i / 2]));

            self->of_gradient = of_gradient;
            self->spread = i % 2 == 0 ? ADIT_SPREAD_PLAIN : ADIT_SPREAD_SPRINKLED;
        }
    }
}

void
adit_selftest_list_extrema(AditSelftestList *list)
{
    list_extrema(list);
    list_deficits(list);
}
