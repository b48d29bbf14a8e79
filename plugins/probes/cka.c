/* plugins/probes/cka.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

#include <math.h>

/* Centred kernel alignment of two layers: their criterion of independence over the root of that of
 * each with itself (Kornblith et al. 2019, equation 4). With the linear kernel and the biased
 * estimate it is the RV coefficient. */

struct _AditCka {
    AditProbe parent_instance;
    GStrv against;
    int estimator;
    int kernel;
    double bandwidth;
    gint64 batch;
};
ADIT_DEFINE_PROBE(AditCka, adit_cka, ADIT_CKA)

enum { KERNEL_LINEAR, KERNEL_RBF };

static const AditReading readings[] = {
    {ADIT_READ_VALUES, "at", FALSE},
    {ADIT_READ_VALUES, "against", FALSE},
};
static const char *const columns[] = {"cka", "hsic", "note", NULL};

static AditHsic
get_hsic(AditProbe *probe)
{
    AditCka *self = ADIT_CKA(probe);

    return (AditHsic){(AditHsicEstimator) self->estimator, self->kernel == KERNEL_RBF,
                      self->bandwidth, (gsize) self->batch};
}

static gsize
count(AditProbe *probe, const AditFeatures *features)
{
    AditHsic hsic = get_hsic(probe);

    return adit_hsic_count(&hsic, features);
}

static gboolean
prepare(AditProbe *probe, const AditFeatures *features, double *prepared, GError **error)
{
    AditHsic hsic = get_hsic(probe);

    adit_hsic_prepare(&hsic, features, prepared);
    return TRUE;
}

/* An address that is alike to nothing, not even to itself. */
static gboolean
has_own(const AditFeatures *features, AditFindings *findings)
{
    double own = adit_hsic_get_own(features);

    if (own == 0)
        adit_findings_note(findings, "all samples are alike at %s", features->address);
    else if (!(own > 0))
        adit_findings_note(findings,
                           "the estimate of %s with itself is %g: too few samples for one without "
                           "bias",
                           features->address, own);
    return own > 0;
}

static gboolean
measure(AditProbe *probe, const AditFeatures *read, AditFindings *findings, GError **error)
{
    AditHsic hsic = get_hsic(probe);
    const char *reason = adit_hsic_refuse(&hsic, read->samples);

    findings->values[0] = findings->values[1] = (double) NAN;
    if (reason != NULL) {
        adit_findings_note(findings, "%s", reason);
        return TRUE;
    }
    findings->values[1] = adit_hsic_measure(&hsic, &read[0], &read[1]);
    if (has_own(&read[0], findings) && has_own(&read[1], findings))
        findings->values[0] = findings->values[1] / sqrt(adit_hsic_get_own(&read[0])) /
                              sqrt(adit_hsic_get_own(&read[1]));
    return TRUE;
}

static void
adit_cka_class_init(AditComponentClass *klass)
{
    static const char *const estimators[] = {"biased", "debiased", "minibatch", NULL};
    static const char *const kernels[] = {"linear", "rbf", NULL};
    AditProbeClass *probe_class = ADIT_PROBE_CLASS(klass);

    probe_class->default_at = "trunk.*";
    probe_class->readings = readings;
    probe_class->n_readings = G_N_ELEMENTS(readings);
    probe_class->columns = columns;
    probe_class->count = count;
    probe_class->prepare = prepare;
    probe_class->measure = measure;
    adit_component_class_describe(klass, "cka",
                                  "How alike two layers are: centred kernel alignment");
    adit_component_class_add_addresses(klass, "against",
                                       "What they are compared with; else with each other", NULL,
                                       ADIT_FIELD(AditCka, against, GStrv));
    adit_component_class_add_choice(
        klass, "estimator",
        "biased: of all samples; debiased: that without bias; minibatch: the mean of the latter over "
        "batches",
        estimators, ADIT_HSIC_BIASED, ADIT_FIELD(AditCka, estimator, int));
    adit_component_class_add_choice(klass, "kernel", "linear, or rbf: by distance", kernels,
                                    KERNEL_LINEAR, ADIT_FIELD(AditCka, kernel, int));
    adit_component_class_add_number(
        klass, "bandwidth", "Of rbf: standard deviation, in median distances of two samples", 1e-6,
        1e6, 0.5, ADIT_FIELD(AditCka, bandwidth, double));
    adit_component_class_add_int(klass, "batch", "Samples of a batch of minibatch", 4, 65536, 256,
                                 ADIT_FIELD(AditCka, batch, gint64));
    adit_component_class_set_default(klass, "pool", 4);
}

ADIT_PLUGIN("cka", "1.0", "MIT", ADIT_TYPES(adit_cka_get_type))
