/* core/pipeline/adit-convert.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-experiment.h"

G_BEGIN_DECLS

/**
 * adit_convert_skips:
 * @aggregator: what wires the trunk from now on: "glonet"
 *
 * The pipeline without skips, by the rules of section 4 of the GloNet paper:
 *
 * - If the trunk's own aggregator makes skips (residual), each of its blocks falls into the simple
 *   blocks it is made of: those that end with an affine map, what stands before one included.
 * - If those of the trunk's blocks do (an encoder's), they lose them and stay whole; so do paths,
 *   but for paths that are a skip themselves: with one that changes nothing and is added to others
 *   the pipeline is refused.
 * - A normalisation that closes such a block is taken away.
 *
 * Adapters are kept; where there were none, narrower outputs are padded. Everything else of the
 * file stays as it is, addresses too, which may lead elsewhere in a trunk of more blocks.
 *
 * Returns: (nullable): YAML with everything filled in, or NULL with ADIT_ERROR_INVALID
 */
char *adit_convert_skips(const AditExperiment *experiment, const char *aggregator, GError **error);

G_END_DECLS
