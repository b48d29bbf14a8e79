/* core/device/vulkan/adit-vulkan-words.c - SPDX-License-Identifier: MIT */
#include "adit-vulkan-words.h"

#include <string.h>

#define FUSED_WORDS (ADIT_VULKAN_FUSED_WORDS * ADIT_VULKAN_MAX_FUSED)

guint32
adit_vulkan_add_words(AditVulkanPlan *self, const guint32 *words, guint n)
{
    guint32 at = self->words->len;

    g_array_append_vals(self->words, words, n);
    return at;
}

void
adit_vulkan_describe_view(guint32 *words, const AditOperand *operand, gboolean rows)
{
    words[0] = rows;
    words[1] = (guint32) operand->count;
    words[2] = operand->shape.rank;
    for (guint i = 0; i < operand->shape.rank; i++)
        words[3 + i] = (guint32) operand->shape.size[i];
}

guint32
adit_vulkan_add_attributes(AditVulkanPlan *self, const guint32 *attributes, guint n)
{
    guint32 words[ADIT_VULKAN_ATTRIBUTES + ADIT_MAX_WORDS] = {0};
    guint32 at = self->words->len;

    words[1] = words[ADIT_VULKAN_VIEW_WORDS + 1] = 1;
    for (guint i = 0; i < n; i++)
        words[ADIT_VULKAN_ATTRIBUTES + i] = attributes[i];
    g_array_append_vals(self->words, words, G_N_ELEMENTS(words));
    return at;
}

/* Formed in double and rounded once, as on the CPU: the same bits on every device. */
guint32
adit_vulkan_add_table(AditVulkanPlan *self, const AditArray *array)
{
    guint32 at = self->words->len;
    float values[256];

    if (array->type != ADIT_TYPE_CODE_U8)
        return 0;
    for (guint i = 0; i < G_N_ELEMENTS(values); i++)
        values[i] = (float) (i * array->scale);
    g_array_append_vals(self->words, values, G_N_ELEMENTS(values));
    return at;
}

guint32
adit_vulkan_add_fused_words(AditVulkanPlan *self, const AditVulkanFusion *fusion)
{
    guint32 words[ADIT_VULKAN_ATTRIBUTES + ADIT_MAX_WORDS + FUSED_WORDS] = {0};
    const AditInstruction *head = fusion->values[fusion->head].instruction;

    adit_vulkan_describe_view(words, &head->output, head->output.rows);
    for (guint i = 0; i < fusion->n_reads; i++)
        adit_vulkan_describe_view(words + (i + 1) * ADIT_VULKAN_VIEW_WORDS, fusion->reads[i],
                                  fusion->reads[i]->rows);
    if (head->op->encode != NULL)
        head->op->encode(head->attributes, words + ADIT_VULKAN_ATTRIBUTES);
    for (guint i = 0; i < fusion->n; i++) {
        const AditInstruction *instruction = fusion->values[i].instruction;
        guint32 attributes[ADIT_MAX_WORDS] = {0};

        if (instruction->op->encode != NULL)
            instruction->op->encode(instruction->attributes, attributes);
        /* of operations by channels: how many numbers a row has of each */
        if (adit_vulkan_find_channel_op(instruction) != NULL)
            attributes[3] = (guint32) instruction->output.count / attributes[0];
        memcpy(words + ADIT_VULKAN_ATTRIBUTES + ADIT_MAX_WORDS + ADIT_VULKAN_FUSED_WORDS * i,
               attributes, ADIT_VULKAN_FUSED_WORDS * sizeof *attributes);
    }
    return adit_vulkan_add_words(self, words, G_N_ELEMENTS(words));
}
