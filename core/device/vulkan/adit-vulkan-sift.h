/* core/device/vulkan/adit-vulkan-sift.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-vulkan-executable.h"

G_BEGIN_DECLS

/* Words of a sift's result before the row numbers. */
#define ADIT_VULKAN_LEFT 4

/**
 * AditVulkanSift: what is done before a program, to find the rows it is for.
 * @numbers: the output that decides: @begin is its first element, @width its numbers a row
 * @before: (nullable): how many rows that has; NULL: as many as there are
 * @left: where the rows that stay go: how many, and from element ADIT_VULKAN_LEFT on which
 * @threshold, @rises: as AditSift has them
 * @counts: where the workgroups go that the dispatches of the program get: room for @room of them
 */
struct _AditVulkanSift {
    const AditVulkanBuffer *numbers;
    gsize begin;
    gsize width;
    const AditVulkanBuffer *before;
    const AditVulkanBuffer *left;
    float threshold;
    gboolean rises;
    const AditVulkanBuffer *counts;
    guint room;
};

/* What a run of @executable for the rows that @sift leaves needs; its memory is made when it is
 * first asked for: ADIT_ERROR_MEMORY. */
gboolean adit_vulkan_sift_init(AditVulkanSift *self, AditExecutable *executable,
                               const AditSift *sift, GError **error);
/* Where rows lie that are fed from another executable. */
AditVulkanSource adit_vulkan_sift_get_source(const AditFeed *feed);
/* The dispatches that find the rows, and count workgroups for them: the last of the plan. */
gboolean adit_vulkan_sift_plan(AditVulkanPlan *plan, AditVulkanDevice *device,
                               const AditVulkanPlaces *places, GError **error);
/* Has all dispatches of the plan behind @first, which counts their workgroups, done for these rows.
 */
void adit_vulkan_sift_spread(AditVulkanPlan *plan, AditVulkanDevice *device,
                             const AditVulkanPlaces *places, guint first);

G_END_DECLS
