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
/* Dispatches of all calls so far. */
guint64 adit_vulkan_device_count_dispatches(AditDevice *self);

G_END_DECLS
