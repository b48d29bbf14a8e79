/* core/probe/adit-probe-record.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-network.h"
#include "adit-probe-table.h"

G_BEGIN_DECLS

/*
 * What was measured already. Beside a probe's table lies ".NAME.json" with the digest of the
 * table's files as they were written, and for each moment that of what was measured there: version,
 * pipeline, weights, data, and the probe's own parameters. It is written last, so that a probe that
 * was cut off has none.
 */

/* (transfer full): SHA-256 of all that the probe's numbers hang on. Fails as the device does. */
char *adit_probe_fingerprint(AditProbe *probe, AditNetwork *network, const GPtrArray *data,
                             GError **error);
/* Whether the rows of moment @when are in @folder, by that fingerprint and untouched. @table: any
 * of the probe's, for its names */
gboolean adit_probe_record_has(const AditProbeTable *table, const char *folder, const char *when,
                               const char *fingerprint);
/* adit_probe_table_write(), then says so. Other moments stay if the tables they were written to are
 * still what they were. Fails with ADIT_ERROR_OUTPUT. */
gboolean adit_probe_record_write(const AditProbeTable *table, const char *folder, const char *when,
                                 const char *fingerprint, GError **error);

G_END_DECLS
