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
 * adit_probe_check_data:
 * @network: to be measured, with any weights
 * @data: (element-type AditData): all sets
 *
 * Fails with what adit_probe_measure() would fail with on these sets, before anything is trained:
 * no targets or classes, or one address that alone takes more than the probe's memory.
 */
gboolean adit_probe_check_data(AditProbe *probe, AditNetwork *network, GPtrArray *data,
                               GError **error);

/**
 * adit_probe_measure:
 * @probe: what to measure
 * @network: with its weights
 * @data: (element-type AditData): all sets
 *
 * Reads what the probe wants, as many addresses at a time as its memory allows, each time in one
 * pass over the samples, and measures it by as many threads as the device has. The network is left
 * as it was.
 *
 * Returns: (nullable): the table; NULL: what adit_probe_check() and adit_probe_check_data() find,
 * ADIT_ERROR_MEMORY, or what the algebra fails with
 */
AditProbeTable *adit_probe_measure(AditProbe *probe, AditNetwork *network, GPtrArray *data,
                                   GError **error);

/**
 * adit_probe_run:
 * @folder: where its table goes
 * @when: the moment, as adit_probe_table_write() has it
 * @was_there: (out): the same was measured of the same weights and data, and lies in @folder
 *
 * Measures and writes, unless it was there. Fails as adit_probe_measure() and
 * adit_probe_table_write() do.
 *
 * Returns: (nullable): the table; without rows if it was there
 */
AditProbeTable *adit_probe_run(AditProbe *probe, AditNetwork *network, GPtrArray *data,
                               const char *folder, const char *when, gboolean *was_there,
                               GError **error);

/**
 * adit_probe_list_columns:
 * @loss: (nullable): that scores are measured by
 *
 * (transfer full): the names of the numbers that a probe measures, in the order of its table.
 */
GStrv adit_probe_list_columns(AditProbe *probe, AditLoss *loss);

G_END_DECLS
