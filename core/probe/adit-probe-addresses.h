/* core/probe/adit-probe-addresses.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-probe.h>

#include "adit-diagnostics.h"
#include "adit-experiment.h"
#include "adit-selection.h"

G_BEGIN_DECLS

#define ADIT_PROBE_SIDES 2

/**
 * AditProbeAddresses: what a probe's parameters with addresses find in a graph.
 * @parameters: (array length=n_sides): their names, in the order of the readings
 * @picks: (element-type AditPick): what each finds: of one address in forward order
 * @is_own: whether the second was left out: every two of the first are paired
 */
typedef struct {
    const char *parameters[ADIT_PROBE_SIDES];
    GArray *picks[ADIT_PROBE_SIDES];
    guint n_sides;
    gboolean is_own;
} AditProbeAddresses;

/**
 * adit_probe_addresses_find:
 * @graph: the experiment's network for evaluation
 * @diagnostics: gets an error at each address that finds nothing, or what the head cannot take if
 * the probe reads scores
 */
void adit_probe_addresses_find(AditProbeAddresses *self, AditProbe *probe,
                               const AditExperiment *experiment, AditGraph *graph,
                               AditDiagnostics *diagnostics);
void adit_probe_addresses_clear(AditProbeAddresses *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AditProbeAddresses, adit_probe_addresses_clear)

/* The side that a reading is read at; ADIT_PROBE_SIDES: of no address. */
guint adit_probe_addresses_find_side(const AditProbeAddresses *self, const AditReading *reading);

/* What a class reads: what it says, else the values at `at`. */
const AditReading *adit_probe_class_get_readings(const AditProbeClass *klass, guint *n);
gboolean adit_probe_class_reads(const AditProbeClass *klass, AditReadingKind kind);

G_END_DECLS
