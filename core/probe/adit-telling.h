/* core/probe/adit-telling.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-probe-table.h"

G_BEGIN_DECLS

/**
 * adit_probe_table_tell:
 * @telling: (nullable): what the probe's class says
 *
 * Fills the table's sentences from its rows, data set by data set. The rules, and what is as good
 * as equal, stand in share/doc/reports.md and in the sentences. NULL: nothing is told.
 */
void adit_probe_table_tell(AditProbeTable *self, const AditTelling *telling);

G_END_DECLS
