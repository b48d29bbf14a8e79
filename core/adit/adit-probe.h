/* core/adit/adit-probe.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-component.h>
#include <adit/adit-shape.h>

G_BEGIN_DECLS

/**
 * AditProbe: addresses and reductions over captured tensors -> a table. Observes; changes nothing.
 */
#define ADIT_TYPE_PROBE (adit_probe_get_type())
G_DECLARE_DERIVABLE_TYPE(AditProbe, adit_probe, ADIT, PROBE, AditComponent)

/**
 * AditReading: what a probe is given of an address.
 * @ADIT_READ_VALUES: the tensor that is there
 * @ADIT_READ_SCORES: what the network is worth if it ends there: the model's own head on the
 *   address's `:collect` (or the port it names), nothing retrained, measured by the pipeline's
 *   loss. Two numbers a sample: its loss and the loss's metric (accuracy, squared error)
 */
typedef enum {
    ADIT_READ_VALUES,
    ADIT_READ_SCORES,
} AditReading;

/**
 * AditFeatures: what one address gave for a number of samples, in evaluation mode, row after row.
 */
typedef struct {
    const char *address;
    AditShape shape;
    gsize samples;
    const float *values;
} AditFeatures;

/**
 * AditProbeClass:
 * @default_at: the addresses looked at when the user names none
 * @reads: what @measure is given
 * @columns: (array zero-terminated=1): names of the measured columns, kebab-case; of one that reads
 *   scores the table calls "metric" what the loss calls it
 * @measure: writes one number for each column from the features of one address, sums in float64;
 *   called in forward order, on any thread
 */
struct _AditProbeClass {
    AditComponentClass parent_class;

    const char *default_at;
    AditReading reads;
    const char *const *columns;
    void (*measure)(AditProbe *self, const AditFeatures *features, double *values);

    gpointer padding[4];
};

#define ADIT_DEFINE_PROBE(TypeName, type_name, CAST)                                               \
    ADIT_DEFINE_COMPONENT(TypeName, type_name, CAST, ADIT_TYPE_PROBE)

G_END_DECLS
