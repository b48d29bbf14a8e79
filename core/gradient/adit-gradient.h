/* core/gradient/adit-gradient.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-graph.h>

G_BEGIN_DECLS

/**
 * AditGradientFlags:
 * @ADIT_GRADIENT_KEEP: what the derivative reads is kept
 * @ADIT_GRADIENT_RECOMPUTE: of values with rows the blocks of the trunk keep what comes in and goes
 * out; what is between is computed again, to the same bits, when the gradient comes to the block
 * (Chen et al. 2016, "Training deep nets with sublinear memory cost", section 3)
 */
typedef enum {
    ADIT_GRADIENT_KEEP = 0,
    ADIT_GRADIENT_RECOMPUTE = 1 << 0,
} AditGradientFlags;

/**
 * adit_gradient:
 * @loss: a scalar without rows, of the root graph
 * @sources: (array length=n_sources): tensors, parameters as a rule; of one in a loop's body the
 *   derivatives by all its instances are wanted, as adit_tensor_unroll() gives their values
 * @flags: ADIT_GRADIENT_KEEP for a step in the least time
 * @gradients: (out caller-allocates) (array length=n_sources): the derivative of @loss by each, of
 * its shape, of what lies in loops behind their axes; a constant 0 where @loss does not depend on
 * it
 *
 * Reverse mode: writes the derivative's operations into the same graph. The gradient of a loop is a
 * loop in reverse that reads what the forward loop kept. What nobody reads in the end costs
 * nothing: compilation drops it.
 */
void adit_gradient(AditTensor *loss, AditTensor *const *sources, guint n_sources,
                   AditGradientFlags flags, AditTensor **gradients);

/**
 * adit_gradient_reach:
 * @from: a tensor of the root graph
 * @past_stops: go on behind adit_stop_gradient(): what @from is computed of; else what a gradient
 *   comes to
 *
 * Returns: (transfer full) (element-type AditTensor): a set: all tensors that @from depends on,
 * itself and those in loops' bodies among them
 */
GHashTable *adit_gradient_reach(AditTensor *from, gboolean past_stops);

G_END_DECLS
