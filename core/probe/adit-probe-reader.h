/* core/probe/adit-probe-reader.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-network.h"
#include "adit-probe-addresses.h"
#include "adit-team.h"

G_BEGIN_DECLS

/**
 * AditRange: some of the addresses of one side, @end not among them.
 */
typedef struct {
    guint first;
    guint end;
} AditRange;

/**
 * AditProbeReader: reads what a probe wants of a network, some addresses at a time.
 */
typedef struct _AditProbeReader AditProbeReader;

/* Fails with what is wrong with the addresses, and where there is no loss to score by. */
AditProbeReader *adit_probe_reader_new(AditProbe *probe, AditNetwork *network, GError **error);
void adit_probe_reader_free(AditProbeReader *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditProbeReader, adit_probe_reader_free)

const AditProbeAddresses *adit_probe_reader_get_addresses(const AditProbeReader *self);
AditTeam *adit_probe_reader_get_team(const AditProbeReader *self);

/**
 * adit_probe_reader_open:
 * @data: has rows in the probe's split
 *
 * Reads this set from now on. Fails if it lacks targets, classes or training rows that are read.
 */
gboolean adit_probe_reader_open(AditProbeReader *self, const AditData *data, GError **error);
/* Bytes that address @index of @side takes once it is loaded. */
double adit_probe_reader_count_bytes(const AditProbeReader *self, guint side, guint index);
/**
 * adit_probe_reader_load:
 * @ranges: (array fixed-size=2): of each side; nothing of one that there is not
 *
 * Captures what is not there of these addresses, in one pass over each split.
 */
gboolean adit_probe_reader_load(AditProbeReader *self, const AditRange ranges[ADIT_PROBE_SIDES],
                                GError **error);
void adit_probe_reader_drop(AditProbeReader *self, guint side, AditRange range);
/* What the probe is given of a pair of addresses, which are loaded: one for each reading. */
void adit_probe_reader_get(const AditProbeReader *self, const guint index[ADIT_PROBE_SIDES],
                           AditFeatures *read);

G_END_DECLS
