/* tests/support/rig.c - SPDX-License-Identifier: MIT */
#include "rig.h"

#include <adit/adit-ops.h>
#include <adit/adit-schedule.h>

#include "adit-devices.h"
#include "adit-graph-private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Steps of central differences of fourth order in float64, whose errors of h^4 and of 1e-16 / h are
 * far below all tolerances. Where the first meets a kink the second does not. */
static const double steps[] = {2e-4, 2e-6};
static const double offsets[] = {-2, -1, 1, 2};

/* Value of the function at an offset from where it is differentiated. */
typedef double (*At)(gpointer data, double offset);

/* (f(-2h) - 8 f(-h) + 8 f(h) - f(2h)) / 12h */
static double
difference(At at, gpointer data, double step)
{
    double seen[4];

    for (guint i = 0; i < 4; i++)
        seen[i] = at(data, offsets[i] * step);
    return (seen[0] - 8 * seen[1] + 8 * seen[2] - seen[3]) / (12 * step);
}

static void
assert_derivative(const char *name, gsize index, double got, At at, gpointer data, double tolerance)
{
    double expected = (double) NAN;

    for (guint i = 0; i < G_N_ELEMENTS(steps); i++) {
        expected = difference(at, data, steps[i]);
        if (fabs(got - expected) <= tolerance * MAX(1.0, fabs(expected)))
            return;
    }
    g_test_message("%s[%" G_GSIZE_FORMAT "]: gradient %.12g, central difference %.12g", name, index,
                   got, expected);
    g_test_fail();
}

Rig *
rig_new(AditGraph *graph)
{
    Rig *self = g_new0(Rig, 1);

    g_assert_no_error(adit_graph_get_error(graph));
    self->graph = graph;
    self->layout = adit_layout_new(graph);
    self->outputs = g_array_new(FALSE, TRUE, sizeof(AditProgramOutput));
    self->parameters = g_ptr_array_new();
    self->feeds = g_ptr_array_new_with_free_func((GDestroyNotify) adit_array_unref);
    for (guint i = 0; i < graph->tensors->len; i++) {
        AditTensor *tensor = graph->tensors->pdata[i];
        if (tensor->kind == ADIT_TENSOR_PARAMETER)
            g_ptr_array_add(self->parameters, tensor);
    }
    return self;
}

void
rig_free(Rig *self)
{
    if (self->device != NULL) {
        adit_executable_free(self->device, self->executable);
        adit_memory_free(self->device, self->memory);
        g_object_unref(self->device);
        adit_program_free(self->program);
    }
    g_ptr_array_unref(self->feeds);
    g_ptr_array_unref(self->parameters);
    g_array_unref(self->outputs);
    adit_layout_unref(self->layout);
    adit_graph_unref(self->graph);
    g_free(self);
}

guint
rig_add(Rig *self, AditOutputKind kind, AditTensor *tensor)
{
    AditProgramOutput output = {.kind = kind, .tensor = tensor};

    g_array_append_val(self->outputs, output);
    return self->outputs->len - 1;
}

void
rig_add_gradients(Rig *self, AditTensor *loss)
{
    guint n = self->parameters->len;
    g_autofree AditTensor **gradients = g_new0(AditTensor *, n + 1);

    adit_gradient(loss, (AditTensor *const *) self->parameters->pdata, n, self->flags, gradients);
    g_assert_no_error(adit_graph_get_error(self->graph));
    for (guint i = 0; i < n; i++) {
        const AditTensor *parameter = self->parameters->pdata[i];
        guint output = rig_add(self, ADIT_OUTPUT_ARENA, gradients[i]);
        AditProgramOutput *added = &g_array_index(self->outputs, AditProgramOutput, output);
        added->arena = ADIT_ARENA_GRADIENTS;
        added->offset = adit_layout_find(self->layout, parameter->names[0])->offset;
    }
}

void
rig_add_states(Rig *self)
{
    for (guint i = 0; i < self->graph->updates->len; i++) {
        const AditStateUpdate *update = &g_array_index(self->graph->updates, AditStateUpdate, i);
        guint output = rig_add(self, ADIT_OUTPUT_ARENA, update->value);
        AditProgramOutput *added = &g_array_index(self->outputs, AditProgramOutput, output);
        added->arena = ADIT_ARENA_STATES;
        added->offset = adit_layout_find(self->layout, update->state->names[0])->offset;
    }
}

/* The device that the environment names, opened when it is first asked for. */
static AditDevice *named_device;

static void
close_device(void)
{
    g_clear_object(&named_device);
}

AditDevice *
test_device(guint threads)
{
    const char *name = g_getenv("ADIT_TEST_DEVICE");
    g_autoptr(GError) error = NULL;

    if (name == NULL)
        return adit_cpu_device_new(threads, FALSE);
    if (named_device == NULL) {
        named_device = adit_device_open(name, 1, NULL, &error);
        g_assert_no_error(error);
        /* registered behind what its driver has registered, so it is called before */
        atexit(close_device);
    }
    return g_object_ref(named_device);
}

void
test_initialize(const AditLayout *layout, guint64 seed, double *parameters, double *states)
{
    for (guint i = 0; i < layout->slots->len; i++) {
        const AditSlot *slot = layout->slots->pdata[i];
        adit_slot_initialize(slot, seed, (slot->is_state ? states : parameters) + slot->offset);
    }
}

void
rig_prepare(Rig *self, guint threads, gboolean f64, gsize max_rows)
{
    g_autoptr(GError) error = NULL;
    gsize n_parameters = self->layout->n_parameters, n_states = self->layout->n_states;
    g_autofree double *parameters = g_new0(double, n_parameters + 1);
    g_autofree double *states = g_new0(double, n_states + 1);

    if (self->device == NULL)
        self->device = f64 ? adit_cpu_device_new(threads, TRUE) : test_device(threads);
    self->program = adit_compile(self->graph, self->layout, NULL, 0,
                                 (const AditProgramOutput *) (gpointer) self->outputs->data,
                                 self->outputs->len, adit_device_get_compile_flags(self->device));
    self->memory = adit_device_allocate(self->device, self->layout, self->n_slots, &error);
    g_assert_no_error(error);
    test_initialize(self->layout, 1, parameters, states);
    adit_memory_write(self->device, self->memory, ADIT_ARENA_PARAMETERS, 0, n_parameters,
                      parameters);
    adit_memory_write(self->device, self->memory, ADIT_ARENA_STATES, 0, n_states, states);
    self->executable =
        adit_device_prepare(self->device, self->program, self->memory, max_rows, 1, &error);
    g_assert_no_error(error);
}

void
rig_feed(Rig *self, AditArray *array)
{
    g_ptr_array_add(self->feeds, array);
}

void
rig_scatter(Rig *self, double by)
{
    g_autofree double *values = rig_read_arena(self, ADIT_ARENA_PARAMETERS);
    gsize n = self->layout->n_parameters;

    for (guint i = 0; i < self->layout->slots->len; i++) {
        const AditSlot *slot = self->layout->slots->pdata[i];
        gsize count = slot->is_state ? 0 : adit_shape_count(&slot->shape);
        for (gsize j = 0; j < slot->n * count; j++) {
            double phase = g_str_hash(slot->names[j / count]) % 1000;
            values[slot->offset + j] += by * cos(phase + 2.3 * (double) (j % count));
        }
    }
    adit_memory_write(self->device, self->memory, ADIT_ARENA_PARAMETERS, 0, n, values);
}

void
rig_run_from(Rig *self, gsize first, gsize rows, guint64 step)
{
    const AditClock start = {.steps = 1, .steps_per_epoch = 1};
    guint n_lives = self->program->lives->len;
    g_autofree AditFeed *feeds = g_new0(AditFeed, self->feeds->len + 1);
    g_autofree double *lives = g_new0(double, n_lives + 1);
    AditCall call = {
        .step = step, .update = step + 1, .rows = rows, .feeds = feeds, .lives = lives};

    for (guint i = 0; i < self->feeds->len; i++)
        feeds[i] = (AditFeed){.array = self->feeds->pdata[i], .first = first};
    for (guint i = 0; i < n_lives; i++)
        lives[i] = adit_live_get(self->program->lives->pdata[i], &start);
    adit_device_run(self->device, self->executable, &call);
}

void
rig_run(Rig *self, gsize rows, guint64 step)
{
    rig_run_from(self, 0, rows, step);
}

double *
rig_read(Rig *self, guint output, gsize rows)
{
    const AditTensor *tensor = g_array_index(self->outputs, AditProgramOutput, output).tensor;
    gsize count = adit_shape_count(&tensor->shape) * (tensor->rows ? rows : 1);
    double *values = g_new0(double, count);

    adit_executable_read_output(self->device, self->executable, output, values);
    return values;
}

double
rig_read_scalar(Rig *self, guint output)
{
    double value;

    adit_executable_read_output(self->device, self->executable, output, &value);
    return value;
}

double *
rig_read_arena(Rig *self, AditArena arena)
{
    gsize n = arena == ADIT_ARENA_STATES ? self->layout->n_states : self->layout->n_parameters;
    double *values = g_new0(double, n + 1);

    adit_memory_read(self->device, self->memory, arena, 0, n, values);
    return values;
}

gsize
rig_find(Rig *self, const char *name, gsize *count)
{
    for (guint i = 0; i < self->layout->slots->len; i++) {
        const AditSlot *slot = self->layout->slots->pdata[i];
        for (guint j = 0; j < slot->n; j++) {
            if (!g_str_equal(slot->names[j], name))
                continue;
            *count = adit_shape_count(&slot->shape);
            return slot->offset + j * *count;
        }
    }
    g_test_message("nothing is called '%s'", name);
    g_assert_not_reached();
}

void
rig_assert_same(Rig *a, Rig *b, AditArena arena)
{
    g_autofree double *x = rig_read_arena(a, arena);
    g_autofree double *y = rig_read_arena(b, arena);

    for (guint i = 0; i < a->layout->slots->len; i++) {
        const AditSlot *slot = a->layout->slots->pdata[i];
        for (guint j = 0; slot->is_state == (arena == ADIT_ARENA_STATES) && j < slot->n; j++) {
            gsize count;
            gsize from = rig_find(a, slot->names[j], &count);
            gsize to = rig_find(b, slot->names[j], &count);
            test_assert_same(x + from, y + to, count);
        }
    }
}

char *
test_list_parameters(AditGraph *graph, const char *name)
{
    GString *text = g_string_new(NULL);
    g_autofree char *suffix = g_strdup_printf(".%s", name);

    for (guint i = 0; i < graph->tensors->len; i++) {
        const AditTensor *tensor = graph->tensors->pdata[i];
        for (guint j = 0; tensor->kind == ADIT_TENSOR_PARAMETER && tensor->names[j] != NULL; j++) {
            if (!g_str_has_suffix(tensor->names[j], suffix))
                continue;
            g_string_append_printf(text, "%s%.*s", text->len > 0 ? " " : "",
                                   (int) (strlen(tensor->names[j]) - strlen(suffix)),
                                   tensor->names[j]);
        }
    }
    return g_string_free(text, FALSE);
}

AditArray *
test_array(const AditShape *shape, gsize rows, guint64 seed)
{
    g_autoptr(GError) error = NULL;
    AditArray *array = adit_array_new(ADIT_TYPE_CODE_F64, shape, rows, &error);
    AditRandom random;

    g_assert_no_error(error);
    adit_random_init(&random, seed, "test-array");
    for (gsize i = 0; i < rows * adit_shape_count(shape); i++)
        ((double *) array->data)[i] = adit_random_normal(&random);
    return array;
}

AditArray *
test_array_f32(const AditShape *shape, gsize rows, guint64 seed)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AditArray) array = test_array(shape, rows, seed);
    AditArray *single = adit_array_new(ADIT_TYPE_CODE_F32, shape, rows, &error);

    g_assert_no_error(error);
    for (gsize i = 0; i < rows * adit_shape_count(shape); i++)
        ((float *) single->data)[i] = (float) ((double *) array->data)[i];
    return single;
}

AditArray *
test_classes(guint classes, gsize rows)
{
    g_autoptr(GError) error = NULL;
    AditArray *array = adit_array_new(ADIT_TYPE_CODE_I32, &ADIT_SCALAR, rows, &error);

    g_assert_no_error(error);
    for (gsize i = 0; i < rows; i++)
        ((gint32 *) array->data)[i] = (gint32) (i % classes);
    return array;
}

AditTensor *
test_weigh(AditTensor *y)
{
    const AditShape *shape = adit_tensor_get_shape(y);
    gsize count = adit_shape_count(shape);
    g_autofree double *factors = g_new(double, count);

    for (gsize i = 0; i < count; i++)
        factors[i] = cos(1.0 + 1.7 * (double) i);
    y = adit_sum(adit_mul(y, adit_constant_array(adit_tensor_get_graph(y), shape, factors)));
    return adit_tensor_has_rows(y) ? adit_reduce_rows(y, ADIT_REDUCE_MEAN) : y;
}

typedef struct {
    Rig *rig;
    guint loss;
    gsize rows;
    gsize index;   /* of the parameter */
    double *input; /* NULL: a parameter is moved */
    double value;
} Move;

static double
move(gpointer data, double offset)
{
    const Move *self = data;
    double value = self->value + offset;

    if (self->input != NULL)
        *self->input = value;
    else
        adit_memory_write(self->rig->device, self->rig->memory, ADIT_ARENA_PARAMETERS, self->index,
                          1, &value);
    rig_run(self->rig, self->rows, 0);
    return rig_read_scalar(self->rig, self->loss);
}

void
rig_check_gradients(Rig *self, guint loss, gsize rows, double tolerance)
{
    g_autofree double *values = rig_read_arena(self, ADIT_ARENA_PARAMETERS);
    g_autofree double *gradients = rig_read_arena(self, ADIT_ARENA_GRADIENTS);

    for (guint i = 0; i < self->layout->slots->len; i++) {
        const AditSlot *slot = self->layout->slots->pdata[i];
        gsize n = slot->is_state ? 0 : slot->n * adit_shape_count(&slot->shape);
        for (gsize j = slot->offset; j < slot->offset + n; j++) {
            Move mover = {.rig = self, .loss = loss, .rows = rows, .index = j, .value = values[j]};
            assert_derivative(slot->names[0], j - slot->offset, gradients[j], move, &mover,
                              tolerance);
            move(&mover, 0);
        }
    }
}

void
rig_check_input_gradient(Rig *self, guint loss, guint feed, guint gradient, gsize rows,
                         double tolerance)
{
    const AditArray *array = self->feeds->pdata[feed];
    double *values = array->data;

    g_assert_cmpint(array->type, ==, ADIT_TYPE_CODE_F64);
    rig_run(self, rows, 0);
    g_autofree double *gradients = rig_read(self, gradient, rows);
    for (gsize i = 0; i < rows * adit_shape_count(&array->shape); i++) {
        Move mover = {
            .rig = self, .loss = loss, .rows = rows, .input = &values[i], .value = values[i]};
        assert_derivative("input", i, gradients[i], move, &mover, tolerance);
        move(&mover, 0);
    }
}

void
test_assert_same(const double *a, const double *b, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        if (memcmp(&a[i], &b[i], sizeof *a) == 0)
            continue;
        g_test_message("number %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT ": %.17g and %.17g", i, n,
                       a[i], b[i]);
        g_test_fail();
        return;
    }
}
