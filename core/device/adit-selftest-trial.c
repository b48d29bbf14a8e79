/* core/device/adit-selftest-trial.c - SPDX-License-Identifier: MIT */
#include "adit-selftest-private.h"

#include <adit/adit-ops.h>

#include "adit-gradient.h"
#include "adit-graph-private.h"

#include <float.h>
#include <math.h>

#define SEED 1

/* Numbers whose like go wrong on some device, all exact in float32. */
static const float specials[] = {
    NAN,     INFINITY, -INFINITY, 0.0f, -1.5f, 2.0f,  1e4f,   1e-38f,
    -1e-38f, -0.0f,    1e-12f,    0.5f, -1.0f, 80.0f, -80.0f, -1e4f,
};
/* Three inputs are crossed with the first of them, and only the first input meets the denormal one:
 * what they make of more would leave float32 where it does not leave float64. */
#define FEW_SPECIALS 8
static const float sprinkles[] = {NAN, INFINITY, -INFINITY, 0.0f, -0.0f, 1e-40f};
#define ONE_IN 29

static gboolean
is_denormal(double value)
{
    return value != 0 && fabs(value) < (double) FLT_MIN;
}

/* ---- numbers ---- */

static double
draw_plain(AditRandom *random)
{
    double value = 0.125 + 1.875 * adit_random_uniform(random);

    if (adit_random_uniform(random) < 0.25)
        value = round(4 * value + 0.5) / 4;
    return adit_random_uniform(random) < 0.25 ? -value : value;
}

static double
draw_spread(AditRandom *random, AditSelftestSpread spread)
{
    double u = adit_random_uniform(random);
    double sign = adit_random_uniform(random) < 0.5 ? -1 : 1;

    if (spread == ADIT_SPREAD_WIDE)
        return sign * pow(10, 10 * u - 6);
    return sign * 1e4 * u;
}

static double
draw_position(AditRandom *random, gsize n, AditSelftestSpread spread)
{
    static const double others[] = {-1, (double) NAN, 16777216, (double) -INFINITY};
    guint32 bits = adit_random_bits(random);

    if (spread == ADIT_SPREAD_SPRINKLED && bits % 5 == 0)
        return bits % 25 == 0 ? (double) n : others[bits / 25 % G_N_ELEMENTS(others)];
    return bits % n;
}

/* Special value of input @input at element @index, which tells those of all inputs apart. */
static double
cross(guint n_inputs, guint input, gsize index)
{
    gsize n = n_inputs > 2 ? FEW_SPECIALS : G_N_ELEMENTS(specials);

    for (guint i = 0; i < input; i++)
        index /= n;
    if (n_inputs > 2 && input > 0 && is_denormal((double) specials[index % n]))
        return 0.5;
    return (double) specials[index % n];
}

static double
draw(const AditSelftestCase *of, guint n_inputs, guint input, gsize index, AditRandom *random)
{
    AditSelftestValues values = of->values[input];
    AditSelftestSpread spread = of->spread;
    gboolean is_spread = spread == ADIT_SPREAD_WIDE || spread == ADIT_SPREAD_LARGE;

    if (values == ADIT_VALUES_POSITIONS)
        return draw_position(random, of->positions, spread);
    if (spread == ADIT_SPREAD_CROSSED)
        return cross(n_inputs, input, index);
    if (spread == ADIT_SPREAD_SPRINKLED && adit_random_bits(random) % ONE_IN == 0)
        return (double) sprinkles[adit_random_bits(random) % G_N_ELEMENTS(sprinkles)];
    if (values == ADIT_VALUES_SHARES)
        return adit_random_uniform(random);
    double value = is_spread && input == 0 ? draw_spread(random, spread) : draw_plain(random);

    return values == ADIT_VALUES_POSITIVE ? fabs(value) : value;
}

/* Numbers that float32 holds: the reference computes with the same. */
static double *
draw_values(AditSelftestTrial *self, guint n_inputs, guint input, gsize n)
{
    g_autofree char *name = g_strdup_printf("selftest/%s/%u", self->of->kernel, input);
    double *values = g_new(double, n + 1);
    AditRandom random;

    adit_random_init(&random, SEED, name);
    for (gsize i = 0; i < n; i++) {
        values[i] = (double) (float) draw(self->of, n_inputs, input, i, &random);
        self->has_denormals = self->has_denormals || is_denormal(values[i]);
    }
    return values;
}

/* ---- building ---- */

static AditTensor *
make_source(AditGraph *graph, gboolean rows, const AditShape *shape)
{
    g_autofree char *name = g_strdup_printf("s%u", graph->tensors->len);

    return rows ? adit_input(graph, name, shape, 0)
                : adit_parameter_filled(graph, name, ADIT_ROLE_WEIGHT, shape, 0);
}

/* A scalar that depends on all of @y and whose gradient by @y differs everywhere. */
static AditTensor *
weigh(AditTensor *y)
{
    y = adit_sum(adit_square(y));
    return adit_tensor_has_rows(y) ? adit_reduce_rows(y, ADIT_REDUCE_MEAN) : y;
}

static AditTensor *
find_operation(const AditSelftestTrial *self)
{
    const GPtrArray *tensors = self->graph->tensors;

    for (guint i = 0; i < tensors->len; i++) {
        AditTensor *tensor = tensors->pdata[i];

        if (tensor->kind == ADIT_TENSOR_OP && g_str_equal(tensor->op->name, self->of->target))
            return tensor;
    }
    g_error("no '%s' in the expression that tests it: %s", self->of->target,
            self->graph->error != NULL ? self->graph->error->message : "it is not called");
}

/* The same operation on sources of its own, so that no other can spoil its result. Shapes and
 * attributes are those that its real builder gave. */
static void
isolate(AditSelftestTrial *self, AditTensor *found)
{
    self->result = found;
    self->n_sources = found->n_inputs;
    if (found->n_inputs == 0)
        return;
    for (guint i = 0; i < found->n_inputs; i++)
        self->sources[i] =
            make_source(self->graph, found->inputs[i]->rows, &found->inputs[i]->shape);
    self->result = adit_apply(found->op, self->sources, found->n_inputs, found->attributes, 0);
    self->result->attributes = g_steal_pointer(&found->attributes);
    self->result->names = g_steal_pointer(&found->names);
}

static void
build(AditSelftestTrial *self)
{
    const AditSelftestCase *of = self->of;
    AditTensor *gradients[ADIT_SELFTEST_INPUTS];

    self->n_sources = of->n_inputs;
    for (guint i = 0; i < of->n_inputs; i++)
        self->sources[i] = make_source(self->graph, of->inputs[i].rows, &of->inputs[i].shape);
    self->result = of->build != NULL ? of->build(self->graph, self->sources, of) : *self->sources;
    if (of->of_gradient)
        adit_gradient(weigh(self->result), self->sources, of->n_inputs, ADIT_GRADIENT_KEEP,
                      gradients);
    if (of->kind == ADIT_SELFTEST_OPERATION)
        isolate(self, find_operation(self));
    else if (of->of_gradient)
        self->result = gradients[0];
    if (self->graph->error != NULL)
        g_error("case of '%s': %s", of->kernel, self->graph->error->message);
}

static void
add_output(GArray *outputs, AditOutputKind kind, AditTensor *tensor)
{
    AditProgramOutput output = {.kind = kind, .tensor = tensor};

    g_array_append_val(outputs, output);
}

static void
compile(AditSelftestTrial *self)
{
    g_autoptr(GArray) outputs = g_array_new(FALSE, FALSE, sizeof(AditProgramOutput));
    AditSelftestKind kind = self->of->kind;

    build(self);
    if (kind == ADIT_SELFTEST_GUARD)
        add_output(outputs, ADIT_OUTPUT_GUARD, adit_reduce_rows(self->result, ADIT_REDUCE_SUM));
    if (kind == ADIT_SELFTEST_SUMS || kind == ADIT_SELFTEST_GUARD)
        add_output(outputs, ADIT_OUTPUT_SUM, self->result);
    else
        add_output(outputs, ADIT_OUTPUT_READ, self->result);
    self->layout = adit_layout_new(self->graph);
    self->program =
        adit_compile(self->graph, self->layout, NULL, 0,
                     (const AditProgramOutput *) (gpointer) outputs->data, outputs->len, 0);
}

/* Rows that the runs read. */
static gsize
count_feed_rows(const AditSelftestCase *of)
{
    gsize rows = 1;

    for (guint i = 0; i < of->n_runs; i++)
        rows = MAX(rows, of->runs[i].feed_row + of->runs[i].rows);
    return rows;
}

static AditArray *
make_array(AditTypeCode type, const AditShape *shape, gsize rows, const double *values)
{
    g_autoptr(GError) error = NULL;
    AditArray *array = adit_array_new(type, shape, rows, &error);
    gsize n = rows * adit_shape_count(shape);

    if (array == NULL)
        g_error("%s", error->message);
    for (gsize i = 0; i < n; i++) {
        if (type == ADIT_TYPE_CODE_F32)
            ((float *) array->data)[i] = (float) values[i];
        else if (type == ADIT_TYPE_CODE_F64)
            ((double *) array->data)[i] = values[i];
        else if (type == ADIT_TYPE_CODE_I32)
            ((gint32 *) array->data)[i] = (gint32) (1000 * values[i]);
        else
            ((guint8 *) array->data)[i] = (guint8) (64 * fabs(values[i]));
    }
    return array;
}

static void
feed(AditSelftestTrial *self, const AditTensor *source, const double *values, gsize rows)
{
    const AditSelftestCase *of = self->of;
    AditTypeCode type =
        of->kind == ADIT_SELFTEST_FEED ? (AditTypeCode) of->numbers[0] : ADIT_TYPE_CODE_F32;
    AditArray *array = make_array(type, &source->shape, rows, values);
    guint at;

    if (type == ADIT_TYPE_CODE_U8)
        array->scale = 1.0 / 255;
    if (of->kind == ADIT_SELFTEST_GUARD)
        ((float *) array->data)[of->runs[1].feed_row + 1] = INFINITY;
    if (!g_ptr_array_find(self->program->feeds, source, &at))
        g_error("'%s' does not read its input", of->kernel);
    self->feeds->pdata[at] = array;
}

/* What the operation's inputs are. */
static void
fill_sources(AditSelftestTrial *self)
{
    gsize rows = count_feed_rows(self->of);
    AditTensor *const *sources = self->sources;
    guint n = self->n_sources;

    g_ptr_array_set_size(self->feeds, (int) self->program->feeds->len);
    for (guint i = 0; i < n; i++) {
        gsize count = adit_shape_count(&sources[i]->shape) * (sources[i]->rows ? rows : 1);
        g_autofree double *values = draw_values(self, n, i, count);

        if (sources[i]->rows) {
            feed(self, sources[i], values, rows);
            continue;
        }
        gsize offset = adit_layout_find(self->layout, sources[i]->names[0])->offset;

        memcpy(self->parameters + offset, values, count * sizeof *values);
    }
}

AditSelftestTrial *
adit_selftest_trial_new(const AditSelftestCase *of)
{
    AditSelftestTrial *self = g_new0(AditSelftestTrial, 1);

    self->of = of;
    self->graph = adit_graph_new(ADIT_MODE_TRAINING);
    self->feeds = g_ptr_array_new_with_free_func((GDestroyNotify) adit_array_unref);
    compile(self);
    self->parameters = g_new0(double, self->layout->n_parameters + 1);
    fill_sources(self);
    return self;
}

void
adit_selftest_trial_free(AditSelftestTrial *self)
{
    adit_program_free(self->program);
    adit_layout_unref(self->layout);
    adit_graph_unref(self->graph);
    g_ptr_array_unref(self->feeds);
    g_free(self->parameters);
    g_free(self);
}

char *
adit_selftest_trial_describe(const AditSelftestTrial *self)
{
    static const char *const notes[] = {
        [ADIT_SPREAD_PLAIN] = "",
        [ADIT_SPREAD_WIDE] = "; 1e-6 to 1e4",
        [ADIT_SPREAD_LARGE] = "; up to 1e4",
        [ADIT_SPREAD_SPRINKLED] = "; some special",
        [ADIT_SPREAD_CROSSED] = "; special values",
    };
    GString *text = g_string_new(NULL);
    g_autofree char *result = adit_shape_to_string(&self->result->shape);

    for (guint i = 0; i < self->n_sources; i++) {
        g_autofree char *shape = adit_shape_to_string(&self->sources[i]->shape);

        g_string_append_printf(text, "%s%s%s", i > 0 ? ", " : "", shape,
                               self->sources[i]->rows ? " a row" : "");
    }
    g_string_append_printf(text, "%s%s%s", self->n_sources > 0 ? " -> " : "", result,
                           self->result->rows ? " a row" : "");
    g_string_append(text, notes[self->of->spread]);
    return g_string_free(text, FALSE);
}

/* ---- running ---- */

/* The last run of a guarded program also tells whether all was finite, and that twice. */
gsize
adit_selftest_trial_count(const AditSelftestTrial *self, guint index)
{
    const AditSelftestCase *of = self->of;

    if (of->kind == ADIT_SELFTEST_GUARD)
        return index + 1 == of->n_runs ? 3 : 1;
    if (of->kind == ADIT_SELFTEST_SUMS)
        return 1;
    return adit_shape_count(&self->result->shape) * (self->result->rows ? of->runs[index].rows : 1);
}

/* Every second row from behind, in another order. */
typedef struct {
    AditPermutation order;
    AditArray *subset;
} Selection;

static void
selection_init(Selection *self, const AditSelftestTrial *trial)
{
    g_autoptr(GError) error = NULL;
    gsize rows = count_feed_rows(trial->of);

    self->subset = adit_array_new(ADIT_TYPE_CODE_I32, &ADIT_SCALAR, rows, &error);
    if (self->subset == NULL)
        g_error("%s", error->message);
    for (gsize i = 0; i < rows; i++)
        ((gint32 *) self->subset->data)[i] = (gint32) (rows - 1 - i / 2);
    adit_permutation_init(&self->order, SEED, "selftest", rows);
}

static void
run_once(AditSelftestTrial *self, AditDevice *device, AditExecutable *executable, guint index,
         const Selection *selection)
{
    const AditSelftestRun *run = &self->of->runs[index];
    g_autofree AditFeed *feeds = g_new0(AditFeed, self->feeds->len + 1);
    AditCall call = {.step = run->step,
                     .update = 1,
                     .rows = run->rows,
                     .first_row = run->first_row,
                     .feeds = feeds};

    /* what is not asked for itself leaves nothing on the device */
    for (guint i = 0; i < self->feeds->len; i++)
        feeds[i] =
            (AditFeed){.array = self->feeds->pdata[i], .first = run->feed_row, .is_streamed = TRUE};
    if (self->of->kind == ADIT_SELFTEST_FEED) {
        feeds->order = self->of->numbers[1] & 1 ? &selection->order : NULL;
        feeds->subset = self->of->numbers[1] & 2 ? selection->subset : NULL;
        feeds->is_streamed = (self->of->numbers[1] & 4) != 0;
    }
    adit_device_run(device, executable, &call);
}

static void
read_run(const AditSelftestTrial *self, AditDevice *device, AditMemory *memory,
         AditExecutable *executable, guint index, double *values)
{
    AditSelftestKind kind = self->of->kind;

    if (kind != ADIT_SELFTEST_SUMS && kind != ADIT_SELFTEST_GUARD) {
        adit_executable_read_output(device, executable, 0, values);
        return;
    }
    adit_executable_read_sums(device, executable, values);
    if (kind != ADIT_SELFTEST_GUARD || index + 1 < self->of->n_runs)
        return;
    values[1] = adit_memory_is_finite(device, memory, NULL);
    values[2] = adit_memory_is_finite(device, memory, NULL);
}

/* For good: what runs afterwards is given 0 for denormal numbers. */
static void
flush(AditSelftestTrial *self)
{
    for (gsize i = 0; i < self->layout->n_parameters; i++) {
        if (is_denormal(self->parameters[i]))
            self->parameters[i] = copysign(0, self->parameters[i]);
    }
    for (guint i = 0; i < self->feeds->len; i++) {
        AditArray *array = self->feeds->pdata[i];
        float *data = array->data;

        for (gsize j = 0; j < array->rows * adit_shape_count(&array->shape); j++) {
            if (array->type == ADIT_TYPE_CODE_F32 && is_denormal((double) data[j]))
                data[j] = copysignf(0, data[j]);
        }
    }
}

static gsize
count_rows(const AditSelftestCase *of)
{
    gsize rows = 1;

    for (guint i = 0; i < of->n_runs; i++)
        rows = MAX(rows, of->runs[i].rows);
    return rows;
}

/* @memory: of the program's parameters */
static double *
run_all(AditSelftestTrial *self, AditDevice *device, AditMemory *memory, GError **error)
{
    gsize n = 0, at = 0;
    Selection selection;
    AditExecutable *executable =
        adit_device_prepare(device, self->program, memory, count_rows(self->of), SEED, error);

    if (executable == NULL)
        return NULL;
    for (guint i = 0; i < self->of->n_runs; i++)
        n += adit_selftest_trial_count(self, i);
    g_autofree double *values = g_new0(double, n + 1);

    selection_init(&selection, self);
    for (guint i = 0; i < self->of->n_runs; i++) {
        run_once(self, device, executable, i, &selection);
        read_run(self, device, memory, executable, i, values + at);
        at += adit_selftest_trial_count(self, i);
    }
    gboolean done = adit_device_wait(device, error);

    adit_array_unref(selection.subset);
    adit_executable_free(device, executable);
    return done ? g_steal_pointer(&values) : NULL;
}

double *
adit_selftest_trial_run(AditSelftestTrial *self, AditDevice *device, gboolean flushed,
                        GError **error)
{
    AditMemory *memory = adit_device_allocate(device, self->layout, 0, error);

    if (memory == NULL)
        return NULL;
    if (flushed)
        flush(self);
    adit_memory_write(device, memory, ADIT_ARENA_PARAMETERS, 0, self->layout->n_parameters,
                      self->parameters);
    double *values = run_all(self, device, memory, error);

    adit_memory_free(device, memory);
    return values;
}
