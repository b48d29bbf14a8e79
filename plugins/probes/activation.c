/* plugins/probes/activation.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

#include <math.h>

/* What the numbers that each layer gives are like. */

struct _AditActivation {
    AditProbe parent_instance;
};
ADIT_DEFINE_PROBE(AditActivation, adit_activation, ADIT_ACTIVATION)

/* Numbers are told apart by sign and power of two, from 2^LEAST to 2^(LEAST + BINS); smaller and
 * larger ones are with those at the ends. */
#define LEAST (-20)
#define BINS  40

enum { COUNT, SUM, SQUARES, ABSOLUTE, ZEROS, NEGATIVE, POSITIVE = NEGATIVE + BINS };
#define N_SUMS (POSITIVE + BINS)

static const char *const columns[] = {"mean", "std", "mean-absolute", "sparsity", "negative", NULL};
static const char *const histogram[] = {"from", "to", "share", NULL};
static const AditDetail details[] = {{"histogram", histogram}};

static gsize
count(AditProbe *probe, const AditFeatures *features)
{
    return N_SUMS;
}

static void
add(AditProbe *probe, const AditFeatures *features, double *prepared)
{
    gsize n = features->samples * adit_shape_count(&features->shape);

    prepared[COUNT] += (double) n;
    for (gsize i = 0; i < n; i++) {
        double value = (double) features->values[i];
        int exponent;

        if (value == 0) {
            prepared[ZEROS]++;
            continue;
        }
        prepared[SUM] += value;
        prepared[SQUARES] += value * value;
        prepared[ABSOLUTE] += fabs(value);
        frexp(value, &exponent); /* |value| in 2^(exponent - 1) .. 2^exponent */
        prepared[(value < 0 ? NEGATIVE : POSITIVE) + CLAMP(exponent - 1 - LEAST, 0, BINS - 1)]++;
    }
}

/* A row for each part of the line of numbers that has some, the smallest first. */
static void
write_histogram(const double *sums, AditFindings *findings)
{
    for (int i = BINS - 1; i >= 0; i--) {
        if (sums[NEGATIVE + i] > 0)
            adit_findings_add(findings, 0,
                              (double[]){-ldexp(1, LEAST + i + 1), -ldexp(1, LEAST + i),
                                         sums[NEGATIVE + i] / sums[COUNT]});
    }
    if (sums[ZEROS] > 0)
        adit_findings_add(findings, 0, (double[]){0, 0, sums[ZEROS] / sums[COUNT]});
    for (int i = 0; i < BINS; i++) {
        if (sums[POSITIVE + i] > 0)
            adit_findings_add(findings, 0,
                              (double[]){ldexp(1, LEAST + i), ldexp(1, LEAST + i + 1),
                                         sums[POSITIVE + i] / sums[COUNT]});
    }
}

static gboolean
measure(AditProbe *probe, const AditFeatures *features, AditFindings *findings, GError **error)
{
    const double *sums = features->prepared;
    double n = sums[COUNT], mean = sums[SUM] / n, negative = 0;

    for (guint i = 0; i < BINS; i++)
        negative += sums[NEGATIVE + i];
    findings->values[0] = mean;
    findings->values[1] = sqrt(fmax(sums[SQUARES] / n - mean * mean, 0));
    findings->values[2] = sums[ABSOLUTE] / n;
    findings->values[3] = sums[ZEROS] / n;
    findings->values[4] = negative / n;
    write_histogram(sums, findings);
    return TRUE;
}

static void
adit_activation_class_init(AditComponentClass *klass)
{
    AditProbeClass *probe_class = ADIT_PROBE_CLASS(klass);

    probe_class->default_at = "trunk.*";
    probe_class->columns = columns;
    probe_class->details = details;
    probe_class->n_details = G_N_ELEMENTS(details);
    probe_class->count = count;
    probe_class->add = add;
    probe_class->measure = measure;
    adit_component_class_describe(klass, "activation",
                                  "Mean, deviation, size and sparsity of each layer's output");
}

ADIT_PLUGIN("activation", "1.0", "MIT", ADIT_TYPES(adit_activation_get_type))
