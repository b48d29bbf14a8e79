/* core/device/vulkan/adit-vulkan-fold.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-fold.h"

#include "adit-pointwise.h"

#include <string.h>

/* ---- who reads what ---- */

static void
count_reader(GHashTable *readers, const AditOperand *operand, int n)
{
    gpointer key = GINT_TO_POINTER(operand->storage);
    int before = GPOINTER_TO_INT(g_hash_table_lookup(readers, key));

    if (operand->storage >= 0 && before >= 0)
        g_hash_table_insert(readers, key, GINT_TO_POINTER(n < 0 ? n : before + n));
}

static void
count_list(GHashTable *readers, const GPtrArray *instructions)
{
    for (guint i = 0; i < instructions->len; i++) {
        const AditInstruction *instruction = instructions->pdata[i];

        for (guint j = 0; j < instruction->n_inputs; j++)
            count_reader(readers, &instruction->inputs[j], 1);
        if (instruction->body != NULL)
            count_list(readers, instruction->body);
    }
}

GHashTable *
adit_vulkan_count_readers(const AditProgram *program)
{
    GHashTable *readers = g_hash_table_new(g_direct_hash, g_direct_equal);

    count_list(readers, program->instructions);
    count_list(readers, program->commits);
    for (guint i = 0; i < program->outputs->len; i++) {
        const AditProgramOutput *output = &g_array_index(program->outputs, AditProgramOutput, i);

        if (output->kind != ADIT_OUTPUT_ARENA)
            count_reader(readers, &output->operand, -1);
    }
    return readers;
}

/* ---- what instructions are ---- */

static const AditVulkanChannelOp channel_ops[] = {
#define ADIT_CHANNEL_OP(name, value, ...) {name, value, {__VA_ARGS__}},
#include "adit-vulkan-channel-ops.def"
};

static const AditVulkanProduct products[] = {
    {"matmul", ADIT_VULKAN_TILES, TRUE, 0},
    {"conv2d", ADIT_VULKAN_IMAGE_TILES, TRUE, 1 << 0},
    {"conv2d-back", ADIT_VULKAN_IMAGE_TILES, TRUE, 1 << 0},
    {"conv2d-rows", ADIT_VULKAN_KERNEL_TILES, FALSE, 1 << 0 | 1 << 1},
};

const AditVulkanChannelOp *
adit_vulkan_find_channel_op(const AditInstruction *instruction)
{
    for (guint i = 0; i < G_N_ELEMENTS(channel_ops); i++) {
        if (instruction->kind == ADIT_INSTRUCTION_OP &&
            strcmp(instruction->op->name, channel_ops[i].name) == 0)
            return &channel_ops[i];
    }
    return NULL;
}

gboolean
adit_vulkan_is_elementwise(const AditInstruction *instruction)
{
    return instruction->kind == ADIT_INSTRUCTION_OP && instruction->partial == 0 &&
           instruction->names == NULL &&
           (adit_pointwise_find(instruction->op) != NULL ||
            adit_vulkan_find_channel_op(instruction) != NULL);
}

const AditVulkanProduct *
adit_vulkan_find_product_op(const AditInstruction *instruction)
{
    for (guint i = 0; i < G_N_ELEMENTS(products); i++) {
        if (instruction->kind == ADIT_INSTRUCTION_OP &&
            strcmp(instruction->op->name, products[i].name) == 0)
            return &products[i];
    }
    return NULL;
}

/* Whether it may be computed for each of the windows that see a number: it calls no function of
 * math.glsl. */
static gboolean
is_cheap(const AditInstruction *instruction)
{
    const AditPointwise *row = adit_pointwise_find(instruction->op);
    const char *at = row != NULL ? row->glsl : "";

    while ((at = strstr(at, "adit_")) != NULL) {
        if (!g_str_has_prefix(at, "adit_is_nan"))
            return FALSE;
        at++;
    }
    return TRUE;
}

static gboolean
is_like(const AditOperand *a, const AditOperand *b)
{
    return a->rows == b->rows && adit_shape_equal(&a->shape, &b->shape);
}

/* ---- where operands are ---- */

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

gboolean
adit_vulkan_is_same(const AditOperand *a, const AditOperand *b)
{
    return a->arena == b->arena && a->storage == b->storage && a->offset == b->offset &&
           a->rows == b->rows && a->linear == b->linear &&
           memcmp(a->strides, b->strides, sizeof a->strides) == 0 &&
           adit_shape_equal(&a->shape, &b->shape);
}

/* Whether @a, of @a_count elements, shares memory with @b. */
static gboolean
shares(const AditVulkanFolds *self, const AditOperand *a, gsize a_count, const AditOperand *b)
{
    if (a->arena != b->arena)
        return FALSE;
    gsize begin = adit_vulkan_find_operand(self->program, self->places, a, self->index);
    gsize other = adit_vulkan_find_operand(self->program, self->places, b, self->index);

    return begin < other + (b->rows ? self->places->rows : 1) * b->count && other < begin + a_count;
}

gboolean
adit_vulkan_overlaps(const AditVulkanFolds *self, const AditOperand *a, const AditOperand *b)
{
    return shares(self, a, (a->rows ? self->places->rows : 1) * a->count, b);
}

gboolean
adit_vulkan_writes(const AditVulkanFolds *self, const AditInstruction *instruction,
                   const AditOperand *operand)
{
    const AditOperand *output = &instruction->output;
    gsize rows = instruction->partial > 0                     ? ADIT_SLICES
                 : !output->rows                              ? 1
                 : instruction->kind == ADIT_INSTRUCTION_COPY ? self->places->room
                                                              : self->places->rows;

    return shares(self, output, rows * output->count, operand);
}

/* ---- what is folded ---- */

/**
 * Search: for what can be folded.
 * @readers: (element-type guint): for each instruction that may be the positions of its readers
 * @last: the last position where each is computed
 */
typedef struct {
    AditVulkanFolds *folds;
    GPtrArray *readers;
    guint *last;
} Search;

static const AditInstruction *
get(const AditVulkanFolds *self, guint position)
{
    return self->list->pdata[position];
}

int
adit_vulkan_folds_find(const AditVulkanFolds *self, const AditOperand *operand)
{
    for (guint i = 0; i < self->list->len && operand->storage >= 0; i++) {
        if (self->states[i] == ADIT_FOLD_FOLDED &&
            adit_vulkan_is_same(&get(self, i)->output, operand))
            return (int) i;
    }
    return -1;
}

/* Whether @instruction can compute input @number, like @operand, when it reads it. */
static gboolean
can_compute(const AditInstruction *instruction, guint number, const AditOperand *operand)
{
    const AditVulkanProduct *product = adit_vulkan_find_product_op(instruction);

    if (instruction->domain != ADIT_DOMAIN_SLICES)
        return FALSE;
    return product != NULL
               ? (product->loads & 1 << number) != 0
               : adit_vulkan_is_elementwise(instruction) && is_like(operand, &instruction->output);
}

/* The positions of all who read what the instruction at @position leaves; NULL: one of them cannot
 * compute it, or is elsewhere. */
static GArray *
find_readers(const AditVulkanFolds *self, guint position)
{
    const AditOperand *output = &get(self, position)->output;
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(guint));
    int left =
        GPOINTER_TO_INT(g_hash_table_lookup(self->readers, GINT_TO_POINTER(output->storage)));

    for (guint i = position + 1; i < self->list->len && left > 0; i++) {
        const AditInstruction *instruction = get(self, i);

        for (guint j = 0; j < instruction->n_inputs; j++) {
            if (!adit_vulkan_is_same(&instruction->inputs[j], output))
                continue;
            if (!can_compute(instruction, j, output))
                return NULL;
            g_array_append_val(found, i);
            left--;
        }
    }
    return left == 0 && found->len > 0 ? g_steal_pointer(&found) : NULL;
}

/* How many of its inputs are images. */
static guint
count_images(const AditInstruction *instruction)
{
    guint n = 0;

    for (guint i = 0; i < instruction->n_inputs; i++)
        n += is_like(&instruction->inputs[i], &instruction->output);
    return n;
}

/* Elementwise, cheap work over an image, of which at least one input is one. */
static gboolean
is_candidate(const AditInstruction *instruction)
{
    const AditOperand *output = &instruction->output;

    return count_images(instruction) > 0 && adit_vulkan_is_elementwise(instruction) &&
           instruction->domain == ADIT_DOMAIN_SLICES && output->rows && !output->linear &&
           output->storage >= 0 && output->shape.rank == 3 && is_cheap(instruction);
}

static gboolean
reads_storage(const GPtrArray *list, int storage)
{
    for (guint i = 0; i < list->len; i++) {
        const AditInstruction *instruction = list->pdata[i];

        for (guint j = 0; j < instruction->n_inputs; j++) {
            if (instruction->inputs[j].storage == storage)
                return TRUE;
        }
        if (instruction->body != NULL && reads_storage(instruction->body, storage))
            return TRUE;
    }
    return FALSE;
}

static gboolean
writes_storage(const GPtrArray *list, int storage)
{
    for (guint i = 0; i < list->len; i++) {
        const AditInstruction *instruction = list->pdata[i];

        if (instruction->body != NULL ? writes_storage(instruction->body, storage)
                                      : instruction->output.storage == storage)
            return TRUE;
    }
    return FALSE;
}

/* Whether who reads a storage at @position or behind it is no folded instruction: until then nobody
 * else has its memory. */
static gboolean
is_alive(const AditVulkanFolds *self, int storage, guint position)
{
    for (guint i = position; i < self->list->len; i++) {
        const AditInstruction *instruction = get(self, i);

        if (self->states[i] == ADIT_FOLD_FOLDED)
            continue;
        for (guint j = 0; j < instruction->n_inputs; j++) {
            if (instruction->inputs[j].storage == storage)
                return TRUE;
        }
        if (instruction->body != NULL && reads_storage(instruction->body, storage))
            return TRUE;
    }
    return FALSE;
}

/* Whether @operand is the same at @last as at @first. */
static gboolean
is_kept(const AditVulkanFolds *self, const AditOperand *operand, guint first, guint last)
{
    /* planned memory alone has other values at other times */
    if (operand->storage < 0 || adit_vulkan_folds_find(self, operand) >= 0)
        return TRUE;
    for (guint i = first + 1; i < last; i++) {
        const AditInstruction *instruction = get(self, i);

        if (instruction->body == NULL ? adit_vulkan_writes(self, instruction, operand)
                                      : writes_storage(instruction->body, operand->storage) ||
                                            !is_alive(self, operand->storage, last))
            return FALSE;
    }
    return TRUE;
}

/* Whether the kernel of who leaves one of its inputs can do it as well, and nobody else wants that
 * input: then it is better done there, once. */
static gboolean
continues(const AditVulkanFolds *self, guint position)
{
    const AditInstruction *instruction = get(self, position);

    for (guint i = position; i-- > 0;) {
        const AditInstruction *before = get(self, i);
        const AditVulkanProduct *product = adit_vulkan_find_product_op(before);
        gpointer key = GINT_TO_POINTER(before->output.storage);

        for (guint j = 0; j < instruction->n_inputs; j++) {
            if (adit_vulkan_is_same(&instruction->inputs[j], &before->output))
                return self->states[i] == ADIT_FOLD_NONE &&
                       is_like(&before->output, &instruction->output) &&
                       (product != NULL ? product->has_results
                                        : adit_vulkan_is_elementwise(before)) &&
                       g_hash_table_lookup(self->readers, key) == GINT_TO_POINTER(1);
        }
    }
    return FALSE;
}

/* Whether it is worth it: the result is not written and read again. Three readers would read two
 * images as often as they would be read, and the result written and read. Elementwise work that two
 * kernels would do is done once, unless one of them is for a convolution. */
static gboolean
is_worth(const Search *self, guint position)
{
    const GArray *readers = self->readers->pdata[position];

    if (readers->len == 1)
        return TRUE;
    if (readers->len > 2 && count_images(get(self->folds, position)) > 1)
        return FALSE;
    for (guint i = 0; i < readers->len; i++) {
        guint reader = g_array_index(readers, guint, i);

        if (self->folds->states[reader] == ADIT_FOLD_FOLDED ||
            adit_vulkan_find_product_op(get(self->folds, reader)) != NULL)
            return TRUE;
    }
    return FALSE;
}

static gboolean
stays(const Search *self, guint position)
{
    const AditInstruction *instruction = get(self->folds, position);

    if (!is_worth(self, position) || continues(self->folds, position))
        return FALSE;
    for (guint i = 0; i < instruction->n_inputs; i++) {
        if (!is_kept(self->folds, &instruction->inputs[i], position, self->last[position]))
            return FALSE;
    }
    return TRUE;
}

static void
find_last(Search *self)
{
    for (guint i = self->folds->list->len; i-- > 0;) {
        const GArray *readers = self->readers->pdata[i];

        if (self->folds->states[i] != ADIT_FOLD_FOLDED)
            continue;
        self->last[i] = i;
        for (guint j = 0; j < readers->len; j++) {
            guint reader = g_array_index(readers, guint, j);
            gboolean is_folded = self->folds->states[reader] == ADIT_FOLD_FOLDED;

            self->last[i] = MAX(self->last[i], is_folded ? self->last[reader] : reader);
        }
    }
}

/* Takes out what cannot be; TRUE: there was some, and others may have leaned on it. */
static gboolean
narrow(Search *self)
{
    gboolean changed = FALSE;

    find_last(self);
    for (guint i = 0; i < self->folds->list->len; i++) {
        if (self->folds->states[i] != ADIT_FOLD_FOLDED || stays(self, i))
            continue;
        self->folds->states[i] = ADIT_FOLD_NONE;
        changed = TRUE;
    }
    return changed;
}

static void
free_readers(gpointer data)
{
    if (data != NULL)
        g_array_unref(data);
}

void
adit_vulkan_folds_init(AditVulkanFolds *self, const AditProgram *program,
                       const AditVulkanPlaces *places, GHashTable *readers, const GPtrArray *list,
                       const guint *index, gsize most)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(free_readers);
    g_autofree guint *last = g_new0(guint, list->len + 1);
    Search search = {self, found, last};

    *self = (AditVulkanFolds){.program = program,
                              .places = places,
                              .readers = readers,
                              .index = index,
                              .list = list,
                              .states = g_new0(guint8, list->len + 1),
                              .most = most};
    for (guint i = 0; i < list->len && readers != NULL; i++) {
        GArray *positions = is_candidate(list->pdata[i]) ? find_readers(self, i) : NULL;

        g_ptr_array_add(found, positions);
        if (positions != NULL)
            self->states[i] = ADIT_FOLD_FOLDED;
    }
    while (readers != NULL && narrow(&search))
        continue;
}

void
adit_vulkan_folds_clear(AditVulkanFolds *self)
{
    g_clear_pointer(&self->states, g_free);
}
