/* core/probe/adit-probes.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-network.h"

G_BEGIN_DECLS

/**
 * adit_probe_run:
 * @probe: what to measure
 * @network: in evaluation mode
 * @data: (element-type AditData): all sets
 * @folder: where NAME.csv goes; NULL: nowhere
 * @when: "end", the epoch, or "STAGE.EPOCH" where there are several stages
 *
 * Captures the features the probe wants, as many addresses at a time as its memory allows, and
 * writes one row for each address, in forward order: data,split,when,address, then the probe's
 * columns. A file that has rows of the same @when already gets them replaced.
 */
gboolean adit_probe_run(AditProbe *probe, AditNetwork *network, GPtrArray *data, const char *folder,
                        const char *when, GError **error);

G_END_DECLS
