/* plugins/probes/svcca.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

#include <math.h>
#include <string.h>

/* How alike two layers are by the canonical correlations of their outputs, of which only the
 * directions that carry a share of the variance are taken: the mean of the correlations (Raghu et
 * al. 2017, "SVCCA"), and that weighted by what the first layer has of each (Morcos, Raghu and
 * Bengio 2018, "Insights on representational similarity", equations 1 and 2). */

struct _AditSvcca {
    AditProbe parent_instance;
    GStrv against;
    double variance;
};
ADIT_DEFINE_PROBE(AditSvcca, adit_svcca, ADIT_SVCCA)

enum { SVCCA, PWCCA, DIMENSIONS };

static const AditReading readings[] = {
    {ADIT_READ_VALUES, "at", FALSE},
    {ADIT_READ_VALUES, "against", FALSE},
};
static const char *const columns[] = {"svcca", "pwcca", "dimensions", "note", NULL};

/* What is prepared: the number k of directions; then the samples along them, rows of k numbers
 * whose columns are orthonormal; then what each number of the layer has of them, k rows of its
 * width. */

static gsize
get_rank(const AditFeatures *features)
{
    return MIN(features->samples, adit_shape_count(&features->shape));
}

static gsize
count(AditProbe *probe, const AditFeatures *features)
{
    return 1 + (features->samples + adit_shape_count(&features->shape)) * get_rank(features);
}

/* The samples less their mean. */
static double *
centre(const AditFeatures *features)
{
    gsize width = adit_shape_count(&features->shape), n = features->samples;
    AditSamples samples = {features->values, n, width, NULL};
    g_autofree double *mean = g_new(double, width);
    double *matrix = g_new(double, n *width);

    adit_samples_measure_mean(&samples, mean);
    for (gsize i = 0; i < n; i++) {
        for (gsize j = 0; j < width; j++)
            matrix[i * width + j] = (double) features->values[i * width + j] - mean[j];
    }
    return matrix;
}

/* How many of the largest come to the share of the squares; none of what rounding left. */
static gsize
count_directions(const double *values, gsize rank, gsize samples, double share)
{
    double total = 0, sum = 0, least = values[0] * (double) samples * 1e-14;
    gsize k = 0;

    for (gsize i = 0; i < rank; i++)
        total += values[i] * values[i];
    while (k < rank && values[k] > least && sum < share * total) {
        sum += values[k] * values[k];
        k++;
    }
    return k;
}

static gboolean
prepare(AditProbe *probe, const AditFeatures *features, double *prepared, GError **error)
{
    gsize width = adit_shape_count(&features->shape), n = features->samples;
    gsize rank = get_rank(features);
    g_autofree double *matrix = centre(features);
    g_autofree double *values = g_new(double, rank);
    g_autofree double *left = g_new(double, n *rank);
    g_autofree double *right = g_new(double, rank *width);

    if (!adit_matrix_decompose_singular(matrix, n, width, values, left, right, error))
        return FALSE;
    gsize k = count_directions(values, rank, n, ADIT_SVCCA(probe)->variance);

    prepared[0] = (double) k;
    for (gsize i = 0; i < n; i++)
        memcpy(prepared + 1 + i * k, left + i * rank, k * sizeof(double));
    for (gsize i = 0; i < k * width; i++)
        prepared[1 + n * k + i] = values[i / width] * right[i];
    return TRUE;
}

/* The products of the directions of one with those of the other, k times l numbers. */
static double *
multiply(const AditFeatures *a, const AditFeatures *b, gsize k, gsize l)
{
    const double *x = a->prepared + 1, *y = b->prepared + 1;
    double *product = g_new0(double, k *l);

    for (gsize i = 0; i < a->samples; i++) {
        for (gsize j = 0; j < k; j++) {
            for (gsize m = 0; m < l; m++)
                product[j * l + m] += x[i * k + j] * y[i * l + m];
        }
    }
    return product;
}

/* What the first layer has of canonical direction @index: the sum over its numbers of their
 * absolute products with it. */
static double
weigh(const AditFeatures *features, const double *left, gsize k, gsize rank, gsize index)
{
    gsize width = adit_shape_count(&features->shape);
    const double *parts = features->prepared + 1 + features->samples * k;
    double sum = 0;

    for (gsize j = 0; j < width; j++) {
        double product = 0;

        for (gsize i = 0; i < k; i++)
            product += left[i * rank + index] * parts[i * width + j];
        sum += fabs(product);
    }
    return sum;
}

static void
write_row(const AditFeatures *features, const double *values, const double *left, gsize k,
          gsize rank, double *row)
{
    double weights = 0;

    for (gsize i = 0; i < rank; i++) {
        double value = fmin(values[i], 1), weight = weigh(features, left, k, rank, i);

        row[SVCCA] += value / (double) rank;
        row[PWCCA] += weight * value;
        weights += weight;
    }
    row[PWCCA] /= weights;
    row[DIMENSIONS] = (double) rank;
}

static gboolean
measure(AditProbe *probe, const AditFeatures *read, AditFindings *findings, GError **error)
{
    gsize k = (gsize) read[0].prepared[0], l = (gsize) read[1].prepared[0], rank = MIN(k, l);

    if (rank == 0) {
        findings->values[SVCCA] = findings->values[PWCCA] = (double) NAN;
        adit_findings_note(findings, "all samples are alike at %s", read[k > 0].address);
        return TRUE;
    }
    g_autofree double *product = multiply(&read[0], &read[1], k, l);
    g_autofree double *values = g_new(double, rank);
    g_autofree double *left = g_new(double, k *rank);
    g_autofree double *right = g_new(double, rank *l);

    if (!adit_matrix_decompose_singular(product, k, l, values, left, right, error))
        return FALSE;
    write_row(&read[0], values, left, k, rank, findings->values);
    if (MAX(k, l) + 1 >= read[0].samples)
        adit_findings_note(findings, "as many directions as samples: all correlate");
    return TRUE;
}

static gboolean
check(AditComponent *component, GError **error)
{
    return adit_matrix_check(error);
}

static void
adit_svcca_class_init(AditComponentClass *klass)
{
    AditProbeClass *probe_class = ADIT_PROBE_CLASS(klass);

    klass->check = check;
    probe_class->default_at = "trunk.*";
    probe_class->readings = readings;
    probe_class->n_readings = G_N_ELEMENTS(readings);
    probe_class->columns = columns;
    probe_class->count = count;
    probe_class->prepare = prepare;
    probe_class->measure = measure;
    adit_component_class_describe(klass, "svcca",
                                  "How alike two layers are: canonical correlations");
    adit_component_class_add_addresses(klass, "against",
                                       "What they are compared with; else with each other", NULL,
                                       ADIT_FIELD(AditSvcca, against, GStrv));
    adit_component_class_add_number(klass, "variance",
                                    "Share of a layer's variance whose directions are compared", 0,
                                    1, 0.99, ADIT_FIELD(AditSvcca, variance, double));
    adit_component_class_set_default(klass, "pool", 4);
}

ADIT_PLUGIN("svcca", "1.0", "MIT", ADIT_TYPES(adit_svcca_get_type))
