/* tests/plugins/test-values.c - SPDX-License-Identifier: MIT */
#include <math.h>

#include <adit/adit-ops.h>

#include "adit-device.h"
#include "plugin-test.h"

/* Numbers that plugins give, in float64 on the CPU, against what their papers say, written out
 * here. */

#define MAX_OUTPUTS 4

/**
 * Rig: a graph and what it is fed with: @rows numbers for each input of @width.
 */
typedef struct {
    AditGraph *graph;
    gsize rows;
    AditArray *arrays[8];
    guint n_inputs;
} Rig;

static void
rig_clear(Rig *self)
{
    adit_graph_unref(self->graph);
    for (guint i = 0; i < self->n_inputs; i++)
        adit_array_unref(self->arrays[i]);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Rig, rig_clear)

static AditTensor *
feed(Rig *self, const AditShape *shape, guint classes, const double *values)
{
    g_autoptr(GError) error = NULL;
    AditArray *array = adit_array_new(ADIT_TYPE_CODE_F64, shape, self->rows, &error);

    g_assert_no_error(error);
    memcpy(array->data, values, self->rows * adit_shape_count(shape) * sizeof(double));
    self->arrays[self->n_inputs++] = array;
    return adit_input(self->graph, "x", shape, classes);
}

/* Writes @rows x width values of each output, one behind the other, to @values. */
static void
compute(Rig *self, AditTensor *const *outputs, guint n_outputs, guint64 update, double **values)
{
    static const AditClock start = {.steps = 1, .steps_per_epoch = 1};
    g_autoptr(AditDevice) device = adit_cpu_device_new(1, TRUE);
    g_autoptr(AditLayout) layout = adit_layout_new(self->graph);
    g_autoptr(GError) error = NULL;
    AditProgramOutput wanted[MAX_OUTPUTS] = {0};
    AditFeed feeds[8] = {0};
    double lives[8] = {0};

    g_assert_no_error(adit_graph_get_error(self->graph));
    for (guint i = 0; i < n_outputs; i++)
        wanted[i] = (AditProgramOutput){.kind = ADIT_OUTPUT_READ, .tensor = outputs[i]};
    g_autoptr(AditProgram) program =
        adit_compile(self->graph, layout, NULL, 0, wanted, n_outputs, 0);
    for (guint i = 0; i < self->n_inputs; i++)
        feeds[i].array = self->arrays[i];
    for (guint i = 0; i < program->lives->len; i++)
        lives[i] = adit_live_get(program->lives->pdata[i], &start);
    AditMemory *memory = adit_device_allocate(device, layout, 0, &error);
    g_assert_no_error(error);
    AditExecutable *executable =
        adit_device_prepare(device, program, memory, self->rows, 0, &error);
    g_assert_no_error(error);
    const AditCall call = {.update = update, .rows = self->rows, .feeds = feeds, .lives = lives};
    adit_device_run(device, executable, &call);
    for (guint i = 0; i < n_outputs; i++)
        adit_executable_read_output(device, executable, i, values[i]);
    adit_executable_free(device, executable);
    adit_memory_free(device, memory);
}

#define assert_close(a, b) g_assert_cmpfloat(fabs((a) - (b)), <=, 1e-12 * (1.0 + fabs(b)))

/* Optimizers: three numbers, four steps. */

typedef struct {
    double value;
    double first;
    double second;
} Weight;

typedef void (*Reference)(Weight *weight, double gradient, double step);

static double
gradient_at(double value, guint step)
{
    return sin(3.0 * value + (double) step);
}

static void
step_by_graph(AditOptimizer *optimizer, Weight *weights, guint step)
{
    AditOptimizerClass *klass = ADIT_OPTIMIZER_GET_CLASS(optimizer);
    g_auto(Rig) rig = {.graph = adit_graph_new(ADIT_MODE_TRAINING), .rows = 3};
    guint n_slots = klass->count_slots(optimizer);
    double columns[4][3];
    double *results[] = {columns[0], columns[1], columns[2]};

    for (guint i = 0; i < 3; i++) {
        columns[0][i] = weights[i].value;
        columns[1][i] = weights[i].first;
        columns[2][i] = weights[i].second;
        columns[3][i] = gradient_at(weights[i].value, step);
    }
    AditUpdate update = {
        .value = feed(&rig, &ADIT_SCALAR, 0, columns[0]),
        .gradient = feed(&rig, &ADIT_SCALAR, 0, columns[3]),
        .factor = adit_constant(rig.graph, 0.5),
        .step = adit_step(rig.graph),
    };
    for (guint i = 0; i < n_slots; i++)
        update.slots[i] = feed(&rig, &ADIT_SCALAR, 0, columns[1 + i]);
    klass->update(optimizer, rig.graph, &update);
    compute(&rig, (AditTensor *[]){update.value, update.slots[0], update.slots[1]}, 1 + n_slots,
            step, results);
    for (guint i = 0; i < 3; i++)
        weights[i] = (Weight){columns[0][i], columns[1][i], columns[2][i]};
}

static void
assert_updates(AditOptimizer *optimizer, Reference reference)
{
    Weight got[] = {{.value = 0.5}, {.value = -1.0}, {.value = 2.0}};
    Weight expected[] = {{.value = 0.5}, {.value = -1.0}, {.value = 2.0}};

    for (guint step = 1; step <= 4; step++) {
        for (guint i = 0; i < 3; i++)
            reference(&expected[i], gradient_at(expected[i].value, step), step);
        step_by_graph(optimizer, got, step);
        for (guint i = 0; i < 3; i++)
            assert_close(got[i].value, expected[i].value);
    }
}

/* The rate is 0.1, halved by the group's factor. */

static void
plain_descent(Weight *weight, double gradient, double step)
{
    weight->value -= 0.05 * gradient;
}

static void
momentum(Weight *weight, double gradient, double step)
{
    gradient += 0.01 * weight->value;
    weight->first = 0.9 * weight->first + gradient;
    weight->value -= 0.05 * weight->first;
}

static void
nesterov(Weight *weight, double gradient, double step)
{
    weight->first = 0.9 * weight->first + gradient;
    weight->value -= 0.05 * (gradient + 0.9 * weight->first);
}

/* Algorithm 1 with its corrected moments. The epsilon that stands outside of the corrections is
 * epsilon / sqrt(1 - beta2^t) within them. */
static void
adam(Weight *weight, double gradient, double step)
{
    weight->first = 0.9 * weight->first + 0.1 * gradient;
    weight->second = 0.999 * weight->second + 0.001 * gradient * gradient;
    double correction = 1.0 - pow(0.999, step);
    double first = weight->first / (1.0 - pow(0.9, step));
    double second = weight->second / correction;
    weight->value -= 0.05 * first / (sqrt(second) + 1e-7 / sqrt(correction));
}

static void
adamw(Weight *weight, double gradient, double step)
{
    double decay = 0.05 * 0.01 * weight->value;

    adam(weight, gradient, step);
    weight->value -= decay;
}

static void
test_optimizers(void)
{
    g_autoptr(AditLive) lr = adit_live_new(0.1);
    g_autoptr(AditOptimizer) sgd = make_component("optimizer", "sgd", "lr", lr, NULL);
    g_autoptr(AditOptimizer) moving =
        make_component("optimizer", "sgd", "lr", lr, "momentum", 0.9, "decay", 0.01, NULL);
    g_autoptr(AditOptimizer) ahead =
        make_component("optimizer", "sgd", "lr", lr, "momentum", 0.9, "nesterov", TRUE, NULL);
    g_autoptr(AditOptimizer) adaptive = make_component("optimizer", "adam", "lr", lr, NULL);
    g_autoptr(AditOptimizer) decoupled = make_component("optimizer", "adamw", "lr", lr, NULL);

    assert_updates(sgd, plain_descent);
    assert_updates(moving, momentum);
    assert_updates(ahead, nesterov);
    assert_updates(adaptive, adam);
    assert_updates(decoupled, adamw);
}

/* Losses. */

#define ROWS 3

/* The loss or its metric, of @width outputs a row. */
static void
measure(AditLoss *loss, gboolean metric, gsize width, const double *outputs, gsize target_width,
        guint classes, const double *targets, double *result)
{
    g_auto(Rig) rig = {.graph = adit_graph_new(ADIT_MODE_EVALUATION), .rows = ROWS};
    AditLossClass *klass = ADIT_LOSS_GET_CLASS(loss);
    AditShape shape = classes > 0 ? ADIT_SCALAR : ADIT_SHAPE(target_width);
    AditTensor *y = feed(&rig, &ADIT_SHAPE(width), 0, outputs);
    AditTensor *t = feed(&rig, &shape, classes, targets);
    AditTensor *value = metric && klass->metric != NULL ? klass->metric(loss, rig.graph, y, t)
                                                        : klass->build(loss, rig.graph, y, t);

    compute(&rig, &value, 1, 1, &result);
}

static void
test_losses_of_values(void)
{
    const double outputs[] = {1.0, 2.0, -0.5, 0.25, 4.0, -3.0};
    const double targets[] = {0.5, 2.0, 0.5, 3.25, 4.0, -3.5};
    g_autoptr(AditLoss) mse = make_component("loss", "mse", NULL);
    g_autoptr(AditLoss) mae = make_component("loss", "mae", NULL);
    g_autoptr(AditLoss) huber = make_component("loss", "huber", "delta", 0.75, NULL);
    double got[4][ROWS];

    measure(mse, FALSE, 2, outputs, 2, 0, targets, got[0]);
    measure(mae, FALSE, 2, outputs, 2, 0, targets, got[1]);
    measure(huber, FALSE, 2, outputs, 2, 0, targets, got[2]);
    measure(mae, TRUE, 2, outputs, 2, 0, targets, got[3]);
    for (guint row = 0; row < ROWS; row++) {
        double square = 0.0, absolute = 0.0, rounded = 0.0;
        for (guint i = 2 * row; i < 2 * row + 2; i++) {
            double error = fabs(outputs[i] - targets[i]);
            square += 0.5 * error * error;
            absolute += 0.5 * error;
            rounded += 0.5 * (error <= 0.75 ? 0.5 * error * error : 0.75 * (error - 0.375));
        }
        assert_close(got[0][row], square);
        assert_close(got[1][row], absolute);
        assert_close(got[2][row], rounded);
        assert_close(got[3][row], square);
    }
}

static void
test_cross_entropy(void)
{
    const double outputs[] = {1.0, 2.0, -0.5, 0.25, 4.0, -3.0, 800.0, -800.0, 0.0};
    const double targets[] = {1.0, 0.0, 2.0};
    g_autoptr(AditLoss) loss = make_component("loss", "cross-entropy", NULL);
    double got[ROWS], accuracy[ROWS];

    measure(loss, FALSE, 3, outputs, 0, 3, targets, got);
    measure(loss, TRUE, 3, outputs, 0, 3, targets, accuracy);
    for (guint row = 0; row < 2; row++) {
        const double *z = outputs + 3 * row;
        double sum = exp(z[0]) + exp(z[1]) + exp(z[2]);
        assert_close(got[row], log(sum) - z[(guint) targets[row]]);
    }
    assert_close(got[2], 800.0);
    g_assert_cmpfloat(accuracy[0], ==, 1.0);
    g_assert_cmpfloat(accuracy[1], ==, 0.0);
    g_assert_cmpfloat(accuracy[2], ==, 0.0);
}

static void
test_binary_cross_entropy(void)
{
    const double outputs[] = {1.5, -2.0, 900.0};
    const double targets[] = {1.0, 1.0, 0.0};
    g_autoptr(AditLoss) loss = make_component("loss", "binary-cross-entropy", NULL);
    double got[ROWS], accuracy[ROWS];

    measure(loss, FALSE, 1, outputs, 0, 2, targets, got);
    measure(loss, TRUE, 1, outputs, 0, 2, targets, accuracy);
    assert_close(got[0], -log(1.0 / (1.0 + exp(-1.5))));
    assert_close(got[1], -log(1.0 / (1.0 + exp(2.0))));
    assert_close(got[2], 900.0);
    g_assert_cmpfloat(accuracy[0], ==, 1.0);
    g_assert_cmpfloat(accuracy[1], ==, 0.0);
    g_assert_cmpfloat(accuracy[2], ==, 0.0);
}

static void
test_squared_hinge(void)
{
    const double outputs[] = {1.0, 0.5, -2.0, 0.25, 2.0, -3.0, -1.0, 0.0, 0.5};
    const double targets[] = {0.0, 1.0, 2.0};
    const double one[] = {0.5, -2.0, 2.0};
    const double classes[] = {1.0, 1.0, 0.0};
    g_autoptr(AditLoss) loss = make_component("loss", "squared-hinge", NULL);
    double got[ROWS], accuracy[ROWS];

    measure(loss, FALSE, 3, outputs, 0, 3, targets, got);
    measure(loss, TRUE, 3, outputs, 0, 3, targets, accuracy);
    assert_close(got[0], 2.25 / 3.0);
    assert_close(got[1], 1.5625 / 3.0);
    assert_close(got[2], 1.25 / 3.0);
    g_assert_cmpfloat(accuracy[0] + accuracy[1] + accuracy[2], ==, 3.0);
    measure(loss, FALSE, 1, one, 0, 2, classes, got);
    measure(loss, TRUE, 1, one, 0, 2, classes, accuracy);
    assert_close(got[0], 0.25);
    assert_close(got[1], 9.0);
    assert_close(got[2], 9.0);
    g_assert_cmpfloat(accuracy[0], ==, 1.0);
    g_assert_cmpfloat(accuracy[1], ==, 0.0);
    g_assert_cmpfloat(accuracy[2], ==, 0.0);
}

/* Adapters, on one image. */

static void
adapt(int width, int space, const AditShape *from, const double *values, const AditShape *to,
      double *result)
{
    g_auto(Rig) rig = {.graph = adit_graph_new(ADIT_MODE_EVALUATION), .rows = 1};
    g_autoptr(AditAggregator) residual =
        make_component("aggregator", "residual", "adapt", width, "adapt-space", space, NULL);
    g_autofree double *zeros = g_new0(double, adit_shape_count(to));
    AditFold fold = {.collect = feed(&rig, from, 0, values)};

    ADIT_AGGREGATOR_GET_CLASS(residual)->step(residual, rig.graph, feed(&rig, to, 0, zeros), &fold);
    compute(&rig, &fold.collect, 1, 1, &result);
}

static void
assert_numbers(const double *got, const double *expected, guint n)
{
    for (guint i = 0; i < n; i++)
        assert_close(got[i], expected[i]);
}

static void
test_adapters(void)
{
    double image[16], got[8];

    for (guint i = 0; i < 16; i++)
        image[i] = i;
    adapt(1, 1, &ADIT_SHAPE(1, 4, 4), image, &ADIT_SHAPE(2, 2, 2), got);
    assert_numbers(got, (double[]){2.5, 4.5, 10.5, 12.5, 0, 0, 0, 0}, 8);
    adapt(1, 2, &ADIT_SHAPE(1, 4, 4), image, &ADIT_SHAPE(2, 2, 2), got);
    assert_numbers(got, (double[]){0, 2, 8, 10, 0, 0, 0, 0}, 8);
    adapt(1, 3, &ADIT_SHAPE(1, 4, 4), image, &ADIT_SHAPE(1, 2, 2), got);
    assert_numbers(got, (double[]){5, 6, 9, 10}, 4);
    adapt(4, 0, &ADIT_SHAPE(4, 2, 2), image, &ADIT_SHAPE(2, 2, 2), got);
    assert_numbers(got, image, 8);
}

/* Policies: how sure three answers over four classes are. */

static void
assert_measures(AditPolicy *policy, const double *expected)
{
    static const double probabilities[] = {0.25, 0.25, 0.25, 0.25, 0.7, 0.1, 0.2, 0, 0, 0, 1, 0};
    g_auto(Rig) rig = {.graph = adit_graph_new(ADIT_MODE_EVALUATION), .rows = 3};
    AditTensor *x = feed(&rig, &ADIT_SHAPE(4), 0, probabilities);
    AditTensor *y = ADIT_POLICY_GET_CLASS(policy)->measure(policy, rig.graph, x);
    double got[3];

    compute(&rig, &y, 1, 1, (double *[]){got});
    for (guint i = 0; i < 3; i++)
        assert_close(got[i], expected[i]);
}

static void
test_policies(void)
{
    double nats = -(0.7 * log(0.7) + 0.1 * log(0.1) + 0.2 * log(0.2));
    g_autoptr(AditPolicy) normalised = make_component("policy", "entropy", NULL);
    g_autoptr(AditPolicy) entropy = make_component("policy", "entropy", "unit", 1, NULL);
    g_autoptr(AditPolicy) surest = make_component("policy", "max-probability", NULL);
    g_autoptr(AditPolicy) margin = make_component("policy", "margin", NULL);

    assert_measures(normalised, (double[]){1, nats / log(4), 0});
    assert_measures(entropy, (double[]){log(4), nats, 0});
    assert_measures(surest, (double[]){0.25, 0.7, 1});
    assert_measures(margin, (double[]){0, 0.5, 1});
}

/* Policies that go from answer to answer: a row with three answers over two classes. @measures,
 * @last: expected: how sure of each, and what it answers with at the end */
static void
assert_follows(AditPolicy *policy, const double *measures, const double *last)
{
    static const double answers[][2] = {{0.9, 0.1}, {0.4, 0.6}, {0.2, 0.8}};
    static const double zeros[8] = {0};
    g_auto(Rig) rig = {.graph = adit_graph_new(ADIT_MODE_EVALUATION), .rows = 1};
    AditPolicyClass *klass = ADIT_POLICY_GET_CLASS(policy);
    AditExitStep step = {.n_exits = 2};
    AditTensor *outputs[4];
    double got[4], end[2];

    step.state = feed(&rig, &ADIT_SHAPE(klass->count_state(policy, 2)), 0, zeros);
    for (guint i = 0; i < 3; i++) {
        step.probabilities = feed(&rig, &ADIT_SHAPE(2), 0, answers[i]);
        step.exit = adit_constant(rig.graph, i);
        outputs[i] = klass->follow(policy, rig.graph, &step);
    }
    outputs[3] = step.probabilities;
    compute(&rig, outputs, 4, 1, (double *[]){&got[0], &got[1], &got[2], end});
    assert_numbers(got, measures, 3);
    assert_numbers(end, last, 2);
}

static void
test_following_policies(void)
{
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(AditPolicy) patience = make_component("policy", "patience", NULL);
    g_autoptr(AditPolicy) even = make_component("policy", "ensemble", NULL);

    assert_follows(patience, (double[]){0, 0, 1}, (double[]){0.2, 0.8});
    assert_follows(even, (double[]){0.9, 0.65, 0.5}, (double[]){0.5, 0.5});
    g_array_append_vals(numbers, ((double[]){0, 1, 3}), 3);
    g_autoptr(AditPolicy) uneven = make_component("policy", "ensemble", "weights", numbers, NULL);

    assert_follows(uneven, (double[]){0.9, 0.6, 0.75}, (double[]){0.25, 0.75});
}

static void
test_sharing_policies(void)
{
    g_autoptr(AditPolicy) even = make_component("policy", "budget", NULL);
    g_autoptr(AditPolicy) early = make_component("policy", "budget", "ratio", 0.5, NULL);
    g_autoptr(AditPolicy) late = make_component("policy", "budget", "ratio", 100.0, NULL);
    g_autoptr(AditPolicy) entropy = make_component("policy", "entropy", "unit", 1, NULL);
    g_autoptr(AditPolicy) share = make_component("policy", "share", "of", entropy, NULL);
    double shares[1000], nats = -(0.7 * log(0.7) + 0.1 * log(0.1) + 0.2 * log(0.2));

    ADIT_POLICY_GET_CLASS(even)->share(even, 2, shares);
    assert_numbers(shares, (double[]){1.0 / 3, 1.0 / 3}, 2);
    ADIT_POLICY_GET_CLASS(early)->share(early, 2, shares);
    assert_numbers(shares, (double[]){4.0 / 7, 2.0 / 7}, 2);
    ADIT_POLICY_GET_CLASS(late)->share(late, 1000, shares);
    assert_close(shares[999], 0.0099);
    assert_measures(even, (double[]){0.25, 0.7, 1});
    assert_measures(share, (double[]){-log(4), -nats, 0});
}

static void
test_fixed_policies(void)
{
    const double seconds[] = {0.001, 0.004, 0.009, 0.02};
    g_autoptr(AditPolicy) always = make_component("policy", "always", "exit", (gint64) 2, NULL);
    g_autoptr(AditPolicy) deadline = make_component("policy", "deadline", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_cmpuint(ADIT_POLICY_GET_CLASS(always)->fix(always, 3, NULL), ==, 1);
    g_assert_false(ADIT_POLICY_GET_CLASS(always)->check_exits(always, 1, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_INVALID);
    /* 10 ms */
    g_assert_cmpuint(ADIT_POLICY_GET_CLASS(deadline)->fix(deadline, 3, seconds), ==, 2);
    g_assert_cmpuint(ADIT_POLICY_GET_CLASS(deadline)->fix(deadline, 0, &seconds[3]), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/optimizers/all/updates", test_optimizers);
    g_test_add_func("/losses/of-values/values", test_losses_of_values);
    g_test_add_func("/losses/cross-entropy/values", test_cross_entropy);
    g_test_add_func("/losses/binary-cross-entropy/values", test_binary_cross_entropy);
    g_test_add_func("/losses/squared-hinge/values", test_squared_hinge);
    g_test_add_func("/aggregators/residual/adapters", test_adapters);
    g_test_add_func("/policies/all/measures", test_policies);
    g_test_add_func("/policies/all/following", test_following_policies);
    g_test_add_func("/policies/all/sharing", test_sharing_policies);
    g_test_add_func("/policies/all/fixed", test_fixed_policies);
    return g_test_run();
}
