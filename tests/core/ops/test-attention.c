/* tests/core/ops/test-attention.c - SPDX-License-Identifier: MIT */
#include "kernel-test.h"

#include <math.h>

/* Attention and its gradient beside the formulas, written out with all weights. That the masks of
 * dropout are those of the plain path is tests/core/device/test-attention.c. */

/**
 * Sums: of one row and head.
 * @weights, @others: [tokens, tokens]
 */
typedef struct {
    gsize tokens, width, size;
    const double *query, *key, *value, *dy;
    double *weights, *others;
} Sums;

static double
dot(const double *a, const double *b, gsize n)
{
    double sum = 0;

    for (gsize i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static void
weigh(const Sums *t)
{
    for (gsize i = 0; i < t->tokens; i++) {
        double *line = t->weights + i * t->tokens, top = -INFINITY, sum = 0;

        for (gsize j = 0; j < t->tokens; j++) {
            line[j] = dot(t->query + i * t->width, t->key + j * t->width, t->size);
            top = fmax(top, line[j]);
        }
        for (gsize j = 0; j < t->tokens; j++) {
            line[j] = exp(line[j] - top);
            sum += line[j];
        }
        for (gsize j = 0; j < t->tokens; j++)
            line[j] /= sum;
    }
}

static void
attend(const Sums *t, double *y)
{
    for (gsize i = 0; i < t->tokens; i++) {
        for (gsize j = 0; j < t->tokens; j++) {
            for (gsize c = 0; c < t->size; c++)
                y[i * t->width + c] += t->weights[i * t->tokens + j] * t->value[j * t->width + c];
        }
    }
}

/* @dx: gradients of queries, keys and values, one behind the other. */
static void
differentiate(const Sums *t, const double *y, double *dx)
{
    gsize apart = t->tokens * t->width;

    for (gsize i = 0; i < t->tokens; i++) {
        const double *dy = t->dy + i * t->width;
        double mean = dot(dy, y + i * t->width, t->size);

        for (gsize j = 0; j < t->tokens; j++) {
            double weight = t->weights[i * t->tokens + j];
            double score = weight * (dot(dy, t->value + j * t->width, t->size) - mean);

            for (gsize c = 0; c < t->size; c++) {
                dx[i * t->width + c] += score * t->key[j * t->width + c];
                dx[apart + j * t->width + c] += score * t->query[i * t->width + c];
                dx[2 * apart + j * t->width + c] += weight * dy[c];
            }
        }
    }
}

/* The result, and what it is the input of, in @y and @dx of all rows. */
static void
expect(const KernelTest *test, gsize heads, double *y, double *dx)
{
    gsize tokens = test->inputs[0].shape.size[0], width = test->inputs[0].shape.size[1];
    g_autofree double *weights = g_new(double, tokens *tokens);

    for (gsize i = 0; i < test->rows * heads; i++) {
        gsize row = i / heads * tokens * width, at = row + i % heads * (width / heads);
        Sums sums = {.tokens = tokens,
                     .width = width,
                     .size = width / heads,
                     .query = test->inputs[0].values + at,
                     .key = test->inputs[1].values + at,
                     .value = test->inputs[2].values + at,
                     .weights = weights};

        weigh(&sums);
        attend(&sums, y + at);
        if (dx == NULL)
            continue;
        sums.dy = test->inputs[3].values + at;
        differentiate(&sums, y + at, dx + 3 * row + (at - row));
    }
}

static void
check(gsize rows, gsize tokens, gsize width, gsize heads, gboolean is_back)
{
    AditAttentionAttributes attributes = {.heads = heads, .tokens = tokens};
    AditShape shape = ADIT_SHAPE(tokens, width);
    gsize n = rows * tokens * width;
    g_autofree double *y = g_new0(double, n), *dx = g_new0(double, 3 * n);
    g_auto(KernelTest) test = {.kernel = is_back ? "attention-gradient" : "attention",
                               .rows = rows,
                               .attributes = &attributes,
                               .output = {TRUE, is_back ? ADIT_SHAPE(3 * tokens, width) : shape}};

    for (guint i = 0; i < (is_back ? 4 : 3); i++)
        kernel_test_add(&test, TRUE, shape, FALSE);
    expect(&test, heads, y, is_back ? dx : NULL);
    if (is_back)
        memcpy(kernel_test_add(&test, TRUE, shape, FALSE)->values, y, n * sizeof *y);
    kernel_test_check(&test, is_back ? dx : y, PRODUCTS);
}

/* One tile, several, of which the last has fewer queries; heads of all sizes. */
static void
test_sizes(gconstpointer is_back)
{
    static const gsize sizes[][3] = {{1, 1, 1},  {2, 3, 1},   {3, 6, 2},   {7, 16, 4}, {16, 5, 5},
                                     {17, 8, 2}, {65, 32, 1}, {65, 34, 2}, {129, 9, 3}};

    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++)
        check(1 + 4 * i % 9, sizes[i][0], sizes[i][1], sizes[i][2], is_back != NULL);
    check(2, 301, 6, 2, is_back != NULL);
}

/* Scores of any size: the greatest is taken off, and what is far below it has no weight. */
static void
test_large_scores(void)
{
    static const double query[] = {1, -1, 300}, key[] = {1000, 999, 0}, value[] = {3, 5, 7};
    const double e = exp(-1.0);
    const double expected[] = {(3 + 5 * e) / (1 + e), 7, 3};
    AditAttentionAttributes attributes = {.heads = 1, .tokens = 3};
    g_auto(KernelTest) test = {.kernel = "attention",
                               .rows = 1,
                               .attributes = &attributes,
                               .output = {TRUE, ADIT_SHAPE(3, 1)}};
    const double *const inputs[] = {query, key, value};

    for (guint i = 0; i < 3; i++)
        memcpy(kernel_test_add(&test, TRUE, ADIT_SHAPE(3, 1), FALSE)->values, inputs[i],
               3 * sizeof(double));
    kernel_test_check(&test, expected, ELEMENT_WISE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/ops/attention/sizes", NULL, test_sizes);
    g_test_add_data_func("/ops/attention/gradient/sizes", GINT_TO_POINTER(1), test_sizes);
    g_test_add_func("/ops/attention/large-scores", test_large_scores);
    return g_test_run();
}
