/* tests/core/device/test-bytes.c - SPDX-License-Identifier: MIT */
#include <adit/adit-ops.h>

#include "components.h"
#include "rig.h"

#include <string.h>

/* Data of bytes: the numbers that they are read as, wherever they lie and whoever reads them. */

#define SCALE (1.0 / 255)
#define ROWS  53

static AditArray *
make_bytes(gsize width, gsize rows, double scale)
{
    g_autoptr(GError) error = NULL;
    AditArray *array = adit_array_new(ADIT_TYPE_CODE_U8, &ADIT_SHAPE(width), rows, &error);

    g_assert_no_error(error);
    for (gsize i = 0; i < width * rows; i++)
        ((guint8 *) array->data)[i] = (guint8) (i * 77 + i / 256);
    array->scale = scale;
    return array;
}

/* What they are read as, in float32. */
static AditArray *
make_numbers(const AditArray *bytes)
{
    g_autoptr(GError) error = NULL;
    AditArray *array = adit_array_new(ADIT_TYPE_CODE_F32, &bytes->shape, bytes->rows, &error);

    g_assert_no_error(error);
    for (gsize i = 0; i < bytes->rows * adit_shape_count(&bytes->shape); i++)
        ((float *) array->data)[i] = (float) (((const guint8 *) bytes->data)[i] * bytes->scale);
    return array;
}

/* What it is fed with is its output. */
static Rig *
copier(gsize width)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_EVALUATION);
    Rig *rig = rig_new(graph);

    rig_add(rig, ADIT_OUTPUT_READ,
            adit_scale(adit_input(graph, "x", &ADIT_SHAPE((guint) width), 0), 1));
    rig_prepare(rig, 2, FALSE, ROWS);
    return rig;
}

/* Fails unless @rows rows of the feed come as rows of @numbers. */
static void
check_feed(Rig *rig, const AditFeed *feed, gsize rows, const AditArray *numbers)
{
    AditCall call = {.rows = rows, .feeds = feed};
    gsize count = adit_shape_count(&numbers->shape);
    g_autofree double *expected = g_new(double, rows *count);

    for (gsize i = 0; i < rows * count; i++)
        expected[i] =
            adit_array_get(numbers, adit_feed_get_row(feed, i / count) * count + i % count);
    adit_device_run(rig->device, rig->executable, &call);
    g_autofree double *values = rig_read(rig, 0, rows);
    test_assert_same(values, expected, rows * count);
}

/* All 256: what is formed in another way, by a division or a product in float32, has other bits. */
static void
test_values(void)
{
    static const double scales[] = {SCALE, 1, 1.0 / 256, 1.0 / 127, 0.1, 1e-3};

    for (guint i = 0; i < G_N_ELEMENTS(scales); i++) {
        g_autoptr(Rig) rig = copier(256);
        g_autoptr(AditArray) bytes = make_bytes(256, 1, scales[i]);
        guint8 *data = bytes->data;

        for (guint value = 0; value < 256; value++)
            data[value] = (guint8) value;
        g_autoptr(AditArray) numbers = make_numbers(bytes);
        for (guint streamed = 0; streamed < 2; streamed++) {
            AditFeed feed = {.array = bytes, .is_streamed = streamed > 0};

            check_feed(rig, &feed, 1, numbers);
        }
    }
}

/* Rows that begin anywhere in a word; often enough for the places of a stream to be taken again. */
static void
test_rows(void)
{
    static const guint widths[] = {1, 2, 3, 4, 5, 7, 13};
    static const gint32 chosen[] = {40, 2, 31, 7, 7, 19, 0, 52, 23, 11, 5};
    gsize n = G_N_ELEMENTS(chosen);
    AditPermutation order;
    g_autoptr(AditArray) subset = adit_array_new(ADIT_TYPE_CODE_I32, &ADIT_SCALAR, n, NULL);

    memcpy(subset->data, chosen, sizeof chosen);
    adit_permutation_init(&order, 5, "order", n);
    for (guint i = 0; i < G_N_ELEMENTS(widths); i++) {
        g_autoptr(Rig) rig = copier(widths[i]);
        g_autoptr(AditArray) bytes = make_bytes(widths[i], ROWS, SCALE);
        g_autoptr(AditArray) numbers = make_numbers(bytes);

        for (guint way = 0; way < 32; way++) {
            AditFeed feed = {.array = bytes,
                             .order = (way & 1) != 0 ? &order : NULL,
                             .subset = (way & 2) != 0 ? subset : NULL,
                             .is_streamed = (way & 4) != 0,
                             .first = way / 8};

            check_feed(rig, &feed, n - feed.first, numbers);
        }
        check_feed(rig, &(AditFeed){.array = bytes}, ROWS, numbers);
        check_feed(rig, &(AditFeed){.array = bytes, .is_streamed = TRUE}, ROWS, numbers);
    }
}

/* The same executable for data of several types and scales. */
static void
test_types(void)
{
    g_autoptr(Rig) rig = copier(5);
    g_autoptr(AditArray) bytes = make_bytes(5, ROWS, SCALE);
    g_autoptr(AditArray) others = make_bytes(5, ROWS, 0.25);
    g_autoptr(AditArray) numbers = make_numbers(bytes);
    g_autoptr(AditArray) other_numbers = make_numbers(others);

    for (guint streamed = 0; streamed < 2; streamed++) {
        for (guint i = 0; i < 3; i++) {
            AditFeed feed = {.array = bytes, .is_streamed = streamed > 0};

            check_feed(rig, &feed, ROWS, numbers);
            feed.array = numbers;
            check_feed(rig, &feed, 10 + i, numbers);
            feed.array = others;
            check_feed(rig, &feed, ROWS, other_numbers);
        }
    }
}

/* A byte of data is one of memory. */
static void
test_memory(void)
{
    const gsize width = 784, rows = 4000, size = width * rows;
    g_autoptr(Rig) rig = copier(width);
    g_autoptr(AditArray) bytes = make_bytes(width, rows, SCALE);
    g_autoptr(AditArray) numbers = make_numbers(bytes);
    AditFeed feed = {.array = bytes};
    AditDeviceCounts before, after;

    adit_device_count(rig->device, &before);
    check_feed(rig, &feed, 10, numbers);
    adit_device_count(rig->device, &after);
    g_assert_cmpuint(after.bytes - before.bytes, <, size + (1 << 16));
    if (g_getenv("ADIT_TEST_DEVICE") != NULL)
        g_assert_cmpuint(after.bytes - before.bytes, >=, size);

    /* four batches, and no more, of what is streamed */
    feed.is_streamed = TRUE;
    before = after;
    check_feed(rig, &feed, 10, numbers);
    adit_device_count(rig->device, &after);
    g_assert_cmpuint(after.bytes - before.bytes, <, 4 * (ROWS + 3) * width + (1 << 16));
}

/* ---- training ---- */

typedef struct {
    const char *name;
    const char *aggregator;
    const char *norm;
    gboolean is_read; /* the host wants the output: it is no walk */
} Net;

static const Net nets[] = {
    {"glonet", "glonet", NULL, FALSE},
    {"glonet-read", "glonet", NULL, TRUE},
    {"residual", "residual", "batch-norm", FALSE},
    {"chain", "chain", "layer-norm", FALSE},
};

static AditTensor *
build_net(AditGraph *graph, const Net *net)
{
    g_autoptr(AditInitializer) initializer = test_component("initializer", "he-normal", NULL);
    g_autoptr(AditSequence) trunk =
        test_sequence(test_component("aggregator", net->aggregator, NULL));
    g_autoptr(AditBlock) stem = test_dense(6, NULL);
    g_autoptr(AditBlock) head = test_dense(3, NULL);
    AditModel model = {.stem = stem, .trunk = ADIT_BLOCK(trunk), .head = head};

    model.initializer = initializer;
    test_add_repeat(trunk, 5, FALSE, FALSE, test_dense_pre(6, net->norm, "relu"), "dense");
    return adit_model_build(&model, graph, adit_input(graph, "x", &ADIT_SHAPE(7), 0));
}

/* The gradient of a network with two inputs: what it is given, and targets. */
static Rig *
make_training(const Net *net)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *y = build_net(graph, net);
    AditTensor *target = adit_input(graph, "target", &ADIT_SHAPE(3), 0);
    AditTensor *each = adit_sum(adit_square(adit_sub(y, target)));
    AditTensor *loss = adit_reduce_rows(each, ADIT_REDUCE_MEAN);
    Rig *rig = rig_new(graph);

    rig_add(rig, ADIT_OUTPUT_GUARD, loss);
    rig_add(rig, ADIT_OUTPUT_SUM, each);
    if (net->is_read)
        rig_add(rig, ADIT_OUTPUT_READ, y);
    rig_add_gradients(rig, loss);
    rig_prepare(rig, 2, FALSE, ROWS);
    return rig;
}

typedef struct {
    AditArray *inputs;
    AditArray *targets;
    gboolean is_streamed;
} Fed;

/* The gradients and, last, the sum of the losses. */
static double *
train(Rig *rig, const Fed *fed, const AditPermutation *order)
{
    AditFeed feeds[2];
    AditCall call = {.update = 1, .rows = 41, .feeds = feeds};
    gsize n = rig->layout->n_parameters;
    const double none = 0;

    g_assert_cmpuint(rig->program->feeds->len, ==, 2);
    for (guint i = 0; i < 2; i++) {
        const AditTensor *tensor = rig->program->feeds->pdata[i];
        gboolean is_input = adit_shape_count(&tensor->shape) == 7;

        feeds[i] = (AditFeed){.array = is_input ? fed->inputs : fed->targets,
                              .order = order,
                              .first = 3,
                              .is_streamed = fed->is_streamed};
    }
    adit_executable_set_sums(rig->device, rig->executable, &none);
    adit_device_run(rig->device, rig->executable, &call);
    double *found = g_new0(double, n + 1);
    adit_memory_read(rig->device, rig->memory, ADIT_ARENA_GRADIENTS, 0, n, found);
    adit_executable_read_sums(rig->device, rig->executable, &found[n]);
    return found;
}

/* Bytes give the bits of the numbers that they are read as, resident and streamed, whichever the
 * executable met first. */
static void
test_training(gconstpointer user_data)
{
    const Net *net = user_data;
    g_autoptr(AditArray) bytes = make_bytes(7, ROWS, SCALE);
    g_autoptr(AditArray) byte_targets = make_bytes(3, ROWS, 1.0 / 128);
    g_autoptr(AditArray) numbers = make_numbers(bytes);
    g_autoptr(AditArray) targets = make_numbers(byte_targets);
    g_autoptr(Rig) rig = make_training(net);
    const Fed fed[] = {{numbers, targets, FALSE},    {bytes, byte_targets, FALSE},
                       {bytes, targets, FALSE},      {numbers, byte_targets, FALSE},
                       {bytes, byte_targets, TRUE},  {numbers, targets, TRUE},
                       {bytes, byte_targets, FALSE}, {bytes, byte_targets, TRUE}};
    AditPermutation order;

    adit_permutation_init(&order, 5, "order", ROWS);
    g_autofree double *expected = train(rig, &fed[0], &order);
    g_assert_cmpfloat(expected[rig->layout->n_parameters], >, 0);
    for (guint i = 1; i < G_N_ELEMENTS(fed); i++) {
        g_autofree double *found = train(rig, &fed[i], &order);

        test_assert_same(found, expected, rig->layout->n_parameters + 1);
    }
    g_autoptr(Rig) other = make_training(net);
    g_autofree double *alone = train(other, &fed[1], &order);
    test_assert_same(alone, expected, rig->layout->n_parameters + 1);
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bytes/values", test_values);
    g_test_add_func("/bytes/rows", test_rows);
    g_test_add_func("/bytes/types", test_types);
    g_test_add_func("/bytes/memory", test_memory);
    for (guint i = 0; i < G_N_ELEMENTS(nets); i++) {
        g_autofree char *path = g_strdup_printf("/bytes/training/%s", nets[i].name);

        g_test_add_data_func(path, &nets[i], test_training);
    }
    return g_test_run();
}
