/* core/device/vulkan/adit-vulkan-fuse.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-fuse.h"

#include "adit-attributes.h"

/* Instructions that may lie between those that are joined. */
#define MAX_SKIPPED 8
/* Images that may be read for each number of one. */
#define MAX_IMAGES 2

/**
 * Fuser: a fusion being made.
 * @first: the position of its first instruction
 * @product: (nullable): what that is
 */
typedef struct {
    AditVulkanFusion *fusion;
    const AditVulkanFolds *folds;
    guint first;
    const AditVulkanProduct *product;
} Fuser;

static const AditInstruction *
get(const Fuser *self, guint position)
{
    return self->folds->list->pdata[position];
}

static gsize
last_size(const AditOperand *operand)
{
    return operand->shape.size[operand->shape.rank - 1];
}

static gboolean
is_like(const AditOperand *a, const AditOperand *b)
{
    return a->rows == b->rows && adit_shape_equal(&a->shape, &b->shape);
}

/* ---- what lies between ---- */

static gboolean
has(const Fuser *self, guint position)
{
    for (guint i = 0; i < self->fusion->n; i++) {
        if (self->fusion->values[i].position == position && !self->fusion->values[i].is_folded)
            return TRUE;
    }
    return FALSE;
}

/* Whether what the kernel takes from behind it is done before it. */
static gboolean
is_skipped(const Fuser *self, guint position)
{
    return self->folds->states[position] == ADIT_FOLD_NONE && !has(self, position);
}

/* Whether what is skipped before @position writes to @operand's memory. */
static gboolean
is_written_before(const Fuser *self, const AditOperand *operand, guint position)
{
    for (guint i = self->first + 1; i < position; i++) {
        if (is_skipped(self, i) && adit_vulkan_writes(self->folds, get(self, i), operand))
            return TRUE;
    }
    return FALSE;
}

/* Whether @instruction, or what it computes on the way, reads @operand's memory. */
static gboolean
reads_memory(const Fuser *self, const AditInstruction *instruction, const AditOperand *operand)
{
    for (guint i = 0; i < instruction->n_inputs; i++) {
        int folded = adit_vulkan_folds_find(self->folds, &instruction->inputs[i]);

        if (adit_vulkan_overlaps(self->folds, &instruction->inputs[i], operand) ||
            (folded >= 0 && reads_memory(self, get(self, (guint) folded), operand)))
            return TRUE;
    }
    return FALSE;
}

static gboolean
is_read_before(const Fuser *self, const AditOperand *operand, guint position)
{
    for (guint i = self->first + 1; i < position; i++) {
        if (is_skipped(self, i) && reads_memory(self, get(self, i), operand))
            return TRUE;
    }
    return FALSE;
}

/* Whether @operand shares memory with what the kernel writes. */
static gboolean
is_overwritten(const Fuser *self, const AditOperand *operand)
{
    for (guint i = 0; i < self->fusion->n; i++) {
        const AditVulkanFused *value = &self->fusion->values[i];

        if (!value->is_folded &&
            adit_vulkan_overlaps(self->folds, operand, &value->instruction->output))
            return TRUE;
    }
    return FALSE;
}

/* Whether @output shares memory with what the kernel reads. */
static gboolean
is_read(const Fuser *self, const AditOperand *output)
{
    for (guint i = 0; i < self->fusion->n_reads; i++) {
        if (adit_vulkan_overlaps(self->folds, output, self->fusion->reads[i]))
            return TRUE;
    }
    return FALSE;
}

/* ---- what is written ---- */

static gboolean is_inner(const Fuser *self, guint number);

/* How often values that nobody else computes read value @number. */
static int
count_uses(const Fuser *self, guint number)
{
    const AditVulkanFusion *fusion = self->fusion;
    const AditVulkanFused *value = &fusion->values[number];
    int uses = 0;

    for (guint i = number + 1; i < fusion->n; i++) {
        const AditVulkanFused *reader = &fusion->values[i];

        if (reader->place != value->place || (reader->is_folded && !is_inner(self, i)))
            continue;
        for (guint j = 0; j < reader->instruction->n_inputs; j++)
            uses +=
                adit_vulkan_is_same(&reader->instruction->inputs[j], &value->instruction->output);
    }
    return uses;
}

/* Whether only the kernel itself reads a result: then it is not written at all. */
static gboolean
is_inner(const Fuser *self, guint number)
{
    const AditOperand *output = &self->fusion->values[number].instruction->output;
    gpointer key = GINT_TO_POINTER(output->storage);

    return output->storage >= 0 && number + 1 != self->fusion->n &&
           count_uses(self, number) ==
               GPOINTER_TO_INT(g_hash_table_lookup(self->folds->readers, key));
}

static gboolean
is_written(const Fuser *self, guint number)
{
    return !self->fusion->values[number].is_folded && !is_inner(self, number);
}

static guint
count_writes(const Fuser *self)
{
    guint n = 0;

    for (guint i = 0; i < self->fusion->n; i++)
        n += is_written(self, i);
    return n;
}

/* ---- bindings ---- */

/**
 * Window: what operands that share a binding need of their arena, in elements.
 */
typedef struct {
    gsize begin, end;
} Window;

static gboolean
can_share(const AditOperand *operand)
{
    return !operand->rows && !operand->linear && operand->arena != ADIT_ARENA_ROWS;
}

static gsize
find_begin(const Fuser *self, const AditOperand *operand)
{
    const AditVulkanFolds *folds = self->folds;

    return adit_vulkan_find_operand(folds->program, folds->places, operand, folds->index);
}

/* What @operand needs, and those that have @binding. */
static Window
join_windows(const Fuser *self, const AditOperand *operand, guint binding)
{
    gsize at = find_begin(self, operand);
    Window window = {at, at + operand->count};

    for (guint i = 0; i < self->fusion->n_reads; i++) {
        if (self->fusion->bindings[i] != binding)
            continue;
        at = find_begin(self, self->fusion->reads[i]);
        window.begin = MIN(window.begin, at);
        window.end = MAX(window.end, at + self->fusion->reads[i]->count);
    }
    return window;
}

/* Whether the kernel writes to it, or it is more than can be bound. */
static gboolean
is_barred(const Fuser *self, const Window *window, AditArena arena)
{
    if ((window->end - window->begin) * sizeof(float) > self->folds->most)
        return TRUE;
    for (guint i = 0; i < self->fusion->n; i++) {
        const AditInstruction *instruction = self->fusion->values[i].instruction;
        const AditOperand *output = &instruction->output;

        if (self->fusion->values[i].is_folded || output->arena != arena)
            continue;
        gsize begin = find_begin(self, output);
        gsize end = begin + output->count * (instruction->partial > 0 ? ADIT_SLICES : 1);
        if (begin < window->end && window->begin < end)
            return TRUE;
    }
    return FALSE;
}

/* The binding of input @number, which has its own, becomes that of one before it; FALSE: there is
 * none. */
static gboolean
share_binding(const Fuser *self, guint number)
{
    AditVulkanFusion *fusion = self->fusion;
    const AditOperand *operand = fusion->reads[number];
    guint freed = fusion->bindings[number];

    for (guint i = 0; i < number && can_share(operand); i++) {
        Window window = join_windows(self, operand, fusion->bindings[i]);

        if (fusion->reads[i]->arena != operand->arena || !can_share(fusion->reads[i]) ||
            is_barred(self, &window, operand->arena))
            continue;
        fusion->bindings[number] = fusion->bindings[i];
        for (guint j = 0; j < ADIT_VULKAN_OPERANDS; j++)
            fusion->bindings[j] -= fusion->bindings[j] > freed;
        return TRUE;
    }
    return FALSE;
}

/* Gives inputs and what is written their bindings; FALSE: there are not enough. */
static gboolean
assign_bindings(const Fuser *self)
{
    AditVulkanFusion *fusion = self->fusion;
    guint n = fusion->n_reads + count_writes(self) - 1;

    if (n > ADIT_VULKAN_OPERANDS)
        return FALSE;
    for (guint i = 0; i < ADIT_VULKAN_OPERANDS; i++)
        fusion->bindings[i] = i;
    for (guint i = fusion->n_reads; i-- > 1 && n > ADIT_VULKAN_INPUTS;)
        n -= share_binding(self, i);
    return n <= ADIT_VULKAN_INPUTS;
}

/* ---- taking values ---- */

/* Of what is computed at @place, where that is an image that is read. */
static const AditOperand *
get_image(const Fuser *self, AditVulkanFusedPlace place)
{
    return &get(self, self->first)->inputs[place - ADIT_FUSED_LOAD0];
}

/* Adds an input; FALSE: there is no room, or it is not what it was. */
static gboolean
add_read(Fuser *self, AditVulkanFusedPlace place, const AditOperand *operand)
{
    AditVulkanFusion *fusion = self->fusion;
    guint slot = fusion->n_reads;

    if (adit_vulkan_fusion_find_read(fusion, operand) >= 0)
        return TRUE;
    if (place != ADIT_FUSED_RESULT) {
        const AditOperand *image = get_image(self, place);

        if (is_like(operand, image) && fusion->reads[place - ADIT_FUSED_LOAD0] == NULL)
            slot = place - ADIT_FUSED_LOAD0;
        else if (!is_like(operand, image) && !adit_vulkan_is_by_channel(operand, &image->shape))
            return FALSE;
    }
    if (slot == ADIT_VULKAN_OPERANDS || is_overwritten(self, operand))
        return FALSE;
    fusion->reads[slot] = operand;
    fusion->n_reads = MAX(fusion->n_reads, slot + 1);
    return TRUE;
}

static gboolean add_folded(Fuser *self, AditVulkanFusedPlace place, guint position);

/* Sees to it that @operand, as it is read at @position, can be had at @place. */
static gboolean
add_operand(Fuser *self, AditVulkanFusedPlace place, const AditOperand *operand, guint position)
{
    if (is_written_before(self, operand, position))
        return FALSE;
    if (adit_vulkan_fusion_find_value(self->fusion, place, operand) >= 0)
        return TRUE;
    int folded = adit_vulkan_folds_find(self->folds, operand);
    if (folded >= 0) {
        AditVulkanFusion before = *self->fusion;

        if (add_folded(self, place, (guint) folded))
            return TRUE;
        *self->fusion = before;
        /* it is computed before this kernel */
        if (place != ADIT_FUSED_RESULT || (guint) folded > self->first)
            return FALSE;
    }
    return add_read(self, place, operand);
}

static void
add_value(Fuser *self, AditVulkanFusedPlace place, guint position, gboolean is_folded)
{
    self->fusion->values[self->fusion->n++] =
        (AditVulkanFused){get(self, position), position, place, is_folded};
}

/* What is read at @position is what is there now. */
static gboolean
add_inputs(Fuser *self, AditVulkanFusedPlace place, guint position)
{
    const AditInstruction *instruction = get(self, position);
    gboolean by_channels = adit_vulkan_find_channel_op(instruction) != NULL;

    for (guint i = 0; i < instruction->n_inputs; i++) {
        /* what such an operation has for its channels has its own order */
        AditVulkanFusedPlace where = by_channels && i > 0 ? ADIT_FUSED_RESULT : place;

        if (!add_operand(self, where, &instruction->inputs[i], position))
            return FALSE;
    }
    return self->fusion->n < ADIT_VULKAN_MAX_FUSED;
}

/* Whether the channels of an operation by channels are those of the images. */
static gboolean
has_image_channels(const AditInstruction *instruction)
{
    const AditChannelAttributes *attributes = instruction->attributes;
    const AditOperand *output = &instruction->output;

    return adit_vulkan_find_channel_op(instruction) == NULL ||
           (attributes->size == output->shape.size[0] &&
            attributes->size * attributes->inner == output->count);
}

/* Adds a folded instruction, and what is folded into it. */
static gboolean
add_folded(Fuser *self, AditVulkanFusedPlace place, guint position)
{
    if ((place != ADIT_FUSED_RESULT && !has_image_channels(get(self, position))) ||
        !add_inputs(self, place, position))
        return FALSE;
    add_value(self, place, position, TRUE);
    return TRUE;
}

/* ---- the first instruction ---- */

static guint
count_images(const Fuser *self, AditVulkanFusedPlace place)
{
    const AditVulkanFusion *fusion = self->fusion;
    gboolean is_image[ADIT_VULKAN_OPERANDS] = {FALSE};
    guint n = 0;

    for (guint i = 0; i < fusion->n; i++) {
        const AditInstruction *instruction = fusion->values[i].instruction;

        for (guint j = 0; j < instruction->n_inputs && fusion->values[i].place == place; j++) {
            int read = adit_vulkan_fusion_find_read(fusion, &instruction->inputs[j]);

            if (read >= 0 && is_like(&instruction->inputs[j], get_image(self, place)))
                is_image[read] = TRUE;
        }
    }
    for (guint i = 0; i < ADIT_VULKAN_OPERANDS; i++)
        n += is_image[i];
    return n;
}

/* Finds room for what is kept of channels; FALSE: there is not enough. */
static gboolean
stage_channels(Fuser *self)
{
    AditVulkanFusion *fusion = self->fusion;

    fusion->n_staged = 0;
    fusion->shape.staged = 0;
    for (AditVulkanFusedPlace place = ADIT_FUSED_LOAD0; place <= ADIT_FUSED_LOAD1; place++) {
        guint n = adit_vulkan_fusion_count_staged(fusion, place);

        fusion->n_staged += n;
        if (n > 0)
            fusion->shape.staged = MAX(fusion->shape.staged, get_image(self, place)->shape.size[0]);
    }
    return fusion->n_staged * fusion->shape.staged * sizeof(float) <=
           adit_vulkan_get_shared_room(fusion->kind, &fusion->shape);
}

/* Computes what is folded into input @number when it is read. */
static gboolean
fold_input(Fuser *self, guint number)
{
    const AditInstruction *head = get(self, self->first);
    AditVulkanFusedPlace place = (AditVulkanFusedPlace) (ADIT_FUSED_LOAD0 + number);
    int folded = adit_vulkan_folds_find(self->folds, &head->inputs[number]);

    if ((self->product->loads & 1 << number) == 0 || folded < 0)
        return FALSE;
    self->fusion->reads[number] = NULL;
    return add_folded(self, place, (guint) folded) && self->fusion->reads[number] != NULL &&
           count_images(self, place) <= MAX_IMAGES &&
           /* the first is written, and others behind it may be */
           self->fusion->n < ADIT_VULKAN_MAX_FUSED && stage_channels(self) &&
           !is_read(self, &head->output);
}

/* With an input as it is: what is folded into it is computed before. */
static gboolean
add_product(Fuser *self)
{
    AditVulkanFusion *fusion = self->fusion;
    const AditInstruction *head = get(self, self->first);

    fusion->kind = self->product->kind;
    if (fusion->kind == ADIT_VULKAN_TILES)
        fusion->shape = (AditVulkanShape){.columns = last_size(&head->output),
                                          .depth = last_size(&head->inputs[0])};
    else
        fusion->shape.lines =
            head->output.shape.size[0] / ((const AditConvAttributes *) head->attributes)->groups;
    fusion->reads[0] = &head->inputs[0];
    fusion->reads[1] = &head->inputs[1];
    fusion->n_reads = 2;
    for (guint i = 0; i < 2; i++) {
        AditVulkanFusion before = *fusion;

        if (!fold_input(self, i))
            *fusion = before;
        add_value(self, ADIT_FUSED_RESULT, self->first, FALSE);
        if (!assign_bindings(self))
            *fusion = before;
        else
            fusion->n--;
    }
    add_value(self, ADIT_FUSED_RESULT, self->first, FALSE);
    return assign_bindings(self);
}

static gboolean
add_elementwise(Fuser *self)
{
    AditVulkanFusion *fusion = self->fusion;
    const AditInstruction *head = get(self, self->first);

    fusion->kind = ADIT_VULKAN_ELEMENTS;
    if (add_inputs(self, ADIT_FUSED_RESULT, self->first) &&
        (fusion->n == 0 || !is_read(self, &head->output))) {
        add_value(self, ADIT_FUSED_RESULT, self->first, FALSE);
        if (assign_bindings(self))
            return TRUE;
    }
    *fusion = (AditVulkanFusion){.kind = ADIT_VULKAN_ELEMENTS};
    for (guint i = 0; i < head->n_inputs; i++)
        add_read(self, ADIT_FUSED_RESULT, &head->inputs[i]);
    add_value(self, ADIT_FUSED_RESULT, self->first, FALSE);
    return assign_bindings(self);
}

/* ---- those behind it ---- */

/* Whether it reads what the kernel computes. */
static gboolean
goes_on(const Fuser *self, const AditInstruction *instruction)
{
    for (guint i = 0; i < instruction->n_inputs; i++) {
        if (adit_vulkan_fusion_find_value(self->fusion, ADIT_FUSED_RESULT,
                                          &instruction->inputs[i]) >= 0)
            return TRUE;
    }
    return FALSE;
}

static gboolean
can_follow(const Fuser *self, guint position)
{
    const AditInstruction *head = get(self, self->first), *instruction = get(self, position);
    const AditOperand *output = &instruction->output;

    return adit_vulkan_is_elementwise(instruction) && instruction->domain == head->domain &&
           is_like(output, &head->output) && self->fusion->n < ADIT_VULKAN_MAX_FUSED &&
           !is_overwritten(self, output) && !is_written_before(self, output, position) &&
           !is_read_before(self, output, position);
}

/* Takes the instruction at @position; @next: nothing is skipped before it. */
static gboolean
add_instruction(Fuser *self, guint position, gboolean next)
{
    AditVulkanFusion before = *self->fusion;
    const AditInstruction *instruction = get(self, position);

    if (!can_follow(self, position) || (!next && !goes_on(self, instruction)))
        return FALSE;
    if (add_inputs(self, ADIT_FUSED_RESULT, position) && !is_read(self, &instruction->output)) {
        add_value(self, ADIT_FUSED_RESULT, position, FALSE);
        if (assign_bindings(self))
            return TRUE;
    }
    *self->fusion = before;
    return FALSE;
}

static void
extend(Fuser *self)
{
    guint skipped = 0;

    for (guint i = self->first + 1; i < self->folds->list->len && skipped <= MAX_SKIPPED; i++) {
        if (self->folds->states[i] != ADIT_FOLD_NONE)
            continue;
        if (get(self, i)->body != NULL)
            return;
        skipped += !add_instruction(self, i, skipped == 0);
    }
}

gboolean
adit_vulkan_fusion_init(AditVulkanFusion *self, const AditVulkanFolds *folds, guint first,
                        gboolean extends)
{
    const AditInstruction *head = folds->list->pdata[first];
    Fuser fuser = {self, folds, first, adit_vulkan_find_product_op(head)};
    gboolean written[ADIT_VULKAN_MAX_FUSED];

    *self = (AditVulkanFusion){0};
    if (head->kind != ADIT_INSTRUCTION_OP ||
        (fuser.product == NULL && !adit_vulkan_is_elementwise(head)))
        return FALSE;
    if (fuser.product != NULL ? !add_product(&fuser) : !add_elementwise(&fuser))
        return FALSE;
    self->head = self->n - 1;
    if (extends && (fuser.product == NULL || fuser.product->has_results))
        extend(&fuser);
    if (self->n < 2)
        return FALSE;
    assign_bindings(&fuser);
    for (guint i = 0; i < self->n; i++) {
        written[i] = is_written(&fuser, i);
        if (written[i] && i + 1 < self->n)
            self->writes[self->n_writes++] = &self->values[i].instruction->output;
    }
    self->text = adit_vulkan_fusion_make_text(self, written);
    return TRUE;
}

void
adit_vulkan_fusion_clear(AditVulkanFusion *self)
{
    g_clear_pointer(&self->text, g_free);
}

char *
adit_vulkan_fusion_describe(const AditVulkanFusion *self)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < self->n; i++)
        g_string_append_printf(text, "%p %u ", (const void *) self->values[i].instruction,
                               self->values[i].place);
    g_string_append_printf(text, "%u ", self->head);
    for (guint i = 0; i < self->n_reads; i++)
        g_string_append_printf(text, "%p ", (const void *) self->reads[i]);
    return g_string_free(text, FALSE);
}
