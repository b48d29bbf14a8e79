/* plugins/probes/truncation.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

/* What is left of a trained network that is cut short: loss and metric of every prefix of the sum,
 * nothing retrained (GloNet, figure 6a). */

struct _AditTruncation {
    AditProbe parent_instance;
    gboolean fold;
};
ADIT_DEFINE_PROBE(AditTruncation, adit_truncation, ADIT_TRUNCATION)

static const AditReading readings[] = {{ADIT_READ_SCORES, "at", FALSE}};
static const char *const columns[] = {"loss", "metric", NULL};

static void
ask(AditProbe *probe, AditReading *reading)
{
    if (ADIT_TRUNCATION(probe)->fold)
        reading->kind = ADIT_READ_FOLDED;
}

/* The means over the samples, summed in their order as an evaluation does. */
static gboolean
measure(AditProbe *probe, const AditFeatures *features, AditFindings *findings, GError **error)
{
    AditSamples samples = {features->values, features->samples, 2, NULL};

    adit_samples_measure_mean(&samples, findings->values);
    return TRUE;
}

static void
adit_truncation_class_init(AditComponentClass *klass)
{
    ADIT_PROBE_CLASS(klass)->readings = readings;
    ADIT_PROBE_CLASS(klass)->n_readings = G_N_ELEMENTS(readings);
    ADIT_PROBE_CLASS(klass)->ask = ask;
    ADIT_PROBE_CLASS(klass)->measure = measure;
    ADIT_PROBE_CLASS(klass)->columns = columns;
    ADIT_PROBE_CLASS(klass)->default_at = "trunk.*";
    adit_component_class_describe(klass, "truncation",
                                  "Loss and metric of the network cut off after each block, "
                                  "nothing retrained");
    adit_component_class_add_boolean(
        klass, "fold",
        "Whether what is dropped stays as a constant: its mean over the training samples", FALSE,
        ADIT_FIELD(AditTruncation, fold, gboolean));
}

ADIT_PLUGIN("truncation", "1.0", "MIT", ADIT_TYPES(adit_truncation_get_type))
