/* core/device/vulkan/adit-vulkan-together.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-vulkan-record.h"

G_BEGIN_DECLS

/* Queues steps of different memories: those that are walks side by side, the first dispatches of
 * all of them before the second ones of any; the others, and each walk's first step, in turn. */
void adit_vulkan_together_run(AditVulkanDevice *device, const AditDeviceStep *steps, guint n);
/* Drops what was recorded together with @recording, which goes. */
void adit_vulkan_together_forget(AditVulkanDevice *device, const AditVulkanRecording *recording);
/* What a device keeps of them. */
GPtrArray *adit_vulkan_together_table_new(void);

G_END_DECLS
