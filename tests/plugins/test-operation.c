/* tests/plugins/test-operation.c - SPDX-License-Identifier: MIT */
#include <adit/adit-ops.h>

#include "adit-devices.h"
#include "rig.h"

#include <math.h>
#include <string.h>

/* An operation as a plugin brings one: CPU kernels, a shader, attributes, a gradient rule. */

#define MAX_ROWS 300

/* y = factor x w, where w, a vector without rows, is repeated along the other axes. */
typedef struct {
    double factor;
} Gating;

#define DEFINE_KERNEL(name, real)                                                                  \
    static void name(const AditKernelCall *call)                                                   \
    {                                                                                              \
        const Gating *self = call->attributes;                                                     \
        const real *x = call->inputs[0].data, *w = call->inputs[1].data;                           \
        gsize count = call->inputs[1].count;                                                       \
        real *y = call->output.data;                                                               \
                                                                                                   \
        for (gsize i = 0; i < call->rows * call->output.count; i++)                                \
            y[i] = (real) self->factor * x[i] * w[i % count];                                      \
    }
DEFINE_KERNEL(gate_f32, float)
DEFINE_KERNEL(gate_f64, double)

static guint
encode(const void *attributes, guint32 *words)
{
    float factor = (float) ((const Gating *) attributes)->factor;

    memcpy(words, &factor, sizeof factor);
    return 1;
}

static const AditOp gate_op;

static AditTensor *
gate(AditTensor *x, AditTensor *w, double factor)
{
    Gating gating = {factor};

    return adit_apply(&gate_op, (AditTensor *[]){x, w}, 2, &gating, sizeof gating);
}

static void
gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    const Gating *self = adit_tensor_get_attributes(y);
    AditTensor *product = adit_scale(adit_mul(dy, inputs[0]), self->factor);

    dx[0] = gate(dy, inputs[1], self->factor);
    dx[1] = adit_reduce_rows(adit_reduce(product, ADIT_REDUCE_SUM, (int[]){0}, 1), ADIT_REDUCE_SUM);
}

static const AditOp gate_op = {
    .name = "test:gate",
    .gradient = gradient,
    .kernel_f32 = gate_f32,
    .kernel_f64 = gate_f64,
    .shader = "#include \"broadcast.glsl\"\n"
              "void compute(uint e)\n"
              "{\n"
              "    float w = IN1(adit_broadcast(2, e));\n"
              "    OUT(e) = adit_attribute_float(0) * IN0(adit_broadcast(1, e)) * w;\n"
              "}\n",
    .encode = encode,
};

/* A network of it, three in a row with tanh between them. */

typedef struct {
    double loss;
    double *gradients;
    gsize n;
} Result;

static void
result_clear(Result *self)
{
    g_free(self->gradients);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Result, result_clear)

static Rig *
make_net(guint *output)
{
    static const char *const names[] = {"a", "b", "c"};
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *y = adit_input(graph, "x", &ADIT_SHAPE(3, 5), 0);

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        AditTensor *w = adit_parameter_filled(graph, names[i], ADIT_ROLE_WEIGHT, &ADIT_SHAPE(5), 1);
        y = adit_tanh(gate(y, w, 0.5 + i));
    }
    AditTensor *loss = test_weigh(y);
    Rig *rig = rig_new(graph);
    *output = rig_add(rig, ADIT_OUTPUT_READ, loss);
    rig_add_gradients(rig, loss);
    return rig;
}

/* @device: taken; NULL: the CPU */
static Result
train(AditDevice *device, gboolean f64, gsize rows)
{
    guint output;
    g_autoptr(Rig) rig = make_net(&output);
    Result self = {0};

    rig->device = device;
    rig_prepare(rig, 2, f64, MAX_ROWS);
    rig_scatter(rig, 0.5);
    rig_feed(rig, test_array_f32(&ADIT_SHAPE(3, 5), MAX_ROWS, 1));
    rig_run(rig, rows, 1);
    self.loss = rig_read_scalar(rig, output);
    self.gradients = rig_read_arena(rig, ADIT_ARENA_GRADIENTS);
    self.n = rig->layout->n_parameters;
    return self;
}

/* Normalised mean square error. */
static double
compare(const Result *got, const Result *expected)
{
    double error = 0, size = 0;

    g_assert_cmpuint(got->n, ==, expected->n);
    g_assert_cmpuint(got->n, >=, 15);
    for (gsize i = 0; i < got->n; i++) {
        double difference = got->gradients[i] - expected->gradients[i];

        error += difference * difference;
        size += expected->gradients[i] * expected->gradients[i];
    }
    return error / size;
}

static void
assert_agrees(const Result *got, gsize rows)
{
    g_auto(Result) expected = train(NULL, TRUE, rows);

    g_assert_cmpfloat_with_epsilon(got->loss, expected.loss, 1e-6 * MAX(1, fabs(expected.loss)));
    g_assert_cmpfloat(compare(got, &expected), <, 1e-10);
}

static void
test_gradient(void)
{
    guint output;
    g_autoptr(Rig) rig = make_net(&output);

    rig_prepare(rig, 1, TRUE, 7);
    rig_scatter(rig, 0.5);
    rig_feed(rig, test_array(&ADIT_SHAPE(3, 5), 7, 1));
    rig_run(rig, 7, 1);
    rig_check_gradients(rig, output, 7, 1e-6);
}

static const gsize batches[] = {1, 2, 9, MAX_ROWS};

static void
test_cpu(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(batches); i++) {
        g_auto(Result) got = train(NULL, FALSE, batches[i]);

        assert_agrees(&got, batches[i]);
    }
}

/* A Vulkan device, or NULL and the test is skipped. */
static AditDevice *
open_vulkan(void)
{
#ifndef ADIT_HAVE_SHADERC
    g_test_skip("this build has no shaderc");
    return NULL;
#endif
    g_autofree char *note = NULL;
    g_autoptr(GError) error = NULL;
    AditDevice *device = adit_device_open("vulkan:0", 0, &note, &error);

    if (device == NULL) {
        g_assert_error(error, ADIT_ERROR, ADIT_ERROR_NO_DEVICE);
        g_test_skip(error->message);
    }
    return device;
}

static void
test_vulkan(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(batches); i++) {
        AditDevice *device = open_vulkan();

        if (device == NULL)
            return;
        g_auto(Result) got = train(device, FALSE, batches[i]);
        assert_agrees(&got, batches[i]);
    }
}

static void
test_vulkan_plain(void)
{
    AditDevice *devices[] = {open_vulkan(), open_vulkan()};

    if (devices[0] == NULL || devices[1] == NULL)
        return;
    g_assert_true(adit_device_set_form(devices[1], "test:gate", ADIT_FORM_PLAIN));
    g_auto(Result) optimised = train(devices[0], FALSE, 9);
    g_auto(Result) plain = train(devices[1], FALSE, 9);
    assert_agrees(&plain, 9);
    g_assert_cmpfloat(compare(&plain, &optimised), <, 1e-14);
}

/* What programs with @op are refused for. */
static void
assert_refused(const AditOp *op, guint n_inputs, int code, const char *message)
{
    g_autoptr(AditDevice) device = open_vulkan();
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_EVALUATION);
    AditTensor *x = adit_input(graph, "x", &ADIT_SHAPE(5), 0);
    AditTensor *inputs[ADIT_MAX_INPUTS] = {x, x, x, x, x, x, x, x};
    Gating gating = {1};
    AditProgramOutput output = {.kind = ADIT_OUTPUT_READ};
    g_autoptr(GError) error = NULL;

    if (device == NULL)
        return;
    output.tensor = adit_apply(op, inputs, n_inputs, &gating, sizeof gating);
    g_assert_no_error(adit_graph_get_error(graph));
    g_autoptr(AditLayout) layout = adit_layout_new(graph);
    g_autoptr(AditProgram) program = adit_compile(graph, layout, NULL, 0, &output, 1, 0);
    AditMemory *memory = adit_device_allocate(device, layout, 0, &error);
    g_assert_no_error(error);
    g_assert_null(adit_device_prepare(device, program, memory, 4, 1, &error));
    g_assert_error(error, ADIT_ERROR, code);
    if (!g_pattern_match_simple(message, error->message))
        g_error("expected %s, got %s", message, error->message);
    adit_memory_free(device, memory);
}

static void
test_vulkan_refuses(void)
{
    AditOp op = gate_op;

    op.shader = NULL;
    assert_refused(
        &op, 2, ADIT_ERROR_NO_DEVICE,
        "operation 'test:gate' has no shader: it runs on the CPU only; use --device cpu");
    op.shader = "void compute(uint e)\n{\n    OUT(e) = rank(0);\n}\n";
    assert_refused(&op, 2, ADIT_ERROR_PLUGIN, "cannot compile the shader test:gate:3: 'rank' : *");
    op = gate_op;
    assert_refused(
        &op, 6, ADIT_ERROR_NO_DEVICE,
        "operation 'test:gate' has 6 inputs, a shader takes at most 5; use --device cpu");
    op.over_rows = TRUE;
    assert_refused(
        &op, 2, ADIT_ERROR_NO_DEVICE,
        "operation 'test:gate' sums over rows, which a plugin's shader cannot: it runs on "
        "the CPU only; use --device cpu");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/operation/gradient", test_gradient);
    g_test_add_func("/operation/cpu", test_cpu);
    g_test_add_func("/operation/vulkan", test_vulkan);
    g_test_add_func("/operation/vulkan-plain", test_vulkan_plain);
    g_test_add_func("/operation/vulkan-refuses", test_vulkan_refuses);
    return g_test_run();
}
