/* plugins/probes/ablation.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

/* What a network is worth without a layer, block or path: its output set to zero, nothing retrained
 * (multi-path networks, section 4.1: paths that regressions on their layers find to be of no use
 * are still missed). */

struct _AditAblation {
    AditProbe parent_instance;
};
ADIT_DEFINE_PROBE(AditAblation, adit_ablation, ADIT_ABLATION)

enum { ABLATED, WHOLE };
enum { LOSS, METRIC, LOSS_CHANGE, METRIC_CHANGE };

static const AditReading readings[] = {
    [ABLATED] = {ADIT_READ_ABLATED, "at", FALSE},
    [WHOLE] = {ADIT_READ_SCORES, NULL, FALSE},
};
static const char *const columns[] = {"loss", "metric", "loss-change", "metric-change", NULL};

static gboolean
measure(AditProbe *probe, const AditFeatures *read, AditFindings *findings, GError **error)
{
    AditSamples ablated = {read[ABLATED].values, read[ABLATED].samples, 2, NULL};
    AditSamples all = {read[WHOLE].values, read[WHOLE].samples, 2, NULL};
    double *values = findings->values;
    double whole[2];

    adit_samples_measure_mean(&ablated, values);
    adit_samples_measure_mean(&all, whole);
    values[LOSS_CHANGE] = values[LOSS] - whole[LOSS];
    values[METRIC_CHANGE] = values[METRIC] - whole[METRIC];
    return TRUE;
}

static void
adit_ablation_class_init(AditComponentClass *klass)
{
    AditProbeClass *probe_class = ADIT_PROBE_CLASS(klass);

    probe_class->default_at = "trunk.*";
    probe_class->readings = readings;
    probe_class->n_readings = G_N_ELEMENTS(readings);
    probe_class->columns = columns;
    probe_class->measure = measure;
    adit_component_class_describe(klass, "ablation",
                                  "Loss and metric of the network without each block's output, "
                                  "nothing retrained");
}

ADIT_PLUGIN("ablation", "1.0", "MIT", ADIT_TYPES(adit_ablation_get_type))
