/* tests/core/device/test-convolver.c - SPDX-License-Identifier: MIT */
#include <adit/adit-ops.h>

#include "adit-json.h"
#include "rig.h"

#include <math.h>
#include <string.h>

/* A library that convolutions are computed by, opened once in a process: every case is one of its
 * own. */

#define IMAGE ADIT_SHAPE(2, 3, 4)
#define ROWS  5
#define COUNT (ROWS * 3 * 3 * 4)

/* @factor: of the weights; 0: none, so that they are a parameter as it lies */
static AditTensor *
convolve(AditGraph *graph, AditTensor *x, gsize filters, const char *name, double factor)
{
    AditWindow window = {.size = {3, 3}, .stride = {1, 1}, .dilation = {1, 1}};
    gsize channels = adit_tensor_get_shape(x)->size[0];
    AditTensor *weights = adit_parameter_filled(graph, name, ADIT_ROLE_WEIGHT,
                                                &ADIT_SHAPE(filters, channels, 3, 3), 0.5);

    adit_window_pad_same(&window);
    return adit_conv2d(x, factor != 0 ? adit_scale(weights, factor) : weights, &window, 1);
}

/* In a loop, each time with weights of its own. */
static AditTensor *
convolve_twice(AditGraph *graph, AditTensor *x, gsize filters)
{
    AditLoop *loop = adit_loop_new(graph, 2, FALSE);
    AditTensor *carry = adit_loop_carry(loop, x);

    adit_graph_enter_scope(loop->body, 1, (guint[ADIT_MAX_LOOPS]){1}, 1, "block", "conv");
    adit_loop_set_next(loop, carry, convolve(loop->body, carry, filters, "b", 0));
    adit_graph_leave_scope(loop->body);
    return adit_loop_last(loop, carry);
}

/* What a run keeps of how its convolutions are computed: nothing before there are some. */
static void
assert_described(AditDevice *device, const char *expected)
{
    g_autoptr(JsonObject) object = json_object_new();

    adit_device_describe(device, object);
    g_assert_cmpstr(adit_json_get_text(object, "convolutions"), ==, expected);
}

/* A convolution with computed weights, and two in a loop. What the last one gives and, behind that,
 * its first weight. @library: that is said to have computed it */
static void
compute(double *values, const char *library)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_EVALUATION);
    AditTensor *x = convolve(graph, adit_input(graph, "x", &IMAGE, 0), 3, "a", 2);
    AditTensor *y = convolve_twice(graph, x, 3);
    g_autoptr(Rig) rig = rig_new(graph);
    guint output = rig_add(rig, ADIT_OUTPUT_READ, y);
    const AditSlot *last = rig->layout->slots->pdata[1]; /* of the loop */

    rig->device = adit_cpu_device_new(2, FALSE);
    assert_described(rig->device, NULL);
    rig_prepare(rig, 2, FALSE, ROWS);
    assert_described(rig->device, library);
    rig_scatter(rig, 0.3);
    rig_feed(rig, test_array(&IMAGE, ROWS, 1));
    rig_run(rig, ROWS, 1);
    g_autofree double *read = rig_read(rig, output, ROWS);
    g_autofree double *parameters = rig_read_arena(rig, ADIT_ARENA_PARAMETERS);

    memcpy(values, read, COUNT * sizeof *values);
    values[COUNT] = parameters[last->offset + (last->n - 1) * adit_shape_count(&last->shape)];
}

/* ---- gradients ---- */

#define WIDTH  64
#define SMALL  ADIT_SHAPE(WIDTH, 2, 2)
#define MANY   (ADIT_SLICES * 20) /* images, so that a slice has two panels */
#define EACH   (WIDTH * WIDTH * 3 * 3)
#define LAYERS 4

/* A layer, two in a loop, and one behind where all images meet, of so many weights that their
 * gradients are joined in turn. */
static AditTensor *
build_layers(AditGraph *graph)
{
    AditTensor *x = convolve(graph, adit_input(graph, "x", &SMALL, 0), WIDTH, "a", 0);
    AditTensor *y = convolve_twice(graph, x, WIDTH);

    return convolve(graph, adit_add(y, adit_reduce_rows(y, ADIT_REDUCE_MEAN)), WIDTH, "c", 0);
}

/* Gradients of all weights. @library: that is said to have computed them */
static double *
compute_gradients(guint threads, const char *library)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *y = build_layers(graph);
    AditTensor *loss = test_weigh(adit_square(y));
    g_autoptr(Rig) rig = rig_new(graph);

    rig_add_gradients(rig, loss);
    rig_prepare(rig, threads, FALSE, MANY);
    assert_described(rig->device, library);
    g_assert_cmpuint(rig->layout->n_parameters, ==, LAYERS * EACH);
    rig_scatter(rig, 0.3);
    rig_feed(rig, test_array(&SMALL, MANY, 1));
    rig_run(rig, MANY, 1);
    return rig_read_arena(rig, ADIT_ARENA_GRADIENTS);
}

/* @told: (nullable): to the library; "unwanted": to the core */
static void
tell(const char *told)
{
    g_autofree char *folder = g_test_build_filename(G_TEST_BUILT, "core", "device", NULL);

    g_unsetenv("ADIT_FUSE"); /* with each operation by itself there is no library */
    if (told != NULL)
        g_setenv("STAND_IN", told, TRUE);
    if (g_strcmp0(told, "unwanted") == 0)
        g_setenv("ADIT_CONVOLUTIONS", "built-in", TRUE);
    g_setenv("ADIT_PLUGIN_PATH", folder, TRUE);
    g_setenv("ADIT_PLUGIN_SYSTEM_PATH", folder, TRUE); /* there may be another library */
}

/* The library's numbers, of the right weights in every iteration. */
static void
test_computes(void)
{
    double values[COUNT + 1];

    if (!g_test_subprocess()) {
        g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
        g_test_trap_assert_passed();
        return;
    }
    tell(NULL);
    compute(values, "stand-in 1.0");
    for (guint i = 0; i < COUNT; i++)
        g_assert_cmpfloat((float) values[i], ==, 7 * (float) values[COUNT]);
}

/* The library's gradients, each at its place, of all images; in the same bits for any threads. */
static void
test_sums(void)
{
    if (!g_test_subprocess()) {
        g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
        g_test_trap_assert_passed();
        return;
    }
    tell(NULL);
    g_autofree double *one = compute_gradients(1, "stand-in 1.0");

    for (guint layer = 0; layer < LAYERS; layer++) {
        const double *gradient = one + layer * EACH;

        g_assert_cmpfloat(fabs(gradient[0]), >, 0);
        for (guint i = 0; i < EACH; i++)
            g_assert_cmpfloat(fabs(gradient[i] / (i + 1) - gradient[0]), <=,
                              1e-5 * fabs(gradient[0]));
    }
    for (guint threads = 2; threads < 4; threads++) {
        g_autofree double *many = compute_gradients(threads, "stand-in 1.0");

        test_assert_same(many, one, LAYERS * EACH);
    }
}

typedef struct {
    const char *told;
    const char *domain;   /* who says something about it; NULL: nobody does */
    GLogLevelFlags level; /* of what is said about it, and what; 0: nothing is */
    const char *said;
    const char *library; /* that a run keeps */
} Refusal;

/* Without the library it is as if there were none. */
static void
test_refuses(gconstpointer data)
{
    const Refusal *refusal = data;
    double largest = 0;

    if (!g_test_subprocess()) {
        g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
        g_test_trap_assert_passed();
        return;
    }
    tell(refusal->told);
    g_setenv("ADIT_FUSE", "0", TRUE);
    g_autofree double *alone = compute_gradients(2, ADIT_CPU_BUILT_IN);

    g_unsetenv("ADIT_FUSE");
    if (refusal->level == G_LOG_LEVEL_WARNING)
        g_test_expect_message("adit-device", G_LOG_LEVEL_INFO, "convolutions by stand-in 1.0");
    if (refusal->level != 0)
        g_test_expect_message(refusal->domain, refusal->level, refusal->said);
    g_autofree double *values = compute_gradients(2, refusal->library);

    g_test_assert_expected_messages();
    for (guint i = 0; i < LAYERS * EACH; i++)
        largest = MAX(largest, fabs(alone[i]));
    for (guint i = 0; i < LAYERS * EACH; i++)
        g_assert_cmpfloat(fabs(values[i] - alone[i]), <=, 1e-6 * largest);
}

int
main(int argc, char *argv[])
{
    static const Refusal refusals[] = {
        {"old", "adit-base", G_LOG_LEVEL_MESSAGE, "*stand-in.so is of another version of Adit*",
         ADIT_CPU_BUILT_IN},
        {"no-isa", NULL, 0, NULL, ADIT_CPU_BUILT_IN},
        {"unwanted", NULL, 0, NULL, ADIT_CPU_BUILT_IN},
        {"nothing", NULL, 0, NULL, "stand-in 1.0"},
        {"no-pack", "adit-device", G_LOG_LEVEL_WARNING, "stand-in 1.0 failed; *without it",
         "stand-in 1.0"},
        {"no-unpack", "adit-device", G_LOG_LEVEL_WARNING, "stand-in 1.0 failed; *without it",
         "stand-in 1.0"},
        {"no-run", "adit-device", G_LOG_LEVEL_WARNING, "stand-in 1.0 failed; *without it",
         "stand-in 1.0"},
    };

    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/convolver/computes", test_computes);
    g_test_add_func("/convolver/sums", test_sums);
    for (guint i = 0; i < G_N_ELEMENTS(refusals); i++) {
        g_autofree char *path = g_strconcat("/convolver/", refusals[i].told, NULL);

        g_test_add_data_func(path, &refusals[i], test_refuses);
    }
    return g_test_run();
}
