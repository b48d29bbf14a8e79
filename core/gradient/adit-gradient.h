/* core/gradient/adit-gradient.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-graph.h>

G_BEGIN_DECLS

/**
 * adit_gradient:
 * @loss: a scalar without rows, of the root graph
 * @sources: (array length=n_sources): tensors of the root graph, parameters as a rule
 * @gradients: (out caller-allocates) (array length=n_sources): the derivative of @loss by each, of
 * its shape; a constant 0 where @loss does not depend on it
 *
 * Reverse mode: writes the derivative's operations into the same graph. The gradient of a loop is a
 * loop in reverse that reads what the forward loop kept. What nobody reads in the end costs
 * nothing: compilation drops it.
 */
void adit_gradient(AditTensor *loss, AditTensor *const *sources, guint n_sources,
                   AditTensor **gradients);

G_END_DECLS
