/* core/device/vulkan/adit-vulkan-loader.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-error.h>

G_BEGIN_DECLS

/**
 * adit_vulkan_loader_open:
 *
 * Opens the Vulkan loader: the library that the environment's ADIT_VULKAN_LIBRARY names and no
 * other, else the system's "libvulkan.so.1", else the one that a bundle brings along
 * (adit_installation_find_fallback()). It stays open.
 *
 * Returns: (nullable): its vkGetInstanceProcAddr; NULL with ADIT_ERROR_NO_DEVICE and the system's
 * reason when there is none
 */
gpointer adit_vulkan_loader_open(GError **error);

G_END_DECLS
