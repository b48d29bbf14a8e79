/* core/infer/adit-placement.c - SPDX-License-Identifier: MIT */
#include "adit-placement.h"

#include "adit-component-private.h"
#include "adit-exit-private.h"
#include "adit-exit.h"

#include <math.h>
#include <string.h>

/* ---- candidates ---- */

void
adit_candidates_free(AditCandidates *self)
{
    g_ptr_array_unref(self->addresses);
    g_free(self->costs);
    g_free(self);
}

/* The network without its exits. */
static AditGraph *
build_bare(const AditExperiment *experiment, const AditNetworkShape *shape, AditTensor **logits)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_EVALUATION);
    AditModel model = experiment->model;

    model.exits = NULL;
    *logits = adit_network_build_model(experiment, &model, shape, graph);
    return graph;
}

static void
list_picks(AditGraph *graph, const char *const *among, AditGraph *failing, GArray *picks)
{
    for (guint i = 0; among[i] != NULL; i++) {
        GArray *found = adit_graph_pick(graph, among[i]);

        if (found->len == 0) {
            g_autofree char *address = g_strndup(among[i], strcspn(among[i], ":"));
            g_autofree char *reason = adit_graph_explain_address(graph, address);

            adit_graph_fail(failing, "%s", reason);
        }
        adit_picks_merge(picks, found);
    }
    g_array_sort(picks, adit_pick_compare);
}

AditCandidates *
adit_candidates_new(const AditExperiment *experiment, const AditNetworkShape *shape,
                    const char *const *among, AditGraph *graph)
{
    AditTensor *logits;
    g_autoptr(AditGraph) bare = build_bare(experiment, shape, &logits);
    AditCandidates *self = g_new0(AditCandidates, 1);
    AditExitAnswers answers = {.experiment = experiment, .graph = bare};
    AditPick last = {.address = NULL, .tensor = logits};
    g_autoptr(AditLayout) layout = NULL;

    self->addresses = g_ptr_array_new_with_free_func(g_free);
    /* what is wrong with the network is told when that is built */
    if (adit_graph_get_error(bare) != NULL)
        return self;
    answers.layout = layout = adit_layout_new(bare);
    g_autoptr(GArray) picks = adit_graph_pick(bare, among[0]);

    g_array_set_size(picks, 0);
    list_picks(bare, among, graph, picks);
    for (guint i = 0; i < picks->len; i++)
        g_ptr_array_add(self->addresses, g_strdup(g_array_index(picks, AditPick, i).address));
    last.address = g_strdup("head");
    g_array_append_val(picks, last);
    self->costs = g_new0(double, picks->len);
    answers.picks = picks;
    adit_exit_answers_gauge(&answers, FALSE, adit_exit_answers_count_work, NULL, self->costs);
    return self;
}

guint
adit_placement_find_nearest(const double *costs, guint n, double cost)
{
    guint nearest = 0;

    for (guint i = 1; i < n; i++) {
        if (fabs(costs[i] - cost) < fabs(costs[nearest] - cost))
            nearest = i;
    }
    return nearest;
}

static void
resolve(const AditExperiment *experiment, AditExit *exit, const AditNetworkShape *shape,
        AditGraph *graph)
{
    const GArray *shares = adit_exit_get_shares(exit);
    g_autoptr(AditCandidates) found =
        adit_candidates_new(experiment, shape, adit_exit_get_among(exit), graph);
    g_autoptr(GPtrArray) at = g_ptr_array_new();
    guint n = found->addresses->len, before = 0;

    for (guint i = 0; i < shares->len && n > 0; i++) {
        double share = g_array_index(shares, double, i);
        guint nearest = adit_placement_find_nearest(found->costs, n, share * found->costs[n]);
        const char *address = found->addresses->pdata[nearest];

        if (g_ptr_array_find(at, address, NULL))
            adit_graph_fail(graph,
                            "%.4g%% and %.4g%% of the cost are nearest to the same place, '%.*s'",
                            100 * g_array_index(shares, double, before), 100 * share,
                            (int) strcspn(address, ":"), address);
        g_ptr_array_add(at, (gpointer) address);
        before = i;
    }
    g_ptr_array_add(at, NULL);
    if (n > 0)
        adit_exit_set_places(exit, (const char *const *) at->pdata);
}

void
adit_placement_resolve(const AditExperiment *experiment, const AditNetworkShape *shape,
                       AditGraph *graph)
{
    const GPtrArray *exits = experiment->model.exits;

    for (guint i = 0; exits != NULL && i < exits->len; i++) {
        if (adit_exit_get_shares(exits->pdata[i]) == NULL)
            continue;
        adit_graph_enter_component(graph, exits->pdata[i]);
        resolve(experiment, exits->pdata[i], shape, graph);
        adit_graph_leave_component(graph);
    }
}

/* ---- prices ---- */

AditExitPrices *
adit_exit_prices_new(guint n, const double *trunk, const double *alone)
{
    AditExitPrices *self = g_new0(AditExitPrices, 1);

    self->n = n;
    self->trunk = g_new0(double, n + 1);
    self->heads = g_new0(double, n + 1);
    for (guint i = 0; i <= n; i++)
        self->trunk[i] = MAX(trunk[i], i > 0 ? self->trunk[i - 1] : 0);
    for (guint i = 0; i < n; i++)
        self->heads[i] = MAX(alone[i] - self->trunk[i], 0);
    return self;
}

void
adit_exit_prices_free(AditExitPrices *self)
{
    g_free(self->trunk);
    g_free(self->heads);
    g_free(self);
}

/* ---- rules ---- */

void
adit_placement_by_inequality(const AditExitPrices *prices, const double *arriving, gboolean *kept)
{
    for (guint i = 0; i < prices->n; i++) {
        double here = prices->trunk[i] + prices->heads[i];
        double next = prices->trunk[i + 1] + (i + 1 < prices->n ? prices->heads[i + 1] : 0);

        kept[i] = (next - here) * (arriving[i] - arriving[i + 1]) > here * arriving[i + 1];
    }
}

/* Where row @row leaves if only the exits of @kept are there. */
static guint
choose(const AditExitTable *table, const gboolean *kept, gsize row)
{
    for (guint i = 0; i + 1 < table->n; i++) {
        double measure = table->measures[row * table->n + i];

        if (kept[i] &&
            (table->rises ? measure >= table->thresholds[i] : measure < table->thresholds[i]))
            return i;
    }
    return table->n - 1;
}

/* Shares of the rows that come to exit @exit and beyond it, if it and those of @kept are there. */
static void
count_arriving(const AditExitTable *table, const gboolean *kept, guint exit, double *here,
               double *beyond)
{
    *here = *beyond = 0;
    for (gsize row = 0; row < table->rows; row++) {
        guint taken = choose(table, kept, row);

        *here += taken >= exit;
        *beyond += taken > exit;
    }
}

void
adit_placement_greedily(const AditExitTable *table, const AditExitPrices *prices, double threshold,
                        gboolean *kept)
{
    double from = 0;

    for (guint i = 0; i < prices->n; i++)
        kept[i] = TRUE;
    for (guint i = 0; i < prices->n; i++) {
        double here, beyond;
        double before = prices->trunk[i] - from, behind = prices->trunk[i + 1] - prices->trunk[i];

        count_arriving(table, kept, i, &here, &beyond);
        double left = here > 0 ? beyond / here : 1;

        kept[i] = (threshold - left) * behind - (1 - left) * prices->heads[i] -
                      (1 - threshold) * before >=
                  0;
        if (kept[i])
            from = prices->trunk[i];
    }
}

void
adit_placement_weigh(const AditExitTable *table, const AditExitPrices *prices, const gboolean *kept,
                     double *cost, double *metric)
{
    double rows = (double) MAX(table->rows, 1);
    g_autofree double *until = g_new0(double, table->n);
    double heads = 0;

    for (guint i = 0; i < table->n; i++) {
        heads += i < prices->n && kept[i] ? prices->heads[i] : 0;
        until[i] = prices->trunk[i] + heads;
    }
    *cost = *metric = 0;
    for (gsize row = 0; row < table->rows; row++) {
        guint taken = choose(table, kept, row);

        *cost += until[taken];
        *metric += table->metrics[row * table->n + taken];
    }
    *cost /= rows;
    *metric /= rows;
}

gboolean
adit_placement_exhaustively(const AditExitTable *table, const AditExitPrices *prices, double metric,
                            gboolean *kept)
{
    g_autofree gboolean *tried = g_new0(gboolean, prices->n + 1);
    double best = G_MAXDOUBLE;

    g_return_val_if_fail(prices->n <= ADIT_PLACEMENT_MOST, FALSE);
    for (guint set = 0; set < 1u << prices->n; set++) {
        double cost, reached;

        for (guint i = 0; i < prices->n; i++)
            tried[i] = (set >> i & 1) != 0;
        adit_placement_weigh(table, prices, tried, &cost, &reached);
        if (reached < metric - 1e-12 || cost >= best)
            continue;
        best = cost;
        memcpy(kept, tried, prices->n * sizeof *kept);
    }
    return best < G_MAXDOUBLE;
}

static int
compare_doubles(gconstpointer a, gconstpointer b)
{
    double one = *(const double *) a, other = *(const double *) b;

    return (one > other) - (one < other);
}

/* How many of @classes (element-type double), sorted here, are the commonest. */
static guint
count_commonest(GArray *classes)
{
    guint most = 0, n = 0;

    g_array_sort(classes, compare_doubles);
    for (guint i = 0; i < classes->len; i++) {
        gboolean same =
            i > 0 && !(g_array_index(classes, double, i) > g_array_index(classes, double, i - 1));

        n = same ? n + 1 : 1;
        most = MAX(most, n);
    }
    return most;
}

void
adit_placement_against_constants(const AditExitTable *table, const double *classes,
                                 double *constant, double *adaptive, gboolean *kept)
{
    g_autofree gboolean *all = g_new0(gboolean, table->n);

    for (guint i = 0; i + 1 < table->n; i++)
        all[i] = TRUE;
    for (guint i = 0; i + 1 < table->n; i++) {
        g_autoptr(GArray) left = g_array_new(FALSE, FALSE, sizeof(double));
        double right = 0;

        for (gsize row = 0; row < table->rows; row++) {
            if (choose(table, all, row) != i)
                continue;
            g_array_append_val(left, classes[row]);
            right += table->metrics[row * table->n + i];
        }
        constant[i] = left->len > 0 ? (double) count_commonest(left) / left->len : (double) NAN;
        adaptive[i] = left->len > 0 ? right / left->len : (double) NAN;
        kept[i] = adaptive[i] > constant[i];
    }
}
