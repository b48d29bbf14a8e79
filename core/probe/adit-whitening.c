/* core/probe/adit-whitening.c - SPDX-License-Identifier: MIT */
#include "adit-whitening.h"

#include <math.h>
#include <string.h>

/**
 * AditWhitening:
 * @factor: L of L L', below the diagonal and on it, lines of @n
 */
struct _AditWhitening {
    gsize n;
    double *factor;
};

static gsize
choose_samples(const AditSamples *samples)
{
    return MIN(samples->rows, MAX(16384, 4 * samples->width));
}

static double *
measure_covariance(const AditSamples *samples, const double *scale, const double *variances,
                   double ridge)
{
    gsize n = choose_samples(samples), width = samples->width, step = samples->rows / n;
    g_autofree float *some = g_new(float, n *width);
    double *covariance = g_new(double, width *width + 1);

    for (gsize i = 0; i < n; i++)
        memcpy(some + i * width, samples->values + i * step * width, width * sizeof(float));
    AditSamples taken = {some, n, width, samples->mean};

    adit_samples_multiply(&taken, &taken, covariance, FALSE);
    for (gsize i = 0; i < width; i++) {
        for (gsize j = 0; j < width; j++)
            covariance[i * width + j] *= scale[i] * scale[j] / (double) n;
        /* a feature that is 0 in nearly all samples may be so in all that were taken */
        covariance[i * width + i] = fmax(covariance[i * width + i], variances[i]) + ridge;
    }
    return covariance;
}

/* Golub and Van Loan, "Matrix computations", algorithm 4.2.1, by lines. */
static void
factorize(double *matrix, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        double *line = matrix + i * n;

        for (gsize j = 0; j <= i; j++) {
            const double *other = matrix + j * n;
            double sum = line[j];

            for (gsize k = 0; k < j; k++)
                sum -= line[k] * other[k];
            line[j] = j < i ? sum / other[j] : sqrt(fmax(sum, 1e-12));
        }
    }
}

AditWhitening *
adit_whitening_new(const AditSamples *samples, const double *scale, const double *variances,
                   double ridge)
{
    AditWhitening *self = g_new(AditWhitening, 1);

    self->n = samples->width;
    self->factor = measure_covariance(samples, scale, variances, ridge);
    factorize(self->factor, self->n);
    return self;
}

void
adit_whitening_free(AditWhitening *self)
{
    g_free(self->factor);
    g_free(self);
}

static void
subtract(double *from, double factor, const double *x, gsize n)
{
    for (gsize c = 0; c < n; c++)
        from[c] -= factor * x[c];
}

static void
divide(double *x, double by, gsize n)
{
    for (gsize c = 0; c < n; c++)
        x[c] /= by;
}

void
adit_whitening_apply(const AditWhitening *self, double *vectors, gsize n)
{
    const double *factor = self->factor;

    for (gsize i = 0; i < self->n; i++) {
        for (gsize k = 0; k < i; k++)
            subtract(vectors + i * n, factor[i * self->n + k], vectors + k * n, n);
        divide(vectors + i * n, factor[i * self->n + i], n);
    }
    for (gsize i = self->n; i-- > 0;) {
        divide(vectors + i * n, factor[i * self->n + i], n);
        for (gsize k = 0; k < i; k++)
            subtract(vectors + k * n, factor[i * self->n + k], vectors + i * n, n);
    }
}
