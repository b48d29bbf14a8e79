/* core/device/vulkan/adit-vulkan-device.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-device.h"
#include "adit-vulkan-instance.h"

G_BEGIN_DECLS

/**
 * adit_vulkan_device_new:
 * @physical: of @instance, one that can be used
 *
 * ADIT_ERROR_NO_DEVICE or ADIT_ERROR_MEMORY when the driver refuses.
 */
AditDevice *adit_vulkan_device_new(AditVulkanInstance *instance, const AditVulkanPhysical *physical,
                                   GError **error);

G_END_DECLS
