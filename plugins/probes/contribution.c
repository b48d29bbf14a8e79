/* plugins/probes/contribution.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

#include <math.h>

/* What each block adds to the logits. The head of a GloNet sees a sum, so where it is affine a
 * block's part is its own, whatever the others do (GloNet, remark 2); of any other head it is what
 * the block changes in the order of the blocks. Either way the parts of all blocks and the head's
 * answer to nothing add up to the logits.
 *
 * As a constant part tells no sample from another, shares are of variances: that of block k is the
 * covariance of its part with the logits over the logits' variance, summed over the logits, and all
 * shares add up to 1. What is left behind block k is the variance of all later blocks' parts
 * together; the block behind which it stays below 1% is as deep as the network came to be. */

struct _AditContribution {
    AditProbe parent_instance;
};
ADIT_DEFINE_PROBE(AditContribution, adit_contribution, ADIT_CONTRIBUTION)

enum { ANSWERS, LOGITS };
enum { MEAN_ABSOLUTE, DEVIATION, SHARE, LEFT };

static const AditReading readings[] = {
    [ANSWERS] = {ADIT_READ_ANSWERS, "at", FALSE},
    [LOGITS] = {ADIT_READ_ANSWERS, NULL, FALSE},
};
static const char *const columns[] = {"mean-absolute", "deviation", "share", "left", "note", NULL};
static const AditTelling telling = {"left", ADIT_TELL_LEFT};

/**
 * Part: of one logit, of one sample: what the block adds, what all later blocks do, and all.
 */
typedef struct {
    double part, later, logit;
} Part;

static Part
get_part(const AditFeatures *read, gsize sample, gsize logit)
{
    gsize n = adit_shape_count(&read[LOGITS].shape);
    const float *answers = read[ANSWERS].values + 2 * n * sample;
    double all = (double) read[LOGITS].values[n * sample + logit];
    double before = (double) answers[logit], behind = (double) answers[n + logit];

    return (Part){behind - before, all - behind, all};
}

static Part
measure_mean(const AditFeatures *read, gsize logit)
{
    double n = (double) read->samples;
    Part mean = {0};

    for (gsize i = 0; i < read->samples; i++) {
        Part part = get_part(read, i, logit);

        mean.part += part.part / n;
        mean.later += part.later / n;
        mean.logit += part.logit / n;
    }
    return mean;
}

/**
 * Sums: over samples and logits, of what is less its mean.
 */
typedef struct {
    double absolute, deviation, product, later, variance;
} Sums;

static void
add_logit(const AditFeatures *read, gsize logit, Sums *sums)
{
    Part mean = measure_mean(read, logit);

    for (gsize i = 0; i < read->samples; i++) {
        Part part = get_part(read, i, logit);
        double moved = part.part - mean.part, later = part.later - mean.later;
        double whole = part.logit - mean.logit;

        sums->absolute += fabs(part.part);
        sums->deviation += fabs(moved);
        sums->product += moved * whole;
        sums->later += later * later;
        sums->variance += whole * whole;
    }
}

static gboolean
measure(AditProbe *probe, const AditFeatures *read, AditFindings *findings, GError **error)
{
    gsize logits = adit_shape_count(&read[LOGITS].shape);
    double count = (double) (read->samples * logits);
    Sums sums = {0};

    for (gsize i = 0; i < logits; i++)
        add_logit(read, i, &sums);
    findings->values[MEAN_ABSOLUTE] = sums.absolute / count;
    findings->values[DEVIATION] = sums.deviation / count;
    findings->values[SHARE] = sums.product / sums.variance;
    findings->values[LEFT] = sums.later / sums.variance;
    if (!(sums.variance > 0)) {
        findings->values[SHARE] = findings->values[LEFT] = (double) NAN;
        adit_findings_note(findings, "the logits of all samples are alike");
    }
    return TRUE;
}

static void
adit_contribution_class_init(AditComponentClass *klass)
{
    AditProbeClass *probe_class = ADIT_PROBE_CLASS(klass);

    probe_class->default_at = "trunk.*";
    probe_class->readings = readings;
    probe_class->n_readings = G_N_ELEMENTS(readings);
    probe_class->columns = columns;
    probe_class->measure = measure;
    probe_class->telling = &telling;
    adit_component_class_describe(klass, "contribution", "What each block adds to the logits");
}

ADIT_PLUGIN("contribution", "1.0", "MIT", ADIT_TYPES(adit_contribution_get_type))
