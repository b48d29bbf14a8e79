/* core/infer/adit-placement.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-exit-table.h"

G_BEGIN_DECLS

/**
 * adit_placement_resolve:
 * @graph: the network's, before it is built: fails where nothing is found
 *
 * Finds the places of the exits that are placed by cost (`at: {cost: ...}`, share/doc/language.md):
 * those among which a row has cost nearest to the shares of what the network without exits costs.
 * Costs are multiply-adds.
 */
void adit_placement_resolve(const AditExperiment *experiment, const AditNetworkShape *shape,
                            AditGraph *graph);

/**
 * AditCandidates: places where exits could be.
 * @addresses: (element-type utf8): by depth
 * @costs: (array): multiply-adds of a row until each, and, behind them, of the whole network
 */
typedef struct {
    GPtrArray *addresses;
    double *costs;
} AditCandidates;

/* @among: addresses with their ports. What is not there fails @graph, which may be the network's
 * own yet to be built. */
AditCandidates *adit_candidates_new(const AditExperiment *experiment, const AditNetworkShape *shape,
                                    const char *const *among, AditGraph *graph);
void adit_candidates_free(AditCandidates *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditCandidates, adit_candidates_free)

/* ---- which exits are worth their cost ---- */

/* Number of the one of @costs (array length=n) that is nearest to @cost; of equal ones the first.
 */
guint adit_placement_find_nearest(const double *costs, guint n, double cost);

/**
 * AditExitPrices: what exits cost, in any unit.
 * @n: exits
 * @trunk: (array length=n+1): of the trunk from the input until each exit, and to the end of the
 *   network
 * @heads: (array length=n): of the exits' heads
 */
typedef struct {
    guint n;
    double *trunk;
    double *heads;
} AditExitPrices;

/* @trunk: (array length=n+1): as above; @alone: (array length=n): until each exit and with its
 * head. Measured times may be so close that they say nothing: nothing costs less than what it goes
 * on from.
 */
AditExitPrices *adit_exit_prices_new(guint n, const double *trunk, const double *alone);
void adit_exit_prices_free(AditExitPrices *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditExitPrices, adit_exit_prices_free)

/**
 * adit_placement_by_inequality:
 * @arriving: (array length=n+1): rows that come to each exit and to the end, the more the deeper
 *   they go: 1 at first
 * @kept: (array length=n): (out)
 *
 * Keeps exit i if (gamma_(i+1) - gamma_i) (I_i - I_(i+1)) > gamma_i I_(i+1), inequality 4 of the
 * survey, with I_i the rows that *arrive* (printed: that leave there) and gamma_i what the network
 * costs until there with that head alone.
 */
void adit_placement_by_inequality(const AditExitPrices *prices, const double *arriving,
                                  gboolean *kept);

/**
 * adit_placement_greedily:
 * @table: with a policy
 * @threshold: TH, in 0..1
 *
 * From the input on, keeps an exit if
 * (TH - cm_i) gamma_f(i+1) - (1 - cm_i) gamma_c(i) - (1 - TH) gamma_f(i) >= 0, inequality 5, with
 * cm_i = I_(i+1) / I_i. Where an exit is dropped its layers become those of the next one, and its
 * rows come there.
 */
void adit_placement_greedily(const AditExitTable *table, const AditExitPrices *prices,
                             double threshold, gboolean *kept);

/* At most so many exits are tried in all combinations. */
#define ADIT_PLACEMENT_MOST 16

/**
 * adit_placement_exhaustively:
 * @metric: the least mean metric
 *
 * Of all sets of exits the one with the least mean cost. FALSE: none comes to that metric.
 */
gboolean adit_placement_exhaustively(const AditExitTable *table, const AditExitPrices *prices,
                                     double metric, gboolean *kept);

/**
 * adit_placement_against_constants:
 * @classes: (array): of each row, as a number
 * @constant: (array length=n) (out): right of the rows that leave at an exit, were the answer
 * always the class that is commonest among them
 * @adaptive: (array length=n) (out): right by the exit's head
 *
 * Keeps exits whose head is right more often than a constant.
 */
void adit_placement_against_constants(const AditExitTable *table, const double *classes,
                                      double *constant, double *adaptive, gboolean *kept);

/* Mean cost and metric of all rows if only the exits of @kept are there. */
void adit_placement_weigh(const AditExitTable *table, const AditExitPrices *prices,
                          const gboolean *kept, double *cost, double *metric);

G_END_DECLS
