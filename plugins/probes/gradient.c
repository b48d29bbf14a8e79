/* plugins/probes/gradient.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

#include <math.h>

/* How much of the loss's gradient comes to each layer: the mean of the absolute derivatives of each
 * sample's loss by the layer's output. Multi-path networks, figure 6b, has it of the mean over a
 * batch of b samples, which is less by the factor b. */

struct _AditGradient {
    AditProbe parent_instance;
};
ADIT_DEFINE_PROBE(AditGradient, adit_gradient_probe, ADIT_GRADIENT_PROBE)

enum { SAMPLES, ABSOLUTE, SQUARES, N_SUMS };

static const AditReading readings[] = {{ADIT_READ_GRADIENTS, "at", FALSE}};
static const char *const columns[] = {"mean-absolute", "root-mean-square", NULL};
static const AditTelling telling = {"mean-absolute", ADIT_TELL_FLOW};

static gsize
count(AditProbe *probe, const AditFeatures *features)
{
    return N_SUMS;
}

static void
add(AditProbe *probe, const AditFeatures *features, double *prepared)
{
    gsize n = features->samples * adit_shape_count(&features->shape);

    for (gsize i = 0; i < n; i++) {
        double value = (double) features->values[i];

        prepared[ABSOLUTE] += fabs(value);
        prepared[SQUARES] += value * value;
    }
    prepared[SAMPLES] += (double) n;
}

static gboolean
measure(AditProbe *probe, const AditFeatures *features, AditFindings *findings, GError **error)
{
    const double *sums = features->prepared;

    findings->values[0] = sums[ABSOLUTE] / sums[SAMPLES];
    findings->values[1] = sqrt(sums[SQUARES] / sums[SAMPLES]);
    return TRUE;
}

static void
adit_gradient_probe_class_init(AditComponentClass *klass)
{
    AditProbeClass *probe_class = ADIT_PROBE_CLASS(klass);

    probe_class->default_at = "trunk.*";
    probe_class->readings = readings;
    probe_class->n_readings = G_N_ELEMENTS(readings);
    probe_class->columns = columns;
    probe_class->count = count;
    probe_class->add = add;
    probe_class->measure = measure;
    probe_class->telling = &telling;
    adit_component_class_describe(klass, "gradient",
                                  "Size of the loss's gradient by each layer's output");
}

ADIT_PLUGIN("gradient", "1.0", "MIT", ADIT_TYPES(adit_gradient_probe_get_type))
