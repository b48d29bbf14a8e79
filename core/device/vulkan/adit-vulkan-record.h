/* core/device/vulkan/adit-vulkan-record.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-vulkan-plan.h"

G_BEGIN_DECLS

/**
 * AditVulkanRecording: a program recorded for a number of rows and for the data it reads; submitted
 * as often as it is run.
 * @is_streamed: which of the arrays do not live on the device
 * @sift: that its calls have; a source of NULL: none. @before: (nullable): what the source was for
 * @outputs: which of the source's the feeds are
 * @commands: AditVulkanCommands, in order
 * @dispatches, @barriers: in all of them
 * @kept: (nullable) (element-type AditVulkanDispatch): of a walk, to be recorded beside others
 */
typedef struct {
    gsize rows;
    gsize first_row;
    AditSift sift;
    const AditExecutable *before;
    guint outputs[ADIT_VULKAN_MAX_FEEDS];
    const AditArray *arrays[ADIT_VULKAN_MAX_FEEDS];
    const AditArray *subsets[ADIT_VULKAN_MAX_FEEDS];
    gboolean is_streamed[ADIT_VULKAN_MAX_FEEDS];
    GArray *commands;
    guint dispatches;
    guint barriers;
    GArray *kept;
    VkDescriptorPool sets;
    const AditVulkanBuffer *words;
} AditVulkanRecording;

/* @sift: (nullable): that its calls have. Barriers stand where a dispatch touches
 * what another wrote, or writes what another touched, and nowhere else. */
AditVulkanRecording *adit_vulkan_recording_new(AditVulkanDevice *device, const AditVulkanPlan *plan,
                                               const AditSift *sift, GError **error);
/* "add in trunk.1": what a tensor is called in messages. */
char *adit_vulkan_name_tensor(const AditTensor *tensor);
/* Keeps the dispatches of the plan it was made of. */
void adit_vulkan_recording_keep(AditVulkanRecording *self, const AditVulkanPlan *plan);
/* Queues it for a call like @call: the last that was begun on the device. */
void adit_vulkan_recording_queue(AditVulkanDevice *device, const AditVulkanRecording *self,
                                 const AditCall *call);
void adit_vulkan_recording_free(AditVulkanDevice *device, AditVulkanRecording *self);

G_END_DECLS
