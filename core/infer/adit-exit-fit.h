/* core/infer/adit-exit-fit.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-exit-table.h"

G_BEGIN_DECLS

/**
 * AditExitAim: what thresholds are fitted to.
 * @costs: (array length=n): of each answer, in the unit of @budget
 * @budget: the most that a row may cost on average; negative: cost is made small instead
 * @metric: the least mean metric; NaN: the metric is made large instead
 * @each: a threshold for each exit; else one for all
 */
typedef struct {
    const double *costs;
    double budget;
    double metric;
    gboolean each;
} AditExitAim;

/**
 * AditExitPoint: what some thresholds come to.
 * @threshold: one for all exits
 */
typedef struct {
    double threshold;
    double metric;
    double cost;
} AditExitPoint;

/**
 * AditExitCurve: what one threshold for all exits comes to, from where nobody leaves early to where
 * all do.
 * @points: (element-type AditExitPoint)
 * @shares: (element-type double): n a point: of rows that leave with each answer
 */
typedef struct {
    GArray *points;
    GArray *shares;
} AditExitCurve;

/**
 * adit_exit_fit:
 * @table: of a policy that asks, with a metric of which more is better
 * @thresholds: (array length=n-1): (out): of each exit
 *
 * Fits thresholds to the rows of @table. One threshold is the best of all that tell rows apart
 * (the survey's section 6 describes an iteration that converges to it). A threshold for each exit:
 * from there on they are improved one after the other, the others as they are, as long as that
 * helps; what is found is no worse than one threshold, but need not be the best there is. Of equal
 * metrics the smaller cost is taken, and the other way round.
 *
 * Returns: FALSE: no thresholds come to that; they are then those that come nearest
 */
gboolean adit_exit_fit(const AditExitTable *table, const AditExitAim *aim, double *thresholds);

/* Thresholds that let, of all rows, @shares leave at the exits, each of those that arrive the
 * surest, as many as are left of its share (Huang et al., "Multi-scale dense networks", budgeted
 * batches). */
void adit_exit_fit_shares(const AditExitTable *table, const double *shares, double *thresholds);

/* At most so many points, evenly spread over the cost. @costs: as in AditExitAim */
AditExitCurve *adit_exit_curve_new(const AditExitTable *table, const double *costs, guint n_points);
void adit_exit_curve_free(AditExitCurve *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditExitCurve, adit_exit_curve_free)

/* Mean metric and cost of all rows under @thresholds. */
AditExitPoint adit_exit_table_weigh(const AditExitTable *table, const double *thresholds,
                                    const double *costs);

G_END_DECLS
