/* plugins/kernels/onednn.c - SPDX-License-Identifier: MIT */
#include <adit/adit-convolver.h>

#include <omp.h>
#include <oneapi/dnnl/dnnl.h>
#include <string.h>

/* oneDNN is given ADIT_PANEL_ROWS images at a time, and what is left at once. What it computes of
 * an image does not depend on how many there are; gradients of weights are sums over these. */

/* What is passed to a convolution, in this order. */
enum { FIRST, WEIGHTS, RESULT, SCRATCHPAD, N_MEMORIES };

/**
 * Step: a computation of a fixed number of images.
 * @scratchpad: bytes
 */
typedef struct {
    dnnl_primitive_t primitive;
    dnnl_memory_t memories[N_MEMORIES];
    dnnl_memory_desc_t weights;
    gsize scratchpad;
} Step;

/**
 * Convolver:
 * @steps: by the number of images; others than of ADIT_PANEL_ROWS are made when they are needed
 * @pack, @unpack: weights from how they lie in a network to how the steps take them, and back
 * @plain, @packed: what those are passed
 * @counts: elements of an image of the first operand, and of the other
 */
typedef struct {
    AditConvolver head;
    AditConvolution convolution;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_attr_t attr;
    Step steps[ADIT_PANEL_ROWS + 1];
    dnnl_primitive_t pack, unpack;
    dnnl_memory_t plain, packed;
    gsize counts[2];
} Convolver;

/* oneDNN is to compute in the calling thread: beside a busy core its own threads would wait for
 * each other. */
static void
stay_alone(void)
{
    omp_set_num_threads(1);
}

/* ---- making ready ---- */

static gboolean
init_images(dnnl_memory_desc_t *desc, gsize n, const gsize *size)
{
    const dnnl_dims_t dims = {(dnnl_dim_t) n, (dnnl_dim_t) size[2], (dnnl_dim_t) size[0],
                              (dnnl_dim_t) size[1]};

    return dnnl_memory_desc_init_by_tag(desc, 4, dims, dnnl_f32, dnnl_nhwc) == dnnl_success;
}

/* @any: as oneDNN likes them best, else as they lie in a network. */
static gboolean
init_weights(dnnl_memory_desc_t *desc, const AditConvolution *conv, gboolean any)
{
    gsize groups = conv->groups;
    const dnnl_dims_t dims = {(dnnl_dim_t) groups, (dnnl_dim_t) (conv->result[2] / groups),
                              (dnnl_dim_t) (conv->image[2] / groups),
                              (dnnl_dim_t) conv->window.size[0], (dnnl_dim_t) conv->window.size[1]};
    gboolean grouped = groups > 1;
    dnnl_format_tag_t plain = grouped ? dnnl_goihw : dnnl_oihw;

    return dnnl_memory_desc_init_by_tag(desc, grouped ? 5 : 4, grouped ? dims : dims + 1, dnnl_f32,
                                        any ? dnnl_format_tag_any : plain) == dnnl_success;
}

/* Whether one of oneDNN's implementations is what this convolution is fast with: those of the
 * brgemm kind are slow with channels that fill no vector. */
static gboolean
suits(const Convolver *self, const char *name)
{
    gsize groups = self->convolution.groups;
    gsize read = self->convolution.image[2] / groups,
          written = self->convolution.result[2] / groups;
    gboolean odd = read % 16 != 0 || written % 16 != 0;

    return !odd || strstr(name, "brg") == NULL;
}

/* The first implementation that suits, else the first; none that is reference code, which is slower
 * than anything. */
static dnnl_primitive_desc_t
choose(const Convolver *self, const dnnl_convolution_desc_t *desc,
       const_dnnl_primitive_desc_t forward)
{
    dnnl_primitive_desc_iterator_t all = NULL;
    dnnl_primitive_desc_t first = NULL, found = NULL;
    gboolean suited = FALSE;

    if (dnnl_primitive_desc_iterator_create(&all, desc, self->attr, self->engine, forward) !=
        dnnl_success)
        return NULL;
    do {
        const char *name = "";

        found = dnnl_primitive_desc_iterator_fetch(all);
        dnnl_primitive_desc_query(found, dnnl_query_impl_info_str, 0, (void *) &name);
        if (strstr(name, "ref") != NULL) {
            dnnl_primitive_desc_destroy(found);
            found = NULL;
            break;
        }
        suited = suits(self, name);
        if (!suited && first == NULL)
            first = found;
        else if (!suited)
            dnnl_primitive_desc_destroy(found);
    } while (!suited && dnnl_primitive_desc_iterator_next(all) == dnnl_success);
    dnnl_primitive_desc_iterator_destroy(all);
    if (!suited)
        return first;
    if (first != NULL)
        dnnl_primitive_desc_destroy(first);
    return found;
}

/* The description of a computation of @n images with weights as in @weights; NULL: there is none.
 * @forward: (nullable): of the same convolution, for the others */
static dnnl_primitive_desc_t
describe(const Convolver *self, AditConvolutionKind kind, gsize n,
         const dnnl_memory_desc_t *weights, dnnl_primitive_desc_t forward)
{
    const AditWindow *window = &self->convolution.window;
    dnnl_memory_desc_t x, y;
    dnnl_convolution_desc_t desc;
    dnnl_dims_t strides, gaps, before, after;
    dnnl_status_t status;

    for (guint i = 0; i < 2; i++) {
        strides[i] = (dnnl_dim_t) window->stride[i];
        gaps[i] = (dnnl_dim_t) window->dilation[i] - 1;
        before[i] = (dnnl_dim_t) window->before[i];
        after[i] = (dnnl_dim_t) window->after[i];
    }
    if (!init_images(&x, n, self->convolution.image) ||
        !init_images(&y, n, self->convolution.result))
        return NULL;
    if (kind == ADIT_CONVOLUTION_FORWARD)
        status = dnnl_dilated_convolution_forward_desc_init(&desc, dnnl_forward_training,
                                                            dnnl_convolution_direct, &x, weights,
                                                            NULL, &y, strides, gaps, before, after);
    else if (kind == ADIT_CONVOLUTION_BACK)
        status = dnnl_dilated_convolution_backward_data_desc_init(
            &desc, dnnl_convolution_direct, &x, weights, &y, strides, gaps, before, after);
    else
        status = dnnl_dilated_convolution_backward_weights_desc_init(
            &desc, dnnl_convolution_direct, &x, weights, NULL, &y, strides, gaps, before, after);
    return status == dnnl_success ? choose(self, &desc, forward) : NULL;
}

static gboolean
add_memory(const Convolver *self, dnnl_memory_t *memory, const dnnl_memory_desc_t *desc)
{
    return dnnl_memory_create(memory, desc, self->engine, DNNL_MEMORY_NONE) == dnnl_success;
}

/* Makes a step of what was described. */
static gboolean
make_step(const Convolver *self, Step *step, gsize n, const_dnnl_primitive_desc_t desc)
{
    gboolean back = self->head.kind == ADIT_CONVOLUTION_BACK;
    dnnl_query_t what = self->head.kind == ADIT_CONVOLUTION_ROWS ? dnnl_query_diff_weights_md
                                                                 : dnnl_query_weights_md;
    const dnnl_memory_desc_t *scratchpad =
        dnnl_primitive_desc_query_md(desc, dnnl_query_scratchpad_md, 0);
    dnnl_memory_desc_t x, y;

    step->weights = *dnnl_primitive_desc_query_md(desc, what, 0);
    step->scratchpad = dnnl_memory_desc_get_size(scratchpad);
    return init_images(&x, n, self->convolution.image) &&
           init_images(&y, n, self->convolution.result) &&
           dnnl_primitive_create(&step->primitive, desc) == dnnl_success &&
           add_memory(self, &step->memories[FIRST], back ? &y : &x) &&
           add_memory(self, &step->memories[WEIGHTS], &step->weights) &&
           add_memory(self, &step->memories[RESULT], back ? &x : &y) &&
           add_memory(self, &step->memories[SCRATCHPAD], scratchpad);
}

/* Makes the step of @n images; @weights: how they lie, NULL: any way. */
static gboolean
add_step(Convolver *self, gsize n, const dnnl_memory_desc_t *weights)
{
    dnnl_memory_desc_t any;
    dnnl_primitive_desc_t forward, desc;
    gboolean made;

    if (!init_weights(&any, &self->convolution, TRUE))
        return FALSE;
    if (weights == NULL)
        weights = &any;
    forward = describe(self, ADIT_CONVOLUTION_FORWARD, n,
                       self->head.kind == ADIT_CONVOLUTION_FORWARD ? weights : &any, NULL);
    if (forward == NULL)
        return FALSE;
    desc = self->head.kind == ADIT_CONVOLUTION_FORWARD
               ? forward
               : describe(self, self->head.kind, n, weights, forward);
    made = desc != NULL && make_step(self, &self->steps[n], n, desc);
    if (desc != NULL && desc != forward)
        dnnl_primitive_desc_destroy(desc);
    dnnl_primitive_desc_destroy(forward);
    return made;
}

static gboolean
add_reorder(const Convolver *self, dnnl_primitive_t *primitive, const dnnl_memory_desc_t *from,
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
add_weights(Convolver *self, const Step *step)
{
    dnnl_memory_desc_t plain;

    self->head.packed_bytes = dnnl_memory_desc_get_size(&step->weights);
    return init_weights(&plain, &self->convolution, FALSE) &&
           add_memory(self, &self->plain, &plain) &&
           add_memory(self, &self->packed, &step->weights) &&
           add_reorder(self, &self->pack, &plain, &step->weights) &&
           add_reorder(self, &self->unpack, &step->weights, &plain);
}

static gsize
fill_line(gsize bytes)
{
    return (bytes + 63) / 64 * 64;
}

static gsize
count_elements(const gsize *size)
{
    return size[0] * size[1] * size[2];
}

static gboolean
make(Convolver *self)
{
    gboolean rows = self->head.kind == ADIT_CONVOLUTION_ROWS;
    gboolean back = self->head.kind == ADIT_CONVOLUTION_BACK;
    gsize n = ADIT_PANEL_ROWS;
    const AditConvolution *conv = &self->convolution;

    stay_alone();
    if (dnnl_engine_create(&self->engine, dnnl_cpu, 0) != dnnl_success ||
        dnnl_stream_create(&self->stream, self->engine, dnnl_stream_default_flags) !=
            dnnl_success ||
        dnnl_primitive_attr_create(&self->attr) != dnnl_success ||
        dnnl_primitive_attr_set_scratchpad_mode(self->attr, dnnl_scratchpad_mode_user) !=
            dnnl_success ||
        !add_step(self, n, NULL) || !add_weights(self, &self->steps[n]))
        return FALSE;
    self->counts[0] = count_elements(back ? conv->result : conv->image);
    self->counts[1] = count_elements(back ? conv->image : conv->result);
    /* of ROWS: also what is added to the sum; fewer images need no larger scratchpad */
    self->head.scratch_bytes =
        (rows ? fill_line(self->head.packed_bytes) : 0) + self->steps[n].scratchpad;
    return TRUE;
}

static void
clear_step(Step *step)
{
    for (guint i = 0; i < N_MEMORIES; i++)
        g_clear_pointer(&step->memories[i], dnnl_memory_destroy);
    g_clear_pointer(&step->primitive, dnnl_primitive_destroy);
}

static void
convolver_free(AditConvolver *convolver)
{
    Convolver *self = (Convolver *) convolver;

    for (guint i = 0; i <= ADIT_PANEL_ROWS; i++)
        clear_step(&self->steps[i]);
    g_clear_pointer(&self->plain, dnnl_memory_destroy);
    g_clear_pointer(&self->packed, dnnl_memory_destroy);
    g_clear_pointer(&self->pack, dnnl_primitive_destroy);
    g_clear_pointer(&self->unpack, dnnl_primitive_destroy);
    g_clear_pointer(&self->attr, dnnl_primitive_attr_destroy);
    g_clear_pointer(&self->stream, dnnl_stream_destroy);
    g_clear_pointer(&self->engine, dnnl_engine_destroy);
    g_free(self);
}

/* The step of @n images; NULL: it cannot be made. */
static const Step *
find_step(Convolver *self, gsize n)
{
    Step *step = &self->steps[n];

    if (step->primitive != NULL)
        return step;
    if (add_step(self, n, &self->steps[ADIT_PANEL_ROWS].weights) &&
        step->scratchpad <= self->steps[ADIT_PANEL_ROWS].scratchpad)
        return step;
    clear_step(step);
    return NULL;
}

/* The step for the next of @left images; @n: (out): how many it takes. There is not one for every
 * number with weights as that of ADIT_PANEL_ROWS has them: then images are taken one by one. */
static const Step *
choose_step(Convolver *self, gsize left, gsize *n)
{
    const Step *step = find_step(self, *n = MIN(left, ADIT_PANEL_ROWS));

    return step != NULL ? step : find_step(self, *n = 1);
}

static AditConvolver *
prepare(const AditConvolution *convolution, AditConvolutionKind kind)
{
    Convolver *self = g_new0(Convolver, 1);

    self->convolution = *convolution;
    self->head.kind = kind;
    if (make(self) && find_step(self, 1) != NULL)
        return &self->head;
    convolver_free(&self->head);
    return NULL;
}

/* ---- running ---- */

static gboolean
execute(const Convolver *self, const_dnnl_primitive_t primitive, guint n,
        const dnnl_exec_arg_t *args)
{
    return dnnl_primitive_execute(primitive, self->stream, (int) n, args) == dnnl_success;
}

/* Weights at @plain and at @packed, from one to the other. */
static gboolean
reorder(Convolver *self, const_dnnl_primitive_t primitive, const void *plain, const void *packed)
{
    gboolean packs = primitive == self->pack;
    const dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, packs ? self->plain : self->packed},
                                    {DNNL_ARG_TO, packs ? self->packed : self->plain}};

    stay_alone();
    return dnnl_memory_set_data_handle(self->plain, (void *) plain) == dnnl_success &&
           dnnl_memory_set_data_handle(self->packed, (void *) packed) == dnnl_success &&
           execute(self, primitive, 2, args);
}

static gboolean
convolver_pack(AditConvolver *convolver, const float *weights, void *packed)
{
    Convolver *self = (Convolver *) convolver;

    return reorder(self, self->pack, weights, packed);
}

static gboolean
convolver_unpack(AditConvolver *convolver, const void *packed, float *weights)
{
    Convolver *self = (Convolver *) convolver;

    return reorder(self, self->unpack, weights, packed);
}

/* @data: of the memories, in their order. */
static gboolean
run_step(const Convolver *self, const Step *step, const void *const *data)
{
    static const int arguments[][N_MEMORIES] = {
        [ADIT_CONVOLUTION_FORWARD] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST,
                                      DNNL_ARG_SCRATCHPAD},
        [ADIT_CONVOLUTION_BACK] = {DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_SRC,
                                   DNNL_ARG_SCRATCHPAD},
        [ADIT_CONVOLUTION_ROWS] = {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST,
                                   DNNL_ARG_SCRATCHPAD},
    };
    dnnl_exec_arg_t args[N_MEMORIES];

    for (guint i = 0; i < N_MEMORIES; i++) {
        if (dnnl_memory_set_data_handle(step->memories[i], (void *) data[i]) != dnnl_success)
            return FALSE;
        args[i] = (dnnl_exec_arg_t){arguments[self->head.kind][i], step->memories[i]};
    }
    return execute(self, step->primitive, N_MEMORIES, args);
}

static gboolean
run_images(Convolver *self, gsize n, const float *first, const void *weights, float *result,
           void *scratch)
{
    for (gsize r = 0, m; r < n; r += m) {
        const Step *step = choose_step(self, n - r, &m);
        const void *const data[] = {first + r * self->counts[0], weights,
                                    result + r * self->counts[1], scratch};

        if (step == NULL || !run_step(self, step, data))
            return FALSE;
    }
    return TRUE;
}

static gboolean
run_rows(Convolver *self, gsize n, const float *x, const float *dy, float *sum, gboolean accumulate,
         char *scratch)
{
    float *part = (gpointer) scratch;
    gsize bytes = self->head.packed_bytes;

    for (gsize r = 0, m; r < n; r += m) {
        const Step *step = choose_step(self, n - r, &m);
        gboolean adds = accumulate || r > 0;
        const void *const data[] = {x + r * self->counts[0], adds ? part : sum,
                                    dy + r * self->counts[1], scratch + fill_line(bytes)};

        if (step == NULL || !run_step(self, step, data))
            return FALSE;
        for (gsize i = 0; adds && i < bytes / sizeof(float); i++)
            sum[i] += part[i];
    }
    return TRUE;
}

static gboolean
convolver_run(AditConvolver *convolver, gsize n, const float *first, const void *second,
              void *result, gboolean accumulate, void *scratch)
{
    Convolver *self = (Convolver *) convolver;

    stay_alone();
    return self->head.kind == ADIT_CONVOLUTION_ROWS
               ? run_rows(self, n, first, second, result, accumulate, scratch)
               : run_images(self, n, first, second, result, scratch);
}

/* ---- the library ---- */

static const char *
describe_library(void)
{
    static char name[64];
    const dnnl_version_t *version = dnnl_version();

    g_snprintf(name, sizeof name, "oneDNN %d.%d.%d", version->major, version->minor,
               version->patch);
    return name;
}

static gboolean
limit(const char *isa)
{
    if (g_str_equal(isa, "avx2"))
        return dnnl_set_max_cpu_isa(dnnl_cpu_isa_avx2) == dnnl_success;
    return g_str_equal(isa, "avx512") || g_str_equal(isa, "neon");
}

G_MODULE_EXPORT const AditConvolvers adit_convolvers = {
    .version = ADIT_CONVOLVERS_VERSION,
    .describe = describe_library,
    .limit = limit,
    .prepare = prepare,
    .free = convolver_free,
    .pack = convolver_pack,
    .unpack = convolver_unpack,
    .run = convolver_run,
};
