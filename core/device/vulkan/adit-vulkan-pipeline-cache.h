/* core/device/vulkan/adit-vulkan-pipeline-cache.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-vulkan-instance.h"

G_BEGIN_DECLS

/*
 * What a driver made of the kernels, kept for the next run of the program (adit-cache.h:
 * "pipelines") by vendor, device, driver version, the driver's cache UUID and the hash of the
 * kernels that Adit brings.
 */

/* A cache with what was saved for this device, or empty when there is none that the driver takes;
 * VK_NULL_HANDLE when it makes no caches at all, which pipelines are created without as well. The
 * caller destroys it. */
VkPipelineCache adit_vulkan_pipeline_cache_load(const AditVulkanApi *api, VkDevice device,
                                                const AditVulkanPhysical *physical);
/* Saves @cache (VK_NULL_HANDLE: nothing) if it holds more than what is saved. No thread may create
 * pipelines with it meanwhile. */
void adit_vulkan_pipeline_cache_save(const AditVulkanApi *api, VkDevice device,
                                     const AditVulkanPhysical *physical, VkPipelineCache cache);

G_END_DECLS
