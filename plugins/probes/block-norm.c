/* plugins/probes/block-norm.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

#include <math.h>

/* How much each block adds: the L1 norm of its output over the samples (GloNet, figures 4 to 6),
 * and of what is left of it when the mean output is taken away: a block that has become a constant
 * still has a norm, but tells no sample from another. */

struct _AditBlockNorm {
    AditProbe parent_instance;
};
ADIT_DEFINE_PROBE(AditBlockNorm, adit_block_norm, ADIT_BLOCK_NORM)

static const char *const columns[] = {"l1", "l1-std", "deviation", "deviation-std", NULL};

/* Mean and standard deviation over the samples of sum_i |x_i - centre_i|. */
static void
measure_norms(const AditFeatures *features, const double *centre, double *mean, double *deviation)
{
    gsize width = adit_shape_count(&features->shape);
    double sum = 0, squares = 0;
    for (gsize row = 0; row < features->samples; row++) {
        double norm = 0;
        for (gsize i = 0; i < width; i++)
            norm += fabs((double) features->values[row * width + i] - centre[i]);
        sum += norm;
        squares += norm * norm;
    }
    double n = (double) features->samples;
    *mean = sum / n;
    *deviation = sqrt(fmax(squares / n - *mean * *mean, 0));
}

static gboolean
measure(AditProbe *probe, const AditFeatures *features, AditFindings *findings, GError **error)
{
    double *values = findings->values;
    gsize width = adit_shape_count(&features->shape);
    g_autofree double *centre = g_new0(double, width);
    measure_norms(features, centre, &values[0], &values[1]);
    for (gsize row = 0; row < features->samples; row++) {
        for (gsize i = 0; i < width; i++)
            centre[i] += (double) features->values[row * width + i];
    }
    for (gsize i = 0; i < width; i++)
        centre[i] /= (double) features->samples;
    measure_norms(features, centre, &values[2], &values[3]);
    return TRUE;
}

static void
adit_block_norm_class_init(AditComponentClass *klass)
{
    ADIT_PROBE_CLASS(klass)->measure = measure;
    ADIT_PROBE_CLASS(klass)->columns = columns;
    ADIT_PROBE_CLASS(klass)->default_at = "trunk.*";
    adit_component_class_describe(klass, "block-norm",
                                  "L1 norm of each block's output and of its deviation from the "
                                  "mean output");
}

ADIT_PLUGIN("block-norm", "1.0", "MIT", ADIT_TYPES(adit_block_norm_get_type))
