/* core/device/vulkan/adit-vulkan-words.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-attributes.h"
#include "adit-vulkan-fuse.h"

G_BEGIN_DECLS

/* What shaders are told, as shaders/include/adit.glsl reads it: of output and inputs first, then
 * the attributes. */
#define ADIT_VULKAN_ATTRIBUTES (ADIT_VULKAN_VIEW_WORDS * (1 + ADIT_VULKAN_OPERANDS))

/* Where they begin. */
guint32 adit_vulkan_add_words(AditVulkanPlan *self, const guint32 *words, guint n);
/* ADIT_VULKAN_VIEW_WORDS of them. */
void adit_vulkan_describe_view(guint32 *words, const AditOperand *operand, gboolean rows);
/* Those of a fusion: behind the attributes of its first instruction stand some words of each. */
guint32 adit_vulkan_add_fused_words(AditVulkanPlan *self, const AditVulkanFusion *fusion);

G_END_DECLS
