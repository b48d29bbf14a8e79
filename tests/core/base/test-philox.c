/* tests/core/base/test-philox.c - SPDX-License-Identifier: MIT */
#include "adit-philox.h"

#include <math.h>

/* Random123's published vectors (kat_vectors, philox4x32 10). */
static void
test_known_answers(void)
{
    static const struct {
        guint32 counter[4], key[2], expected[4];
    } cases[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        guint32 out[4];

        adit_philox(cases[i].counter, cases[i].key, out);
        g_assert_cmpmem(out, sizeof out, cases[i].expected, sizeof cases[i].expected);
    }
}

static void
test_in_place(void)
{
    guint32 key[2] = {1, 2}, counter[4] = {3, 4, 5, 6}, out[4];

    adit_philox(counter, key, out);
    adit_philox(counter, key, counter);
    g_assert_cmpmem(out, sizeof out, counter, sizeof counter);
}

/* SHA-256 of eight zero bytes and "a", by coreutils: printf '\0\0\0\0\0\0\0\0a' | sha256sum */
static void
test_stream_key(void)
{
    g_autofree char *digest =
        g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *) "\0\0\0\0\0\0\0\0a", 9);
    guint32 key[2], other[2];

    adit_stream_key(0, "a", key);
    for (guint i = 0; i < 8; i++) {
        guint byte = (key[i / 4] >> (8 * (i % 4))) & 0xff;
        g_autofree char *text = g_strdup_printf("%02x", byte);

        g_assert_true(strncmp(text, digest + 2 * i, 2) == 0);
    }
    adit_stream_key(1, "a", other);
    g_assert_cmpuint(key[0], !=, other[0]);
    adit_stream_key(0, "b", other);
    g_assert_cmpuint(key[0], !=, other[0]);
}

static void
test_uniform(void)
{
    AditRandom random;
    double sum = 0;

    g_assert_cmpfloat((double) (float) adit_uniform(0xffffffff), <, 1);
    g_assert_cmpfloat((double) (float) adit_uniform(0xffffffff), ==, adit_uniform(0xffffffff));
    g_assert_cmpfloat((double) (float) adit_uniform(0), ==, adit_uniform(0));
    g_assert_cmpfloat(adit_uniform(0), >, 0);
    adit_random_init(&random, 7, "test");
    for (guint i = 0; i < 100000; i++)
        sum += adit_random_uniform(&random);
    /* six standard errors */
    g_assert_cmpfloat(fabs(sum / 100000 - 0.5), <, 6 * sqrt(1.0 / 12 / 100000));
}

static void
test_bits_are_the_stream(void)
{
    AditRandom random;
    guint32 words[4];

    adit_random_init(&random, 3, "stream");
    for (guint i = 0; i < 12; i++) {
        guint32 counter[4] = {i / 4};

        adit_philox(counter, random.key, words);
        g_assert_cmpuint(adit_random_bits(&random), ==, words[i % 4]);
    }
}

static void
test_normal(void)
{
    AditRandom random;
    double moments[4] = {0};
    const guint n = 100000;

    adit_random_init(&random, 11, "normal");
    for (guint i = 0; i < n; i++) {
        double power = 1, value = adit_random_normal(&random);

        for (guint k = 0; k < 4; k++)
            moments[k] += (power *= value) / n;
    }
    /* six standard errors: of the k-th moment sqrt(E x^2k - (E x^k)^2) / sqrt(n) */
    g_assert_cmpfloat(fabs(moments[0]), <, 6 * sqrt(1.0 / n));
    g_assert_cmpfloat(fabs(moments[1] - 1), <, 6 * sqrt(2.0 / n));
    g_assert_cmpfloat(fabs(moments[2]), <, 6 * sqrt(15.0 / n));
    g_assert_cmpfloat(fabs(moments[3] - 3), <, 6 * sqrt(96.0 / n));
}

static void
test_permutation(void)
{
    static const guint64 sizes[] = {1, 2, 3, 4, 5, 16, 17, 1000, 193280};

    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree guint8 *seen = g_new0(guint8, sizes[i]);
        AditPermutation permutation;

        adit_permutation_init(&permutation, 5, "order", sizes[i]);
        for (guint64 k = 0; k < sizes[i]; k++) {
            guint64 at = adit_permutation_at(&permutation, k);

            g_assert_cmpuint(at, <, sizes[i]);
            g_assert_cmpuint(seen[at], ==, 0);
            seen[at] = 1;
        }
    }
}

/* The same values, however many at a time. */
static void
test_permutation_fill(void)
{
    static const guint64 sizes[] = {1, 2, 3, 15, 16, 17, 300, 1000, 1024, 5000};

    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        AditPermutation permutation;
        gsize values[5001];

        adit_permutation_init(&permutation, 5, "order", sizes[i]);
        for (gsize first = 0; first < sizes[i]; first += 1 + sizes[i] / 7) {
            gsize n = MIN(sizes[i] - first, 1 + (7 * first) % 200);

            values[n] = G_MAXSIZE;
            adit_permutation_fill(&permutation, first, n, values);
            for (gsize k = 0; k < n; k++)
                g_assert_cmpuint(values[k], ==, adit_permutation_at(&permutation, first + k));
            g_assert_cmpuint(values[n], ==, G_MAXSIZE);
        }
    }
}

/* Over many streams every value of a small permutation appears at every place equally often. */
static void
test_permutation_is_fair(void)
{
    enum { N = 5, STREAMS = 5000 };
    guint count[N][N] = {{0}};
    double chi2 = 0;

    for (guint i = 0; i < STREAMS; i++) {
        AditPermutation permutation;

        adit_permutation_init(&permutation, i, "fair", N);
        for (guint k = 0; k < N; k++)
            count[k][adit_permutation_at(&permutation, k)]++;
    }
    for (guint k = 0; k < N; k++) {
        for (guint v = 0; v < N; v++) {
            double expected = (double) STREAMS / N, got = count[k][v];

            chi2 += (got - expected) * (got - expected) / expected;
        }
    }
    /* 16 degrees of freedom: 49 is exceeded once in 30000 */
    g_assert_cmpfloat(chi2, <, 49);
}

static void
test_permutations_differ(void)
{
    AditPermutation a, b;
    guint equal = 0;

    adit_permutation_init(&a, 1, "order/1", 1000);
    adit_permutation_init(&b, 1, "order/2", 1000);
    for (guint64 k = 0; k < 1000; k++)
        equal += adit_permutation_at(&a, k) == adit_permutation_at(&b, k);
    g_assert_cmpuint(equal, <, 10);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/philox/known-answers", test_known_answers);
    g_test_add_func("/base/philox/in-place", test_in_place);
    g_test_add_func("/base/philox/stream-key", test_stream_key);
    g_test_add_func("/base/philox/uniform", test_uniform);
    g_test_add_func("/base/philox/bits-are-the-stream", test_bits_are_the_stream);
    g_test_add_func("/base/philox/normal", test_normal);
    g_test_add_func("/base/philox/permutation", test_permutation);
    g_test_add_func("/base/philox/permutation-fill", test_permutation_fill);
    g_test_add_func("/base/philox/permutation-is-fair", test_permutation_is_fair);
    g_test_add_func("/base/philox/permutations-differ", test_permutations_differ);
    return g_test_run();
}
