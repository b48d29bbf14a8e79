/* core/device/vulkan/adit-vulkan-plan.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-fuse.h"
#include "adit-vulkan-sift.h"

#include "adit-attributes.h"
#include "adit-ops-private.h"
#include "adit-pointwise.h"

#include <string.h>

#define ATTRIBUTE_WORDS (ADIT_VULKAN_VIEW_WORDS * (1 + ADIT_VULKAN_INPUTS))

typedef struct {
    AditVulkanPlan *plan;
    AditVulkanDevice *device;
    const AditProgram *program;
    const AditVulkanPlaces *places;
    guint index[ADIT_MAX_LOOPS];
    GHashTable *words;   /* instruction -> where its words begin */
    GHashTable *fused;   /* the same of fusions */
    GHashTable *readers; /* (nullable): of storages; NULL: nothing is fused */
    GError **error;
} Planner;

/**
 * Span: elements of an operand that a dispatch needs.
 * @is_written: it is the output
 */
typedef struct {
    const AditVulkanBuffer *buffer;
    gsize begin, end;
} Span;

/**
 * Call: a dispatch before its windows are known: of rows, or slices, @first to @end.
 * @n_written: inputs, the last ones, that are written
 */
typedef struct {
    const AditInstruction *instruction;
    const char *name;
    const AditVulkanKernel *kernel;
    gboolean is_sliced;
    guint32 words;
    guint32 key;
    guint32 part;
    guint n_inputs;
    guint n_written;
    const AditOperand *inputs[ADIT_VULKAN_INPUTS];
    gsize input_rows; /* 0: the batch's; else what the first input has: partial results, stacks */
} Call;

/* ---- words ---- */

static guint32
add_words(Planner *self, const guint32 *words, guint n)
{
    guint32 at = self->plan->words->len;

    g_array_append_vals(self->plan->words, words, n);
    return at;
}

static void
describe_view(guint32 *words, const AditOperand *operand, gboolean rows)
{
    words[0] = rows;
    words[1] = (guint32) operand->count;
    words[2] = operand->shape.rank;
    for (guint i = 0; i < operand->shape.rank; i++)
        words[3 + i] = (guint32) operand->shape.size[i];
}

/* Streams of all iterations, one behind the other, follow the words. */
static void
add_keys(Planner *self, char **names)
{
    for (guint i = 0; names != NULL && names[i] != NULL; i++) {
        guint32 key[2];

        adit_stream_key(self->places->seed, names[i], key);
        add_words(self, key, 2);
    }
}

static guint32
get_words(Planner *self, const AditInstruction *instruction)
{
    guint32 words[ATTRIBUTE_WORDS + ADIT_MAX_WORDS] = {0};
    gboolean combines = instruction->kind == ADIT_INSTRUCTION_COMBINE;
    gpointer known;

    if (g_hash_table_lookup_extended(self->words, instruction, NULL, &known))
        return GPOINTER_TO_UINT(known);
    describe_view(words, &instruction->output, instruction->output.rows);
    for (guint i = 0; i < MIN(instruction->n_inputs, ADIT_VULKAN_INPUTS); i++)
        describe_view(words + (i + 1) * ADIT_VULKAN_VIEW_WORDS, &instruction->inputs[i],
                      instruction->inputs[i].rows || combines);
    if (instruction->op != NULL && instruction->op->encode != NULL)
        instruction->op->encode(instruction->attributes, words + ATTRIBUTE_WORDS);
    guint32 at = add_words(self, words, G_N_ELEMENTS(words));
    add_keys(self, instruction->names);
    g_hash_table_insert(self->words, (gpointer) instruction, GUINT_TO_POINTER(at));
    return at;
}

guint32
adit_vulkan_add_attributes(AditVulkanPlan *self, const guint32 *attributes, guint n)
{
    guint32 words[ATTRIBUTE_WORDS + ADIT_MAX_WORDS] = {0};
    guint32 at = self->words->len;

    words[1] = words[ADIT_VULKAN_VIEW_WORDS + 1] = 1;
    for (guint i = 0; i < n; i++)
        words[ATTRIBUTE_WORDS + i] = attributes[i];
    g_array_append_vals(self->words, words, G_N_ELEMENTS(words));
    return at;
}

/* Formed in double and rounded once, as on the CPU: the same bits on every device. */
guint32
adit_vulkan_add_table(AditVulkanPlan *self, const AditArray *array)
{
    guint32 at = self->words->len;
    float values[256];

    if (array == NULL || array->type != ADIT_TYPE_CODE_U8)
        return 0;
    for (guint i = 0; i < G_N_ELEMENTS(values); i++)
        values[i] = (float) (i * array->scale);
    g_array_append_vals(self->words, values, G_N_ELEMENTS(values));
    return at;
}

/* ---- places ---- */

gsize
adit_vulkan_find_operand(const AditProgram *program, const AditVulkanPlaces *places,
                         const AditOperand *operand, const guint *index)
{
    gsize unit = operand->arena == ADIT_ARENA_ROWS ? places->room : 1;
    gsize element = operand->offset;

    if (operand->storage >= 0)
        element += g_array_index(program->storages, AditStorage, operand->storage).offset;
    for (guint i = 0; i < ADIT_MAX_LOOPS; i++) {
        const AditStride *stride = &operand->strides[i];
        gsize at = index[i] + stride->shift;

        if (stride->stride > 0)
            element += stride->stride * (stride->modulo > 0 ? at % stride->modulo : at);
    }
    element *= unit;
    if (operand->arena == ADIT_ARENA_LIVE)
        element += ADIT_BLOCK_LIVES;
    if (operand->linear)
        element += places->first_row * operand->count;
    return element;
}

static Span
find_span(const Planner *self, const AditOperand *operand, gboolean rows, gsize first, gsize end)
{
    gsize begin = adit_vulkan_find_operand(self->program, self->places, operand, self->index);

    if (!rows)
        return (Span){self->places->arenas[operand->arena], begin, begin + operand->count};
    return (Span){self->places->arenas[operand->arena], begin + first * operand->count,
                  begin + end * operand->count};
}

static gsize
divide_up(gsize n, gsize by)
{
    return (n + by - 1) / by;
}

static gsize
get_alignment(const Planner *self)
{
    return MAX(self->device->physical->limits.minStorageBufferOffsetAlignment, sizeof(float));
}

/* The window of elements of @size bytes begins where the device allows it, and has whole words;
 * @at: the span's first element in it. FALSE: it is too large. */
static gboolean
make_sized_window(const Planner *self, const Span *span, gsize size, AditVulkanWindow *window,
                  guint32 *at)
{
    gsize alignment = get_alignment(self);
    gsize begin = span->begin * size, offset = begin / alignment * alignment;
    gsize words = divide_up(span->end * size - offset, sizeof(float));

    window->buffer = span->buffer;
    window->offset = offset;
    window->range = MAX(words, 1) * sizeof(float);
    *at = (guint32) ((begin - offset) / size);
    return window->range <= self->device->physical->limits.maxStorageBufferRange;
}

static gboolean
make_window(const Planner *self, const Span *span, AditVulkanWindow *window, guint32 *at)
{
    return make_sized_window(self, span, sizeof(float), window, at);
}

/* ---- dispatches ---- */

static gsize
get_last_size(const AditOperand *operand)
{
    return operand->shape.rank > 0 ? operand->shape.size[operand->shape.rank - 1] : 1;
}

static gsize
count_tiles(const AditVulkanKernel *kernel, gsize rows, gsize columns)
{
    return divide_up(rows, kernel->constants[1]) * divide_up(columns, kernel->constants[2]);
}

/* Of filters, in a convolution. */
static gsize
get_filter_groups(const AditInstruction *instruction)
{
    const AditConvAttributes *attributes = instruction->attributes;

    if (instruction->op == NULL || instruction->op->encode != adit_encode_conv)
        return 1;
    return attributes->groups;
}

/* How many workgroups some rows need, where the first rows are computed by the first workgroups. */
static AditVulkanSpread
find_spread(const Call *call)
{
    const AditOperand *output = &call->instruction->output;
    const guint32 *constants = call->kernel->constants;
    guint32 count = (guint32) output->count, last = (guint32) get_last_size(output);
    guint32 groups = (guint32) get_filter_groups(call->instruction);

    if (!output->rows || call->is_sliced || call->input_rows > 0)
        return (AditVulkanSpread){0};
    if (call->kernel->kind == ADIT_VULKAN_ELEMENTS)
        return (AditVulkanSpread){count, 64, 1};
    if (call->kernel->kind == ADIT_VULKAN_LINES)
        return (AditVulkanSpread){count / last, 64 / ADIT_VULKAN_LANES, 1};
    if (call->kernel->kind == ADIT_VULKAN_RESULTS)
        return (AditVulkanSpread){count, 64 / ADIT_VULKAN_LANES, 1};
    if (call->kernel->kind == ADIT_VULKAN_TILES)
        return (AditVulkanSpread){count / last, constants[1],
                                  (guint32) divide_up(last, constants[2])};
    /* its tiles lie by filters first: it looks at the rows that are there */
    if (strcmp(call->name, "conv2d") == 0 && call->kernel->kind == ADIT_VULKAN_IMAGE_TILES)
        return (AditVulkanSpread){
            count / (guint32) output->shape.size[0], constants[2],
            groups * (guint32) divide_up(output->shape.size[0] / groups, constants[1])};
    return (AditVulkanSpread){0};
}

static gsize
count_groups(const Planner *self, const Call *call, gsize rows)
{
    const AditInstruction *instruction = call->instruction;
    const AditOperand *output = &instruction->output;
    gsize elements = (output->rows ? rows : 1) * output->count, lines;
    const AditOperand *input = call->n_inputs > 0 ? call->inputs[0] : output;
    const guint32 *attributes =
        &g_array_index(self->plan->words, guint32, call->words + ATTRIBUTE_WORDS);
    gsize groups = get_filter_groups(instruction);

    switch (call->kernel->kind) {
    case ADIT_VULKAN_ELEMENTS:
        return divide_up(call->is_sliced ? output->count : elements, 64);
    case ADIT_VULKAN_INPUT_ELEMENTS:
        return divide_up((input->rows ? rows : 1) * input->count, 64);
    case ADIT_VULKAN_LINES:
        return divide_up(elements / get_last_size(output), 64 / ADIT_VULKAN_LANES);
    case ADIT_VULKAN_RESULTS:
        return divide_up(elements, 64 / ADIT_VULKAN_LANES);
    case ADIT_VULKAN_COLUMNS:
        return divide_up(output->count, 128 / ADIT_VULKAN_LANES);
    case ADIT_VULKAN_CHANNELS:
        return divide_up(attributes[0], 128 / ADIT_VULKAN_LANES);
    case ADIT_VULKAN_SLICES:
        return divide_up(output->count, 64);
    case ADIT_VULKAN_PARTS:
        return rows * attributes[0];
    case ADIT_VULKAN_TILES:
        return count_tiles(call->kernel, elements / get_last_size(output), get_last_size(output));
    case ADIT_VULKAN_SLICE_TILES:
        return count_tiles(call->kernel, output->shape.size[0], output->shape.size[1]);
    case ADIT_VULKAN_BATCH_TILES:
        lines = output->shape.size[output->shape.rank - 2];
        return elements / lines / get_last_size(output) *
               count_tiles(call->kernel, lines, get_last_size(output));
    case ADIT_VULKAN_IMAGE_TILES:
        return groups * count_tiles(call->kernel, output->shape.size[0] / groups,
                                    elements / output->shape.size[0]);
    case ADIT_VULKAN_KERNEL_TILES:
        return groups * count_tiles(call->kernel, output->shape.size[0] / groups,
                                    output->count / output->shape.size[0]);
    case ADIT_VULKAN_ONE:
    default:
        return 1;
    }
}

/* Operations, roughly: what a product multiplies, else what is read and written. */
static double
estimate_work(const Call *call, gsize rows)
{
    const AditOperand *output = &call->instruction->output;
    double work = (double) ((output->rows ? rows : 1) * output->count);

    for (guint i = 0; i < call->n_inputs; i++)
        work += (double) ((call->inputs[i]->rows ? rows : 1) * call->inputs[i]->count);
    if (call->kernel->kind == ADIT_VULKAN_TILES || call->kernel->kind == ADIT_VULKAN_BATCH_TILES)
        work *= (double) get_last_size(call->inputs[0]);
    else if (call->kernel->kind == ADIT_VULKAN_SLICE_TILES)
        work *= (double) output->shape.size[0];
    else if (call->kernel->kind == ADIT_VULKAN_PARTS)
        work *= (double) call->inputs[0]->shape.size[0];
    else if (call->kernel->kind == ADIT_VULKAN_IMAGE_TILES)
        work *= (double) (call->inputs[1]->count / output->shape.size[0]);
    else if (call->kernel->kind == ADIT_VULKAN_KERNEL_TILES)
        work = (double) rows * (double) call->inputs[1]->count *
               (double) (output->count / output->shape.size[0]);
    return 1 + work / (1 << 20);
}

static gboolean
set_groups(const Planner *self, AditVulkanDispatch *dispatch, gsize groups, guint slices)
{
    const guint32 *most = self->device->physical->limits.maxComputeWorkGroupCount;

    dispatch->groups[0] = (guint32) MIN(MAX(groups, 1), most[0]);
    dispatch->groups[1] = (guint32) divide_up(MAX(groups, 1), dispatch->groups[0]);
    dispatch->groups[2] = slices;
    return divide_up(MAX(groups, 1), dispatch->groups[0]) <= most[1];
}

static gboolean
fail_size(Planner *self, const Call *call, gsize bytes)
{
    const AditVulkanPhysical *physical = self->device->physical;
    g_autofree char *size = g_format_size_full(bytes, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *most =
        g_format_size_full(physical->limits.maxStorageBufferRange, G_FORMAT_SIZE_IEC_UNITS);

    g_set_error(self->error, ADIT_ERROR, ADIT_ERROR_MEMORY,
                "'%s' needs %s in one piece, '%s' binds at most %s", call->name, size,
                physical->name, most);
    return FALSE;
}

/* Fills the windows of rows, or slices, @first to @end; FALSE: one is too large. */
static gboolean
set_windows(const Planner *self, const Call *call, gsize first, gsize end,
            AditVulkanDispatch *dispatch, gsize *largest)
{
    gsize batch = self->places->rows;
    gsize row = call->is_sliced ? adit_slice_begin(batch, (guint) first) : first;
    gsize row_end = call->is_sliced ? adit_slice_begin(batch, (guint) end) : end;
    const AditOperand *output = &call->instruction->output;
    gboolean fits = TRUE;
    Span span = find_span(self, output, output->rows || call->is_sliced, first, end);

    dispatch->push.row = (guint32) row;
    dispatch->push.rows = (guint32) (row_end - row);
    fits = make_window(self, &span, &dispatch->windows[2], &dispatch->push.out_at);
    dispatch->windows[2].is_written = TRUE;
    if (call->is_sliced) /* results are counted from slice 0 */
        dispatch->push.out_at -= (guint32) (first * output->count);
    *largest = dispatch->windows[2].range;
    for (guint i = 0; i < call->n_inputs; i++) {
        AditVulkanWindow *window = &dispatch->windows[3 + i];

        span = call->input_rows > 0
                   ? find_span(self, call->inputs[i], TRUE, 0, call->input_rows)
                   : find_span(self, call->inputs[i], call->inputs[i]->rows, row, row_end);
        fits = make_window(self, &span, window, &dispatch->push.in_at[i]) && fits;
        window->is_written = i >= call->n_inputs - call->n_written;
        *largest = MAX(*largest, window->range);
    }
    for (guint i = call->n_inputs; i < ADIT_VULKAN_INPUTS; i++) {
        dispatch->windows[3 + i] = dispatch->windows[call->n_inputs > 0 ? 3 : 2];
        dispatch->windows[3 + i].is_written = FALSE;
        dispatch->push.in_at[i] = call->n_inputs > 0 ? dispatch->push.in_at[0] : 0;
    }
    return fits;
}

static void
bind_own(const Planner *self, AditVulkanDispatch *dispatch)
{
    const AditVulkanBuffer *block = self->places->arenas[ADIT_ARENA_LIVE];

    dispatch->windows[0] = (AditVulkanWindow){.buffer = block, .range = block->size};
    dispatch->windows[1] = (AditVulkanWindow){0};
}

/* A dispatch of more work, some 4 G operations, goes in halves: a submission cannot be cut later.
 */
#define MAX_WORK 4096.0

/* Adds the dispatch of rows, or slices, @first to @end; what the device cannot bind whole goes in
 * halves. */
static gboolean
add_dispatch(Planner *self, const Call *call, gsize first, gsize end)
{
    AditVulkanDispatch dispatch = {
        .kernel = call->kernel,
        .name = call->name,
        .tensor = call->instruction->tensor,
        .push = {.words = call->words,
                 .batch = (guint32) self->places->rows,
                 .slice = call->is_sliced ? (guint32) first : 0,
                 .part = call->part,
                 .key = call->key},
    };
    gsize largest, middle = first + (end - first) / 2;
    gboolean fits = set_windows(self, call, first, end, &dispatch, &largest);
    gsize rows = dispatch.push.rows;

    if (call->input_rows > 0)
        dispatch.push.rows = (guint32) call->input_rows;
    fits = set_groups(self, &dispatch, count_groups(self, call, rows),
                      call->is_sliced ? (guint) (end - first) : 1) &&
           fits;
    dispatch.work = estimate_work(call, rows);
    dispatch.spread = find_spread(call);
    if ((!fits || dispatch.work > MAX_WORK) && middle > first && call->input_rows == 0)
        return add_dispatch(self, call, first, middle) && add_dispatch(self, call, middle, end);
    if (!fits)
        return fail_size(self, call, largest);
    bind_own(self, &dispatch);
    g_array_append_val(self->plan->dispatches, dispatch);
    return TRUE;
}

/* ---- instructions ---- */

static gboolean
is_alike(const AditInstruction *instruction)
{
    for (guint i = 0; i < instruction->n_inputs; i++) {
        if (instruction->inputs[i].rows != instruction->output.rows ||
            !adit_shape_equal(&instruction->inputs[i].shape, &instruction->output.shape))
            return FALSE;
    }
    return TRUE;
}

/* Numbers that an element of a product is the sum of. */
static gsize
find_depth(const Planner *self, const AditInstruction *instruction)
{
    const AditOperand *left = &instruction->inputs[0];

    if (instruction->n_inputs == 0 || instruction->output.shape.rank == 0)
        return 0;
    if (instruction->partial == 0 && left->rows == instruction->output.rows)
        return left->count / (instruction->output.count / get_last_size(&instruction->output));
    return left->count / instruction->output.shape.size[0] *
           divide_up(self->places->rows, ADIT_SLICES);
}

static gboolean
set_kernel(Planner *self, Call *call, const AditOp *op, gboolean alike)
{
    AditVulkanShape shape = {.columns = get_last_size(&call->instruction->output),
                             .depth = find_depth(self, call->instruction),
                             .is_alike = alike};
    const AditOperand *output = &call->instruction->output;

    if (output->shape.rank > 0)
        shape.lines = output->shape.size[0] / get_filter_groups(call->instruction);
    call->kernel = adit_vulkan_kernel_get(self->device, call->name, op, &shape, self->error);
    return call->kernel != NULL;
}

static guint
count_slices(gsize rows)
{
    guint n = ADIT_SLICES;

    while (n > 1 && adit_slice_begin(rows, n - 1) >= rows)
        n--;
    return n;
}

static gsize
find_iteration(const Planner *self, const AditInstruction *instruction)
{
    gsize iteration = 0, stride = 1;

    for (const AditLoop *loop = instruction->tensor->graph->loop; loop != NULL;
         loop = loop->parent->loop) {
        iteration += self->index[loop->parent->depth] * stride;
        stride *= loop->n;
    }
    return iteration;
}

/* One dispatch for each input, which writes its part of the output. */
static gboolean
add_concat(Planner *self, Call *call, gsize rows)
{
    const AditInstruction *instruction = call->instruction;
    guint32 words[ATTRIBUTE_WORDS + ADIT_MAX_WORDS];

    for (guint i = 0; i < instruction->n_inputs; i++) {
        guint32 own = get_words(self, instruction);
        const guint32 *all = &g_array_index(self->plan->words, guint32, own);
        guint axis = all[ATTRIBUTE_WORDS];

        memcpy(words, all, sizeof words);
        describe_view(words + ADIT_VULKAN_VIEW_WORDS, &instruction->inputs[i],
                      instruction->inputs[i].rows);
        call->words = add_words(self, words, G_N_ELEMENTS(words));
        call->n_inputs = 1;
        call->inputs[0] = &instruction->inputs[i];
        if (!add_dispatch(self, call, 0, rows))
            return FALSE;
        call->part += (guint32) instruction->inputs[i].shape.size[axis];
    }
    return TRUE;
}

static gboolean
add_op(Planner *self, const AditInstruction *instruction)
{
    const AditOp *op = instruction->op;
    gsize rows = instruction->domain == ADIT_DOMAIN_SLICES ? self->places->rows : 1;
    Call call = {.instruction = instruction,
                 .name = op->name,
                 .words = get_words(self, instruction),
                 .is_sliced = instruction->partial > 0,
                 .n_inputs = instruction->n_inputs};

    if (!set_kernel(self, &call, op, is_alike(instruction)))
        return FALSE;
    if (instruction->names != NULL)
        call.key = call.words + ATTRIBUTE_WORDS + ADIT_MAX_WORDS +
                   2 * (guint32) find_iteration(self, instruction);
    if (call.kernel->kind == ADIT_VULKAN_INPUT_ELEMENTS)
        return add_concat(self, &call, rows);
    if (call.n_inputs > ADIT_VULKAN_INPUTS) {
        g_set_error(self->error, ADIT_ERROR, ADIT_ERROR_NO_DEVICE,
                    "operation '%s' has %u inputs, a shader takes at most %u; use --device cpu",
                    op->name, call.n_inputs, ADIT_VULKAN_INPUTS);
        return FALSE;
    }
    for (guint i = 0; i < call.n_inputs; i++)
        call.inputs[i] = &instruction->inputs[i];
    return add_dispatch(self, &call, 0, call.is_sliced ? count_slices(rows) : rows);
}

static gboolean
add_combine(Planner *self, const AditInstruction *instruction)
{
    const AditOp *op = instruction->op;
    Call call = {.instruction = instruction,
                 .name = op->combine != NULL ? op->combine : "combine-sum",
                 .words = get_words(self, instruction),
                 .n_inputs = 1,
                 .inputs = {&instruction->inputs[0]},
                 .input_rows = count_slices(self->places->rows)};

    return set_kernel(self, &call, NULL, FALSE) && add_dispatch(self, &call, 0, 1);
}

static gboolean
add_copy(Planner *self, const AditInstruction *instruction)
{
    guint n;
    const AditOp *op = adit_pointwise_list(&n)[0].op;
    gboolean rows = instruction->output.rows;
    gsize count = instruction->domain == ADIT_DOMAIN_SLICES || rows ? self->places->rows : 1;
    Call call = {.instruction = instruction,
                 .name = op->name,
                 .words = get_words(self, instruction),
                 .n_inputs = 1,
                 .inputs = {&instruction->inputs[0]}};

    /* a stack's instances lie apart by what there is room for */
    if (rows && instruction->tensor->lead > 0)
        count = self->places->room;
    return set_kernel(self, &call, op, TRUE) && add_dispatch(self, &call, 0, count);
}

/* Words of the gather of @n rows of the data from @first on; those of bytes have their table behind
 * them. */
static guint32
add_gather_words(Planner *self, const AditInstruction *instruction, gsize first, gsize n)
{
    const AditVulkanSource *source = &self->places->sources[instruction->feed];
    guint32 words[ATTRIBUTE_WORDS + ADIT_MAX_WORDS] = {0};

    describe_view(words, &instruction->output, TRUE);
    words[ATTRIBUTE_WORDS] = instruction->feed;
    words[ATTRIBUTE_WORDS + 1] = source->index != NULL;
    words[ATTRIBUTE_WORDS + 2] = (guint32) first;
    words[ATTRIBUTE_WORDS + 3] = (guint32) n;
    guint32 at = add_words(self, words, G_N_ELEMENTS(words));
    guint32 table = adit_vulkan_add_table(self->plan, source->array);
    if (table > 0)
        g_array_index(self->plan->words, guint32, at + ATTRIBUTE_WORDS + 4) = table - at;
    return at;
}

/* The gather of @n rows of the data from @first on, of all that the batch has of them. */
static gboolean
add_gather_window(Planner *self, Call *call, gsize first, gsize n)
{
    const AditInstruction *instruction = call->instruction;
    const AditVulkanSource *source = &self->places->sources[instruction->feed];
    gsize size = adit_vulkan_get_number_size(source->array), count = instruction->output.count;
    Span data = {source->data, source->begin + first * count, source->begin + (first + n) * count};
    Span index = {source->data, 0, 1};
    guint before = self->plan->dispatches->len;

    if (source->index != NULL)
        index =
            (Span){source->index, source->index_begin, source->index_begin + source->index_rows};
    call->words = add_gather_words(self, instruction, first, n);
    if (!add_dispatch(self, call, 0, self->places->rows))
        return FALSE;
    for (guint i = before; i < self->plan->dispatches->len; i++) {
        AditVulkanDispatch *dispatch =
            &g_array_index(self->plan->dispatches, AditVulkanDispatch, i);

        if (!make_sized_window(self, &data, size, &dispatch->windows[3],
                               &dispatch->push.in_at[0]) ||
            !make_window(self, &index, &dispatch->windows[4], &dispatch->push.in_at[1]))
            return fail_size(self, call, source->index_rows * sizeof(float));
    }
    return TRUE;
}

/* A feed whose data is larger than a window is gathered from one window after the other. */
static gboolean
add_gather(Planner *self, const AditInstruction *instruction)
{
    const AditVulkanSource *source = &self->places->sources[instruction->feed];
    gsize limit = self->device->physical->limits.maxStorageBufferRange;
    gsize row = instruction->output.count * adit_vulkan_get_number_size(source->array);
    gsize most = (limit / sizeof(float) * sizeof(float) - get_alignment(self)) / row;
    Call call = {.instruction = instruction, .name = "feed"};

    if (!set_kernel(self, &call, NULL, FALSE))
        return FALSE;
    if (most == 0)
        return fail_size(self, &call, row);
    for (gsize first = 0; first < source->rows; first += most) {
        if (!add_gather_window(self, &call, first, MIN(most, source->rows - first)))
            return FALSE;
    }
    return TRUE;
}

/* ---- fused instructions ---- */

/* The words of a fusion are kept by its first instruction, with how many it has: in another
 * iteration of a loop it may be shorter. */
static guint32
get_fused_words(Planner *self, const AditVulkanFusion *fusion)
{
    guint32 words[ATTRIBUTE_WORDS + ADIT_MAX_WORDS] = {0};
    const AditInstruction *head = fusion->instructions[0];
    g_autofree char *key = g_strdup_printf("%p %u", (const void *) head, fusion->n);
    gpointer known;

    if (g_hash_table_lookup_extended(self->fused, key, NULL, &known))
        return GPOINTER_TO_UINT(known);
    describe_view(words, &head->output, head->output.rows);
    for (guint i = 0; i < fusion->n_reads; i++)
        describe_view(words + (i + 1) * ADIT_VULKAN_VIEW_WORDS, fusion->reads[i],
                      fusion->reads[i]->rows);
    for (guint i = fusion->n; i-- > 0;) {
        const AditInstruction *instruction = fusion->instructions[i];
        guint32 attributes[ADIT_MAX_WORDS] = {0};

        if (instruction->op->encode != NULL)
            instruction->op->encode(instruction->attributes, attributes);
        words[ATTRIBUTE_WORDS + ADIT_VULKAN_FUSED_PARAMETERS + i] = attributes[0];
        words[ATTRIBUTE_WORDS] = attributes[0];
    }
    guint32 at = add_words(self, words, G_N_ELEMENTS(words));
    g_hash_table_insert(self->fused, g_steal_pointer(&key), GUINT_TO_POINTER(at));
    return at;
}

static gboolean
add_fusion(Planner *self, const AditVulkanFusion *fusion)
{
    const AditInstruction *last = fusion->instructions[fusion->n - 1];
    Call call = {.instruction = last,
                 .name = fusion->instructions[0]->op->name,
                 .words = get_fused_words(self, fusion),
                 .n_inputs = fusion->n_reads + fusion->n_writes,
                 .n_written = fusion->n_writes};
    AditVulkanShape shape = fusion->shape;

    call.kernel = adit_vulkan_kernel_get_fused(self->device, fusion->text, &shape, self->error);
    if (call.kernel == NULL)
        return FALSE;
    memcpy(call.inputs, fusion->reads, fusion->n_reads * sizeof *fusion->reads);
    memcpy(call.inputs + fusion->n_reads, fusion->writes,
           fusion->n_writes * sizeof *fusion->writes);
    return add_dispatch(self, &call, 0,
                        last->domain == ADIT_DOMAIN_SLICES ? self->places->rows : 1);
}

/* Adds the instructions from @first on that are one kernel; gives how many, 0 if it is none. */
static gboolean
try_fusion(Planner *self, const GPtrArray *instructions, guint first, guint *n)
{
    AditVulkanFusion fusion;
    gboolean added = TRUE;

    *n = 0;
    if (self->readers == NULL ||
        !adit_vulkan_fusion_init(&fusion, self->program, self->places, self->readers, instructions,
                                 first, self->index))
        return TRUE;
    added = add_fusion(self, &fusion);
    *n = fusion.n;
    adit_vulkan_fusion_clear(&fusion);
    return added;
}

static gboolean
add_list(Planner *self, const GPtrArray *instructions)
{
    for (guint i = 0, n; i < instructions->len; i += MAX(n, 1)) {
        const AditInstruction *instruction = instructions->pdata[i];
        gboolean added = try_fusion(self, instructions, i, &n);

        if (!added)
            return FALSE;
        if (n > 0)
            continue;
        switch (instruction->kind) {
        case ADIT_INSTRUCTION_OP:
            added = add_op(self, instruction);
            break;
        case ADIT_INSTRUCTION_COMBINE:
            added = add_combine(self, instruction);
            break;
        case ADIT_INSTRUCTION_COPY:
            added = add_copy(self, instruction);
            break;
        case ADIT_INSTRUCTION_GATHER:
            added = self->places->sources == NULL || add_gather(self, instruction);
            break;
        case ADIT_INSTRUCTION_LOOP:
        default:
            for (guint j = 0; j < instruction->n && added; j++) {
                self->index[instruction->level] = instruction->reverse ? instruction->n - 1 - j : j;
                added = add_list(self, instruction->body);
            }
            self->index[instruction->level] = 0;
        }
        if (!added)
            return FALSE;
    }
    return TRUE;
}

/* ---- the device's own kernels ---- */

/* @output, @input: (nullable) */
static gboolean
add_own(Planner *self, const char *name, guint32 words, const Span *output, const Span *input,
        gsize groups)
{
    AditVulkanShape shape = {0};
    AditVulkanDispatch dispatch = {
        .name = name,
        .push = {.words = words,
                 .rows = (guint32) self->places->rows,
                 .batch = (guint32) self->places->rows},
        .work = 1,
    };
    Span block = {self->places->arenas[ADIT_ARENA_LIVE], 0, ADIT_BLOCK_WORDS};
    gboolean writes_block = output == NULL;
    guint32 at;

    dispatch.kernel = adit_vulkan_kernel_get(self->device, name, NULL, &shape, self->error);
    if (dispatch.kernel == NULL)
        return FALSE;
    bind_own(self, &dispatch);
    dispatch.windows[0].is_written = writes_block;
    /* a log is at least as large as what is written there */
    gboolean fits = make_window(self, output != NULL ? output : input, &dispatch.windows[2],
                                &dispatch.push.out_at);
    dispatch.windows[2].is_written = output != NULL;
    for (guint i = 0; i < ADIT_VULKAN_INPUTS; i++) {
        make_window(self, input != NULL ? input : &block, &dispatch.windows[3 + i], &at);
        dispatch.push.in_at[i] = at;
    }
    if (!set_groups(self, &dispatch, groups, 1) || !fits)
        return fail_size(self, &(Call){.name = name}, dispatch.windows[2].range);
    g_array_append_val(self->plan->dispatches, dispatch);
    return TRUE;
}

static gboolean
add_begin(Planner *self)
{
    const guint32 attributes[] = {ADIT_RING_SLOTS, ADIT_RING_WORDS};
    Span ring = {self->places->ring, 0, (gsize) ADIT_RING_SLOTS * ADIT_RING_WORDS};

    return add_own(self, "begin", adit_vulkan_add_attributes(self->plan, attributes, 2), NULL,
                   &ring, 1);
}

static gboolean
add_guards(Planner *self)
{
    guint32 words = adit_vulkan_add_attributes(self->plan, NULL, 0);

    for (guint i = 0; i < self->program->outputs->len; i++) {
        const AditProgramOutput *output =
            &g_array_index(self->program->outputs, AditProgramOutput, i);
        Span value;

        if (output->kind != ADIT_OUTPUT_GUARD)
            continue;
        value = find_span(self, &output->operand, FALSE, 0, 1);
        if (!add_own(self, "guard", words, NULL, &value, 1))
            return FALSE;
    }
    return TRUE;
}

static gboolean
add_logs(Planner *self)
{
    const AditVulkanPlaces *places = self->places;
    gsize n = 0;

    for (guint i = 0; i < self->program->outputs->len; i++) {
        const AditProgramOutput *output =
            &g_array_index(self->program->outputs, AditProgramOutput, i);
        Span values, log = {places->log, n * places->log_room, (n + 1) * places->log_room};

        if (output->kind != ADIT_OUTPUT_SUM)
            continue;
        guint32 words = adit_vulkan_add_attributes(self->plan, NULL, 0);
        g_array_index(self->plan->words, guint32, words) = TRUE; /* the output has rows */
        g_array_index(self->plan->words, guint32, words + ADIT_VULKAN_VIEW_WORDS) =
            output->operand.rows;
        values = find_span(self, &output->operand, output->operand.rows, 0, places->rows);
        if (!add_own(self, "note-rows", words, &log, &values, divide_up(places->rows, 64)))
            return FALSE;
        n++;
    }
    return TRUE;
}

gboolean
adit_vulkan_plan_init(AditVulkanPlan *self, AditVulkanDevice *device, const AditProgram *program,
                      const AditVulkanPlaces *places, GError **error)
{
    g_autoptr(GHashTable) words = g_hash_table_new(g_direct_hash, g_direct_equal);
    g_autoptr(GHashTable) fused = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) readers = device->fuses ? adit_vulkan_count_readers(program) : NULL;
    Planner planner = {.plan = self,
                       .device = device,
                       .program = program,
                       .places = places,
                       .words = words,
                       .fused = fused,
                       .readers = readers,
                       .error = error};

    self->dispatches = g_array_new(FALSE, FALSE, sizeof(AditVulkanDispatch));
    self->words = g_array_new(FALSE, FALSE, sizeof(guint32));
    gboolean added = add_begin(&planner) &&
                     (places->sift == NULL || adit_vulkan_sift_plan(self, device, places, error));
    guint begun = self->dispatches->len;

    if (!added || !add_list(&planner, program->instructions) || !add_guards(&planner) ||
        !add_logs(&planner) || !add_list(&planner, program->commits)) {
        adit_vulkan_plan_clear(self);
        return FALSE;
    }
    if (places->sift != NULL)
        adit_vulkan_sift_spread(self, device, places, begun - 1);
    return TRUE;
}

void
adit_vulkan_plan_clear(AditVulkanPlan *self)
{
    g_clear_pointer(&self->dispatches, g_array_unref);
    g_clear_pointer(&self->words, g_array_unref);
}
