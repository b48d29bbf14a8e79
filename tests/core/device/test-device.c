/* tests/core/device/test-device.c - SPDX-License-Identifier: MIT */
#include <adit/adit-ops.h>
#include <adit/adit-schedule.h>

#include "adit-graph-private.h"
#include "adit-kernels.h"
#include "adit-rates.h"
#include "components.h"
#include "rig.h"

#include <math.h>

#define MAX_ROWS 1000

/* Networks with everything that could depend on threads or rows. */

typedef struct {
    const char *aggregator;
    const char *norm;
    const char *activation;
} Net;

static const Net nets[] = {
    {"glonet", NULL, "relu"},
    {"residual", "batch-norm", "relu"},
    {"concat", "layer-norm", "gelu"},
    {"chain", "dropout", "tanh"},
};

static AditTensor *
build_net(AditGraph *graph, const Net *net)
{
    g_autoptr(AditInitializer) initializer = test_component("initializer", "he-normal", NULL);
    g_autoptr(AditSequence) trunk =
        test_sequence(test_component("aggregator", net->aggregator, NULL));
    g_autoptr(AditBlock) stem = test_dense(7, NULL);
    g_autoptr(AditBlock) head = test_dense(3, NULL);
    AditModel model = {.stem = stem, .trunk = ADIT_BLOCK(trunk), .head = head};

    model.initializer = initializer;
    test_add_repeat(trunk, 5, FALSE, FALSE, test_dense_pre(7, net->norm, net->activation), "dense");
    return adit_model_build(&model, graph, adit_input(graph, "x", &ADIT_SHAPE(5), 0));
}

typedef struct {
    double *gradients;
    double *states;
    double sum;
    double loss;
    gsize n_gradients;
    gsize n_states;
} Trained;

static void
trained_clear(Trained *self)
{
    g_free(self->gradients);
    g_free(self->states);
}

/* Two steps of @rows rows on an executable for @max_rows. */
static Trained
train(const Net *net, guint threads, gboolean f64, gsize rows, gsize max_rows)
{
    Trained self = {NULL};
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *each = adit_sum(adit_square(build_net(graph, net)));
    AditTensor *loss = adit_reduce_rows(each, ADIT_REDUCE_MEAN);
    g_autoptr(Rig) rig = rig_new(graph);
    guint output = rig_add(rig, ADIT_OUTPUT_READ, loss);

    rig_add(rig, ADIT_OUTPUT_SUM, each);
    rig_add_gradients(rig, loss);
    rig_add_states(rig);
    rig_prepare(rig, threads, f64, max_rows);
    rig_feed(rig, test_array(&ADIT_SHAPE(5), MAX_ROWS, 1));
    rig_run(rig, rows, 1);
    rig_run(rig, rows, 2);
    self.gradients = rig_read_arena(rig, ADIT_ARENA_GRADIENTS);
    self.states = rig_read_arena(rig, ADIT_ARENA_STATES);
    self.n_gradients = rig->layout->n_parameters;
    self.n_states = rig->layout->n_states;
    self.loss = rig_read_scalar(rig, output);
    adit_executable_read_sums(rig->device, rig->executable, &self.sum);
    return self;
}

static void
assert_same_training(const Trained *a, const Trained *b)
{
    test_assert_same(a->gradients, b->gradients, a->n_gradients);
    test_assert_same(a->states, b->states, a->n_states);
    test_assert_same(&a->loss, &b->loss, 1);
    test_assert_same(&a->sum, &b->sum, 1);
}

static void
test_threads(gconstpointer data)
{
    static const gsize rows[] = {1, 3, 7, 8, 9, 64, 1000};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        Trained one = train(data, 1, FALSE, rows[i], rows[i]);
        for (guint threads = 2; threads <= 4; threads++) {
            Trained many = train(data, threads, FALSE, rows[i], rows[i]);
            assert_same_training(&one, &many);
            trained_clear(&many);
        }
        trained_clear(&one);
    }
}

static void
test_room(gconstpointer data)
{
    /* a last batch on the executable of the full one */
    Trained tight = train(data, 2, FALSE, 21, 21);
    Trained roomy = train(data, 2, FALSE, 21, MAX_ROWS);

    assert_same_training(&tight, &roomy);
    trained_clear(&tight);
    trained_clear(&roomy);
}

static void
test_precision(gconstpointer data)
{
    Trained single = train(data, 1, FALSE, 64, 64);
    Trained twice = train(data, 1, TRUE, 64, 64);
    double error = 0, square = 0;

    for (gsize i = 0; i < single.n_gradients; i++) {
        error +=
            (single.gradients[i] - twice.gradients[i]) * (single.gradients[i] - twice.gradients[i]);
        square += twice.gradients[i] * twice.gradients[i];
    }
    g_assert_cmpfloat(error, >, 0);
    g_assert_cmpfloat(error / square, <, 1e-10);
    g_assert_cmpfloat(fabs(single.loss - twice.loss), <, 1e-5 * twice.loss);
    trained_clear(&single);
    trained_clear(&twice);
}

static void
test_rows(gconstpointer data)
{
    static const gsize batches[] = {1, 7, 64, 1000};
    g_autofree double *expected = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(batches); i++) {
        AditGraph *graph = adit_graph_new(ADIT_MODE_EVALUATION);
        AditTensor *y = build_net(graph, data);
        g_autoptr(Rig) rig = rig_new(graph);
        guint output = rig_add(rig, ADIT_OUTPUT_READ, y);
        double *values = g_new0(double, 3 * MAX_ROWS);
        rig_prepare(rig, 1 + i % 3, FALSE, batches[i]);
        rig_feed(rig, test_array(&ADIT_SHAPE(5), MAX_ROWS, 1));
        for (gsize first = 0; first < MAX_ROWS; first += batches[i]) {
            rig_run_from(rig, first, MIN(batches[i], MAX_ROWS - first), first);
            adit_executable_read_output(rig->device, rig->executable, output, values + 3 * first);
        }
        if (expected != NULL)
            test_assert_same(values, expected, 3 * MAX_ROWS);
        g_free(expected);
        expected = values;
    }
}

/* Guards. */

static void
test_guard(void)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *x = adit_input(graph, "x", &ADIT_SCALAR, 0);
    AditTensor *state = adit_state(graph, "count", &ADIT_SCALAR, 0);
    AditTensor *loss = adit_reduce_rows(adit_log(x), ADIT_REDUCE_SUM);

    adit_state_update(state, adit_offset(state, 1));
    g_autoptr(Rig) rig = rig_new(graph);
    rig_add(rig, ADIT_OUTPUT_GUARD, loss);
    rig_add(rig, ADIT_OUTPUT_SUM, adit_add(x, adit_constant(graph, 1)));
    rig_add_states(rig);
    rig_prepare(rig, 2, TRUE, 4);
    AditArray *array = test_array(&ADIT_SCALAR, 4, 1);
    double *values = array->data, sum, count;
    guint64 failed = 0;
    rig_feed(rig, array);
    for (guint i = 0; i < 4; i++)
        values[i] = 2;
    rig_run(rig, 4, 0);
    g_assert_true(adit_memory_is_finite(rig->device, rig->memory, NULL));

    values[3] = -1;
    rig_run(rig, 4, 1);
    values[3] = 2;
    rig_run(rig, 4, 2);
    adit_memory_read(rig->device, rig->memory, ADIT_ARENA_STATES, 0, 1, &count);
    /* the run that went wrong left nothing, what came behind was not carried out */
    g_assert_cmpfloat(count, ==, 1);
    adit_executable_read_sums(rig->device, rig->executable, &sum);
    g_assert_cmpfloat(sum, ==, 12);

    /* told once, then runs go on */
    g_assert_false(adit_memory_is_finite(rig->device, rig->memory, &failed));
    g_assert_cmpuint(failed, ==, 1);
    g_assert_true(adit_memory_is_finite(rig->device, rig->memory, NULL));
    rig_run(rig, 4, 3);
    adit_executable_read_sums(rig->device, rig->executable, &sum);
    g_assert_cmpfloat(sum, ==, 24);
    adit_executable_set_sums(rig->device, rig->executable, (double[]){1});
    adit_executable_read_sums(rig->device, rig->executable, &sum);
    g_assert_cmpfloat(sum, ==, 1);
}

/* A graph whose loss is the sum of the logarithms of four numbers, 2 each; it counts its runs. */
static Rig *
make_counter(AditDevice *device, double **values)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *x = adit_input(graph, "x", &ADIT_SCALAR, 0);
    AditTensor *state = adit_state(graph, "count", &ADIT_SCALAR, 0);
    AditArray *array = test_array(&ADIT_SCALAR, 4, 1);

    adit_state_update(state, adit_offset(state, 1));
    Rig *rig = rig_new(graph);
    rig_add(rig, ADIT_OUTPUT_GUARD, adit_reduce_rows(adit_log(x), ADIT_REDUCE_SUM));
    rig_add_states(rig);
    rig->device = g_object_ref(device);
    rig_prepare(rig, 1, TRUE, 4);
    rig_feed(rig, array);
    *values = array->data;
    for (guint i = 0; i < 4; i++)
        (*values)[i] = 2;
    return rig;
}

/* What is not finite in one memory stops no run on another. */
static void
test_guard_of_memory(void)
{
    g_autoptr(AditDevice) device = test_device(1);
    double *values, *others, count;
    guint64 failed = 0;
    g_autoptr(Rig) rig = make_counter(device, &values);
    g_autoptr(Rig) other = make_counter(device, &others);

    values[3] = -1;
    rig_run(rig, 4, 1);
    rig_run(other, 4, 1);
    rig_run(other, 4, 2);
    rig_run(rig, 4, 2);
    adit_memory_read(device, rig->memory, ADIT_ARENA_STATES, 0, 1, &count);
    g_assert_cmpfloat(count, ==, 0);
    adit_memory_read(device, other->memory, ADIT_ARENA_STATES, 0, 1, &count);
    g_assert_cmpfloat(count, ==, 2);
    g_assert_true(adit_memory_is_finite(device, other->memory, NULL));
    g_assert_false(adit_memory_is_finite(device, rig->memory, &failed));
    g_assert_cmpuint(failed, ==, 1);
}

/* Feeds. */

static Rig *
copier(gboolean f64, gsize width, guint *output)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_EVALUATION);
    AditTensor *x = adit_input(graph, "x", &ADIT_SHAPE(width), 0);
    Rig *rig = rig_new(graph);

    *output = rig_add(rig, ADIT_OUTPUT_READ, adit_scale(x, 1));
    rig_prepare(rig, 2, f64, 50);
    return rig;
}

static void
test_gather(void)
{
    static const gint32 chosen[] = {40, 2, 31, 7, 7, 19, 0, 48, 23, 11, 5};
    gsize n = G_N_ELEMENTS(chosen);
    guint output;
    g_autoptr(Rig) rig = copier(TRUE, 3, &output);
    g_autoptr(AditArray) array = test_array(&ADIT_SHAPE(3), 50, 1);
    AditPermutation order;
    const double *data = array->data;

    g_autoptr(AditArray) subset = adit_array_new(ADIT_TYPE_CODE_I32, &ADIT_SCALAR, n, NULL);
    memcpy(subset->data, chosen, sizeof chosen);
    adit_permutation_init(&order, 5, "order", n);
    for (guint way = 0; way < 4; way++) {
        AditFeed feed = {.array = array, .first = way};
        feed.order = way & 1 ? &order : NULL;
        feed.subset = way & 2 ? subset : NULL;
        gsize rows = n - way;
        AditCall call = {.rows = rows, .feeds = &feed};
        adit_device_run(rig->device, rig->executable, &call);
        g_autofree double *values = rig_read(rig, output, rows);
        for (gsize i = 0; i < rows; i++) {
            gsize row = way + i;
            row = feed.order != NULL ? adit_permutation_at(&order, row) : row;
            row = feed.subset != NULL ? (gsize) chosen[row] : row;
            test_assert_same(values + 3 * i, data + 3 * row, 3);
        }
    }
}

static void
test_types(void)
{
    for (guint f64 = 0; f64 < 2; f64++) {
        g_autoptr(GError) error = NULL;
        guint output;
        g_autoptr(Rig) rig = copier(f64, 2, &output);
        AditArray *bytes = adit_array_new(ADIT_TYPE_CODE_U8, &ADIT_SHAPE(2), 3, &error);
        static const guint8 numbers[] = {0, 255, 51, 128, 1, 254};
        g_assert_no_error(error);
        memcpy(bytes->data, numbers, sizeof numbers);
        bytes->scale = 1.0 / 255;
        rig_feed(rig, bytes);
        rig_run(rig, 3, 0);
        g_autofree double *values = rig_read(rig, output, 3);
        for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
            double expected = numbers[i] * (1.0 / 255);
            g_assert_cmpfloat(values[i], ==, f64 ? expected : (double) (float) expected);
        }
        g_assert_cmpfloat(values[1], ==, 1);

        AditArray *classes = adit_array_new(ADIT_TYPE_CODE_I32, &ADIT_SHAPE(2), 1, &error);
        ((gint32 *) classes->data)[0] = 9;
        ((gint32 *) classes->data)[1] = 16777215;
        adit_array_unref(rig->feeds->pdata[0]);
        rig->feeds->pdata[0] = classes;
        rig_run(rig, 1, 0);
        g_autofree double *whole = rig_read(rig, output, 1);
        g_assert_cmpfloat(whole[0], ==, 9);
        g_assert_cmpfloat(whole[1], ==, 16777215);
    }
}

/* Rows long enough to be read as images are: the same numbers as one by one. */
static void
test_images(void)
{
    for (guint f64 = 0; f64 < 2; f64++) {
        guint output;
        g_autoptr(Rig) rig = copier(f64, 1031, &output);
        AditArray *bytes = adit_array_new(ADIT_TYPE_CODE_U8, &ADIT_SHAPE(1031), 5, NULL);
        guint8 *numbers = bytes->data;

        for (guint i = 0; i < 5 * 1031; i++)
            numbers[i] = (guint8) (i * 77 + i / 256);
        bytes->scale = 1.0 / 255;
        rig_feed(rig, bytes);
        rig_run(rig, 5, 0);
        g_autofree double *values = rig_read(rig, output, 5);
        for (guint i = 0; i < 5 * 1031; i++) {
            double expected = numbers[i] * (1.0 / 255);
            g_assert_cmpfloat(values[i], ==, f64 ? expected : (double) (float) expected);
        }
    }
}

/* States, constants, the step, live numbers. */

static void
test_states(void)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *a = adit_state(graph, "a", &ADIT_SHAPE(2), 1);
    AditTensor *b = adit_state(graph, "b", &ADIT_SHAPE(2), 3);

    /* each becomes the other's old value; only one of them may be read too late */
    adit_state_update(a, b);
    adit_state_update(b,
                      adit_add(a, adit_constant_array(graph, &ADIT_SHAPE(2), (double[]){10, 20})));
    g_autoptr(Rig) rig = rig_new(graph);
    rig_add_states(rig);
    rig_prepare(rig, 2, FALSE, 4);
    rig_run(rig, 4, 0);
    g_autofree double *once = rig_read_arena(rig, ADIT_ARENA_STATES);
    gsize count, at = rig_find(rig, "a", &count), other = rig_find(rig, "b", &count);
    g_assert_cmpfloat(once[at], ==, 3);
    g_assert_cmpfloat(once[other], ==, 11);
    g_assert_cmpfloat(once[other + 1], ==, 21);
    rig_run(rig, 4, 1);
    g_autofree double *twice = rig_read_arena(rig, ADIT_ARENA_STATES);
    g_assert_cmpfloat(twice[at + 1], ==, 21);
    g_assert_cmpfloat(twice[other], ==, 13);
}

/* States that become each other's old values as they are, or parts of them. */
static void
test_states_swap(void)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *a = adit_state(graph, "a", &ADIT_SHAPE(2), 1);
    AditTensor *b = adit_state(graph, "b", &ADIT_SHAPE(2), 3);
    AditTensor *part = adit_state(graph, "part", &ADIT_SHAPE(1), 5);

    adit_state_update(a, b);
    adit_state_update(b, a);
    adit_state_update(part, adit_slice(a, 0, 1, 2, 1));
    g_autoptr(Rig) rig = rig_new(graph);
    rig_add_states(rig);
    rig_prepare(rig, 2, FALSE, 4);
    rig_run(rig, 4, 0);
    g_autofree double *values = rig_read_arena(rig, ADIT_ARENA_STATES);
    gsize count;
    g_assert_cmpfloat(values[rig_find(rig, "a", &count)], ==, 3);
    g_assert_cmpfloat(values[rig_find(rig, "b", &count)], ==, 1);
    g_assert_cmpfloat(values[rig_find(rig, "part", &count)], ==, 1);
}

static void
test_live(void)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    g_autoptr(AditLive) rate = adit_live_new(0.25);
    g_autoptr(AditLive) other = adit_live_new(8);
    AditTensor *y = adit_mul(adit_add(adit_live(graph, rate), adit_step(graph)),
                             adit_mul(adit_live(graph, other), adit_live(graph, rate)));
    g_autoptr(Rig) rig = rig_new(graph);
    guint output = rig_add(rig, ADIT_OUTPUT_READ, y);

    rig_prepare(rig, 1, FALSE, 1);
    /* one live number is written once, however often it is read */
    g_assert_cmpuint(rig->program->lives->len, ==, 2);
    rig_run(rig, 1, 4);
    g_assert_cmpfloat(rig_read_scalar(rig, output), ==, (0.25 + 5) * 8 * 0.25);
}

/* Reading. */

static void
test_read_stack(void)
{
    static const gsize rows[] = {1, 5, 8, 19, 50};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        AditGraph *graph = adit_graph_new(ADIT_MODE_EVALUATION);
        AditTensor *x = adit_input(graph, "x", &ADIT_SHAPE(2), 0);
        AditLoop *outer = adit_loop_new(graph, 3, FALSE);
        AditTensor *carry = adit_loop_carry(outer, x);
        AditLoop *inner = adit_loop_new(outer->body, 2, TRUE);
        AditTensor *last = adit_loop_carry(inner, carry);
        AditTensor *next = adit_scale(last, 2);
        adit_loop_set_next(inner, last, next);
        adit_loop_set_next(outer, carry, adit_loop_last(inner, last));
        g_autoptr(Rig) rig = rig_new(graph);
        guint before = rig_add(rig, ADIT_OUTPUT_READ, adit_tensor_unroll(carry));
        guint all = rig_add(rig, ADIT_OUTPUT_READ, adit_tensor_unroll(next));
        rig_prepare(rig, 2, TRUE, 50);
        rig_feed(rig, test_array(&ADIT_SHAPE(2), 50, 1));
        rig_run(rig, rows[i], 0);
        const double *data = ((const AditArray *) rig->feeds->pdata[0])->data;
        g_autofree double *stacked = rig_read(rig, before, rows[i]);
        g_autofree double *every = rig_read(rig, all, rows[i]);
        gsize count = 2 * rows[i];
        for (gsize j = 0; j < 3 * count; j++)
            g_assert_cmpfloat(stacked[j], ==, data[j % count] * pow(4, (double) (j / count)));
        /* the reverse loop's first iteration is the last of its stack */
        for (gsize j = 0; j < 6 * count; j++) {
            gsize k = j / count;
            double power = 2 * (double) (k / 2) + (k % 2 == 1 ? 1 : 2);
            g_assert_cmpfloat(every[j], ==, data[j % count] * pow(2, power));
        }
    }
}

/* Noise. */

static double *
draw(guint threads, gsize first, gsize rows, guint64 step)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    guint strides[ADIT_MAX_LOOPS] = {1};
    AditTensor *x = adit_input(graph, "x", &ADIT_SHAPE(4), 0);
    AditLoop *loop = adit_loop_new(graph, 3, FALSE);
    AditTensor *carry = adit_loop_carry(loop, x);

    adit_graph_enter_scope(loop->body, 1, strides, 1, NULL, "noise");
    AditTensor *noise = adit_noise_uniform(loop->body, "noise", &ADIT_SHAPE(4));
    adit_graph_leave_scope(loop->body);
    adit_loop_set_next(loop, carry, adit_add(carry, noise));
    g_autoptr(Rig) rig = rig_new(graph);
    guint output = rig_add(rig, ADIT_OUTPUT_READ, adit_tensor_unroll(noise));
    rig_prepare(rig, threads, FALSE, 64);
    rig_feed(rig, test_array(&ADIT_SHAPE(4), 64, 1));
    rig_run_from(rig, first, rows, step);
    return rig_read(rig, output, rows);
}

static void
test_noise(void)
{
    g_autofree double *first = draw(1, 0, 64, 7);
    g_autofree double *again = draw(3, 0, 64, 7);
    g_autofree double *other = draw(1, 0, 64, 8);
    guint equal = 0, between = 0;

    test_assert_same(first, again, 3 * 64 * 4);
    for (guint i = 0; i < 3 * 64 * 4; i++) {
        g_assert_cmpfloat(first[i], >, 0);
        g_assert_cmpfloat(first[i], <, 1);
        equal += first[i] == other[i];
    }
    for (guint i = 0; i < 64 * 4; i++)
        between += first[i] == first[64 * 4 + i];
    /* other steps and other instances draw others; some of 2^23 may be equal */
    g_assert_cmpuint(equal, <=, 2);
    g_assert_cmpuint(between, <=, 2);
}

static void
test_noise_by_rows(void)
{
    g_autofree double *many = draw(1, 0, 64, 7);
    g_autofree double *few = draw(1, 0, 10, 7);

    /* a row of the batch draws the same however many there are */
    for (guint i = 0; i < 3; i++)
        test_assert_same(few + i * 40, many + i * 256, 40);
}

/* Memory. */

static void
test_no_memory(void)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_EVALUATION);
    AditTensor *x = adit_input(graph, "x", &ADIT_SHAPE(1000), 0);
    g_autoptr(Rig) rig = rig_new(graph);
    g_autoptr(GError) error = NULL;

    rig_add(rig, ADIT_OUTPUT_READ, adit_relu(x));
    rig_prepare(rig, 1, FALSE, 1);
    AditExecutable *executable =
        adit_device_prepare(rig->device, rig->program, rig->memory, (gsize) 1 << 58, 1, &error);
    g_assert_null(executable);
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_MEMORY);
}

static void
test_arenas(void)
{
    AditGraph *graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *weight =
        adit_parameter_filled(graph, "weight", ADIT_ROLE_WEIGHT, &ADIT_SHAPE(5), 1);
    g_autoptr(Rig) rig = rig_new(graph);

    rig->n_slots = 2;
    rig_add(rig, ADIT_OUTPUT_READ, weight);
    rig_prepare(rig, 1, FALSE, 1);
    gsize n = rig->layout->n_parameters;
    double written[3] = {0.5, -1, 0.1}, read[3], zero;
    /* the slots lie one behind the other and begin with 0 */
    adit_memory_read(rig->device, rig->memory, ADIT_ARENA_OPTIMIZER, 2 * n - 1, 1, &zero);
    g_assert_cmpfloat(zero, ==, 0);
    adit_memory_write(rig->device, rig->memory, ADIT_ARENA_OPTIMIZER, n, 3, written);
    adit_memory_read(rig->device, rig->memory, ADIT_ARENA_OPTIMIZER, n, 3, read);
    g_assert_cmpfloat(read[0], ==, 0.5);
    g_assert_cmpfloat(read[1], ==, -1);
    g_assert_cmpfloat(read[2], ==, (double) 0.1f);
    /* a parameter is read where it lies */
    rig_run(rig, 1, 0);
    g_autofree double *values = rig_read(rig, 0, 1);
    g_assert_cmpfloat(values[4], ==, 1);
}

static void
test_threads_given(void)
{
    g_autoptr(AditDevice) three = adit_cpu_device_new(3, FALSE);
    g_autoptr(AditDevice) all = adit_cpu_device_new(0, FALSE);

    g_assert_cmpuint(adit_cpu_device_get_threads(three), ==, 3);
    g_assert_cmpuint(adit_cpu_device_get_threads(all), ==, g_get_num_processors());
    g_assert_cmpuint(strlen(adit_cpu_device_get_isa(three)), >, 0);
}

static void
test_counts(void)
{
    guint output;
    AditDeviceCounts made, once, twice, freed;
    g_autoptr(Rig) rig = copier(FALSE, 3, &output);

    rig_feed(rig, test_array_f32(&ADIT_SHAPE(3), 20, 1));
    adit_device_count(rig->device, &made);
    rig_run(rig, 20, 0);
    adit_device_count(rig->device, &once);
    rig_run(rig, 20, 1);
    adit_device_count(rig->device, &twice);
    /* every run takes as many */
    g_assert_cmpuint(once.calls, >, made.calls);
    g_assert_cmpuint(twice.calls - once.calls, ==, once.calls - made.calls);
    /* at least the copy, with room for 50 rows, and of what is copied a panel */
    g_assert_cmpuint(made.bytes, >=, (50 + ADIT_PANEL_ROWS) * 3 * sizeof(float));
    adit_executable_free(rig->device, g_steal_pointer(&rig->executable));
    adit_device_count(rig->device, &freed);
    g_assert_cmpuint(freed.bytes, <, twice.bytes);
}

/* What a processor can do is no number to be tested; that there is one, and of what, is. */
static void
test_rates(void)
{
    g_autoptr(GError) error = NULL;
    gsize size = adit_rates_get_copy_size();

    g_assert_cmpuint(size, >=, (gsize) 64 << 20);
    g_assert_cmpuint(size, <=, (gsize) 128 << 20);
    g_assert_cmpfloat(adit_rates_measure_copy(1, 0, &error), >, 0);
    g_assert_no_error(error);
    for (guint i = 0; i < ADIT_N_ISAS; i++) {
        if (!adit_isa_is_available((AditIsa) i))
            continue;
        g_assert_cmpfloat(adit_rates_measure_fma((AditIsa) i, 1, 0), >, 0);
        g_assert_cmpfloat(adit_rates_measure_fma((AditIsa) i, 3, 0), >, 0);
        g_assert_cmpfloat(adit_isa_run_burst((AditIsa) i, 0), ==, 0);
        g_assert_cmpfloat(adit_isa_run_burst((AditIsa) i, 20), ==,
                          2 * adit_isa_run_burst((AditIsa) i, 10));
    }
}

int
main(int argc, char *argv[])
{
    static const struct {
        const char *name;
        GTestDataFunc func;
    } properties[] = {{"threads", test_threads},
                      {"room", test_room},
                      {"precision", test_precision},
                      {"rows", test_rows}};

    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(properties); i++) {
        for (guint j = 0; j < G_N_ELEMENTS(nets); j++) {
            g_autofree char *path =
                g_strdup_printf("/device/%s/%s", properties[i].name, nets[j].aggregator);
            g_test_add_data_func(path, &nets[j], properties[i].func);
        }
    }
    g_test_add_func("/device/guard", test_guard);
    g_test_add_func("/device/guard-of-memory", test_guard_of_memory);
    g_test_add_func("/device/feed/gather", test_gather);
    g_test_add_func("/device/feed/types", test_types);
    g_test_add_func("/device/feed/images", test_images);
    g_test_add_func("/device/states", test_states);
    g_test_add_func("/device/states-swap", test_states_swap);
    g_test_add_func("/device/live", test_live);
    g_test_add_func("/device/read-stack", test_read_stack);
    g_test_add_func("/device/noise/steps", test_noise);
    g_test_add_func("/device/noise/rows", test_noise_by_rows);
    g_test_add_func("/device/no-memory", test_no_memory);
    g_test_add_func("/device/arenas", test_arenas);
    g_test_add_func("/device/threads-given", test_threads_given);
    g_test_add_func("/device/counts", test_counts);
    g_test_add_func("/device/rates", test_rates);
    return g_test_run();
}
