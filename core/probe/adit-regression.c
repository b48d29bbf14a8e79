/* core/probe/adit-regression.c - SPDX-License-Identifier: MIT */
#include <adit/adit-regression.h>

#include <float.h>
#include <math.h>
#include <string.h>

#include "adit-attributes.h"
#include "adit-kernels.h"
#include "adit-lbfgs.h"
#include "adit-philox.h"
#include "adit-whitening.h"

/* Samples whose derivatives are added in float32 before they go to float64. */
#define BLOCK 2048
/* Features up to which their covariance is worth its factor. */
#define WHITENED 2048

/**
 * Map: from features to logits, in float32, a panel of samples at a time.
 * @mean, @scale: of each feature
 * @weights: on features less their means and scaled; behind them the intercepts
 * @features, @scores: room for a panel's, so scaled, and its logits
 * @panel: samples at most
 */
typedef struct {
    const AditLabelled *data;
    gsize width;
    gsize classes;
    gsize panel;
    float *mean;
    float *scale;
    float *weights;
    float *features;
    float *scores;
} Map;

/**
 * Fit: a regression under way.
 * @mean, @variance, @scale: of each feature; a scale of 0 takes a feature away
 * @sums: room for a block's derivatives
 * @whitening: (nullable)
 */
typedef struct {
    const AditRegressionSetup *setup;
    const AditLabelled *data;
    Map map;
    gsize width;
    gsize classes;
    double *mean;
    double *variance;
    double *scale;
    float *sums;
    AditWhitening *whitening;
    double loss;
    guint passes;
} Fit;

float *
adit_labelled_shuffle(const AditLabelled *self)
{
    float *shuffled = g_memdup2(self->classes, self->samples * sizeof(float));
    AditRandom random;

    adit_random_init(&random, 0, "shuffled-labels");
    for (gsize i = self->samples; i > 1; i--) {
        gsize j = (gsize) (((guint64) adit_random_bits(&random) * i) >> 32);
        float value = shuffled[i - 1];

        shuffled[i - 1] = shuffled[j];
        shuffled[j] = value;
    }
    return shuffled;
}

/* ---- features ---- */

static void
measure_features(Fit *self)
{
    const AditLabelled *data = self->data;
    double n = (double) data->samples;

    for (gsize i = 0; i < data->samples; i++) {
        for (gsize j = 0; j < self->width; j++)
            self->mean[j] += (double) data->values[i * self->width + j];
    }
    for (gsize j = 0; j < self->width; j++)
        self->mean[j] /= n;
    for (gsize i = 0; i < data->samples; i++) {
        for (gsize j = 0; j < self->width; j++) {
            double value = (double) data->values[i * self->width + j] - self->mean[j];

            self->variance[j] += value * value / n;
        }
    }
}

/* A feature whose deviation is below what float32 tells of its mean is constant. Features that stay
 * as they are have no mean taken away either. */
static void
choose_scale(Fit *self)
{
    for (gsize j = 0; j < self->width; j++) {
        double deviation = sqrt(self->variance[j]);
        gboolean varies = deviation > (double) FLT_EPSILON * fabs(self->mean[j]);

        if (self->setup->standardize) {
            self->scale[j] = varies ? 1 / deviation : 0;
            continue;
        }
        self->variance[j] += self->mean[j] * self->mean[j];
        self->mean[j] = 0;
        self->scale[j] = 1;
    }
    for (gsize j = 0; j < self->width; j++)
        self->variance[j] *= self->scale[j] * self->scale[j];
}

/* ---- a pass ---- */

/* Samples of a panel: so many that they stay in the cache on the way back. */
static gsize
choose_panel(gsize width)
{
    return CLAMP((gsize) 65536 / MAX(width, 1), 16, 256) / 16 * 16;
}

static void
map_init(Map *self, const AditLabelled *data)
{
    *self = (Map){.data = data, .width = data->width, .classes = data->n_classes};
    self->panel = choose_panel(self->width);
    self->mean = g_new(float, self->width + 1);
    self->scale = g_new(float, self->width + 1);
    self->weights = g_new(float, (self->width + 1) * self->classes);
    self->features = g_new(float, self->panel * self->width + 1);
    self->scores = g_new(float, self->panel * self->classes);
}

static void
map_clear(Map *self)
{
    g_free(self->mean);
    g_free(self->scale);
    g_free(self->weights);
    g_free(self->features);
    g_free(self->scores);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Map, map_clear)

static void
map_set_scale(Map *self, const double *mean, const double *scale)
{
    for (gsize j = 0; j < self->width; j++) {
        self->mean[j] = (float) mean[j];
        self->scale[j] = (float) scale[j];
    }
}

static void
map_set_weights(Map *self, const double *weights)
{
    for (gsize i = 0; i < (self->width + 1) * self->classes; i++)
        self->weights[i] = (float) weights[i];
}

/* Features less their means, so that what float32 tells of them is not spent on those; sixteen at a
 * time, as vectors take them. */
static void
scale_panel(const Map *self, gsize first, gsize rows)
{
    const float *restrict mean = self->mean, *restrict scale = self->scale;
    gsize width = self->width, whole = width / 16 * 16;

    for (gsize i = 0; i < rows; i++) {
        const float *restrict x = self->data->values + (first + i) * width;
        float *restrict out = self->features + i * width;

        for (gsize j = 0; j < whole; j += 16) {
            for (gsize k = j; k < j + 16; k++)
                out[k] = (x[k] - mean[k]) * scale[k];
        }
        for (gsize k = whole; k < width; k++)
            out[k] = (x[k] - mean[k]) * scale[k];
    }
}

/* The logits of @rows samples from @first on. */
static void
map_panel(const Map *self, gsize first, gsize rows)
{
    static const AditMatmulAttributes attributes = {FALSE};
    gsize width = self->width, n = self->classes;
    AditKernelCall call = {.rows = rows,
                           .batch_rows = rows,
                           .attributes = &attributes,
                           .n_inputs = 3,
                           .inputs = {{self->features, TRUE, ADIT_SHAPE(width), width},
                                      {self->weights, FALSE, ADIT_SHAPE(width, n), width * n},
                                      {self->weights + width * n, FALSE, ADIT_SHAPE(n), n}},
                           .output = {self->scores, TRUE, ADIT_SHAPE(n), n}};

    scale_panel(self, first, rows);
    adit_kernel_find("matmul-add", adit_isa_detect(), FALSE)(&call);
}

/* Turns a sample's logits into the derivatives of its cross-entropy, which is returned. */
static double
derive_sample(float *scores, gsize n, gsize class)
{
    float most = scores[0], sum = 0;
    double own = (double) scores[class];

    for (gsize c = 1; c < n; c++)
        most = MAX(most, scores[c]);
    for (gsize c = 0; c < n; c++) {
        scores[c] = expf(scores[c] - most);
        sum += scores[c];
    }
    for (gsize c = 0; c < n; c++)
        scores[c] /= sum;
    scores[class] -= 1;
    return log((double) sum) + (double) most - own;
}

/* Adds a panel's derivatives to the block's. */
static void
derive_panel(Fit *self, gsize first, gsize rows, gboolean accumulate)
{
    gsize width = self->width, n = self->classes;
    Map *map = &self->map;
    AditKernelCall call = {.rows = rows,
                           .batch_rows = rows,
                           .accumulate = accumulate,
                           .n_inputs = 2,
                           .inputs = {{map->features, TRUE, ADIT_SHAPE(width), width},
                                      {map->scores, TRUE, ADIT_SHAPE(n), n}},
                           .output = {self->sums, FALSE, ADIT_SHAPE(width, n), width * n}};
    float *intercepts = self->sums + width * n;

    map_panel(map, first, rows);
    if (!accumulate)
        memset(intercepts, 0, n * sizeof(float));
    for (gsize i = 0; i < rows; i++) {
        float *scores = map->scores + i * n;

        self->loss += derive_sample(scores, n, (gsize) self->data->classes[first + i]);
        for (gsize c = 0; c < n; c++)
            intercepts[c] += scores[c];
    }
    adit_kernel_find("matmul-rows", adit_isa_detect(), FALSE)(&call);
}

/* The sum of the cross-entropies, and its derivatives by the weights. */
static void
derive_all(Fit *self, const double *weights, double *gradient)
{
    gsize count = (self->width + 1) * self->classes, n = self->data->samples;

    map_set_weights(&self->map, weights);
    self->loss = 0;
    self->passes++;
    memset(gradient, 0, count * sizeof(double));
    for (gsize block = 0; block < n; block += BLOCK) {
        gsize end = MIN(n, block + BLOCK);

        for (gsize first = block; first < end; first += self->map.panel)
            derive_panel(self, first, MIN(self->map.panel, end - first), first > block);
        for (gsize i = 0; i < count; i++)
            gradient[i] += (double) self->sums[i];
    }
}

/* ---- L-BFGS ---- */

/* The mean over the samples of what is minimised, and its derivatives. */
static double
evaluate(const double *weights, double *gradient, gpointer user_data)
{
    Fit *self = user_data;
    gsize count = self->width * self->classes;
    double n = (double) self->data->samples, decay = 1 / (self->setup->c * n), squares = 0;

    derive_all(self, weights, gradient);
    self->loss /= n;
    for (gsize i = 0; i < count + self->classes; i++)
        gradient[i] /= n;
    for (gsize i = 0; i < count; i++) {
        gradient[i] += decay * weights[i];
        squares += weights[i] * weights[i];
    }
    return self->loss + decay * squares / 2;
}

/* What the Hessian has in common at all weights is the features' covariance (Boehning 1992,
 * "Multinomial logistic regression algorithm", section 3). */
static void
precondition(double *direction, gpointer user_data)
{
    Fit *self = user_data;

    adit_whitening_apply(self->whitening, direction, self->classes);
}

static double
run_lbfgs(Fit *self, double *weights)
{
    const AditRegressionSetup *setup = self->setup;
    const AditLabelled *data = self->data;
    gsize count = (self->width + 1) * self->classes;
    double classes = (double) self->classes, n = (double) data->samples;
    double ridge = classes * classes / (classes - 1 + DBL_EPSILON) / (setup->c * n) + 1e-6;
    AditSamples samples = {data->values, data->samples, self->width, self->mean};
    double residue;

    if (self->width <= WHITENED)
        self->whitening = adit_whitening_new(&samples, self->scale, self->variance, ridge);
    residue = adit_lbfgs_minimize(weights, count, setup->passes, setup->tolerance, evaluate,
                                  self->whitening != NULL ? precondition : NULL, self);
    g_clear_pointer(&self->whitening, adit_whitening_free);
    return residue;
}

/* ---- SAGA ---- */

/**
 * Saga: what one pass hands on to the next.
 * @memory: the derivatives that each sample gave last
 * @sum: of what these add to the derivative of each weight
 */
typedef struct {
    AditRandom random;
    double step;
    double decay;
    gsize seen;
    gboolean *is_seen;
    double *memory;
    double *sum;
    double *scores;
} Saga;

/* As scikit-learn's get_auto_step_size(). */
static double
choose_step(const Fit *self, double decay)
{
    const AditLabelled *data = self->data;
    double most = 0;

    for (gsize i = 0; i < data->samples; i++) {
        double sum = 0;

        for (gsize j = 0; j < self->width; j++) {
            double value =
                ((double) data->values[i * self->width + j] - self->mean[j]) * self->scale[j];

            sum += value * value;
        }
        most = fmax(most, sum);
    }
    double bound = 0.25 * (most + 1) + decay;

    return 1 / (2 * bound + fmin(2 * (double) data->samples * decay, bound));
}

/* One sample: its derivatives less those it gave last go into the weights and the sum. */
static void
step_sample(Fit *self, Saga *saga, gsize index, double *weights)
{
    const float *x = self->data->values + index * self->width;
    gsize n = self->classes, count = self->width * n;
    double *memory = saga->memory + index * n, *scores = saga->scores, most = -DBL_MAX, sum = 0;

    memcpy(scores, weights + count, n * sizeof(double));
    for (gsize j = 0; j < self->width; j++) {
        double value = ((double) x[j] - self->mean[j]) * self->scale[j];

        for (gsize c = 0; c < n; c++)
            scores[c] += value * weights[j * n + c];
    }
    for (gsize c = 0; c < n; c++)
        most = fmax(most, scores[c]);
    for (gsize c = 0; c < n; c++)
        sum += scores[c] = exp(scores[c] - most);
    for (gsize c = 0; c < n; c++) {
        double derivative = scores[c] / sum - (c == (gsize) self->data->classes[index]);

        scores[c] = derivative - memory[c];
        memory[c] = derivative;
    }
    if (!saga->is_seen[index]) {
        saga->is_seen[index] = TRUE;
        saga->seen++;
    }
    double seen = (double) saga->seen, own = saga->step * (1 - 1 / seen), mean = saga->step / seen;

    for (gsize j = 0; j <= self->width; j++) {
        gboolean is_weight = j < self->width;
        double value = is_weight ? ((double) x[j] - self->mean[j]) * self->scale[j] : 1;
        double keep = is_weight ? 1 - saga->step * saga->decay : 1;

        for (gsize c = 0; c < n; c++) {
            double change = value * scores[c];

            saga->sum[j * n + c] += change;
            weights[j * n + c] =
                keep * weights[j * n + c] - own * change - mean * saga->sum[j * n + c];
        }
    }
}

/* Returns the largest change of a weight over the largest weight. */
static double
run_pass(Fit *self, Saga *saga, double *weights, double *before)
{
    gsize n = self->data->samples, count = self->width * self->classes;
    double change = 0, most = 0;

    memcpy(before, weights, count * sizeof(double));
    for (gsize i = 0; i < n; i++)
        step_sample(self, saga, (gsize) (((guint64) adit_random_bits(&saga->random) * n) >> 32),
                    weights);
    for (gsize i = 0; i < count; i++) {
        change = fmax(change, fabs(weights[i] - before[i]));
        most = fmax(most, fabs(weights[i]));
    }
    return most > 0 ? change / most : change;
}

static double
run_saga(Fit *self, double *weights)
{
    gsize n = self->data->samples, count = (self->width + 1) * self->classes;
    g_autofree gboolean *is_seen = g_new0(gboolean, n);
    g_autofree double *memory = g_new0(double, n * self->classes);
    g_autofree double *sum = g_new0(double, count);
    g_autofree double *scores = g_new(double, self->classes);
    g_autofree double *before = g_new(double, count);
    Saga saga = {.is_seen = is_seen, .memory = memory, .sum = sum, .scores = scores};
    double residue = DBL_MAX;

    saga.decay = 1 / (self->setup->c * (double) n);
    saga.step = choose_step(self, saga.decay);
    adit_random_init(&saga.random, 0, "saga");
    while (residue > self->setup->tolerance && self->passes < self->setup->passes) {
        residue = run_pass(self, &saga, weights, before);
        self->passes++;
    }
    return residue;
}

/* ---- what is seen of it ---- */

/* What the weights come to, with the loss of that. */
static AditRegression *
finish(Fit *self, const double *weights, double residue)
{
    AditRegression *result = g_new0(AditRegression, 1);
    gsize count = (self->width + 1) * self->classes;
    g_autofree double *gradient = g_new(double, count);

    result->weights = g_memdup2(weights, count * sizeof(double));
    result->mean = g_memdup2(self->mean, (self->width + 1) * sizeof(double));
    result->scale = g_memdup2(self->scale, (self->width + 1) * sizeof(double));
    result->width = self->width;
    result->n_classes = (guint) self->classes;
    result->passes = self->passes;
    derive_all(self, weights, gradient);
    result->loss = self->loss / (double) self->data->samples;
    result->residue = residue;
    result->has_converged = residue <= self->setup->tolerance;
    return result;
}

AditRegression *
adit_regression_fit(const AditRegressionSetup *setup, const AditLabelled *data)
{
    gsize count = (data->width + 1) * data->n_classes;
    g_autofree double *mean = g_new0(double, data->width + 1);
    g_autofree double *variance = g_new0(double, data->width + 1);
    g_autofree double *scale = g_new0(double, data->width + 1);
    g_autofree float *sums = g_new(float, count);
    g_autofree double *weights = g_new0(double, count);
    Fit self = {.setup = setup,
                .data = data,
                .width = data->width,
                .classes = data->n_classes,
                .mean = mean,
                .variance = variance,
                .scale = scale,
                .sums = sums};
    double residue;

    measure_features(&self);
    choose_scale(&self);
    map_init(&self.map, data);
    map_set_scale(&self.map, mean, scale);
    residue =
        setup->solver == ADIT_SOLVER_LBFGS ? run_lbfgs(&self, weights) : run_saga(&self, weights);
    AditRegression *result = finish(&self, weights, residue);

    map_clear(&self.map);
    return result;
}

void
adit_regression_free(AditRegression *self)
{
    g_free(self->weights);
    g_free(self->mean);
    g_free(self->scale);
    g_free(self);
}

double
adit_regression_count(const AditRegression *self, const AditLabelled *data, guint64 *confusion)
{
    gsize n = self->n_classes;
    g_auto(Map) map = {0};
    guint64 right = 0;

    map_init(&map, data);
    map_set_scale(&map, self->mean, self->scale);
    map_set_weights(&map, self->weights);
    memset(confusion, 0, n * n * sizeof(guint64));
    for (gsize first = 0; first < data->samples; first += map.panel) {
        gsize rows = MIN(map.panel, data->samples - first);

        map_panel(&map, first, rows);
        for (gsize i = 0; i < rows; i++) {
            const float *scores = map.scores + i * n;
            gsize class = (gsize) data->classes[first + i], best = 0;

            for (gsize c = 1; c < n; c++)
                best = scores[c] > scores[best] ? c : best;
            confusion[class * n + best]++;
            right += class == best;
        }
    }
    return (double) right / (double) data->samples;
}
