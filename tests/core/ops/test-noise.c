/* tests/core/ops/test-noise.c - SPDX-License-Identifier: MIT */
#include "adit-philox.h"
#include "kernel-test.h"

#include <math.h>

static const guint32 key[2] = {12, 34};

static void
word_pair(guint64 element, guint64 step, guint32 words[4])
{
    guint32 counter[4] = {(guint32) (element / 4), (guint32) (element / 4 >> 32), (guint32) step,
                          (guint32) (step >> 32)};

    adit_philox(counter, key, words);
}

static double
expect(gboolean normal, guint64 element, guint64 step)
{
    guint i = element % 4;
    guint32 words[4];
    double radius, angle;

    word_pair(element, step, words);
    if (!normal)
        return adit_uniform(words[i]);
    radius = sqrt(-2 * log(adit_uniform(words[i & ~1u])));
    angle = 2 * G_PI * adit_uniform(words[i | 1]);
    return i % 2 == 0 ? radius * cos(angle) : radius * sin(angle);
}

static void
test_values(gconstpointer data)
{
    static const gsize counts[] = {1, 2, 3, 4, 5, 16, 33};
    gboolean normal = GPOINTER_TO_INT(data);

    for (guint i = 0; i < G_N_ELEMENTS(counts); i++) {
        gsize count = counts[i];
        g_auto(KernelTest) test = {.kernel = normal ? "noise-normal" : "noise-uniform",
                                   .rows = 23,
                                   .key = key,
                                   .step = ((guint64) 5 << 32) + i,
                                   .output = {TRUE, ADIT_SHAPE(count)}};
        g_autofree double *expected = g_new(double, 23 * count);

        for (gsize k = 0; k < 23 * count; k++)
            expected[k] = expect(normal, k, test.step);
        kernel_test_check(&test, expected, normal ? ELEMENT_WISE : 0);
    }
}

/* Counters beyond 32 bits. */
static void
test_far_rows(void)
{
    KernelTest test = {
        .kernel = "noise-uniform", .rows = 1, .key = key, .output = {TRUE, ADIT_SHAPE(3)}};
    guint64 first = ((guint64) 1 << 34) + 1;
    g_autofree double *got = kernel_test_run(&test, ADIT_ISA_PORTABLE, FALSE, first, 1);

    for (guint k = 0; k < 3; k++)
        g_assert_cmpfloat(got[k], ==, expect(FALSE, first * 3 + k, 0));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/ops/noise/uniform", GINT_TO_POINTER(FALSE), test_values);
    g_test_add_data_func("/ops/noise/normal", GINT_TO_POINTER(TRUE), test_values);
    g_test_add_func("/ops/noise/far-rows", test_far_rows);
    return g_test_run();
}
