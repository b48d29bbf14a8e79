/* core/compile/adit-channels-last.c - SPDX-License-Identifier: MIT */
#include "adit-channels-last.h"

#include "adit-attributes.h"
#include "adit-image-layout.h"
#include "adit-pointwise.h"

#include <string.h>

/**
 * Images [channels, height, width] that lie [height, width, channels]: those of all operations that
 * can take them so and hang together with a convolution or a pooling. Each tensor lies in one way:
 * as the operation leaves it that computes it; where it is read in the other way it is transposed.
 */
typedef struct {
    GHashTable *live;
    GHashTable *groups; /* AditTensor -> another of its group; a group's last one -> itself */
    GHashTable *wanted; /* groups with a convolution or a pooling */
    GHashTable *opaque; /* stacks that are read as a whole */
    AditChannelsLast *result;
} Pass;

void
adit_channels_last_init(AditChannelsLast *self)
{
    self->tensors = g_hash_table_new(NULL, NULL);
    self->attributes = g_hash_table_new(NULL, NULL);
}

void
adit_channels_last_clear(AditChannelsLast *self)
{
    g_clear_pointer(&self->tensors, g_hash_table_unref);
    g_clear_pointer(&self->attributes, g_hash_table_unref);
}

static AditTensor *
find_group(Pass *self, AditTensor *tensor)
{
    AditTensor *next = g_hash_table_lookup(self->groups, tensor);

    while (next != NULL && next != tensor) {
        tensor = next;
        next = g_hash_table_lookup(self->groups, tensor);
    }
    return tensor;
}

static void
join_groups(Pass *self, AditTensor *a, AditTensor *b)
{
    a = find_group(self, a);
    b = find_group(self, b);
    g_hash_table_insert(self->groups, a, b);
    g_hash_table_insert(self->groups, b, b);
    if (g_hash_table_contains(self->wanted, a))
        g_hash_table_add(self->wanted, b);
}

/* Whether the shapes of an operation's operands are broadcast together. */
static gboolean
broadcasts(const AditOp *op)
{
    return adit_pointwise_find(op) != NULL || strcmp(op->name, "broadcast") == 0;
}

static gboolean
is_window(const AditOp *op)
{
    return strncmp(op->name, "conv2d", 6) == 0 || strncmp(op->name, "pool-", 5) == 0;
}

/* Whether it is for the operation's sake that images lie so: not for that of thin ones. */
static gboolean
wants(const AditTensor *tensor)
{
    const AditTensor *operands[] = {tensor->inputs[0], tensor->inputs[tensor->n_inputs - 1],
                                    tensor};

    if (!is_window(tensor->op))
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(operands); i++) {
        if (operands[i]->shape.rank == 4)
            return !adit_conv_is_thin(tensor->attributes, &operands[i]->shape);
    }
    return tensor->shape.size[0] > ADIT_THIN_CHANNELS;
}

/* Operand @i of an operation: an input, or behind them the result. */
static AditTensor *
get_operand(AditTensor *tensor, guint i)
{
    return i < tensor->n_inputs ? tensor->inputs[i] : tensor;
}

/* The operation's attributes for images with their channels last; FALSE: it takes none. */
static gboolean
lay_operation(AditTensor *tensor, void **attributes)
{
    const AditOp *op = tensor->op;
    gboolean makes = broadcasts(op) || get_operand(tensor, 0)->shape.rank < 3;
    const AditTensor *image = makes ? tensor : get_operand(tensor, 0);

    if (op->lay_channels_last == NULL || image->shape.rank != 3)
        return FALSE;
    *attributes = g_memdup2(tensor->attributes, tensor->attributes_size);
    if (op->lay_channels_last(&image->shape, *attributes))
        return TRUE;
    g_clear_pointer(attributes, g_free);
    return FALSE;
}

static void
join_operation(Pass *self, AditProgram *program, AditTensor *tensor)
{
    AditTensor *first = NULL;
    void *attributes;

    if (!lay_operation(tensor, &attributes))
        return;
    if (attributes != NULL)
        g_ptr_array_add(program->laid, attributes);
    for (guint i = 0; i <= tensor->n_inputs; i++) {
        AditTensor *operand = get_operand(tensor, i);

        if (!adit_image_is_laid(&operand->shape))
            continue;
        if (first != NULL)
            join_groups(self, operand, first);
        first = operand;
    }
    if (first == NULL)
        return;
    if (wants(tensor))
        g_hash_table_add(self->wanted, find_group(self, first));
    g_hash_table_insert(self->result->attributes, tensor, attributes);
}

static void
join_tensor(Pass *self, AditProgram *program, AditTensor *tensor)
{
    if (tensor->kind == ADIT_TENSOR_OP)
        join_operation(self, program, tensor);
    if (tensor->other != NULL)
        join_groups(self, tensor, tensor->other);
    if (tensor->kind == ADIT_TENSOR_CARRY) {
        join_groups(self, tensor, tensor->initial);
        if (tensor->next != NULL)
            join_groups(self, tensor, tensor->next);
    }
}

/* What is more than an image is read as a whole, and so are the stacks that it is made of. */
static void
mark_opaque(Pass *self, const AditTensor *tensor)
{
    for (; tensor != NULL && tensor->shape.rank > 3; tensor = tensor->other)
        g_hash_table_add(self->opaque, (gpointer) tensor);
}

static void
find_opaque(Pass *self, const AditTensor *tensor)
{
    for (guint i = 0; i < tensor->n_inputs; i++)
        mark_opaque(self, tensor->inputs[i]);
    mark_opaque(self, tensor->initial);
    mark_opaque(self, tensor->next);
}

static gboolean
is_wanted(Pass *self, AditTensor *tensor)
{
    return g_hash_table_contains(self->wanted, find_group(self, tensor));
}

/* Whether the tensor lies with its channels last. */
static gboolean
lies_so(Pass *self, AditTensor *tensor)
{
    switch (tensor->kind) {
    case ADIT_TENSOR_OP:
        return g_hash_table_contains(self->result->attributes, tensor) &&
               adit_image_is_laid(&tensor->shape);
    case ADIT_TENSOR_CARRY:
        if (tensor->next == NULL || tensor->next == tensor)
            return lies_so(self, tensor->initial);
        return adit_image_is_laid(&tensor->shape) && is_wanted(self, tensor);
    case ADIT_TENSOR_LAST:
    case ADIT_TENSOR_CAPTURE:
    case ADIT_TENSOR_EACH:
    case ADIT_TENSOR_STACK:
        return !g_hash_table_contains(self->opaque, tensor) && lies_so(self, tensor->other);
    case ADIT_TENSOR_INPUT:
        return tensor->channels_last;
    case ADIT_TENSOR_CONSTANT:
    case ADIT_TENSOR_LIVE:
    case ADIT_TENSOR_STEP:
    case ADIT_TENSOR_PARAMETER:
    case ADIT_TENSOR_STATE:
    default:
        return FALSE;
    }
}

/* Operations of which nothing wants it stay as they are. */
static void
drop_unwanted(Pass *self)
{
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, self->result->attributes);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        gboolean wanted = FALSE;

        for (guint i = 0; i <= ((AditTensor *) key)->n_inputs; i++) {
            AditTensor *operand = get_operand(key, i);

            wanted = wanted || (adit_image_is_laid(&operand->shape) && is_wanted(self, operand));
        }
        if (!wanted)
            g_hash_table_iter_remove(&iter);
    }
}

static void
for_each_live(Pass *self, AditProgram *program,
              void (*visit)(Pass *self, AditProgram *program, AditTensor *tensor))
{
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, self->live);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        visit(self, program, key);
}

static void
begin(Pass *self, AditProgram *program, AditTensor *tensor)
{
    join_tensor(self, program, tensor);
    find_opaque(self, tensor);
}

static void
finish(Pass *self, AditProgram *program, AditTensor *tensor)
{
    if (lies_so(self, tensor))
        g_hash_table_add(self->result->tensors, tensor);
}

void
adit_channels_last_find(AditChannelsLast *self, AditProgram *program, GHashTable *live)
{
    Pass pass = {.live = live, .result = self};

    pass.groups = g_hash_table_new(NULL, NULL);
    pass.wanted = g_hash_table_new(NULL, NULL);
    pass.opaque = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < program->outputs->len; i++)
        mark_opaque(&pass, g_array_index(program->outputs, AditProgramOutput, i).tensor);
    for_each_live(&pass, program, begin);
    drop_unwanted(&pass);
    for_each_live(&pass, program, finish);
    for (guint i = 0; i < program->outputs->len; i++) {
        AditProgramOutput *output = &g_array_index(program->outputs, AditProgramOutput, i);

        output->channels_last =
            output->kind == ADIT_OUTPUT_HANDED && adit_channels_last_has(self, output->tensor);
    }
    g_hash_table_unref(pass.groups);
    g_hash_table_unref(pass.wanted);
    g_hash_table_unref(pass.opaque);
}

gboolean
adit_channels_last_has(const AditChannelsLast *self, const AditTensor *tensor)
{
    return g_hash_table_contains(self->tensors, tensor);
}

gboolean
adit_channels_last_takes(const AditChannelsLast *self, const AditTensor *tensor)
{
    return g_hash_table_contains(self->attributes, tensor);
}

void
adit_channels_last_set(const AditChannelsLast *self, AditInstruction *instruction)
{
    const AditTensor *tensor = instruction->tensor;
    gboolean pads = broadcasts(instruction->op);

    for (guint i = 0; i <= instruction->n_inputs; i++) {
        AditOperand *operand =
            i < instruction->n_inputs ? &instruction->inputs[i] : &instruction->output;

        if (operand->shape.rank == 3 || (pads && operand->shape.rank < 3))
            operand->shape = adit_image_lay(&operand->shape);
    }
    instruction->attributes = g_hash_table_lookup(self->attributes, tensor);
}
