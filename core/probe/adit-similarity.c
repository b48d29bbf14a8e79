/* core/probe/adit-similarity.c - SPDX-License-Identifier: MIT */
#include <adit/adit-algebra.h>
#include <adit/adit-similarity.h>

#include <math.h>
#include <string.h>

/* Features whose squares less the mean's come to this share of them are taken for constant: what is
 * left is what the mean was rounded by. */
#define CONSTANT 1e-24

/* The estimates are of runs of samples: all, or batches. What is prepared of an address is its
 * criterion with itself, then of each run the mean of the features and, where it is smaller than
 * the features or they are compared by distance, their Gram matrix. */

static gsize
get_run(const AditHsic *self, gsize samples)
{
    return self->estimator == ADIT_HSIC_MINIBATCH ? MIN(self->batch, samples) : samples;
}

static gboolean
keeps_gram(const AditHsic *self, const AditFeatures *features)
{
    return self->rbf || adit_shape_count(&features->shape) > get_run(self, features->samples);
}

static gsize
count_run(const AditHsic *self, const AditFeatures *features)
{
    gsize n = get_run(self, features->samples);

    return adit_shape_count(&features->shape) + (keeps_gram(self, features) ? n * n : 0);
}

gsize
adit_hsic_count(const AditHsic *self, const AditFeatures *features)
{
    gsize n = get_run(self, features->samples);

    return 1 + features->samples / MAX(n, 1) * count_run(self, features);
}

const char *
adit_hsic_refuse(const AditHsic *self, gsize samples)
{
    if (self->estimator == ADIT_HSIC_BIASED)
        return samples < 2 ? "one sample is like nothing; 2 are needed" : NULL;
    return get_run(self, samples) < 4 ? "an estimate without bias needs 4 samples" : NULL;
}

/**
 * Run: some samples of an address.
 * @gram: (nullable)
 */
typedef struct {
    AditSamples samples;
    double *mean;
    double *gram;
} Run;

static Run
get_samples(const AditHsic *self, const AditFeatures *features, const double *prepared, gsize index)
{
    gsize n = get_run(self, features->samples), width = adit_shape_count(&features->shape);
    double *mean = (double *) prepared + 1 + index * count_run(self, features);
    AditSamples samples = {features->values + index * n * width, n, width, mean};

    return (Run){samples, mean, keeps_gram(self, features) ? mean + width : NULL};
}

/* ---- kernels ---- */

/* The value that @k of @n numbers are not above and n - k - 1 not below; they are reordered: all
 * before it are not above it. */
static double
select_number(double *values, gsize n, gsize k)
{
    gsize low = 0, high = n - 1;

    while (low < high) {
        double pivot = values[low + (high - low) / 2];
        gsize i = low, j = high;

        for (;;) {
            while (values[i] < pivot)
                i++;
            while (values[j] > pivot)
                j--;
            if (i >= j)
                break;
            double value = values[i];
            values[i++] = values[j];
            values[j--] = value;
        }
        if (k <= j)
            high = j;
        else
            low = j + 1;
    }
    return values[k];
}

static double
find_median(double *values, gsize n)
{
    double upper = select_number(values, n, n / 2), lower = values[0];

    if (n % 2 == 1)
        return upper;
    for (gsize i = 1; i < n / 2; i++)
        lower = fmax(lower, values[i]);
    return (lower + upper) / 2;
}

static double
square_distance(const double *gram, gsize n, gsize i, gsize j)
{
    return fmax(gram[i * n + i] + gram[j * n + j] - 2 * gram[i * n + j], 0);
}

static double
measure_median(const double *gram, gsize n)
{
    g_autofree double *distances = g_new(double, n *(n - 1) / 2);
    gsize count = 0;

    for (gsize i = 0; i < n; i++) {
        for (gsize j = i + 1; j < n; j++)
            distances[count++] = sqrt(square_distance(gram, n, i, j));
    }
    return find_median(distances, count);
}

/* Samples that are all alike are as near as can be. */
static void
make_rbf(const AditHsic *self, double *gram, gsize n)
{
    double s = self->bandwidth * measure_median(gram, n);
    g_autofree double *diagonal = g_new(double, n);

    for (gsize i = 0; i < n; i++)
        diagonal[i] = gram[i * n + i];
    for (gsize i = 0; i < n; i++) {
        for (gsize j = 0; j < n; j++) {
            double square = fmax(diagonal[i] + diagonal[j] - 2 * gram[i * n + j], 0);

            gram[i * n + j] = s > 0 ? exp(-square / (2 * s * s)) : 1;
        }
    }
}

/* Takes the means of rows and columns away. */
static void
centre(double *gram, gsize n)
{
    g_autofree double *means = g_new0(double, n);
    double all = 0;

    for (gsize i = 0; i < n; i++) {
        for (gsize j = 0; j < n; j++)
            means[i] += gram[i * n + j] / (double) n;
        all += means[i] / (double) n;
    }
    for (gsize i = 0; i < n; i++) {
        for (gsize j = 0; j < n; j++)
            gram[i * n + j] -= means[i] + means[j] - all;
    }
}

/* ---- estimates ---- */

static double
multiply_grams(const double *a, const double *b, gsize count)
{
    double sum = 0;

    for (gsize i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

/* The squared norms of the samples less the mean. */
static double *
measure_norms(const Run *run)
{
    const AditSamples *x = &run->samples;
    double *norms = g_new0(double, x->rows + 1);

    for (gsize i = 0; i < x->rows; i++) {
        if (run->gram != NULL) {
            norms[i] = run->gram[i * x->rows + i];
            continue;
        }
        for (gsize j = 0; j < x->width; j++) {
            double value = (double) x->values[i * x->width + j] - x->mean[j];

            norms[i] += value * value;
        }
    }
    return norms;
}

/* Gram matrices K and L whose rows come to nothing: tr(K L) and the diagonals are enough. */
static double
estimate_centred(const Run *a, const Run *b, double product)
{
    g_autofree double *x = measure_norms(a);
    g_autofree double *y = measure_norms(b);
    double n = (double) a->samples.rows, both = 0, first = 0, second = 0;

    for (gsize i = 0; i < a->samples.rows; i++) {
        both += x[i] * y[i];
        first += x[i];
        second += y[i];
    }
    return (product - both + first * second / ((n - 1) * (n - 2)) - 2 / (n - 2) * both) /
           (n * (n - 3));
}

static double
estimate(const AditHsic *self, const Run *a, const Run *b)
{
    gsize n = a->samples.rows;
    double product = a->gram != NULL && b->gram != NULL
                         ? multiply_grams(a->gram, b->gram, n * n)
                         : adit_samples_get_cross_norm(&a->samples, &b->samples);

    if (self->estimator == ADIT_HSIC_BIASED)
        return product / ((double) (n - 1) * (double) (n - 1));
    return estimate_centred(a, b, product);
}

double
adit_hsic_measure(const AditHsic *self, const AditFeatures *a, const AditFeatures *b)
{
    gsize runs = a->samples / get_run(self, a->samples);
    double sum = 0;

    for (gsize i = 0; i < runs; i++) {
        Run x = get_samples(self, a, a->prepared, i), y = get_samples(self, b, b->prepared, i);

        sum += estimate(self, &x, &y);
    }
    return sum / (double) runs;
}

static gboolean
is_constant(const Run *run)
{
    const AditSamples *x = &run->samples;
    double spread = 0, size = 0;

    for (gsize i = 0; i < x->rows; i++) {
        for (gsize j = 0; j < x->width; j++) {
            double value = (double) x->values[i * x->width + j], rest = value - x->mean[j];

            spread += rest * rest;
            size += value * value;
        }
    }
    return spread <= CONSTANT * size;
}

void
adit_hsic_prepare(const AditHsic *self, const AditFeatures *features, double *prepared)
{
    gsize runs = features->samples / get_run(self, features->samples);
    gboolean constant = TRUE;

    if (adit_hsic_refuse(self, features->samples) != NULL)
        return;
    for (gsize i = 0; i < runs; i++) {
        Run run = get_samples(self, features, prepared, i);

        adit_samples_measure_mean(&run.samples, run.mean);
        constant = is_constant(&run) && constant;
        if (run.gram != NULL)
            adit_samples_get_gram(&run.samples, run.gram);
        if (self->rbf) {
            make_rbf(self, run.gram, run.samples.rows);
            centre(run.gram, run.samples.rows);
        }
    }
    AditFeatures own = *features;

    own.prepared = prepared;
    prepared[0] = constant ? 0 : adit_hsic_measure(self, &own, &own);
}

double
adit_hsic_get_own(const AditFeatures *features)
{
    return features->prepared[0];
}
