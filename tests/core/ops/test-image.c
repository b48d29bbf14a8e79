/* tests/core/ops/test-image.c - SPDX-License-Identifier: MIT */
#include "kernel-test.h"

#include <math.h>

/* Convolution and pooling against what their definitions say, pixel by pixel. */

/* A convolution of @channels channels of @image to @filters filters. */
typedef struct {
    gsize rows;
    gsize channels, filters, groups;
    gsize image[2];
    AditWindow window;
} Conv;

#define PLAIN                                                                                      \
    {                                                                                              \
        1, 1                                                                                       \
    }

/* Every way to lie; more windows than a tile has, fewer than a vector, whole rows in a tile; large
 * products; then thin ones. */
static const Conv convs[] = {
    {9, 3, 4, 1, {7, 5}, {{3, 3}, PLAIN, PLAIN, {1, 1}, {1, 1}}},
    {9, 4, 6, 2, {7, 9}, {{3, 2}, {2, 1}, {1, 2}, {0, 1}, {2, 1}}},
    {9, 5, 5, 5, {6, 6}, {{3, 3}, {2, 2}, PLAIN, {1, 1}, {1, 1}}},
    {9, 7, 17, 1, {4, 5}, {{1, 1}, PLAIN, PLAIN, {0, 0}, {0, 0}}},
    {9, 2, 3, 1, {5, 4}, {{5, 4}, PLAIN, PLAIN, {0, 0}, {0, 0}}},
    {9, 1, 3, 1, {2, 1}, {{2, 1}, PLAIN, PLAIN, {0, 0}, {1, 0}}},
    {9, 1, 2, 1, {3, 3}, {{2, 2}, {3, 3}, {4, 3}, {3, 1}, {4, 3}}},
    {9, 2, 1, 1, {1, 40}, {{1, 7}, {1, 3}, {1, 2}, {0, 20}, {0, 0}}},
    {9, 4, 33, 1, {1, 1}, {{3, 3}, PLAIN, PLAIN, {1, 1}, {1, 1}}},
    {3, 130, 20, 1, {23, 21}, {{3, 3}, PLAIN, PLAIN, {1, 1}, {1, 1}}},
    {17, 16, 48, 1, {8, 8}, {{3, 3}, {2, 2}, PLAIN, {1, 1}, {1, 1}}},
    {130, 3, 5, 1, {3, 3}, {{3, 3}, PLAIN, PLAIN, {1, 1}, {1, 1}}},
    {3, 120, 70, 1, {7, 7}, {{3, 3}, PLAIN, PLAIN, {1, 1}, {1, 1}}},
    {19, 3, 5, 1, {9, 8}, {{3, 3}, PLAIN, PLAIN, {1, 1}, {1, 1}}},
    {33, 8, 7, 1, {8, 11}, {{5, 5}, PLAIN, PLAIN, {2, 2}, {2, 2}}},
    {9, 2, 4, 1, {10, 40}, {{3, 2}, PLAIN, {2, 3}, {0, 3}, {1, 0}}},
    {5, 1, 1, 1, {8, 8}, {{1, 1}, PLAIN, PLAIN, {0, 0}, {0, 0}}},
    {9, 4, 3, 1, {8, 9}, {{2, 2}, PLAIN, PLAIN, {3, 3}, {0, 2}}},
    {17, 6, 8, 1, {16, 17}, {{3, 3}, PLAIN, PLAIN, {0, 0}, {0, 0}}},
};

static gsize
count_windows(const AditWindow *window, const gsize *image, guint axis)
{
    gsize extent = (window->size[axis] - 1) * window->dilation[axis] + 1;

    return (image[axis] + window->before[axis] + window->after[axis] - extent) /
               window->stride[axis] +
           1;
}

/* Where tap @i of window @o lies along an axis; a number beyond the image if it is in the padding.
 */
static gsize
find_pixel(const AditWindow *window, guint axis, gsize o, gsize i)
{
    return o * window->stride[axis] + i * window->dilation[axis] - window->before[axis];
}

/* One product of a convolution: numbers of the elements of image, weights and windows. */
typedef void (*Visit)(gpointer data, gsize x, gsize weight, gsize y);

static void
visit_window(const Conv *conv, gsize r, gsize f, gsize line, gsize column, gsize out_height,
             gsize out_width, Visit visit, gpointer data)
{
    const AditWindow *window = &conv->window;
    gsize channels = conv->channels / conv->groups;
    gsize first = f / (conv->filters / conv->groups) * channels;
    gsize y = ((r * conv->filters + f) * out_height + line) * out_width + column;

    for (gsize k = 0; k < channels * window->size[0] * window->size[1]; k++) {
        gsize across = k % window->size[1], down = k / window->size[1] % window->size[0];
        gsize c = first + k / window->size[1] / window->size[0];
        gsize h = find_pixel(window, 0, line, down), w = find_pixel(window, 1, column, across);

        if (h < conv->image[0] && w < conv->image[1])
            visit(data, ((r * conv->channels + c) * conv->image[0] + h) * conv->image[1] + w,
                  f * channels * window->size[0] * window->size[1] + k, y);
    }
}

static void
visit_products(const Conv *conv, Visit visit, gpointer data)
{
    gsize height = count_windows(&conv->window, conv->image, 0);
    gsize width = count_windows(&conv->window, conv->image, 1);

    for (gsize i = 0; i < conv->rows * conv->filters * height * width; i++) {
        gsize filter = i / width / height;

        visit_window(conv, filter / conv->filters, filter % conv->filters, i / width % height,
                     i % width, height, width, visit, data);
    }
}

/* What is multiplied, and the sums. */
typedef struct {
    const double *a, *b;
    double *sums;
} Sums;

static void
add_to_windows(gpointer data, gsize x, gsize weight, gsize y)
{
    Sums *sums = data;

    sums->sums[y] += sums->a[x] * sums->b[weight];
}

static void
add_to_image(gpointer data, gsize x, gsize weight, gsize y)
{
    Sums *sums = data;

    sums->sums[x] += sums->a[y] * sums->b[weight];
}

static void
add_to_weights(gpointer data, gsize x, gsize weight, gsize y)
{
    Sums *sums = data;

    sums->sums[weight] += sums->a[x] * sums->b[y];
}

/* The three operations: which operands they have in place of image, weights and windows. */
static const struct {
    const char *kernel;
    guint inputs[2], output; /* 0: image, 1: weights, 2: windows */
    Visit visit;
} operations[] = {
    {"conv2d", {0, 1}, 2, add_to_windows},
    {"conv2d-back", {2, 1}, 0, add_to_image},
    {"conv2d-rows", {0, 2}, 1, add_to_weights},
};

/* An operand's values, [channels, height, width] row by row, with the channels last. */
static void
turn_images(const KernelTest *test, const Operand *operand, double *values)
{
    gsize n = kernel_test_count(test, operand), channels = operand->shape.size[0];
    gsize count = adit_shape_count(&operand->shape), pixels = count / channels;
    g_autofree double *from = g_memdup2(values, n * sizeof *values);

    for (gsize i = 0; i < n; i++) {
        gsize row = i / count * count, c = i % count / pixels, p = i % pixels;

        values[row + p * channels + c] = from[i];
    }
}

/* The shape of an image with its channels last. */
static AditShape
turn_shape(const AditShape *shape)
{
    return shape->rank == 3 ? ADIT_SHAPE(shape->size[1], shape->size[2], shape->size[0]) : *shape;
}

/* Turns all images of a test whose result is expected as @expected. */
static void
turn_test(KernelTest *test, double *expected)
{
    for (guint i = 0; i < test->n_inputs; i++) {
        if (test->inputs[i].shape.rank == 3)
            turn_images(test, &test->inputs[i], test->inputs[i].values);
        test->inputs[i].shape = turn_shape(&test->inputs[i].shape);
    }
    if (test->output.shape.rank == 3)
        turn_images(test, &test->output, expected);
    test->output.shape = turn_shape(&test->output.shape);
}

static void
check_conv(const Conv *conv, guint operation, gboolean channels_last)
{
    AditConvAttributes attributes = {
        conv->window, conv->groups, {conv->image[0], conv->image[1]}, channels_last};
    const Operand operands[] = {
        {TRUE, ADIT_SHAPE(conv->channels, conv->image[0], conv->image[1]), NULL},
        {FALSE,
         ADIT_SHAPE(conv->filters, conv->channels / conv->groups, conv->window.size[0],
                    conv->window.size[1]),
         NULL},
        {TRUE,
         ADIT_SHAPE(conv->filters, count_windows(&conv->window, conv->image, 0),
                    count_windows(&conv->window, conv->image, 1)),
         NULL},
    };
    g_auto(KernelTest) test = {.kernel = operations[operation].kernel,
                               .rows = conv->rows,
                               .attributes = &attributes,
                               .output = operands[operations[operation].output]};
    g_autofree double *expected = NULL;
    Sums sums;

    for (guint i = 0; i < 2; i++) {
        const Operand *operand = &operands[operations[operation].inputs[i]];

        kernel_test_add(&test, operand->rows, operand->shape, FALSE);
    }
    expected = g_new0(double, kernel_test_count(&test, &test.output));
    sums = (Sums){test.inputs[0].values, test.inputs[1].values, expected};
    visit_products(conv, operations[operation].visit, &sums);
    if (!test.output.rows)
        test.combine = "combine-sum";
    if (channels_last)
        turn_test(&test, expected);
    kernel_test_check(&test, expected, PRODUCTS);
    if (!test.output.rows)
        kernel_test_check_panels(&test);
}

static void
test_conv(gconstpointer operation)
{
    for (guint i = 0; i < G_N_ELEMENTS(convs); i++)
        check_conv(&convs[i], GPOINTER_TO_UINT(operation), FALSE);
}

static void
test_conv_last(gconstpointer operation)
{
    for (guint i = 0; i < G_N_ELEMENTS(convs); i++)
        check_conv(&convs[i], GPOINTER_TO_UINT(operation), TRUE);
}

/* ---- pooling ---- */

typedef struct {
    gboolean rows;
    gsize channels;
    gsize image[2];
    gsize to[2]; /* 0: not adaptive */
    AditWindow window;
} Pool;

static const Pool pools[] = {
    {TRUE, 3, {6, 8}, {0, 0}, {{2, 2}, {2, 2}, PLAIN, {0, 0}, {0, 0}}},
    {TRUE, 2, {7, 5}, {0, 0}, {{3, 3}, {2, 2}, PLAIN, {1, 1}, {1, 1}}},
    {TRUE, 2, {7, 9}, {0, 0}, {{2, 3}, {2, 1}, PLAIN, {0, 1}, {1, 2}}},
    {TRUE, 1, {5, 17}, {0, 0}, {{3, 2}, {1, 3}, {2, 4}, {2, 3}, {1, 0}}},
    /* few channels in vectors of several sizes, and more than are few */
    {TRUE, 5, {5, 17}, {0, 0}, {{3, 2}, {1, 3}, {2, 4}, {2, 3}, {1, 0}}},
    {TRUE, 15, {7, 5}, {0, 0}, {{3, 3}, {2, 2}, PLAIN, {1, 1}, {1, 1}}},
    {TRUE, 20, {6, 8}, {0, 0}, {{2, 2}, {2, 2}, PLAIN, {0, 0}, {0, 0}}},
    {FALSE, 3, {4, 4}, {0, 0}, {{4, 4}, PLAIN, PLAIN, {0, 0}, {0, 0}}},
    {TRUE, 3, {1, 1}, {0, 0}, {{1, 1}, PLAIN, PLAIN, {0, 0}, {0, 0}}},
    {TRUE, 2, {7, 10}, {3, 4}, {{0}}},
    {TRUE, 2, {5, 5}, {1, 5}, {{0}}},
    {FALSE, 2, {8, 6}, {4, 3}, {{0}}},
};

typedef struct {
    const Pool *pool;
    gsize out[2];
    gsize rows;
} Pooling;

/* Whether window @o sees pixel @i along an axis. */
static gboolean
sees(const Pooling *self, guint axis, gsize o, gsize i)
{
    const AditWindow *window = &self->pool->window;
    gsize image = self->pool->image[axis], to = self->pool->to[axis];

    if (to > 0)
        return i >= (gsize) floor((double) (o * image) / (double) to) &&
               i < (gsize) ceil((double) ((o + 1) * image) / (double) to);
    for (gsize k = 0; k < window->size[axis]; k++) {
        if (find_pixel(window, axis, o, k) == i)
            return TRUE;
    }
    return FALSE;
}

static double
pool_window(const Pooling *self, const double *image, gsize line, gsize column, const char *kernel)
{
    gsize first = 0, n = 0;
    double sum = 0, most = -INFINITY;

    for (gsize i = 0; i < self->pool->image[0] * self->pool->image[1]; i++) {
        if (!sees(self, 0, line, i / self->pool->image[1]) ||
            !sees(self, 1, column, i % self->pool->image[1]))
            continue;
        if (image[i] > most)
            first = i;
        most = fmax(most, image[i]);
        sum += image[i];
        n++;
    }
    if (g_str_equal(kernel, "pool-argmax"))
        return (double) first;
    return g_str_equal(kernel, "pool-max") ? most : sum / (double) n;
}

static Pooling
pooling_of(const Pool *pool)
{
    Pooling self = {.pool = pool, .rows = pool->rows ? 9 : 1};

    for (guint i = 0; i < 2; i++)
        self.out[i] = pool->to[i] > 0 ? pool->to[i] : count_windows(&pool->window, pool->image, i);
    return self;
}

static AditPoolAttributes
attributes_of(const Pool *pool)
{
    return (AditPoolAttributes){
        pool->window, pool->to[0] > 0, {pool->image[0], pool->image[1]}, FALSE};
}

static void
check_pool(const Pool *pool, const char *kernel, gboolean channels_last)
{
    Pooling pooling = pooling_of(pool);
    AditPoolAttributes attributes = attributes_of(pool);
    g_auto(KernelTest)
        test = {.kernel = kernel,
                .rows = pooling.rows,
                .attributes = &attributes,
                .output = {pool->rows, ADIT_SHAPE(pool->channels, pooling.out[0], pooling.out[1])}};
    gsize pixels = pool->image[0] * pool->image[1], n;
    g_autofree double *expected = NULL;
    /* of 3 numbers many are equal */
    const double *x =
        kernel_test_add_numbers(&test, pool->rows,
                                ADIT_SHAPE(pool->channels, pool->image[0], pool->image[1]), 3)
            ->values;

    n = kernel_test_count(&test, &test.output);
    expected = g_new(double, n);
    for (gsize i = 0; i < n; i++)
        expected[i] = pool_window(&pooling, x + i / pooling.out[1] / pooling.out[0] * pixels,
                                  i / pooling.out[1] % pooling.out[0], i % pooling.out[1], kernel);
    attributes.channels_last = channels_last;
    if (channels_last)
        turn_test(&test, expected);
    kernel_test_check(&test, expected, g_str_equal(kernel, "pool-average") ? ELEMENT_WISE : 0);
}

static void
test_pool(gconstpointer kernel)
{
    for (guint i = 0; i < G_N_ELEMENTS(pools); i++)
        check_pool(&pools[i], kernel, FALSE);
    for (guint i = 0; i < G_N_ELEMENTS(pools); i++)
        check_pool(&pools[i], kernel, TRUE);
}

/* A number of a pixel that the window does not see, or of none, gives nothing to any. */
static void
test_pool_max_back(void)
{
    static const double taken[] = {0, 5, 2, NAN, 3.5, -1, 16, 1e30, 10};
    static const double expected[16] = {[0] = 1, [10] = 9};
    AditPoolAttributes attributes = {{{2, 2}, {1, 1}, PLAIN, {0, 0}, {0, 0}}, FALSE, {4, 4}, FALSE};
    g_auto(KernelTest) test = {.kernel = "pool-max-back",
                               .rows = 1,
                               .attributes = &attributes,
                               .output = {TRUE, ADIT_SHAPE(1, 4, 4)}};
    double *dy;

    memcpy(kernel_test_add(&test, TRUE, ADIT_SHAPE(1, 3, 3), FALSE)->values, taken, sizeof taken);
    dy = kernel_test_add(&test, TRUE, ADIT_SHAPE(1, 3, 3), FALSE)->values;
    for (guint i = 0; i < 9; i++)
        dy[i] = i + 1;
    /* window 1 sees pixels 1, 2, 5, 6; window 2: 2, 3, 6, 7 */
    double whole[16];

    memcpy(whole, expected, sizeof whole);
    whole[5] += 2;
    whole[2] += 3;
    kernel_test_check(&test, whole, 0);
}

/* NaN wins, the first one. */
static void
test_pool_nan(void)
{
    static const double x[] = {1, 2, NAN, 7, NAN, 3};
    AditPoolAttributes attributes = {{{1, 3}, {1, 3}, PLAIN, {0, 0}, {0, 0}}, FALSE, {1, 6}, FALSE};
    g_auto(KernelTest) test = {.kernel = "pool-max",
                               .rows = 1,
                               .attributes = &attributes,
                               .output = {TRUE, ADIT_SHAPE(1, 1, 2)}};

    memcpy(kernel_test_add(&test, TRUE, ADIT_SHAPE(1, 1, 6), FALSE)->values, x, sizeof x);
    for (guint i = 0; i < 2 * ADIT_N_ISAS; i++) {
        g_autofree double *most = NULL, *first = NULL;

        if (!adit_isa_is_available((AditIsa) (i / 2)))
            continue;
        test.kernel = "pool-max";
        most = kernel_test_run(&test, (AditIsa) (i / 2), i % 2 == 1, 0, 1);
        g_assert_true(isnan(most[0]) && isnan(most[1]));
        test.kernel = "pool-argmax";
        first = kernel_test_run(&test, (AditIsa) (i / 2), i % 2 == 1, 0, 1);
        g_assert_cmpfloat(first[0], ==, 2);
        g_assert_cmpfloat(first[1], ==, 4);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(operations); i++) {
        g_autofree char *path = g_strdup_printf("/ops/%s", operations[i].kernel);

        g_autofree char *last = g_strconcat(path, "/channels-last", NULL);

        g_test_add_data_func(path, GUINT_TO_POINTER(i), test_conv);
        g_test_add_data_func(last, GUINT_TO_POINTER(i), test_conv_last);
    }
    g_test_add_data_func("/ops/pool-max", "pool-max", test_pool);
    g_test_add_data_func("/ops/pool-argmax", "pool-argmax", test_pool);
    g_test_add_data_func("/ops/pool-average", "pool-average", test_pool);
    g_test_add_func("/ops/pool-max-back", test_pool_max_back);
    g_test_add_func("/ops/pool-max/nan", test_pool_nan);
    return g_test_run();
}
