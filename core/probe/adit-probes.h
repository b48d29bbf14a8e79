/* core/probe/adit-probes.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-network.h"
#include "adit-probe-table.h"

G_BEGIN_DECLS

/**
 * adit_probe_check:
 * @graph: the experiment's network for evaluation
 * @diagnostics: gets an error at each address that finds nothing, or what the head cannot take if
 * the probe reads scores
 */
void adit_probe_check(AditProbe *probe, const AditExperiment *experiment, AditGraph *graph,
                      AditDiagnostics *diagnostics);

/**
 * adit_probe_measure:
 * @probe: what to measure
 * @network: with its weights
 * @data: (element-type AditData): all sets
 *
 * Reads what the probe wants, as many addresses at a time as its memory allows, each time in one
 * pass over the samples, and measures it. The network is left as it was.
 *
 * Returns: (nullable): the table; NULL: what adit_probe_check() finds, a set without the targets
 * that scores need, or ADIT_ERROR_MEMORY
 */
AditProbeTable *adit_probe_measure(AditProbe *probe, AditNetwork *network, GPtrArray *data,
                                   GError **error);

G_END_DECLS
