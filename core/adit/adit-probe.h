/* core/adit/adit-probe.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-component.h>
#include <adit/adit-shape.h>

G_BEGIN_DECLS

/**
 * AditProbe: addresses and reductions over captured tensors -> a table. Observes; changes nothing.
 *
 * A probe says what it reads and which numbers come out. The core finds the addresses, captures,
 * pools, keeps to the memory, pairs addresses and writes the tables.
 */
#define ADIT_TYPE_PROBE (adit_probe_get_type())
G_DECLARE_DERIVABLE_TYPE(AditProbe, adit_probe, ADIT, PROBE, AditComponent)

/**
 * AditReadingKind: what a probe is given of an address, or of the data.
 * @ADIT_READ_VALUES: the tensor that is there, in evaluation mode, maps pooled by `pool`
 * @ADIT_READ_SCORES: what the network is worth if it ends there: the model's own head on the
 *   address's `:collect` (or the port it names), nothing retrained, measured by the pipeline's
 *   loss. Two numbers a sample: its loss and the loss's metric (accuracy, squared error). Of no
 *   address: the whole network's
 * @ADIT_READ_GRADIENTS: the derivatives of the sample's own loss by the tensor that is there, in
 *   evaluation mode
 * @ADIT_READ_CLASSES: of no address: the sample's class, as a number; data without classes is
 *   refused
 * @ADIT_READ_ANSWERS: what the network answers if it ends there: the logits that the model's own
 *   head gives of what was collected before the block (of nothing: of zeros), and of its
 *   `:collect`: 2 x as many numbers as there are logits. Of no address: the logits
 * @ADIT_READ_ABLATED: the scores of the whole network with zeros in the place of what is there,
 *   nothing retrained
 * @ADIT_READ_FOLDED: scores as ADIT_READ_SCORES, where what was still to be collected is replaced
 *   by its mean over the training samples
 */
typedef enum {
    ADIT_READ_VALUES,
    ADIT_READ_SCORES,
    ADIT_READ_GRADIENTS,
    ADIT_READ_CLASSES,
    ADIT_READ_ANSWERS,
    ADIT_READ_ABLATED,
    ADIT_READ_FOLDED,
} AditReadingKind;

/**
 * AditReading: one thing that a probe reads.
 * @at: the parameter whose addresses it is read at: "at", which every probe has, or another of the
 *   probe's own (AditProbe.add_addresses). With two different ones there is a row for every pair;
 *   where the user leaves the second out, for every two of `at`, in their order, and for each
 *   with itself. NULL: ADIT_READ_CLASSES, or scores or answers of the whole network
 * @of_training: of the training split's samples, and not of those of `split`
 */
typedef struct {
    AditReadingKind kind;
    const char *at;
    gboolean of_training;
} AditReading;

/**
 * AditFeatures: what a reading gave for a number of samples, row after row.
 * @address: NULL: of no address
 * @shape: of one sample
 * @values: NULL for a probe that adds them up (AditProbeClass.add)
 * @classes: (ADIT_READ_CLASSES): how many there are
 * @prepared: (nullable): what AditProbeClass.add or AditProbeClass.prepare made of them
 */
typedef struct {
    const char *address;
    AditShape shape;
    gsize samples;
    const float *values;
    guint classes;
    double *prepared;
} AditFeatures;

/**
 * AditFindings: what a probe writes for one row of its table.
 * @values: one for each number among the columns, 0 at first
 */
typedef struct {
    double *values;
    /*< private >*/
    char *note;
    GArray **details;
} AditFindings;

/* Why numbers of the row are not there (NaN): the text of the column "note". */
void adit_findings_note(AditFindings *self, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Adds a row to the probe's table of details number @detail, in order; @numbers: one a column. */
void adit_findings_add(AditFindings *self, guint detail, const double *numbers);

/**
 * AditDetail: a further table of a probe, of any number of rows for each row of its own:
 * "NAME-confusion".
 * @columns: (array zero-terminated=1): of numbers, behind the address
 */
typedef struct {
    const char *name;
    const char *const *columns;
} AditDetail;

/**
 * AditTellingKind: what the core makes sentences of, by rules that it states
 * (share/doc/reports.md).
 * @ADIT_TELL_PROGRESS: how near each layer is to the answer, 0 to 1: tails, skipped layers, and
 * what parallel paths are to each other
 * @ADIT_TELL_FLOW: a size that is compared between parallel paths, and between both ends
 * @ADIT_TELL_LEFT: what share of the whole is left behind a block: effective depth
 */
typedef enum {
    ADIT_TELL_PROGRESS,
    ADIT_TELL_FLOW,
    ADIT_TELL_LEFT,
} AditTellingKind;

/**
 * AditTelling: a column that sentences are made of, over all addresses.
 */
typedef struct {
    const char *column;
    AditTellingKind kind;
} AditTelling;

/**
 * AditProbeClass:
 * @default_at: the addresses looked at when the user names none
 * @readings: (array length=n_readings): what @measure is given, in this order; none: the values at
 *   `at`
 * @columns: (array zero-terminated=1): names of the measured columns, kebab-case; of one that reads
 *   scores the table calls "metric" what the loss calls it; a last one "note" is no number but text
 * @details: (nullable) (array length=n_details): further tables
 * @count: (nullable): how many numbers @add or @prepare works out of one address; its samples and
 *   shape are known. They count as captured memory
 * @add: (nullable): takes the samples of the first reading as they come, a few at a time, always
 *   the same few, and adds them up in @prepared, at first 0: then they are never in memory
 * together, and values NULL in what @measure is given. samples and values of @features are these
 * few
 * @prepare: (nullable): works out of all samples of a reading with an address what is used in every
 *   pair; not beside @add
 * @ask: (nullable): changes the kind of a reading as the parameters say
 * @telling: (nullable): what is said of the table, besides its numbers
 * @sees_input: whether the table says of layers of images what they see of the input: `layer`
 * @measure: writes a row from what was read, sums in float64. Fails with what the algebra fails
 *   with; numbers that cannot be are NaN with a note, and no failure
 *
 * @add, @prepare and @measure are called on any thread, for different addresses at the same time.
 */
struct _AditProbeClass {
    AditComponentClass parent_class;

    const char *default_at;
    const AditReading *readings;
    guint n_readings;
    const char *const *columns;
    const AditDetail *details;
    guint n_details;
    gsize (*count)(AditProbe *self, const AditFeatures *features);
    void (*add)(AditProbe *self, const AditFeatures *features, double *prepared);
    gboolean (*prepare)(AditProbe *self, const AditFeatures *features, double *prepared,
                        GError **error);
    gboolean (*measure)(AditProbe *self, const AditFeatures *read, AditFindings *findings,
                        GError **error);
    void (*ask)(AditProbe *self, AditReading *reading);
    const AditTelling *telling;
    gboolean sees_input;

    gpointer padding[1];
};

#define ADIT_DEFINE_PROBE(TypeName, type_name, CAST)                                               \
    ADIT_DEFINE_COMPONENT(TypeName, type_name, CAST, ADIT_TYPE_PROBE)

G_END_DECLS
