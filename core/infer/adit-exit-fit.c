/* core/infer/adit-exit-fit.c - SPDX-License-Identifier: MIT */
#include "adit-exit-fit.h"

#include <math.h>
#include <string.h>

#define MAX_ROUNDS 50
#define ROUNDING   1e-9

/* ---- comparing ---- */

static gboolean
is_allowed(const AditExitAim *aim, double metric, double cost)
{
    return (isnan(aim->metric) || metric >= aim->metric - ROUNDING) &&
           (aim->budget < 0 || cost <= aim->budget * (1 + ROUNDING));
}

/* How far from what is allowed. */
static double
get_lack(const AditExitAim *aim, double metric, double cost)
{
    double lack = isnan(aim->metric) ? 0 : MAX(aim->metric - metric, 0);

    return lack + (aim->budget < 0 ? 0 : MAX(cost - aim->budget, 0));
}

static gboolean
is_better(const AditExitAim *aim, const AditExitPoint *a, const AditExitPoint *b)
{
    gboolean allowed = is_allowed(aim, a->metric, a->cost);
    double more = a->metric - b->metric, less = b->cost - a->cost;

    if (allowed != is_allowed(aim, b->metric, b->cost))
        return allowed;
    if (!allowed)
        return get_lack(aim, a->metric, a->cost) < get_lack(aim, b->metric, b->cost) - ROUNDING;
    if (aim->budget < 0)
        return less > ROUNDING || (less >= -ROUNDING && more > ROUNDING);
    return more > ROUNDING || (more >= -ROUNDING && less > ROUNDING);
}

AditExitPoint
adit_exit_table_weigh(const AditExitTable *table, const double *thresholds, const double *costs)
{
    AditExitPoint point = {.threshold = (double) NAN};
    double rows = (double) MAX(table->rows, 1);

    for (gsize row = 0; row < table->rows; row++) {
        guint reached, taken = adit_exit_table_choose(table, thresholds, row, &reached);

        point.metric += table->metrics[row * table->n + taken];
        point.cost += costs[reached];
    }
    point.metric /= rows;
    point.cost /= rows;
    return point;
}

/* ---- events: a row that leaves at an exit as the threshold gets loose ---- */

/**
 * Event: @key: the measure, so turned that the surer is the smaller
 */
typedef struct {
    double key;
    gsize row;
    guint exit;
} Event;

static int
compare_events(gconstpointer a, gconstpointer b)
{
    const Event *one = a, *other = b;

    if (one->key != other->key)
        return one->key < other->key ? -1 : 1;
    if (one->row != other->row)
        return one->row < other->row ? -1 : 1;
    return (one->exit > other->exit) - (one->exit < other->exit);
}

static void
add_event(const AditExitTable *table, GArray *events, gsize row, guint exit)
{
    double measure = table->measures[row * table->n + exit];
    Event event = {table->rises ? -measure : measure, row, exit};

    if (!isnan(measure))
        g_array_append_val(events, event);
}

/* The threshold by which the first @n of sorted @events have come and no other; where there are
 * none nobody leaves. */
static double
cut(const AditExitTable *table, const GArray *events, guint n)
{
    const Event *all = (const Event *) (gconstpointer) events->data;
    double key;

    if (events->len == 0)
        key = (double) -INFINITY;
    else if (n == 0)
        key = all[0].key - MAX(fabs(all[0].key) * 1e-3, 1e-6);
    else if (n == events->len)
        key = all[n - 1].key + MAX(fabs(all[n - 1].key) * 1e-3, 1e-6);
    else
        key = all[n - 1].key / 2 + all[n].key / 2;
    return table->rises ? -key : key;
}

/* Whether the threshold can lie between event @n - 1 and event @n. */
static gboolean
is_between(const GArray *events, guint n)
{
    return n == 0 || n == events->len ||
           g_array_index(events, Event, n - 1).key < g_array_index(events, Event, n).key;
}

/* ---- one threshold ---- */

/**
 * Sweep: one threshold for all exits getting loose.
 * @reached: of each row; n - 1: it has not left early
 * @fallen: of each row: its answer as long as it has not
 */
typedef struct {
    const AditExitTable *table;
    const double *costs;
    GArray *events;
    guint *reached;
    guint *fallen;
    double metric;
    double cost;
    guint64 *counts;
} Sweep;

static guint
get_answer(const Sweep *self, gsize row)
{
    return self->reached[row] + 1 < self->table->n ? self->reached[row] : self->fallen[row];
}

static void
add_row(Sweep *self, gsize row, double sign)
{
    guint answer = get_answer(self, row);

    self->metric += sign * self->table->metrics[row * self->table->n + answer];
    self->cost += sign * self->costs[self->reached[row]];
    self->counts[answer] += sign > 0 ? 1 : (guint64) -1;
}

static void
sweep_init(Sweep *self, const AditExitTable *table, const double *costs)
{
    *self = (Sweep){.table = table, .costs = costs};
    self->events = g_array_new(FALSE, FALSE, sizeof(Event));
    self->reached = g_new(guint, table->rows + 1);
    self->fallen = g_new(guint, table->rows + 1);
    self->counts = g_new0(guint64, table->n);
    for (gsize row = 0; row < table->rows; row++) {
        self->reached[row] = table->n - 1;
        self->fallen[row] = adit_exit_table_fall_back(table, row);
        add_row(self, row, 1);
        for (guint i = 0; i + 1 < table->n; i++)
            add_event(table, self->events, row, i);
    }
    g_array_sort(self->events, compare_events);
}

static void
sweep_clear(Sweep *self)
{
    g_array_unref(self->events);
    g_free(self->reached);
    g_free(self->fallen);
    g_free(self->counts);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sweep, sweep_clear)

static void
sweep_take(Sweep *self, guint event)
{
    const Event *taken = &g_array_index(self->events, Event, event);

    if (taken->exit >= self->reached[taken->row])
        return;
    add_row(self, taken->row, -1);
    self->reached[taken->row] = taken->exit;
    add_row(self, taken->row, 1);
}

static AditExitPoint
sweep_get(const Sweep *self, guint n)
{
    double rows = (double) MAX(self->table->rows, 1);

    return (AditExitPoint){cut(self->table, self->events, n), self->metric / rows,
                           self->cost / rows};
}

static AditExitPoint
fit_one(const AditExitTable *table, const AditExitAim *aim)
{
    g_auto(Sweep) sweep;
    AditExitPoint best;

    sweep_init(&sweep, table, aim->costs);
    best = sweep_get(&sweep, 0);
    for (guint i = 1; i <= sweep.events->len; i++) {
        sweep_take(&sweep, i - 1);
        AditExitPoint point = sweep_get(&sweep, i);

        if (is_between(sweep.events, i) && is_better(aim, &point, &best))
            best = point;
    }
    return best;
}

/* ---- one for each exit ---- */

/* The best threshold of exit @exit, all others as they are in @thresholds. */
static AditExitPoint
fit_exit(const AditExitTable *table, const AditExitAim *aim, double *thresholds, guint exit)
{
    g_autoptr(GArray) events = g_array_new(FALSE, FALSE, sizeof(Event));
    double kept = thresholds[exit], rows = (double) MAX(table->rows, 1), metric = 0, cost = 0;
    g_autofree double *gain = g_new0(double, table->rows + 1);
    g_autofree double *saved = g_new0(double, table->rows + 1);

    /* as if nobody left there */
    thresholds[exit] = table->rises ? (double) INFINITY : (double) -INFINITY;
    for (gsize row = 0; row < table->rows; row++) {
        const double *metrics = table->metrics + row * table->n;
        guint reached, taken = adit_exit_table_choose(table, thresholds, row, &reached);

        metric += metrics[taken];
        cost += aim->costs[reached];
        if (reached < exit)
            continue;
        gain[row] = metrics[exit] - metrics[taken];
        saved[row] = aim->costs[reached] - aim->costs[exit];
        add_event(table, events, row, exit);
    }
    thresholds[exit] = kept;
    g_array_sort(events, compare_events);
    AditExitPoint best = {cut(table, events, 0), metric / rows, cost / rows};

    for (guint i = 1; i <= events->len; i++) {
        const Event *event = &g_array_index(events, Event, i - 1);

        metric += gain[event->row];
        cost -= saved[event->row];
        AditExitPoint point = {cut(table, events, i), metric / rows, cost / rows};

        if (is_between(events, i) && is_better(aim, &point, &best))
            best = point;
    }
    return best;
}

static void
fit_each(const AditExitTable *table, const AditExitAim *aim, double *thresholds)
{
    AditExitPoint now = adit_exit_table_weigh(table, thresholds, aim->costs);
    gboolean moves = TRUE;

    for (guint round = 0; moves && round < MAX_ROUNDS; round++) {
        moves = FALSE;
        for (guint i = 0; i + 1 < table->n; i++) {
            AditExitPoint point = fit_exit(table, aim, thresholds, i);

            if (!is_better(aim, &point, &now))
                continue;
            thresholds[i] = point.threshold;
            now = point;
            moves = TRUE;
        }
    }
}

gboolean
adit_exit_fit(const AditExitTable *table, const AditExitAim *aim, double *thresholds)
{
    g_return_val_if_fail(table->measures != NULL, FALSE);
    AditExitPoint point = fit_one(table, aim);

    for (guint i = 0; i + 1 < table->n; i++)
        thresholds[i] = point.threshold;
    if (aim->each)
        fit_each(table, aim, thresholds);
    point = adit_exit_table_weigh(table, thresholds, aim->costs);
    return is_allowed(aim, point.metric, point.cost);
}

/* ---- shares ---- */

void
adit_exit_fit_shares(const AditExitTable *table, const double *shares, double *thresholds)
{
    g_autofree gboolean *gone = g_new0(gboolean, table->rows + 1);

    for (guint i = 0; i + 1 < table->n; i++) {
        g_autoptr(GArray) events = g_array_new(FALSE, FALSE, sizeof(Event));

        for (gsize row = 0; row < table->rows; row++) {
            if (!gone[row])
                add_event(table, events, row, i);
        }
        g_array_sort(events, compare_events);
        guint n = MIN((guint) round(shares[i] * (double) table->rows), events->len);

        /* equally sure rows leave together or not at all: those that are too many stay */
        while (!is_between(events, n))
            n--;
        thresholds[i] = cut(table, events, n);
        for (guint j = 0; j < n; j++)
            gone[g_array_index(events, Event, j).row] = TRUE;
    }
}

/* ---- the curve ---- */

static void
add_point(AditExitCurve *self, const Sweep *sweep, guint n)
{
    AditExitPoint point = sweep_get(sweep, n);

    g_array_append_val(self->points, point);
    for (guint i = 0; i < sweep->table->n; i++) {
        double share = (double) sweep->counts[i] / (double) MAX(sweep->table->rows, 1);

        g_array_append_val(self->shares, share);
    }
}

AditExitCurve *
adit_exit_curve_new(const AditExitTable *table, const double *costs, guint n_points)
{
    AditExitCurve *self = g_new0(AditExitCurve, 1);
    g_auto(Sweep) sweep;
    double step, last;

    self->points = g_array_new(FALSE, FALSE, sizeof(AditExitPoint));
    self->shares = g_array_new(FALSE, FALSE, sizeof(double));
    sweep_init(&sweep, table, costs);
    add_point(self, &sweep, 0);
    last = sweep_get(&sweep, 0).cost;
    step = fabs(costs[table->n - 1] - costs[0]) / MAX((double) n_points - 2, 1);
    for (guint i = 1; i <= sweep.events->len; i++) {
        sweep_take(&sweep, i - 1);
        double cost = sweep.cost / (double) MAX(table->rows, 1);

        /* what costs the same is the same: nobody left in between */
        if (!is_between(sweep.events, i) || !(fabs(last - cost) > 0) ||
            (i < sweep.events->len && fabs(last - cost) < step))
            continue;
        add_point(self, &sweep, i);
        last = cost;
    }
    return self;
}

void
adit_exit_curve_free(AditExitCurve *self)
{
    g_array_unref(self->points);
    g_array_unref(self->shares);
    g_free(self);
}
