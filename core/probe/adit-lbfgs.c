/* core/probe/adit-lbfgs.c - SPDX-License-Identifier: MIT */
#include "adit-lbfgs.h"

#include <math.h>
#include <string.h>

/* Steps and changes of the gradient that the Hessian is known by. */
#define HISTORY 10
/* A step has to win this share of what the slope promises (Armijo). */
#define DESCENT  1e-4
#define HALVINGS 30

/**
 * Search: where it is.
 * @steps, @changes: of the last HISTORY iterations, in turn
 * @curvatures: 1 / (step . change)
 * @spare: room for a vector
 */
typedef struct {
    gsize n;
    double *x, *gradient, value;
    double *next_x, *next_gradient, next_value;
    double *direction, *spare;
    double *steps[HISTORY], *changes[HISTORY];
    double curvatures[HISTORY];
    guint kept, last;
    guint evaluations;
    AditObjective objective;
    AditPrecondition precondition;
    gpointer user_data;
} Search;

static double
dot(const double *a, const double *b, gsize n)
{
    double sum = 0;

    for (gsize i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static void
add_scaled(double *to, double factor, const double *x, gsize n)
{
    for (gsize i = 0; i < n; i++)
        to[i] += factor * x[i];
}

static double
find_largest(const double *x, gsize n)
{
    double most = 0;

    for (gsize i = 0; i < n; i++)
        most = fmax(most, fabs(x[i]));
    return most;
}

static void
begin_direction(const Search *self, double *direction)
{
    if (self->precondition != NULL)
        self->precondition(direction, self->user_data);
}

/* By how long the last step was for how the gradient changed (7.20). */
static void
scale_direction(Search *self)
{
    const double *change = self->changes[self->last];

    memcpy(self->spare, change, self->n * sizeof(double));
    begin_direction(self, self->spare);
    double scale = 1 / (self->curvatures[self->last] * dot(change, self->spare, self->n));

    for (gsize i = 0; i < self->n; i++)
        self->direction[i] *= scale;
}

/* Algorithm 7.4: minus the gradient times the inverse Hessian as it is known. */
static void
choose_direction(Search *self)
{
    double factors[HISTORY];
    gsize n = self->n;

    for (gsize i = 0; i < n; i++)
        self->direction[i] = -self->gradient[i];
    for (guint k = 0; k < self->kept; k++) {
        guint i = (self->last + HISTORY - k) % HISTORY;

        factors[i] = self->curvatures[i] * dot(self->steps[i], self->direction, n);
        add_scaled(self->direction, -factors[i], self->changes[i], n);
    }
    begin_direction(self, self->direction);
    if (self->kept > 0)
        scale_direction(self);
    for (guint k = self->kept; k > 0; k--) {
        guint i = (self->last + HISTORY - (k - 1)) % HISTORY;
        double factor = self->curvatures[i] * dot(self->changes[i], self->direction, n);

        add_scaled(self->direction, factors[i] - factor, self->steps[i], n);
    }
}

/* Finds the next place; FALSE: none is lower. */
static gboolean
search_line(Search *self, guint limit)
{
    double slope = dot(self->gradient, self->direction, self->n);
    double length = sqrt(dot(self->direction, self->direction, self->n));
    double step = self->kept > 0 ? 1 : fmin(1, 1 / length);

    if (slope >= 0)
        return FALSE;
    for (guint i = 0; i < HALVINGS && self->evaluations < limit; i++, step /= 2) {
        memcpy(self->next_x, self->x, self->n * sizeof(double));
        add_scaled(self->next_x, step, self->direction, self->n);
        self->next_value = self->objective(self->next_x, self->next_gradient, self->user_data);
        self->evaluations++;
        if (self->next_value <= self->value + DESCENT * step * slope)
            return TRUE;
    }
    return FALSE;
}

static void
swap(double **a, double **b)
{
    double *other = *a;

    *a = *b;
    *b = other;
}

/* Keeps the step, if the slope rose along it, and takes it. */
static void
move(Search *self)
{
    guint at = self->kept > 0 ? (self->last + 1) % HISTORY : 0;
    double *step = self->steps[at], *change = self->changes[at];

    for (gsize i = 0; i < self->n; i++) {
        step[i] = self->next_x[i] - self->x[i];
        change[i] = self->next_gradient[i] - self->gradient[i];
    }
    double product = dot(step, change, self->n);

    if (product > 1e-10 * dot(change, change, self->n)) {
        self->curvatures[at] = 1 / product;
        self->last = at;
        self->kept = MIN(self->kept + 1, HISTORY);
    } else {
        self->kept = 0;
    }
    swap(&self->x, &self->next_x);
    swap(&self->gradient, &self->next_gradient);
    self->value = self->next_value;
}

static void
search(Search *self, guint limit, double tolerance)
{
    self->value = self->objective(self->x, self->gradient, self->user_data);
    self->evaluations = 1;
    while (self->evaluations < limit && find_largest(self->gradient, self->n) > tolerance) {
        choose_direction(self);
        if (!search_line(self, limit)) {
            if (self->kept == 0)
                return;
            self->kept = 0; /* once more, straight down */
            continue;
        }
        move(self);
    }
}

double
adit_lbfgs_minimize(double *x, gsize n, guint evaluations, double tolerance,
                    AditObjective objective, AditPrecondition precondition, gpointer user_data)
{
    g_autofree double *room = g_new0(double, (6 + 2 * HISTORY) * n + 1);
    Search self = {.n = n,
                   .x = room,
                   .gradient = room + n,
                   .next_x = room + 2 * n,
                   .next_gradient = room + 3 * n,
                   .direction = room + 4 * n,
                   .spare = room + 5 * n,
                   .objective = objective,
                   .precondition = precondition,
                   .user_data = user_data};

    for (guint i = 0; i < HISTORY; i++) {
        self.steps[i] = room + (6 + 2 * i) * n;
        self.changes[i] = room + (7 + 2 * i) * n;
    }
    memcpy(self.x, x, n * sizeof(double));
    search(&self, evaluations, tolerance);
    memcpy(x, self.x, n * sizeof(double));
    return find_largest(self.gradient, n);
}
