/* core/device/vulkan/adit-vulkan-fuse.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-vulkan-fold.h"

G_BEGIN_DECLS

/* Instructions of one kernel; the attribute words of the first are followed by some of each. */
#define ADIT_VULKAN_MAX_FUSED   12
#define ADIT_VULKAN_FUSED_WORDS 4

/**
 * AditVulkanFusedPlace: where in a kernel a value is computed: for each of its results, or for each
 * number that it reads of input 0 or 1.
 */
typedef enum {
    ADIT_FUSED_RESULT,
    ADIT_FUSED_LOAD0,
    ADIT_FUSED_LOAD1,
} AditVulkanFusedPlace;

/**
 * AditVulkanFused: one instruction of a kernel.
 * @position: in its list
 * @is_folded: it is computed wherever it is read (adit-vulkan-fold.h), so its result is not written
 */
typedef struct {
    const AditInstruction *instruction;
    guint position;
    AditVulkanFusedPlace place;
    gboolean is_folded;
} AditVulkanFused;

/**
 * AditVulkanFusion: instructions that one kernel computes, element by element: a product or an
 * elementwise operation (adit_vulkan_is_elementwise()), those behind it, and those folded into it.
 * @values: in an order that can be computed
 * @head: which of them it begins with, whose attributes are the kernel's
 * @reads: what comes from outside, as inputs 0, 1, ... of the kernel; a product's two first, or of
 * the same shape what is folded into them
 * @writes: what others read; the last instruction's output is the kernel's, those before it take
 * the inputs behind @reads
 * @bindings: of reads, then writes; some reads may share one
 * @kind, @shape: of the kernel
 * @n_staged: numbers of each of @shape's staged channels that are kept in shared memory
 * @text: (owned): GLSL
 */
typedef struct {
    AditVulkanFused values[ADIT_VULKAN_MAX_FUSED];
    guint n;
    guint head;
    const AditOperand *reads[ADIT_VULKAN_OPERANDS];
    guint n_reads;
    const AditOperand *writes[ADIT_VULKAN_OPERANDS];
    guint n_writes;
    guint bindings[ADIT_VULKAN_OPERANDS];
    AditVulkanKind kind;
    AditVulkanShape shape;
    guint n_staged;
    char *text;
} AditVulkanFusion;

/**
 * adit_vulkan_fusion_init:
 * @folds: of the list, with what is done of it already
 * @first: the first instruction
 * @extends: whether what comes behind it is taken, too
 *
 * As much as can be one kernel. What it reads may be results of folded instructions, which the
 * caller then has computed before. FALSE: it is a single instruction.
 */
gboolean adit_vulkan_fusion_init(AditVulkanFusion *self, const AditVulkanFolds *folds, guint first,
                                 gboolean extends);
void adit_vulkan_fusion_clear(AditVulkanFusion *self);
/* What fusions that differ in their iteration alone have in common; free with g_free(). */
char *adit_vulkan_fusion_describe(const AditVulkanFusion *self);

/* adit-vulkan-fuse-text.c */

/* Number of the value that @operand is at @place; -1: it comes from outside. */
int adit_vulkan_fusion_find_value(const AditVulkanFusion *self, AditVulkanFusedPlace place,
                                  const AditOperand *operand);
/* Number of the input that it is; -1: none. */
int adit_vulkan_fusion_find_read(const AditVulkanFusion *self, const AditOperand *operand);
/* Whether the kernel is told the channel of what it computes, and @operand has a number for each.
 */
gboolean adit_vulkan_is_by_channel(const AditOperand *operand, const AditShape *image);
/* Numbers of each channel that are kept in shared memory for what is computed at @place; 0: none.
 */
guint adit_vulkan_fusion_count_staged(const AditVulkanFusion *self, AditVulkanFusedPlace place);
/* The text, once all else is known. @is_written: for each value. */
char *adit_vulkan_fusion_make_text(const AditVulkanFusion *self, const gboolean *is_written);

G_END_DECLS
