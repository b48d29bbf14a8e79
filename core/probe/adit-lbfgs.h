/* core/probe/adit-lbfgs.h - SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The value at @x, and there @gradient. */
typedef double (*AditObjective)(const double *x, double *gradient, gpointer user_data);

/* Multiplies @direction by what is near the inverse of the Hessian, up to a factor. */
typedef void (*AditPrecondition)(double *direction, gpointer user_data);

/**
 * adit_lbfgs_minimize:
 * @x: (array length=n): where it begins; overwritten by where it ends
 * @evaluations: at most
 * @tolerance: ends where no derivative is larger
 * @precondition: (nullable): what the inverse Hessian is taken to be before steps have shown it
 *
 * Minimises a convex function: Nocedal and Wright, "Numerical Optimization", algorithms 7.4
 * and 7.5, with steps halved until they descend (algorithm 3.1). Ends too where rounding lets no
 * step descend any further.
 *
 * Returns: the largest derivative at the end
 */
double adit_lbfgs_minimize(double *x, gsize n, guint evaluations, double tolerance,
                           AditObjective objective, AditPrecondition precondition,
                           gpointer user_data);

G_END_DECLS
