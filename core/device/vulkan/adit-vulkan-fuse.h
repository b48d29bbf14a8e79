/* core/device/vulkan/adit-vulkan-fuse.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-vulkan-plan.h"

G_BEGIN_DECLS

/* Instructions of one kernel, and the first attribute word that their parameters go into. */
#define ADIT_VULKAN_MAX_FUSED        8
#define ADIT_VULKAN_FUSED_PARAMETERS 8

/**
 * AditVulkanFusion: neighbouring instructions that one kernel computes, element by element: a
 * matrix product or a pointwise operation and the pointwise operations behind it.
 * @reads: what comes from outside, as inputs 0, 1, ... of the kernel; a product's two first
 * @writes: what others read; the last instruction's output is the kernel's, those before it take
 * the inputs behind @reads
 * @shape: of the product; columns 0: there is none
 * @text: (owned): GLSL
 */
typedef struct {
    const AditInstruction *instructions[ADIT_VULKAN_MAX_FUSED];
    guint n;
    const AditOperand *reads[ADIT_VULKAN_INPUTS];
    guint n_reads;
    const AditOperand *writes[ADIT_VULKAN_INPUTS];
    guint n_writes;
    AditVulkanShape shape;
    char *text;
} AditVulkanFusion;

/* How many instructions of @program read each storage; -1 those that are read by the host too. */
GHashTable *adit_vulkan_count_readers(const AditProgram *program);

/**
 * adit_vulkan_fusion_init:
 * @index: of the loops: which parts of memory the operands are
 *
 * The longest run of @list from @first on that can be one kernel. FALSE: it is a single
 * instruction.
 */
gboolean adit_vulkan_fusion_init(AditVulkanFusion *self, const AditProgram *program,
                                 const AditVulkanPlaces *places, GHashTable *readers,
                                 const GPtrArray *list, guint first, const guint *index);
void adit_vulkan_fusion_clear(AditVulkanFusion *self);

G_END_DECLS
