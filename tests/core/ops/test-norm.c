/* tests/core/ops/test-norm.c - SPDX-License-Identifier: MIT */
#include "kernel-test.h"

#include <math.h>

/* Softmax and normalisation kernels; their gradients are checked through graphs elsewhere. */

static const gsize sizes[] = {1, 2, 10, 16, 17, 33, 100};

/* log(sum exp(x)) */
static double
log_sum(const double *x, gsize n)
{
    double sum = 0;

    for (gsize i = 0; i < n; i++)
        sum += exp(x[i]);
    return log(sum);
}

static void
check_softmax(gboolean log_form, gsize n)
{
    g_auto(KernelTest) test = {.kernel = log_form ? "log-softmax" : "softmax",
                               .rows = 9,
                               .output = {TRUE, ADIT_SHAPE(3, n)}};
    const double *x = kernel_test_add(&test, TRUE, ADIT_SHAPE(3, n), FALSE)->values;
    g_autofree double *expected = g_new(double, 27 * n);

    for (gsize k = 0; k < 27 * n; k++) {
        double value = x[k] - log_sum(x + k / n * n, n);

        expected[k] = log_form ? value : exp(value);
    }
    if (log_form && n == 1)
        return;
    kernel_test_check(&test, expected, ELEMENT_WISE);
}

static void
test_softmax(gconstpointer log_form)
{
    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++)
        check_softmax(GPOINTER_TO_INT(log_form), sizes[i]);
}

static void
test_softmax_does_not_overflow(void)
{
    static const double logits[] = {1000, 999, -1000};
    g_auto(KernelTest) test = {.kernel = "softmax", .rows = 1, .output = {TRUE, ADIT_SHAPE(3)}};
    const double expected[] = {1 / (1 + exp(-1.0)), 1 / (1 + exp(1.0)), 0};

    memcpy(kernel_test_add(&test, TRUE, ADIT_SHAPE(3), FALSE)->values, logits, sizeof logits);
    kernel_test_check(&test, expected, ELEMENT_WISE);
}

static void
test_cross_entropy(void)
{
    for (guint i = 1; i < G_N_ELEMENTS(sizes); i++) {
        gsize n = sizes[i];
        g_auto(KernelTest)
            test = {.kernel = "cross-entropy", .rows = 9, .output = {TRUE, ADIT_SCALAR}};
        const double *x = kernel_test_add(&test, TRUE, ADIT_SHAPE(n), FALSE)->values;
        const double *target = kernel_test_add_numbers(&test, TRUE, ADIT_SCALAR, (guint) n)->values;
        double expected[9];

        for (gsize r = 0; r < 9; r++)
            expected[r] = log_sum(x + r * n, n) - x[r * n + (gsize) target[r]];
        kernel_test_check(&test, expected, ELEMENT_WISE);
    }
}

static void
test_cross_entropy_outside(void)
{
    static const double bad[] = {-1, 5, NAN};
    g_auto(KernelTest) test = {.kernel = "cross-entropy", .rows = 3, .output = {TRUE, ADIT_SCALAR}};
    g_autofree double *got = NULL;

    kernel_test_add(&test, TRUE, ADIT_SHAPE(5), FALSE);
    memcpy(kernel_test_add_numbers(&test, TRUE, ADIT_SCALAR, 5)->values, bad, sizeof bad);
    got = kernel_test_run(&test, ADIT_ISA_PORTABLE, FALSE, 0, 3);
    for (guint i = 0; i < 3; i++)
        g_assert_true(isnan(got[i]));
}

static void
mean_and_variance(const KernelTest *test, gsize size, gsize inner, gsize channel, double *mean,
                  double *variance)
{
    const double *x = test->inputs[0].values;
    gsize n = kernel_test_count(test, &test->inputs[0]);
    gsize count = n / size;

    *mean = *variance = 0;
    for (gsize k = 0; k < n; k++)
        *mean += k / inner % size == channel ? x[k] / (double) count : 0;
    for (gsize k = 0; k < n; k++)
        *variance +=
            k / inner % size == channel ? (x[k] - *mean) * (x[k] - *mean) / (double) count : 0;
}

static void
check_moments(gsize rows, gsize outer, gsize size, gsize inner, double shift)
{
    AditChannelAttributes attributes = {1, size, inner, 0};
    g_auto(KernelTest) test = {.kernel = "moments",
                               .combine = "combine-moments",
                               .rows = rows,
                               .attributes = &attributes,
                               .output = {FALSE, ADIT_SHAPE(2, size)}};
    double *x = kernel_test_add(&test, TRUE, ADIT_SHAPE(outer, size, inner), FALSE)->values;
    g_autofree double *expected = g_new(double, 2 * size);

    for (gsize k = 0; k < kernel_test_count(&test, &test.inputs[0]); k++)
        x[k] += shift;
    for (gsize j = 0; j < size; j++)
        mean_and_variance(&test, size, inner, j, &expected[j], &expected[size + j]);
    kernel_test_check(&test, expected, ELEMENT_WISE);
}

static void
test_moments(void)
{
    static const gsize rows[] = {1, 2, 7, 8, 9, 17, 100, 1001};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        check_moments(rows[i], 1, 16, 1, 0);
        check_moments(rows[i], 1, 17, 1, 0);
        check_moments(rows[i], 3, 5, 1, 0);
        check_moments(rows[i], 2, 3, 25, 0);
        check_moments(rows[i], 1, 3, 1, 64);
    }
}

/* The variance of large numbers near each other: lost if squares were summed. */
static void
test_moments_far_from_zero(void)
{
    AditChannelAttributes attributes = {0, 1, 1, 0};
    g_auto(KernelTest) test = {.kernel = "moments",
                               .combine = "combine-moments",
                               .rows = 1000,
                               .attributes = &attributes,
                               .output = {FALSE, ADIT_SHAPE(2, 1)}};
    double *x = kernel_test_add(&test, TRUE, ADIT_SHAPE(1), FALSE)->values;
    double expected[2];

    for (gsize k = 0; k < 1000; k++)
        x[k] += 10000;
    mean_and_variance(&test, 1, 1, 0, &expected[0], &expected[1]);
    for (guint i = 0; i < 2 * ADIT_N_ISAS; i++) {
        g_autofree double *part = NULL;

        if (!adit_isa_is_available((AditIsa) (i / 2)))
            continue;
        part = kernel_test_run(&test, (AditIsa) (i / 2), i % 2, 0, 1000);
        g_assert_cmpfloat_with_epsilon(part[1], expected[1], 1e-3 * expected[1]);
    }
}

/* Pixels of images, their channels last: @odd and @even in turn. */
static void
add_pixels(KernelTest *test, gsize pixels, float odd, float even)
{
    Operand *operand = kernel_test_add(test, TRUE, ADIT_SHAPE(pixels, 1), FALSE);

    for (gsize i = 0; i < test->rows * pixels; i++)
        operand->values[i] = (double) (i % 2 == 0 ? even : odd);
}

/* Sums over the pixels of large images: 0.1 is added 800,000 times. */
static void
check_large_images(float odd, float even)
{
    const gsize pixels = 224 * 224;
    AditChannelAttributes attributes = {1, 1, 1, 0};
    g_auto(KernelTest) moments = {.kernel = "moments",
                                  .rows = 16,
                                  .attributes = &attributes,
                                  .output = {FALSE, ADIT_SHAPE(2, 1)}};
    g_auto(KernelTest) sums = {.kernel = "normalize-sums",
                               .rows = 16,
                               .attributes = &attributes,
                               .output = {FALSE, ADIT_SHAPE(2, 1)}};
    double half = ((double) even - (double) odd) / 2, mean = (double) odd + half;
    double n = (double) (16 * pixels), *given;

    add_pixels(&moments, pixels, odd, even);
    kernel_test_check(&moments, (double[]){mean, half * half}, ELEMENT_WISE);

    add_pixels(&sums, pixels, odd, even);
    add_pixels(&sums, pixels, even, odd);
    given = kernel_test_add(&sums, FALSE, ADIT_SHAPE(2, 1), TRUE)->values;
    given[0] = 0.5;
    given[1] = 0.25; /* a deviation of 0.5 */
    kernel_test_check(&sums,
                      (double[]){n * mean, 2 * n * ((double) odd * (double) even - 0.5 * mean)},
                      ELEMENT_WISE);
}

static void
test_large_images(void)
{
    check_large_images(0.1f, 0.1f);
    check_large_images(-0.9f, 1.1f);
    check_large_images(0.7f, 0.3f);
}

static void
test_normalize(void)
{
    static const gsize shapes[][3] = {{1, 16, 1}, {1, 17, 1}, {3, 5, 1}, {2, 3, 25}};

    for (guint i = 0; i < G_N_ELEMENTS(shapes); i++) {
        gsize size = shapes[i][1], inner = shapes[i][2];
        AditShape shape = ADIT_SHAPE(shapes[i][0], size, inner);
        AditChannelAttributes attributes = {1, size, inner, 1e-3};
        g_auto(KernelTest) test = {
            .kernel = "normalize", .rows = 9, .attributes = &attributes, .output = {TRUE, shape}};
        const double *x = kernel_test_add(&test, TRUE, shape, FALSE)->values;
        const double *moments = kernel_test_add(&test, FALSE, ADIT_SHAPE(2, size), TRUE)->values;
        const double *scale = kernel_test_add(&test, FALSE, ADIT_SHAPE(size), FALSE)->values;
        const double *shift = kernel_test_add(&test, FALSE, ADIT_SHAPE(size), FALSE)->values;
        gsize n = kernel_test_count(&test, &test.inputs[0]);
        g_autofree double *expected = g_new(double, n);

        for (gsize k = 0; k < n; k++) {
            gsize j = k / inner % size;

            expected[k] =
                (x[k] - moments[j]) / sqrt(moments[size + j] + 1e-3) * scale[j] + shift[j];
        }
        kernel_test_check(&test, expected, ELEMENT_WISE);
    }
}

static void
test_layer_norm(void)
{
    for (guint i = 1; i < G_N_ELEMENTS(sizes); i++) {
        gsize n = sizes[i];
        AditChannelAttributes attributes = {.epsilon = 1e-5};
        g_auto(KernelTest) test = {.kernel = "layer-norm",
                                   .rows = 9,
                                   .attributes = &attributes,
                                   .output = {TRUE, ADIT_SHAPE(2, n)}};
        const double *x = kernel_test_add(&test, TRUE, ADIT_SHAPE(2, n), FALSE)->values;
        const double *scale = kernel_test_add(&test, FALSE, ADIT_SHAPE(n), FALSE)->values;
        const double *shift = kernel_test_add(&test, FALSE, ADIT_SHAPE(n), FALSE)->values;
        g_autofree double *expected = g_new(double, 18 * n);

        for (gsize k = 0; k < 18 * n; k++) {
            const double *line = x + k / n * n;
            double mean = 0, variance = 0;

            for (gsize j = 0; j < n; j++)
                mean += line[j] / (double) n;
            for (gsize j = 0; j < n; j++)
                variance += (line[j] - mean) * (line[j] - mean) / (double) n;
            expected[k] = (x[k] - mean) / sqrt(variance + 1e-5) * scale[k % n] + shift[k % n];
        }
        kernel_test_check(&test, expected, ELEMENT_WISE);
    }
}

/**
 * Fused: what a fused kernel and those it stands for work on.
 * @further: the sums that normalize-backward leaves besides
 */
typedef struct {
    KernelTest test;
    AditChannelAttributes attributes;
    AditIsa isa;
    gboolean f64;
    double *further;
} Fused;

/* What @kernel gives of the fused kernel's inputs of these numbers, of @result for -1. */
static double *
run_part(const Fused *self, const char *kernel, const int *inputs, guint n_inputs, double *result,
         gboolean over_rows)
{
    KernelTest part = self->test;

    part.kernel = kernel;
    part.further = (Operand){0};
    part.n_inputs = n_inputs;
    if (over_rows)
        part.output = self->test.further;
    for (guint i = 0; i < n_inputs; i++)
        part.inputs[i] = inputs[i] >= 0 ? self->test.inputs[inputs[i]]
                                        : (Operand){TRUE, self->test.output.shape, result};
    return kernel_test_run(&part, self->isa, self->f64, 0, part.rows);
}
#define RUN_PART(self, kernel, result, over_rows, ...)                                             \
    run_part(self, kernel, (const int[]){__VA_ARGS__}, G_N_ELEMENTS(((const int[]){__VA_ARGS__})), \
             result, over_rows)

static void
assert_same(const Fused *self, const double *got, const double *expected, gsize n)
{
    g_test_message(
        "%s, %s, %s, %" G_GSIZE_FORMAT " rows of %" G_GSIZE_FORMAT " by %" G_GSIZE_FORMAT,
        self->test.kernel, adit_isa_get_name(self->isa), self->f64 ? "float64" : "float32",
        self->test.rows, self->attributes.size, self->attributes.inner);
    g_assert_cmpmem(got, n * sizeof(double), expected, n * sizeof(double));
}

static void
check_normalize_relu(const Fused *self)
{
    g_autofree double *got = kernel_test_run(&self->test, self->isa, self->f64, 0, self->test.rows);
    g_autofree double *map = RUN_PART(self, "normalize", NULL, FALSE, 0, 1, 2, 3);
    g_autofree double *relu = RUN_PART(self, "relu", map, FALSE, -1);

    assert_same(self, got, relu, kernel_test_count(&self->test, &self->test.output));
}

static void
check_moments_gradient_add(const Fused *self)
{
    g_autofree double *got = kernel_test_run(&self->test, self->isa, self->f64, 0, self->test.rows);
    g_autofree double *map = RUN_PART(self, "moments-gradient", NULL, FALSE, 0, 1, 2);
    g_autofree double *sum = RUN_PART(self, "add", map, FALSE, 3, -1);

    assert_same(self, got, sum, kernel_test_count(&self->test, &self->test.output));
}

static void
check_normalize_backward(const Fused *self)
{
    g_autofree double *got = kernel_test_run(&self->test, self->isa, self->f64, 0, self->test.rows);
    g_autofree double *gate = RUN_PART(self, "relu-gradient", NULL, FALSE, 0, 1);
    g_autofree double *sums = RUN_PART(self, "normalize-sums", gate, TRUE, 2, -1, 3);
    g_autofree double *map = RUN_PART(self, "normalize-gradient", gate, FALSE, -1, 3, 4);
    g_autofree double *sum = NULL;

    if (self->test.n_inputs > 5)
        sum = RUN_PART(self, "add", map, FALSE, 5, -1);
    assert_same(self, got, sum != NULL ? sum : map,
                kernel_test_count(&self->test, &self->test.output));
    assert_same(self, self->further, sums, 2 * self->attributes.size);
}

/* @what: the fused kernel's inputs: r with rows, m moments, c numbers a channel, p what a rectifier
 * gave */
static void
check_fused(const char *kernel, const char *what, void (*check)(const Fused *self), gsize rows,
            gsize outer, gsize size, gsize inner)
{
    g_autofree double *further = g_new(double, 2 * size);
    AditShape shape = inner > 1   ? ADIT_SHAPE(size, inner)
                      : outer > 1 ? ADIT_SHAPE(outer, size)
                                  : ADIT_SHAPE(size);
    Fused fused = {.attributes = {0, size, inner, 1e-3}, .further = further};
    KernelTest *test = &fused.test;

    *test = (KernelTest){
        .kernel = kernel, .rows = rows, .attributes = &fused.attributes, .output = {TRUE, shape}};
    if (g_str_equal(kernel, "normalize-backward"))
        test->further = (Operand){FALSE, ADIT_SHAPE(2, size), further};
    for (const char *p = what; *p != '\0'; p++) {
        gboolean has_rows = *p == 'r' || *p == 'p';
        Operand *operand = kernel_test_add(test, has_rows,
                                           has_rows    ? shape
                                           : *p == 'm' ? ADIT_SHAPE(2, size)
                                                       : ADIT_SHAPE(size),
                                           *p == 'm');

        for (gsize i = 0; *p == 'p' && i < kernel_test_count(test, operand); i++)
            operand->values[i] = MAX(operand->values[i], 0);
    }
    for (guint i = 0; i < 2 * ADIT_N_ISAS; i++) {
        fused.isa = (AditIsa) (i / 2);
        fused.f64 = i % 2 == 1;
        if (adit_isa_is_available(fused.isa))
            check(&fused);
    }
    kernel_test_clear(test);
}

/* The bits of fused kernels are those of the kernels that they stand for. */
static void
test_fused(void)
{
    static const gsize widths[] = {1, 2, 3, 7, 8, 13, 16, 17, 24, 33, 64, 67, 100};

    for (guint i = 0; i < 5 * G_N_ELEMENTS(widths); i++) {
        gsize size = widths[i / 5], rows = 1 + (11 * i) % 37;
        gsize inner = i % 5 == 4 ? 1 + size % 23 : 1, outer = i % 5 == 3 ? 2 + size % 11 : 1;

        check_fused("normalize-relu", "rmcc", check_normalize_relu, rows, outer, size, inner);
        check_fused("moments-gradient-add", "rmmr", check_moments_gradient_add, rows, outer, size,
                    inner);
        check_fused("normalize-backward", "prrmc", check_normalize_backward, rows, outer, size,
                    inner);
        check_fused("normalize-backward", "prrmcr", check_normalize_backward, rows, outer, size,
                    inner);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/ops/softmax/plain", GINT_TO_POINTER(FALSE), test_softmax);
    g_test_add_data_func("/ops/softmax/log", GINT_TO_POINTER(TRUE), test_softmax);
    g_test_add_func("/ops/softmax/does-not-overflow", test_softmax_does_not_overflow);
    g_test_add_func("/ops/softmax/cross-entropy", test_cross_entropy);
    g_test_add_func("/ops/softmax/cross-entropy-outside", test_cross_entropy_outside);
    g_test_add_func("/ops/moments/sizes", test_moments);
    g_test_add_func("/ops/moments/far-from-zero", test_moments_far_from_zero);
    g_test_add_func("/ops/moments/large-images", test_large_images);
    g_test_add_func("/ops/moments/normalize", test_normalize);
    g_test_add_func("/ops/moments/fused", test_fused);
    g_test_add_func("/ops/layer-norm/sizes", test_layer_norm);
    return g_test_run();
}
