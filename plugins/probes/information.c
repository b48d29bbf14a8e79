/* plugins/probes/information.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

#include <math.h>
#include <string.h>

/* How many bits a layer's output F tells of the input X and of the class Y, by two estimates that
 * make a quantity of it at all: without noise or rounding, I(X, F) is infinite.
 *
 * Binned (Shwartz-Ziv and Tishby 2017, "Opening the black box of deep neural networks via
 * information"): each number is one of `bins` equal parts of what lies between the layer's least
 * and most. Then I(X, F) is the entropy of F, and I(Y, F) what of it the class takes away.
 *
 * Noisy (Kolchinsky and Tracey 2017, "Estimating mixture entropy with pairwise distances"; Saxe et
 * al. 2018): of F with normal noise. With d distances of samples and s the noise, I(X, F) is no
 * more than the mean over i of -log mean_j exp(-d_ij^2 / 2 s^2), and no less than the same with 2
 * s; I(Y, F) is the former less the same within the classes.
 *
 * No estimate exceeds the logarithm of the number of samples (`limit`): close to it, it tells of
 * the samples and not of the layer. */

struct _AditInformation {
    AditProbe parent_instance;
    gint64 bins;
    double noise;
};
ADIT_DEFINE_PROBE(AditInformation, adit_information, ADIT_INFORMATION)

enum { VALUES, CLASSES };
enum { X_BINNED, Y_BINNED, X_NOISY, X_NOISY_LEAST, Y_NOISY, LIMIT };

static const AditReading readings[] = {
    [VALUES] = {ADIT_READ_VALUES, "at", FALSE},
    [CLASSES] = {ADIT_READ_CLASSES, NULL, FALSE},
};
static const char *const columns[] = {"x-binned", "y-binned", "x-noisy", "x-noisy-least",
                                      "y-noisy",  "limit",    NULL};

/* ---- binned ---- */

/**
 * Patterns: the bins of all samples.
 * @width: of a pattern
 */
typedef struct {
    const guint8 *bins;
    gsize width;
    const float *classes;
} Patterns;

static guint8 *
make_bins(const AditInformation *self, const AditFeatures *features)
{
    gsize n = features->samples * adit_shape_count(&features->shape);
    guint8 *bins = g_new(guint8, n);
    double low = (double) features->values[0], high = low;

    for (gsize i = 0; i < n; i++) {
        low = fmin(low, (double) features->values[i]);
        high = fmax(high, (double) features->values[i]);
    }
    for (gsize i = 0; i < n; i++) {
        double place = high > low ? ((double) features->values[i] - low) / (high - low) : 0;

        bins[i] = (guint8) MIN((gint64) (place * (double) self->bins), self->bins - 1);
    }
    return bins;
}

static int
compare_patterns(gconstpointer a, gconstpointer b, gpointer data)
{
    const Patterns *self = data;
    gsize x = *(const guint *) a, y = *(const guint *) b;
    int order = memcmp(self->bins + x * self->width, self->bins + y * self->width, self->width);

    return order != 0
               ? order
               : (self->classes[x] > self->classes[y]) - (self->classes[x] < self->classes[y]);
}

/* The sum over runs of equal samples of -p log p; of a run that goes on the length is counted. */
static double
add_entropy(double entropy, gsize run, gsize samples)
{
    double share = (double) run / (double) samples;

    return entropy - share * log2(share);
}

/* I(X, F) = H(F); I(Y, F) = H(F) + H(Y) - H(F, Y). */
static void
measure_binned(const AditInformation *self, const AditFeatures *read, double class_entropy,
               double *values)
{
    g_autofree guint8 *bins = make_bins(self, &read[VALUES]);
    gsize n = read[VALUES].samples, run = 0, joint_run = 0;
    Patterns patterns = {bins, adit_shape_count(&read[VALUES].shape), read[CLASSES].values};
    g_autofree guint *order = g_new(guint, n);
    double joint = 0;

    for (gsize i = 0; i < n; i++)
        order[i] = (guint) i;
    g_qsort_with_data(order, (int) n, sizeof *order, compare_patterns, &patterns);
    for (gsize i = 0; i < n; i++) {
        const guint8 *own = bins + order[i] * patterns.width;
        gboolean last = i + 1 == n;
        gboolean ends =
            last || memcmp(own, bins + order[i + 1] * patterns.width, patterns.width) != 0;
        gboolean turns = ends || patterns.classes[order[i]] < patterns.classes[order[i + 1]];

        run++;
        joint_run++;
        if (turns) {
            joint = add_entropy(joint, joint_run, n);
            joint_run = 0;
        }
        if (ends) {
            values[X_BINNED] = add_entropy(values[X_BINNED], run, n);
            run = 0;
        }
    }
    values[Y_BINNED] = values[X_BINNED] + class_entropy - joint;
}

/* ---- noisy ---- */

static gsize
count(AditProbe *probe, const AditFeatures *features)
{
    return features->samples * features->samples;
}

/* What all samples have with each other, less their mean, which does not change distances. */
static gboolean
prepare(AditProbe *probe, const AditFeatures *features, double *prepared, GError **error)
{
    gsize width = adit_shape_count(&features->shape);
    g_autofree double *mean = g_new(double, width);
    AditSamples samples = {features->values, features->samples, width, mean};

    adit_samples_measure_mean(&samples, mean);
    adit_samples_get_gram(&samples, prepared);
    return TRUE;
}

/* @counts: samples of each class */
static void
measure_noisy(const AditInformation *self, const AditFeatures *read, const gsize *counts,
              double *values)
{
    gsize n = read[VALUES].samples;
    const double *gram = read[VALUES].prepared;
    const float *classes = read[CLASSES].values;
    double scale = 1 / (2 * self->noise * self->noise), within = 0;

    for (gsize i = 0; i < n; i++) {
        double all = 0, wide = 0, same = 0;

        for (gsize j = 0; j < n; j++) {
            double distance = fmax(gram[i * n + i] + gram[j * n + j] - 2 * gram[i * n + j], 0);
            double near = i == j ? 1 : exp(-distance * scale);

            all += near;
            wide += i == j ? 1 : exp(-distance * scale / 4);
            same += classes[i] == classes[j] ? near : 0;
        }
        values[X_NOISY] -= log2(all / (double) n) / (double) n;
        values[X_NOISY_LEAST] -= log2(wide / (double) n) / (double) n;
        within -= log2(same / (double) counts[(gsize) classes[i]]) / (double) n;
    }
    values[Y_NOISY] = values[X_NOISY] - within;
}

static gboolean
measure(AditProbe *probe, const AditFeatures *read, AditFindings *findings, GError **error)
{
    AditInformation *self = ADIT_INFORMATION(probe);
    gsize n = read[VALUES].samples;
    g_autofree gsize *counts = g_new0(gsize, read[CLASSES].classes);
    double class_entropy = 0;

    for (gsize i = 0; i < n; i++)
        counts[(gsize) read[CLASSES].values[i]]++;
    for (guint i = 0; i < read[CLASSES].classes; i++)
        class_entropy = counts[i] > 0 ? add_entropy(class_entropy, counts[i], n) : class_entropy;
    measure_binned(self, read, class_entropy, findings->values);
    measure_noisy(self, read, counts, findings->values);
    findings->values[LIMIT] = log2((double) n);
    return TRUE;
}

static void
adit_information_class_init(AditComponentClass *klass)
{
    AditProbeClass *probe_class = ADIT_PROBE_CLASS(klass);

    probe_class->default_at = "trunk.*";
    probe_class->readings = readings;
    probe_class->n_readings = G_N_ELEMENTS(readings);
    probe_class->columns = columns;
    probe_class->count = count;
    probe_class->prepare = prepare;
    probe_class->measure = measure;
    adit_component_class_describe(klass, "information",
                                  "Bits that each layer tells of the input and of the class");
    adit_component_class_add_int(klass, "bins", "Of binned: parts of what a layer's numbers span",
                                 2, 256, 30, ADIT_FIELD(AditInformation, bins, gint64));
    adit_component_class_add_number(klass, "noise", "Of noisy: standard deviation of the noise",
                                    1e-9, 1e9, 0.1, ADIT_FIELD(AditInformation, noise, double));
    adit_component_class_set_default(klass, "pool", 4);
}

ADIT_PLUGIN("information", "1.0", "MIT", ADIT_TYPES(adit_information_get_type))
