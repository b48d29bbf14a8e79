/* tests/conformance/test-gradients.c - SPDX-License-Identifier: MIT */
#include <adit/adit-ops.h>

#include "adit-attributes.h"
#include "adit-compile-private.h"
#include "adit-device.h"
#include "adit-gradient.h"
#include "adit-ops-private.h"

#include <math.h>
#include <string.h>

/* Every gradient rule against central differences in float64, in a plain graph and in a loop. */

#define ROWS       11
#define STEP       1e-5
#define TOLERANCE  1e-6
#define MAX_INPUTS 10

typedef enum {
    VALUES,   /* of either sign, away from 0 */
    POSITIVE, /* away from 0 */
    NUMBERS,  /* 0, 3, 1, 4, 2, 0, ...: no gradient is taken of them */
} Content;

typedef struct {
    gboolean rows;
    AditShape shape;
    Content content;
} Source;

typedef AditTensor *(*Build)(AditTensor *const *in, guint n, gconstpointer data);

typedef struct {
    Build build;
    gconstpointer data;
    guint n;
    Source sources[MAX_INPUTS];
    gboolean is_constant; /* the gradient is 0 */
    gboolean in_loop;
} Case;

/**
 * Problem: a case as a program that gives its loss and gradients.
 * @values: the last ones are the weights by which the result is summed to a loss
 */
typedef struct {
    const Case *item;
    AditGraph *graph;
    AditTensor *in[MAX_INPUTS + 1];
    Source sources[MAX_INPUTS + 1];
    guint n;
    AditArray *arrays[MAX_INPUTS + 1];
    double *values[MAX_INPUTS + 1];
    AditDevice *device;
    AditLayout *layout;
    AditMemory *memory;
    AditProgram *program;
    AditExecutable *executable;
} Problem;

static gsize
count_values(const Source *source)
{
    return (source->rows ? ROWS : 1) * adit_shape_count(&source->shape);
}

static void
add_source(Problem *self, const Source *source, AditRandom *random)
{
    guint i = self->n++;
    gsize count = count_values(source);
    g_autofree char *name = g_strdup_printf("source-%u", i);

    self->sources[i] = *source;
    if (source->rows) {
        self->in[i] = adit_input(self->graph, name, &source->shape, 0);
        self->arrays[i] = adit_array_new(ADIT_TYPE_CODE_F64, &source->shape, ROWS, NULL);
        self->arrays[i]->rows = ROWS;
        self->values[i] = self->arrays[i]->data;
    } else {
        self->in[i] = adit_parameter_filled(self->graph, name, ADIT_ROLE_OTHER, &source->shape, 0);
        self->values[i] = g_new(double, count);
    }
    for (gsize k = 0; k < count; k++) {
        double value = 0.3 + 1.2 * adit_random_uniform(random);

        if (source->content == NUMBERS)
            value = (double) (3 * k % 5);
        else if (source->content == VALUES && adit_random_uniform(random) < 0.5)
            value = -value;
        self->values[i][k] = value;
    }
}

/* Two iterations add up what the case gives of copies of its inputs made in the body. */
static AditTensor *
build_in_loop(const Case *item, AditTensor *const *in)
{
    AditGraph *graph = adit_tensor_get_graph(in[0]);
    AditTensor *y = item->build(in, item->n, item->data);
    AditLoop *loop = adit_loop_new(graph, 2, FALSE);
    AditTensor *zero = adit_scale(y, 0);
    AditTensor *carry = adit_loop_carry(loop, zero);
    AditTensor *copies[MAX_INPUTS];

    for (guint i = 0; i < item->n; i++)
        copies[i] = adit_scale(adit_graph_import(adit_tensor_get_graph(carry), in[i]), 1);
    adit_loop_set_next(loop, carry, adit_add(carry, item->build(copies, item->n, item->data)));
    return adit_loop_last(loop, carry);
}

static AditTensor *
build_loss(Problem *self, AditRandom *random)
{
    const Case *item = self->item;
    AditTensor *y =
        item->in_loop ? build_in_loop(item, self->in) : item->build(self->in, item->n, item->data);
    Source weights = {adit_tensor_has_rows(y), *adit_tensor_get_shape(y), VALUES};
    AditTensor *loss;

    g_assert_no_error(adit_graph_get_error(self->graph));
    add_source(self, &weights, random);
    loss = adit_sum(adit_mul(y, self->in[item->n]));
    return weights.rows ? adit_reduce_rows(loss, ADIT_REDUCE_SUM) : loss;
}

static void
problem_init(Problem *self, const Case *item)
{
    AditTensor *wanted[MAX_INPUTS], *gradients[MAX_INPUTS];
    AditProgramOutput outputs[MAX_INPUTS + 1] = {{0}};
    g_autoptr(GError) error = NULL;
    AditRandom random;

    adit_random_init(&random, 1, "gradients");
    *self = (Problem){.item = item, .graph = adit_graph_new(ADIT_MODE_TRAINING)};
    for (guint i = 0; i < item->n; i++) {
        add_source(self, &item->sources[i], &random);
        wanted[i] = self->in[i];
    }
    outputs[0] = (AditProgramOutput){.kind = ADIT_OUTPUT_READ, .tensor = build_loss(self, &random)};
    g_assert_no_error(adit_graph_get_error(self->graph));
    adit_gradient(outputs[0].tensor, wanted, item->n, ADIT_GRADIENT_KEEP, gradients);
    g_assert_no_error(adit_graph_get_error(self->graph));
    for (guint i = 0; i < item->n; i++)
        outputs[i + 1] = (AditProgramOutput){.kind = ADIT_OUTPUT_READ, .tensor = gradients[i]};

    self->layout = adit_layout_new(self->graph);
    self->program = adit_compile(self->graph, self->layout, NULL, 0, outputs, item->n + 1, 0);
    self->device = adit_cpu_device_new(1, TRUE);
    self->memory = adit_device_allocate(self->device, self->layout, 0, &error);
    g_assert_no_error(error);
    self->executable =
        adit_device_prepare(self->device, self->program, self->memory, ROWS, 1, &error);
    g_assert_no_error(error);
}

static void
problem_clear(Problem *self)
{
    adit_executable_free(self->device, self->executable);
    adit_program_free(self->program);
    adit_memory_free(self->device, self->memory);
    adit_layout_unref(self->layout);
    g_object_unref(self->device);
    adit_graph_unref(self->graph);
    for (guint i = 0; i < self->n; i++) {
        if (self->arrays[i] != NULL)
            adit_array_unref(self->arrays[i]);
        else
            g_free(self->values[i]);
    }
}

static void
run(Problem *self)
{
    AditFeed feeds[MAX_INPUTS + 1] = {{0}};
    AditCall call = {.step = 3, .update = 1, .rows = ROWS, .feeds = feeds};
    guint n = 0;

    for (guint i = 0; i < self->n; i++) {
        g_autofree char *name = g_strdup_printf("source-%u", i);

        if (self->arrays[i] != NULL)
            feeds[n++].array = self->arrays[i];
        else
            adit_memory_write(self->device, self->memory, ADIT_ARENA_PARAMETERS,
                              adit_layout_find(self->layout, name)->offset,
                              count_values(&self->sources[i]), self->values[i]);
    }
    adit_device_run(self->device, self->executable, &call);
}

static double
run_loss(Problem *self)
{
    double loss;

    run(self);
    adit_executable_read_output(self->device, self->executable, 0, &loss);
    return loss;
}

static void
check_source(Problem *self, guint i)
{
    gsize count = count_values(&self->sources[i]);
    g_autofree double *gradient = g_new(double, count);
    double size = 0;

    run(self);
    adit_executable_read_output(self->device, self->executable, i + 1, gradient);
    for (gsize k = 0; k < count; k++) {
        double value = self->values[i][k], above, below, difference;

        self->values[i][k] = value + STEP;
        above = run_loss(self);
        self->values[i][k] = value - STEP;
        below = run_loss(self);
        self->values[i][k] = value;
        difference = (above - below) / (2 * STEP);
        if (!(fabs(gradient[k] - difference) <= TOLERANCE * MAX(1, fabs(difference))))
            g_test_message("input %u, element %" G_GSIZE_FORMAT
                           ": gradient %.10g, difference %.10g",
                           i, k, gradient[k], difference);
        g_assert_cmpfloat(fabs(gradient[k] - difference), <=, TOLERANCE * MAX(1, fabs(difference)));
        size += fabs(gradient[k]);
    }
    if (self->item->is_constant)
        g_assert_cmpfloat(size, ==, 0);
    else
        g_assert_cmpfloat(size, >, 0);
}

static void
test_case(gconstpointer data)
{
    const Case *item = data;
    Problem problem;

    problem_init(&problem, item);
    for (guint i = 0; i < item->n; i++) {
        if (item->sources[i].content != NUMBERS)
            check_source(&problem, i);
    }
    problem_clear(&problem);
}

/* Cases are kept until the end of the program. */
static GPtrArray *kept;

static void
add_case(const char *name, const Case *item)
{
    for (guint in_loop = 0; in_loop < 2; in_loop++) {
        Case *copy = g_memdup2(item, sizeof *item);
        g_autofree char *path =
            g_strdup_printf("/gradients/%s/%s", in_loop ? "loop" : "plain", name);

        copy->in_loop = in_loop;
        g_ptr_array_add(kept, copy);
        g_test_add_data_func(path, copy, test_case);
    }
}

static AditTensor *
build_pointwise(AditTensor *const *in, guint n, gconstpointer data)
{
    const AditPointwise *row = data;
    AditPointwiseAttributes attributes = {0.7};

    return adit_apply(row->op, in, n, &attributes, row->n_parameters > 0 ? sizeof attributes : 0);
}

static void
add_pointwise(const AditPointwise *row)
{
    static const char *const steps[] = {"equal",         "less", "less-equal", "greater",
                                        "greater-equal", "sign", "floor",      NULL};
    const Source layouts[][3] = {
        {{1, ADIT_SHAPE(5)}, {1, ADIT_SHAPE(5)}, {1, ADIT_SHAPE(5)}},
        {{1, ADIT_SHAPE(5)}, {0, ADIT_SHAPE(5)}, {0, ADIT_SCALAR}},
        {{0, ADIT_SHAPE(2, 1)}, {1, ADIT_SHAPE(3)}, {1, ADIT_SHAPE(2, 3)}},
        {{0, ADIT_SHAPE(1, 3)}, {0, ADIT_SHAPE(2, 1)}, {0, ADIT_SHAPE(2, 3)}},
    };
    gboolean is_positive = g_str_has_prefix(row->name, "pow") || strcmp(row->name, "log") == 0 ||
                           strcmp(row->name, "sqrt") == 0;

    for (guint k = 0; k < (row->arity == 1 ? 1 : G_N_ELEMENTS(layouts)); k++) {
        Case item = {.build = build_pointwise,
                     .data = row,
                     .n = row->arity,
                     .is_constant = g_strv_contains(steps, row->name)};
        g_autofree char *name = g_strdup_printf("%s/%u", row->name, k);

        memcpy(item.sources, layouts[k], sizeof layouts[k]);
        for (guint i = 0; i < row->arity; i++)
            item.sources[i].content = is_positive ? POSITIVE : VALUES;
        /* whether something is 0 is no question of degree */
        if (strcmp(row->name, "select") == 0)
            item.sources[0].content = NUMBERS;
        add_case(name, &item);
    }
}

static AditTensor *
build_matmul(AditTensor *const *in, guint n, gconstpointer data)
{
    return adit_matmul(in[0], in[1], GPOINTER_TO_INT(data));
}

static AditTensor *
build_batch_matmul(AditTensor *const *in, guint n, gconstpointer data)
{
    return adit_batch_matmul(in[0], in[1], GPOINTER_TO_INT(data) & 1, GPOINTER_TO_INT(data) & 2);
}

static AditTensor *
build_matmul_rows(AditTensor *const *in, guint n, gconstpointer data)
{
    return adit_matmul_rows(in[0], in[1]);
}

typedef struct {
    AditReduction reduction;
    guint n_axes;
    int axes[3];
} Reduce;

static AditTensor *
build_reduce(AditTensor *const *in, guint n, gconstpointer data)
{
    const Reduce *reduce = data;

    return adit_reduce(in[0], reduce->reduction, reduce->axes, reduce->n_axes);
}

static AditTensor *
build_reduce_rows(AditTensor *const *in, guint n, gconstpointer data)
{
    return adit_reduce_rows(in[0], GPOINTER_TO_UINT(data));
}

/* Parts 1 and 3 are numbers, which are constant. */
static AditTensor *
take_values(AditTensor *extrema)
{
    return adit_slice(extrema, 0, 0, 4, 2);
}

static AditTensor *
build_extrema(AditTensor *const *in, guint n, gconstpointer data)
{
    return take_values(adit_extrema(in[0], ADIT_EXTREMA_OF_NUMBERS, GPOINTER_TO_UINT(data), 2));
}

static AditTensor *
build_extrema_rows(AditTensor *const *in, guint n, gconstpointer data)
{
    return take_values(adit_extrema_rows(in[0], ADIT_EXTREMA_OF_NUMBERS));
}

/* Of parts, and of the whole: along axes, then over rows. */
static AditTensor *
build_extrema_of_extrema(AditTensor *const *in, guint n, gconstpointer data)
{
    AditTensor *parts = adit_extrema(in[0], ADIT_EXTREMA_OF_NUMBERS, 1, 2);

    if (data != NULL)
        return take_values(adit_extrema_rows(parts, ADIT_EXTREMA_OF_EXTREMA));
    return take_values(adit_extrema(parts, ADIT_EXTREMA_OF_EXTREMA, 0, 1));
}

static AditTensor *
build_deficits_rows(AditTensor *const *in, guint n, gconstpointer data)
{
    return adit_deficits_rows(in[0], 1.5, 0.5, 0.25);
}

static AditTensor *
build_deficits(AditTensor *const *in, guint n, gconstpointer data)
{
    return adit_deficits(in[0], 1.5, 0.5, 0.25);
}

static AditTensor *
build_broadcast(AditTensor *const *in, guint n, gconstpointer data)
{
    return adit_broadcast(in[0], &ADIT_SHAPE(2, 3, 4));
}

static AditTensor *
build_broadcast_rows(AditTensor *const *in, guint n, gconstpointer data)
{
    return adit_broadcast_rows(in[0]);
}

static AditTensor *
build_broadcast_rows_mean(AditTensor *const *in, guint n, gconstpointer data)
{
    return adit_broadcast_rows_mean(in[0]);
}

static AditTensor *
build_reshape(AditTensor *const *in, guint n, gconstpointer data)
{
    return adit_square(adit_reshape(in[0], &ADIT_SHAPE(4, 3)));
}

static AditTensor *
build_transpose(AditTensor *const *in, guint n, gconstpointer data)
{
    return adit_transpose(in[0], (int[]){2, 0, 1});
}

static AditTensor *
build_concat(AditTensor *const *in, guint n, gconstpointer data)
{
    return adit_concat(in, n, GPOINTER_TO_INT(data));
}

static AditTensor *
build_slice(AditTensor *const *in, guint n, gconstpointer data)
{
    return adit_slice(in[0], 1, 1, 7, 2);
}

static AditTensor *
build_pad(AditTensor *const *in, guint n, gconstpointer data)
{
    return adit_pad(in[0], 0, 1, 2, 0.5);
}

/* Between the numbers of the map, and partly outside of it. */
static AditTensor *
build_crop(AditTensor *const *in, guint n, gconstpointer data)
{
    return adit_crop(in[0], adit_offset(adit_scale(in[1], 0.37), -0.6), 6, 5,
                     (AditOutside) GPOINTER_TO_INT(data));
}

static AditTensor *
build_gather(AditTensor *const *in, guint n, gconstpointer data)
{
    return adit_gather(in[0], in[1]);
}

static AditTensor *
build_softmax(AditTensor *const *in, guint n, gconstpointer data)
{
    return GPOINTER_TO_INT(data) ? adit_log_softmax(in[0]) : adit_softmax(in[0]);
}

static AditTensor *
build_cross_entropy(AditTensor *const *in, guint n, gconstpointer data)
{
    return adit_cross_entropy(in[0], in[1]);
}

static AditTensor *
build_moments(AditTensor *const *in, guint n, gconstpointer data)
{
    return adit_moments(in[0], GPOINTER_TO_INT(data));
}

static AditTensor *
build_normalize(AditTensor *const *in, guint n, gconstpointer data)
{
    return adit_normalize(in[0], in[1], in[2], in[3], GPOINTER_TO_INT(data), 1e-3);
}

static AditTensor *
build_batch_norm(AditTensor *const *in, guint n, gconstpointer data)
{
    AditTensor *moments = adit_moments(in[0], -1);

    return adit_normalize(in[0], moments, in[1], in[2], -1, 1e-3);
}

static AditTensor *
build_layer_norm(AditTensor *const *in, guint n, gconstpointer data)
{
    return adit_layer_norm(in[0], in[1], in[2], 1e-5);
}

static AditTensor *
build_dropout(AditTensor *const *in, guint n, gconstpointer data)
{
    return adit_dropout(in[0], adit_constant(adit_tensor_get_graph(in[0]), 0.4), data);
}

/* @data: the stream of dropout; NULL: there is none. Two heads. */
static AditTensor *
build_attention(AditTensor *const *in, guint n, gconstpointer data)
{
    return adit_attention_fused(in, 2, data != NULL ? 0.4 : 0, data);
}

static AditTensor *
build_activated(AditTensor *const *in, guint n, gconstpointer data)
{
    return adit_tanh(adit_add(adit_matmul(in[0], in[1], FALSE), in[2]));
}

typedef struct {
    AditWindow window;
    guint groups;
    gsize image[2];
} Convolution;

static AditTensor *
build_conv2d(AditTensor *const *in, guint n, gconstpointer data)
{
    const Convolution *conv = data;

    return adit_conv2d(in[0], in[1], &conv->window, conv->groups);
}

static AditTensor *
build_conv2d_back(AditTensor *const *in, guint n, gconstpointer data)
{
    const Convolution *conv = data;

    return adit_conv2d_back(in[0], in[1], &conv->window, conv->groups, conv->image);
}

static AditTensor *
build_conv2d_rows(AditTensor *const *in, guint n, gconstpointer data)
{
    const Convolution *conv = data;

    return adit_conv2d_rows(in[0], in[1], &conv->window, conv->groups);
}

static AditTensor *
build_pool_max(AditTensor *const *in, guint n, gconstpointer data)
{
    return adit_pool2d(in[0], ADIT_POOL_MAX, data);
}

static AditTensor *
build_pool_average(AditTensor *const *in, guint n, gconstpointer data)
{
    return adit_pool2d(in[0], ADIT_POOL_AVERAGE, data);
}

static AditTensor *
build_pool_to(AditTensor *const *in, guint n, gconstpointer data)
{
    return adit_pool2d_to(in[0], GPOINTER_TO_INT(data), (gsize[]){2, 3});
}

/* The gradient of averages whose own gradient is the input; loops have none of gradients. */
static AditTensor *
build_pool_average_back(AditTensor *const *in, guint n, gconstpointer data)
{
    static const double zeros[32];
    AditGraph *graph = adit_tensor_get_graph(in[0]);
    AditTensor *x = adit_broadcast_rows(adit_constant_array(graph, &ADIT_SHAPE(2, 4, 4), zeros));
    AditTensor *sum = adit_sum(adit_mul(adit_pool2d(x, ADIT_POOL_AVERAGE, data), in[0]));
    AditTensor *dx;

    adit_gradient(adit_reduce_rows(sum, ADIT_REDUCE_SUM), &x, 1, ADIT_GRADIENT_KEEP, &dx);
    return dx;
}

static void
add_images(void)
{
    /* stride, dilation, padding larger on one side, groups */
    static const Convolution plain = {{{3, 2}, {1, 2}, {1, 1}, {1, 0}, {1, 1}}, 1, {4, 4}};
    static const Convolution grouped = {{{2, 2}, {2, 1}, {1, 2}, {0, 2}, {1, 0}}, 2, {4, 3}};
    static const AditWindow window = {{3, 2}, {2, 1}, {1, 2}, {1, 0}, {1, 1}};
    static const Case twice = {build_pool_average_back,
                               &window,
                               1,
                               {{1, {.rank = 3, .size = {2, 2, 3}}, VALUES}},
                               FALSE,
                               FALSE};
    const Source image = {1, ADIT_SHAPE(2, 4, 4)};
    const Convolution *convs[] = {&plain, &grouped};
    const Source sources[][3] = {
        {image, {0, ADIT_SHAPE(3, 2, 3, 2)}, {1, ADIT_SHAPE(3, 4, 2)}},
        {{1, ADIT_SHAPE(4, 4, 3)}, {0, ADIT_SHAPE(2, 2, 2, 2)}, {1, ADIT_SHAPE(2, 2, 3)}},
    };

    for (guint i = 0; i < G_N_ELEMENTS(convs); i++) {
        const Source *of = sources[i];
        g_autofree char *forward = g_strdup_printf("conv2d/%u", i);
        g_autofree char *back = g_strdup_printf("conv2d-back/%u", i);
        g_autofree char *rows = g_strdup_printf("conv2d-rows/%u", i);

        add_case(forward, &(Case){build_conv2d, convs[i], 2, {of[0], of[1]}});
        add_case(back, &(Case){build_conv2d_back, convs[i], 2, {of[2], of[1]}});
        add_case(rows, &(Case){build_conv2d_rows, convs[i], 2, {of[0], of[2]}});
    }
    add_case("pool-max", &(Case){build_pool_max, &window, 1, {image}});
    add_case("pool-average", &(Case){build_pool_average, &window, 1, {image}});
    g_test_add_data_func("/gradients/plain/pool-average-back", &twice, test_case);
    add_case("pool-max-to", &(Case){build_pool_to, GINT_TO_POINTER(ADIT_POOL_MAX), 1, {image}});
    add_case("pool-average-to",
             &(Case){build_pool_to, GINT_TO_POINTER(ADIT_POOL_AVERAGE), 1, {image}});
}

static void
add_products(void)
{
    const Source tokens = {1, ADIT_SHAPE(5, 6)};
    Case cases[] = {
        {build_matmul, GINT_TO_POINTER(0), 2, {{1, ADIT_SHAPE(3)}, {0, ADIT_SHAPE(3, 4)}}},
        {build_matmul, GINT_TO_POINTER(1), 2, {{1, ADIT_SHAPE(3)}, {0, ADIT_SHAPE(4, 3)}}},
        {build_matmul, GINT_TO_POINTER(0), 2, {{1, ADIT_SHAPE(2, 3)}, {0, ADIT_SHAPE(3, 4)}}},
        {build_matmul, GINT_TO_POINTER(0), 2, {{0, ADIT_SHAPE(2, 3)}, {0, ADIT_SHAPE(3, 4)}}},
        {build_matmul, GINT_TO_POINTER(1), 2, {{0, ADIT_SHAPE(3)}, {0, ADIT_SHAPE(4, 3)}}},
        {build_matmul_rows, NULL, 2, {{1, ADIT_SHAPE(2, 3)}, {1, ADIT_SHAPE(2, 4)}}},
        {build_matmul_rows, NULL, 2, {{0, ADIT_SHAPE(3)}, {0, ADIT_SHAPE(4)}}},
        {build_activated, NULL, 3, {{1, ADIT_SHAPE(3)}, {0, ADIT_SHAPE(3, 4)}, {0, ADIT_SHAPE(4)}}},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = g_strdup_printf("product/%u", i);

        add_case(name, &cases[i]);
    }
    for (int way = 0; way < 4; way++) {
        AditShape a = way & 1 ? ADIT_SHAPE(2, 3, 4) : ADIT_SHAPE(2, 4, 3);
        AditShape b = way & 2 ? ADIT_SHAPE(2, 5, 3) : ADIT_SHAPE(2, 3, 5);
        g_autofree char *name = g_strdup_printf("batch-product/%d", way);
        g_autofree char *plain = g_strdup_printf("batch-product/whole/%d", way);

        add_case(name, &(Case){build_batch_matmul, GINT_TO_POINTER(way), 2, {{1, a}, {1, b}}});
        add_case(plain, &(Case){build_batch_matmul, GINT_TO_POINTER(way), 2, {{0, a}, {0, b}}});
    }
    add_case("attention", &(Case){build_attention, NULL, 3, {tokens, tokens, tokens}});
}

static void
add_reductions(void)
{
    static const Reduce reduces[] = {
        {ADIT_REDUCE_SUM, 0, {0}},     {ADIT_REDUCE_SUM, 1, {-1}},    {ADIT_REDUCE_SUM, 1, {0}},
        {ADIT_REDUCE_SUM, 2, {0, 2}},  {ADIT_REDUCE_MEAN, 0, {0}},    {ADIT_REDUCE_MEAN, 2, {2, 0}},
        {ADIT_REDUCE_MEAN, 2, {1, 2}}, {ADIT_REDUCE_MAX, 0, {0}},     {ADIT_REDUCE_MAX, 1, {1}},
        {ADIT_REDUCE_MIN, 2, {0, 2}},  {ADIT_REDUCE_ARGMAX, 1, {-1}},
    };

    for (guint i = 0; i < G_N_ELEMENTS(reduces) * 2; i++) {
        Case item = {build_reduce, &reduces[i / 2], 1, {{i % 2 == 0, ADIT_SHAPE(2, 3, 4)}}};
        g_autofree char *name = g_strdup_printf("reduce/%u", i);

        item.is_constant = reduces[i / 2].reduction == ADIT_REDUCE_ARGMAX;
        add_case(name, &item);
    }
    for (guint i = ADIT_REDUCE_SUM; i <= ADIT_REDUCE_MIN; i++) {
        Case item = {build_reduce_rows, GUINT_TO_POINTER(i), 1, {{1, ADIT_SHAPE(2, 3)}}};
        g_autofree char *name = g_strdup_printf("reduce-rows/%u", i);

        add_case(name, &item);
    }
}

static void
add_extrema(void)
{
    const Source image = {1, ADIT_SHAPE(2, 3, 4)}, extrema = {1, ADIT_SHAPE(4, 3)};

    for (guint i = 0; i < 2; i++) {
        g_autofree char *name = g_strdup_printf("extrema/%u", i);
        g_autofree char *whole = g_strdup_printf("extrema-of-extrema/%u", i);

        add_case(name, &(Case){build_extrema, GUINT_TO_POINTER(i), 1, {image}});
        add_case(whole, &(Case){build_extrema_of_extrema, GUINT_TO_POINTER(i), 1, {image}});
    }
    add_case("extrema-rows", &(Case){build_extrema_rows, NULL, 1, {image}});
    add_case("deficits-rows", &(Case){build_deficits_rows, NULL, 1, {extrema}});
    add_case("deficits", &(Case){build_deficits, NULL, 1, {{0, ADIT_SHAPE(4, 3)}}});
}

/* The place is each row's own, the same for all, or the map is. */
static void
add_crops(void)
{
    static const char *const names[] = {"crop-same-place", "crop", "crop-same-map"};

    for (guint i = 0; i < 2 * G_N_ELEMENTS(names); i++) {
        Case item = {build_crop, GINT_TO_POINTER(i % 2), 2, {{i / 2 < 2, ADIT_SHAPE(2, 4, 3)}}};
        g_autofree char *name = g_strconcat(names[i / 2], i % 2 ? "-edge" : "-zero", NULL);

        item.sources[1] = (Source){i / 2 > 0, ADIT_SHAPE(4), NUMBERS};
        add_case(name, &item);
    }
}

static void
add_moving(void)
{
    const Source plain = {1, ADIT_SHAPE(2, 8, 3)};
    Case many = {.build = build_concat, .data = GINT_TO_POINTER(-1), .n = MAX_INPUTS};

    add_case("broadcast", &(Case){build_broadcast, NULL, 1, {{1, ADIT_SHAPE(3, 1)}}});
    add_case("broadcast-rows", &(Case){build_broadcast_rows, NULL, 1, {{0, ADIT_SHAPE(3)}}});
    add_case("broadcast-rows-mean",
             &(Case){build_broadcast_rows_mean, NULL, 1, {{0, ADIT_SHAPE(3)}}});
    add_case("reshape", &(Case){build_reshape, NULL, 1, {{1, ADIT_SHAPE(2, 6)}}});
    add_case("transpose", &(Case){build_transpose, NULL, 1, {plain}});
    add_case("concat",
             &(Case){build_concat,
                     GINT_TO_POINTER(0),
                     3,
                     {{1, ADIT_SHAPE(2, 3)}, {0, ADIT_SHAPE(1, 3)}, {1, ADIT_SHAPE(4, 3)}}});
    for (guint i = 0; i < many.n; i++)
        many.sources[i] = (Source){i != 4, ADIT_SHAPE(1 + i % 3)};
    add_case("concat-many", &many);
    add_case("slice", &(Case){build_slice, NULL, 1, {plain}});
    add_case("pad", &(Case){build_pad, NULL, 1, {plain}});
    add_crops();
    add_case("gather",
             &(Case){build_gather, NULL, 2, {{0, ADIT_SHAPE(5, 3)}, {1, ADIT_SCALAR, NUMBERS}}});
    add_case("gather-whole",
             &(Case){build_gather, NULL, 2, {{0, ADIT_SHAPE(5, 3)}, {0, ADIT_SHAPE(4), NUMBERS}}});
}

static void
add_norms(void)
{
    const Source channels = {0, ADIT_SHAPE(3)}, plain = {1, ADIT_SHAPE(5)};

    add_case("softmax", &(Case){build_softmax, GINT_TO_POINTER(0), 1, {plain}});
    add_case("log-softmax", &(Case){build_softmax, GINT_TO_POINTER(1), 1, {{1, ADIT_SHAPE(2, 5)}}});
    add_case("cross-entropy",
             &(Case){build_cross_entropy, NULL, 2, {plain, {1, ADIT_SCALAR, NUMBERS}}});
    add_case("cross-entropy-tokens", &(Case){build_cross_entropy,
                                             NULL,
                                             2,
                                             {{1, ADIT_SHAPE(2, 5)}, {1, ADIT_SHAPE(2), NUMBERS}}});
    add_case("moments", &(Case){build_moments, GINT_TO_POINTER(0), 1, {plain}});
    add_case("moments-middle",
             &(Case){build_moments, GINT_TO_POINTER(1), 1, {{1, ADIT_SHAPE(2, 3, 4)}}});
    add_case("normalize",
             &(Case){build_normalize,
                     GINT_TO_POINTER(-1),
                     4,
                     {{1, ADIT_SHAPE(3)}, {0, ADIT_SHAPE(2, 3), POSITIVE}, channels, channels}});
    add_case(
        "normalize-middle",
        &(Case){build_normalize,
                GINT_TO_POINTER(1),
                4,
                {{1, ADIT_SHAPE(2, 3, 4)}, {0, ADIT_SHAPE(2, 3), POSITIVE}, channels, channels}});
    add_case("batch-norm",
             &(Case){build_batch_norm, NULL, 3, {{1, ADIT_SHAPE(2, 3)}, channels, channels}});
    add_case("layer-norm",
             &(Case){build_layer_norm, NULL, 3, {{1, ADIT_SHAPE(2, 3)}, channels, channels}});
}

/* Random streams are named, so there is one of a name: no loop here. */
static void
add_dropout(void)
{
    static const Case item = {build_dropout, "noise", 1, {{1, {.rank = 1, .size = {5}}, VALUES}},
                              FALSE,         FALSE};

    static const Source tokens = {1, {.rank = 2, .size = {5, 6}}, VALUES};
    static Case attention = {build_attention, "attention", 3, {{0}}, FALSE, FALSE};

    for (guint i = 0; i < attention.n; i++)
        attention.sources[i] = tokens;
    g_test_add_data_func("/gradients/plain/dropout", &item, test_case);
    g_test_add_data_func("/gradients/plain/attention-dropout", &attention, test_case);
}

static void
test_stop_gradient(void)
{
    g_autoptr(AditGraph) graph = adit_graph_new(ADIT_MODE_TRAINING);
    AditTensor *x = adit_parameter_filled(graph, "x", ADIT_ROLE_OTHER, &ADIT_SHAPE(3), 1);
    AditTensor *y = adit_sum(adit_square(adit_stop_gradient(x)));
    AditTensor *gradient;

    adit_gradient(y, &x, 1, ADIT_GRADIENT_KEEP, &gradient);
    g_assert_no_error(adit_graph_get_error(graph));
    /* a constant, repeated */
    g_assert_cmpstr(gradient->op->name, ==, "broadcast");
    g_assert_cmpint(gradient->inputs[0]->kind, ==, ADIT_TENSOR_CONSTANT);
    g_assert_cmpfloat(gradient->inputs[0]->values[0], ==, 0);
}

int
main(int argc, char **argv)
{
    guint n;
    const AditPointwise *rows = adit_pointwise_list(&n);
    int result;

    g_test_init(&argc, &argv, NULL);
    kept = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < n; i++) {
        if (rows[i].op->gradient != NULL)
            add_pointwise(&rows[i]);
    }
    add_products();
    add_images();
    add_reductions();
    add_extrema();
    add_moving();
    add_norms();
    add_dropout();
    g_test_add_func("/gradients/plain/stop-gradient", test_stop_gradient);
    result = g_test_run();
    g_ptr_array_unref(kept);
    return result;
}
