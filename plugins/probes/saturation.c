/* plugins/probes/saturation.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

#include <float.h>
#include <math.h>
#include <string.h>

/* Saturation: the share of a layer's dimensions that its output needs, by the eigenvalues of its
 * covariance (Shenk et al. 2019, "Spectral analysis of latent representations"). The covariance is
 * that of the channels; every position of a map, every token, is a sample. */

struct _AditSaturation {
    AditProbe parent_instance;
    double delta;
    int rule;
    int reduce;
};
ADIT_DEFINE_PROBE(AditSaturation, adit_saturation, ADIT_SATURATION)

enum { RULE_TEXTBOOK, RULE_DELVE };
enum { REDUCE_POSITIONS, REDUCE_MEAN, REDUCE_MAX, REDUCE_FLATTEN };
enum { SATURATION, DIMENSIONS, WIDTH, TRACE, LOG_DETERMINANT };

static const char *const columns[] = {"saturation",      "dimensions", "width", "trace",
                                      "log-determinant", "note",       NULL};
static const char *const spectrum[] = {"number", "eigenvalue", "share", NULL};
static const AditDetail details[] = {{"spectrum", spectrum}};

/**
 * Layout: a sample's numbers, element c of position p at [c * channel + p * position].
 */
typedef struct {
    gsize channels, positions;
    gsize channel, position;
} Layout;

/* Maps are channels x height x width, all else has its width last. */
static Layout
get_layout(const AditSaturation *self, const AditShape *shape)
{
    gsize count = adit_shape_count(shape);
    gsize channels = shape->rank == 0   ? 1
                     : shape->rank == 3 ? shape->size[0]
                                        : shape->size[shape->rank - 1];
    Layout layout = {channels, count / channels, 1, channels};

    if (self->reduce == REDUCE_FLATTEN)
        return (Layout){count, 1, 1, count};
    if (shape->rank == 3) {
        layout.channel = layout.positions;
        layout.position = 1;
    }
    return layout;
}

static float
reduce_channel(const AditSaturation *self, const Layout *layout, const float *x)
{
    double sum = 0;
    float most = x[0];

    for (gsize i = 0; i < layout->positions; i++) {
        sum += (double) x[i * layout->position];
        most = MAX(most, x[i * layout->position]);
    }
    return self->reduce == REDUCE_MAX ? most : (float) (sum / (double) layout->positions);
}

/* Appends what a sample gives: rows of one number a channel. */
static float *
take_sample(const AditSaturation *self, const Layout *layout, const float *x, float *out)
{
    if (self->reduce == REDUCE_MEAN || self->reduce == REDUCE_MAX) {
        for (gsize c = 0; c < layout->channels; c++)
            *out++ = reduce_channel(self, layout, x + c * layout->channel);
        return out;
    }
    for (gsize p = 0; p < layout->positions; p++) {
        for (gsize c = 0; c < layout->channels; c++)
            *out++ = x[c * layout->channel + p * layout->position];
    }
    return out;
}

/* What is added up: a number of rows n, then of x less the first row the sum and that of its
 * products. The first row keeps large means from hiding small variances. */
#define FIRST(prepared, channels)    ((prepared) + 1)
#define SUM(prepared, channels)      ((prepared) + 1 + (channels))
#define PRODUCTS(prepared, channels) ((prepared) + 1 + 2 * (channels))

static gsize
count(AditProbe *probe, const AditFeatures *features)
{
    gsize channels = get_layout(ADIT_SATURATION(probe), &features->shape).channels;

    return 1 + 2 * channels + channels * channels;
}

static void
add(AditProbe *probe, const AditFeatures *features, double *prepared)
{
    AditSaturation *self = ADIT_SATURATION(probe);
    Layout layout = get_layout(self, &features->shape);
    gsize each = layout.channels * layout.positions, n = layout.channels;
    g_autofree float *rows = g_new(float, features->samples *each);
    float *end = rows;

    for (gsize i = 0; i < features->samples; i++)
        end = take_sample(self, &layout, features->values + i * each, end);
    for (gsize c = 0; prepared[0] == 0 && c < n; c++)
        FIRST(prepared, n)[c] = (double) rows[c];
    AditSamples samples = {rows, (gsize) (end - rows) / n, n, FIRST(prepared, n)};

    for (gsize i = 0; i < samples.rows; i++) {
        for (gsize c = 0; c < n; c++)
            SUM(prepared, n)[c] += (double) rows[i * n + c] - samples.mean[c];
    }
    prepared[0] += (double) samples.rows;
    adit_samples_multiply(&samples, &samples, PRODUCTS(prepared, n), TRUE);
}

/* The biased covariance. */
static double *
make_covariance(const double *prepared, gsize n)
{
    const double *sum = SUM(prepared, n), *products = PRODUCTS(prepared, n);
    double *covariance = g_new(double, n *n);
    double rows = prepared[0];

    for (gsize i = 0; i < n; i++) {
        for (gsize j = 0; j < n; j++)
            covariance[i * n + j] = products[i * n + j] / rows - sum[i] / rows * (sum[j] / rows);
    }
    return covariance;
}

/* How many eigenvalues it takes to come to @delta of their sum. The rule of delve
 * (github.com/delve-team/delve, torch_utils.py) counts those whose sum stays below, and one more
 * only if that is 0.02 or further away. */
static gsize
count_dimensions(const AditSaturation *self, const double *values, gsize n, double total)
{
    double sum = 0, below = 0;
    gsize k = 0;

    while (k < n && (sum + fmax(values[k], 0)) / total < self->delta) {
        sum += fmax(values[k++], 0);
        below = sum / total;
    }
    if (self->rule == RULE_TEXTBOOK)
        return MIN(k + 1, n);
    if (k == 0)
        return 1;
    return self->delta - below > 0.02 ? MIN(k + 1, n) : k;
}

static void
write_spectrum(const double *values, gsize n, double total, AditFindings *findings)
{
    double sum = 0;

    for (gsize i = 0; i < n; i++) {
        sum += fmax(values[i], 0);
        adit_findings_add(findings, 0,
                          (double[]){(double) (i + 1), values[i], total > 0 ? sum / total : 0});
    }
}

/* Eigenvalues that rounding alone makes count as none. */
static double
sum_logarithms(const double *values, gsize n)
{
    double sum = 0;

    for (gsize i = 0; i < n; i++)
        sum += values[i] > values[0] * (double) n * DBL_EPSILON ? log(values[i]) : log(0.0);
    return sum;
}

static gboolean
measure(AditProbe *probe, const AditFeatures *features, AditFindings *findings, GError **error)
{
    AditSaturation *self = ADIT_SATURATION(probe);
    gsize n = get_layout(self, &features->shape).channels;
    g_autofree double *covariance = make_covariance(features->prepared, n);
    g_autofree double *values = g_new(double, n);
    double total = 0;

    for (gsize i = 0; i < n; i++)
        findings->values[TRACE] += covariance[i * n + i];
    if (!adit_matrix_decompose(covariance, n, values, FALSE, error))
        return FALSE;
    for (gsize i = 0; i < n; i++)
        total += fmax(values[i], 0);
    findings->values[WIDTH] = (double) n;
    findings->values[LOG_DETERMINANT] = sum_logarithms(values, n);
    write_spectrum(values, n, total, findings);
    if (total > 0)
        findings->values[DIMENSIONS] = (double) count_dimensions(self, values, n, total);
    else
        adit_findings_note(findings, "all samples are alike");
    findings->values[SATURATION] = findings->values[DIMENSIONS] / (double) n;
    return TRUE;
}

static gboolean
check(AditComponent *component, GError **error)
{
    return adit_matrix_check(error);
}

static void
adit_saturation_class_init(AditComponentClass *klass)
{
    static const char *const rules[] = {"textbook", "delve", NULL};
    static const char *const reductions[] = {"positions", "mean", "max", "flatten", NULL};
    AditProbeClass *probe_class = ADIT_PROBE_CLASS(klass);

    klass->check = check;
    probe_class->default_at = "trunk.*";
    probe_class->columns = columns;
    probe_class->details = details;
    probe_class->n_details = G_N_ELEMENTS(details);
    probe_class->count = count;
    probe_class->add = add;
    probe_class->measure = measure;
    probe_class->sees_input = TRUE;
    adit_component_class_describe(klass, "saturation",
                                  "Share of its dimensions that each layer's output needs");
    adit_component_class_add_number(klass, "delta", "Share of the variance that is needed", 0, 1,
                                    0.99, ADIT_FIELD(AditSaturation, delta, double));
    adit_component_class_add_choice(
        klass, "rule",
        "textbook: the fewest eigenvalues that come to delta; delve: those that stay below, as "
        "delve counts",
        rules, RULE_TEXTBOOK, ADIT_FIELD(AditSaturation, rule, int));
    adit_component_class_add_choice(
        klass, "reduce",
        "Of maps and tokens: positions: each is a sample; mean, max: over them; flatten: each number "
        "is a dimension",
        reductions, REDUCE_POSITIONS, ADIT_FIELD(AditSaturation, reduce, int));
}

ADIT_PLUGIN("saturation", "1.0", "MIT", ADIT_TYPES(adit_saturation_get_type))
