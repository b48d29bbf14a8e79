/* core/device/vulkan/adit-vulkan-join.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-vulkan-record.h"

G_BEGIN_DECLS

/**
 * AditVulkanJoin: how the runs of a step, a gradient and its updates, are done together: as a walk
 * (adit-vulkan-walk.h), if the programs allow it. It belongs to the gradient's executable. A run of
 * one program may be a walk too: an evaluation, or a gradient alone.
 */
typedef struct _AditVulkanJoin AditVulkanJoin;

/* Queues all runs as one call; FALSE: they cannot be joined, and nothing was done. */
gboolean adit_vulkan_join_run(AditVulkanDevice *device, const AditDeviceRun *runs, guint n);
/* (nullable): what adit_vulkan_join_run() would queue for these runs; NULL: it is not known yet. */
AditVulkanRecording *adit_vulkan_join_find(AditVulkanDevice *device, const AditDeviceRun *runs,
                                           guint n);
void adit_vulkan_join_free(AditVulkanJoin *self);

G_END_DECLS
