/* core/device/cpu/adit-cpu-dnnl.c - SPDX-License-Identifier: MIT */
#include "adit-cpu-dnnl.h"

#include <omp.h>
#include <oneapi/dnnl/dnnl.h>
#include <string.h>

#include "adit-attributes.h"
#include "adit-kernels.h"

/* oneDNN computes images one by one, which costs it nothing and makes a row's result the same
 * whatever rows are computed with it; gradients of weights it sums over ADIT_PANEL_ROWS images at a
 * time, which divides all panels, and over what is left one by one. Weights lie as oneDNN likes
 * them best; they are put there and back in every call. */

typedef enum { FORWARD, BACK, ROWS } Kind;

/* What is passed to a convolution, in this order. */
enum { SOURCE, WEIGHTS, RESULT, SCRATCHPAD, N_MEMORIES };

/**
 * Step: a convolution of a fixed number of images.
 * @scratchpad: bytes
 */
typedef struct {
    dnnl_primitive_t primitive;
    dnnl_memory_t memories[N_MEMORIES];
    dnnl_memory_desc_t weights;
    gsize scratchpad;
} Step;

/**
 * AditCpuDnnl:
 * @many: (ROWS): of ADIT_PANEL_ROWS images
 * @pack, @unpack: weights from how they lie in the arena to how the steps take them, and back
 * @plain, @packed: what those are passed
 * @packed_bytes: of the weights as the steps take them
 */
struct _AditCpuDnnl {
    Kind kind;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_attr_t attr;
    Step one, many;
    dnnl_primitive_t pack, unpack;
    dnnl_memory_t plain, packed;
    gsize packed_bytes;
};

/* Shapes of a convolution, images [height, width, channels]. */
typedef struct {
    const AditConvAttributes *attributes;
    const AditShape *x, *y;
} Conv;

/* oneDNN is to compute in the calling thread: beside a busy core its own threads would wait for
 * each other. */
static void
stay_alone(void)
{
    omp_set_num_threads(1);
}

static gboolean
init_images(dnnl_memory_desc_t *desc, gsize n, const AditShape *shape)
{
    const dnnl_dims_t dims = {(dnnl_dim_t) n, (dnnl_dim_t) shape->size[2],
                              (dnnl_dim_t) shape->size[0], (dnnl_dim_t) shape->size[1]};

    return dnnl_memory_desc_init_by_tag(desc, 4, dims, dnnl_f32, dnnl_nhwc) == dnnl_success;
}

/* @any: as oneDNN likes them best, else as they lie in the arena. */
static gboolean
init_weights(dnnl_memory_desc_t *desc, const Conv *conv, gboolean any)
{
    const AditWindow *window = &conv->attributes->window;
    gsize groups = conv->attributes->groups;
    const dnnl_dims_t dims = {(dnnl_dim_t) groups, (dnnl_dim_t) (conv->y->size[2] / groups),
                              (dnnl_dim_t) (conv->x->size[2] / groups),
                              (dnnl_dim_t) window->size[0], (dnnl_dim_t) window->size[1]};
    gboolean grouped = groups > 1;
    dnnl_format_tag_t plain = grouped ? dnnl_goihw : dnnl_oihw;

    return dnnl_memory_desc_init_by_tag(desc, grouped ? 5 : 4, grouped ? dims : dims + 1, dnnl_f32,
                                        any ? dnnl_format_tag_any : plain) == dnnl_success;
}

/* The description of a convolution of @n images with weights as in @weights; NULL: there is none.
 * @forward: (nullable): of the same convolution, for the others */
static dnnl_primitive_desc_t
describe(AditCpuDnnl *self, const Conv *conv, Kind kind, gsize n, const dnnl_memory_desc_t *weights,
         dnnl_primitive_desc_t forward)
{
    const AditWindow *window = &conv->attributes->window;
    dnnl_memory_desc_t x, y;
    dnnl_convolution_desc_t desc;
    dnnl_primitive_desc_t result = NULL;
    dnnl_dims_t strides, gaps, before, after;
    dnnl_status_t status;

    for (guint i = 0; i < 2; i++) {
        strides[i] = (dnnl_dim_t) window->stride[i];
        gaps[i] = (dnnl_dim_t) window->dilation[i] - 1;
        before[i] = (dnnl_dim_t) window->before[i];
        after[i] = (dnnl_dim_t) window->after[i];
    }
    if (!init_images(&x, n, conv->x) || !init_images(&y, n, conv->y))
        return NULL;
    if (kind == FORWARD)
        status = dnnl_dilated_convolution_forward_desc_init(&desc, dnnl_forward_training,
                                                            dnnl_convolution_direct, &x, weights,
                                                            NULL, &y, strides, gaps, before, after);
    else if (kind == BACK)
        status = dnnl_dilated_convolution_backward_data_desc_init(
            &desc, dnnl_convolution_direct, &x, weights, &y, strides, gaps, before, after);
    else
        status = dnnl_dilated_convolution_backward_weights_desc_init(
            &desc, dnnl_convolution_direct, &x, weights, NULL, &y, strides, gaps, before, after);
    if (status != dnnl_success || dnnl_primitive_desc_create(&result, &desc, self->attr,
                                                             self->engine, forward) != dnnl_success)
        return NULL;
    return result;
}

static gboolean
add_memory(AditCpuDnnl *self, dnnl_memory_t *memory, const dnnl_memory_desc_t *desc)
{
    return dnnl_memory_create(memory, desc, self->engine, DNNL_MEMORY_NONE) == dnnl_success;
}

/* Makes a step of what was described. */
static gboolean
make_step(AditCpuDnnl *self, Step *step, const Conv *conv, gsize n, dnnl_primitive_desc_t desc)
{
    dnnl_query_t what = self->kind == ROWS ? dnnl_query_diff_weights_md : dnnl_query_weights_md;
    const dnnl_memory_desc_t *scratchpad =
        dnnl_primitive_desc_query_md(desc, dnnl_query_scratchpad_md, 0);
    dnnl_memory_desc_t x, y;

    step->weights = *dnnl_primitive_desc_query_md(desc, what, 0);
    step->scratchpad = dnnl_memory_desc_get_size(scratchpad);
    return init_images(&x, n, conv->x) && init_images(&y, n, conv->y) &&
           dnnl_primitive_create(&step->primitive, desc) == dnnl_success &&
           add_memory(self, &step->memories[SOURCE], self->kind == BACK ? &y : &x) &&
           add_memory(self, &step->memories[WEIGHTS], &step->weights) &&
           add_memory(self, &step->memories[RESULT], self->kind == BACK ? &x : &y) &&
           add_memory(self, &step->memories[SCRATCHPAD], scratchpad);
}

/* @weights: how they lie, or any way. */
static gboolean
add_step(AditCpuDnnl *self, Step *step, const Conv *conv, gsize n,
         const dnnl_memory_desc_t *weights)
{
    dnnl_memory_desc_t any;
    dnnl_primitive_desc_t forward, desc;
    gboolean made;

    if (!init_weights(&any, conv, TRUE))
        return FALSE;
    forward = describe(self, conv, FORWARD, n, &any, NULL);
    if (forward == NULL)
        return FALSE;
    desc = self->kind == FORWARD
               ? forward
               : describe(self, conv, self->kind, n, weights != NULL ? weights : &any, forward);
    made = desc != NULL && make_step(self, step, conv, n, desc);
    if (desc != NULL && desc != forward)
        dnnl_primitive_desc_destroy(desc);
    dnnl_primitive_desc_destroy(forward);
    return made;
}

static gboolean
add_reorder(AditCpuDnnl *self, dnnl_primitive_t *primitive, const dnnl_memory_desc_t *from,
            const dnnl_memory_desc_t *to)
{
    dnnl_primitive_desc_t desc = NULL;
    gboolean made;

    if (dnnl_reorder_primitive_desc_create(&desc, from, self->engine, to, self->engine, NULL) !=
        dnnl_success)
        return FALSE;
    made = dnnl_primitive_create(primitive, desc) == dnnl_success;
    dnnl_primitive_desc_destroy(desc);
    return made;
}

static gboolean
add_weights(AditCpuDnnl *self, const Conv *conv)
{
    const dnnl_memory_desc_t *packed = &self->one.weights;
    dnnl_memory_desc_t plain;

    self->packed_bytes = (dnnl_memory_desc_get_size(packed) + 63) / 64 * 64;
    return init_weights(&plain, conv, FALSE) && add_memory(self, &self->plain, &plain) &&
           add_memory(self, &self->packed, packed) &&
           add_reorder(self, &self->pack, &plain, packed) &&
           (self->kind != ROWS || add_reorder(self, &self->unpack, packed, &plain));
}

static gboolean
prepare(AditCpuDnnl *self, const Conv *conv)
{
    stay_alone();
    if (dnnl_engine_create(&self->engine, dnnl_cpu, 0) != dnnl_success ||
        dnnl_stream_create(&self->stream, self->engine, dnnl_stream_default_flags) !=
            dnnl_success ||
        dnnl_primitive_attr_create(&self->attr) != dnnl_success ||
        dnnl_primitive_attr_set_scratchpad_mode(self->attr, dnnl_scratchpad_mode_user) !=
            dnnl_success)
        return FALSE;
    if (self->kind == ROWS && !add_step(self, &self->many, conv, ADIT_PANEL_ROWS, NULL))
        return FALSE;
    return add_step(self, &self->one, conv, 1, self->kind == ROWS ? &self->many.weights : NULL) &&
           add_weights(self, conv);
}

AditCpuDnnl *
adit_cpu_dnnl_new(const AditInstruction *instruction)
{
    static const char *const names[] = {"conv2d", "conv2d-back", "conv2d-rows", NULL};
    const AditShape *first, *second;
    AditCpuDnnl *self;
    Conv conv = {.attributes = instruction->attributes};

    if (instruction->kind != ADIT_INSTRUCTION_OP ||
        !g_strv_contains(names, instruction->op->name) || !conv.attributes->channels_last)
        return NULL;
    self = g_new0(AditCpuDnnl, 1);
    first = &instruction->inputs[0].shape;
    second = &instruction->output.shape;
    if (g_str_equal(instruction->op->name, "conv2d-back"))
        self->kind = BACK;
    if (g_str_equal(instruction->op->name, "conv2d-rows")) {
        self->kind = ROWS;
        second = &instruction->inputs[1].shape;
    }
    conv.x = self->kind == BACK ? second : first;
    conv.y = self->kind == BACK ? first : second;
    if (!prepare(self, &conv))
        g_clear_pointer(&self, adit_cpu_dnnl_free);
    return self;
}

static void
clear_step(Step *step)
{
    for (guint i = 0; i < N_MEMORIES; i++)
        g_clear_pointer(&step->memories[i], dnnl_memory_destroy);
    g_clear_pointer(&step->primitive, dnnl_primitive_destroy);
}

void
adit_cpu_dnnl_free(AditCpuDnnl *self)
{
    clear_step(&self->one);
    clear_step(&self->many);
    g_clear_pointer(&self->plain, dnnl_memory_destroy);
    g_clear_pointer(&self->packed, dnnl_memory_destroy);
    g_clear_pointer(&self->pack, dnnl_primitive_destroy);
    g_clear_pointer(&self->unpack, dnnl_primitive_destroy);
    g_clear_pointer(&self->attr, dnnl_primitive_attr_destroy);
    g_clear_pointer(&self->stream, dnnl_stream_destroy);
    g_clear_pointer(&self->engine, dnnl_engine_destroy);
    g_free(self);
}

/* ---- running ---- */

static void
execute(AditCpuDnnl *self, dnnl_primitive_t primitive, guint n, const dnnl_exec_arg_t *args)
{
    if (dnnl_primitive_execute(primitive, self->stream, (int) n, args) != dnnl_success)
        g_error("oneDNN cannot compute what it prepared");
}

/* Weights at @plain and at @packed, from one to the other. */
static void
reorder(AditCpuDnnl *self, dnnl_primitive_t primitive, void *plain, void *packed)
{
    gboolean packs = primitive == self->pack;
    const dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, packs ? self->plain : self->packed},
                                    {DNNL_ARG_TO, packs ? self->packed : self->plain}};

    dnnl_memory_set_data_handle(self->plain, plain);
    dnnl_memory_set_data_handle(self->packed, packed);
    execute(self, primitive, 2, args);
}

/* @data: of the memories, in their order. */
static void
run_step(AditCpuDnnl *self, const Step *step, void *const *data)
{
    static const int arguments[][N_MEMORIES] = {
        [FORWARD] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, DNNL_ARG_SCRATCHPAD},
        [BACK] = {DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_SRC, DNNL_ARG_SCRATCHPAD},
        [ROWS] = {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST, DNNL_ARG_SCRATCHPAD},
    };
    dnnl_exec_arg_t args[N_MEMORIES];

    for (guint i = 0; i < N_MEMORIES; i++) {
        dnnl_memory_set_data_handle(step->memories[i], data[i]);
        args[i] = (dnnl_exec_arg_t){arguments[self->kind][i], step->memories[i]};
    }
    execute(self, step->primitive, N_MEMORIES, args);
}

/* Number @r of the images of an operand. */
static void *
find_image(const AditView *view, gsize r)
{
    return (float *) view->data + r * view->count;
}

static void
run_images(AditCpuDnnl *self, const AditKernelCall *call)
{
    char *packed = adit_scratch_get(self->packed_bytes + self->one.scratchpad);

    reorder(self, self->pack, call->inputs[1].data, packed);
    for (gsize r = 0; r < call->rows; r++) {
        void *const data[] = {find_image(&call->inputs[0], r), packed, find_image(&call->output, r),
                              packed + self->packed_bytes};

        run_step(self, &self->one, data);
    }
}

static void
run_rows(AditCpuDnnl *self, const AditKernelCall *call)
{
    gsize room = MAX(self->one.scratchpad, self->many.scratchpad);
    char *sum = adit_scratch_get(2 * self->packed_bytes + room), *part = sum + self->packed_bytes;
    gboolean begins = !call->accumulate;

    if (call->accumulate)
        reorder(self, self->pack, call->output.data, sum);
    for (gsize r = 0, n; r < call->rows; r += n) {
        const Step *step = r + ADIT_PANEL_ROWS <= call->rows ? &self->many : &self->one;
        void *const data[] = {find_image(&call->inputs[0], r), begins ? sum : part,
                              find_image(&call->inputs[1], r), part + self->packed_bytes};

        n = step == &self->many ? ADIT_PANEL_ROWS : 1;
        run_step(self, step, data);
        for (gsize i = 0; !begins && i < self->packed_bytes / sizeof(float); i++)
            ((float *) sum)[i] += ((const float *) part)[i];
        begins = FALSE;
    }
    reorder(self, self->unpack, call->output.data, sum);
}

void
adit_cpu_dnnl_run(AditCpuDnnl *self, const AditKernelCall *call)
{
    stay_alone();
    if (self->kind == ROWS)
        run_rows(self, call);
    else
        run_images(self, call);
}
