/* core/device/vulkan/adit-vulkan-devices.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-device.h"

G_BEGIN_DECLS

/* What the rest of the core asks about Vulkan devices; nothing here needs Vulkan's headers. */

/**
 * adit_vulkan_devices_open:
 * @wanted: (nullable): what follows "vulkan:" in a device's name; NULL: the best that is no
 * software device
 *
 * Fails with ADIT_ERROR_NO_DEVICE, or as adit_vulkan_device_new() does.
 */
AditDevice *adit_vulkan_devices_open(const char *wanted, GError **error);

/**
 * adit_vulkan_devices_open_best:
 * @note: (out) (nullable): why there is none, one line; NULL where that is no news, as the loader
 * is not installed
 *
 * Returns: (nullable): the best that is no software device
 */
AditDevice *adit_vulkan_devices_open_best(char **note);

/**
 * adit_vulkan_devices_describe:
 * @devices: gets an object for each device, in the loader's order
 * @best: (out) (nullable): name of the one that "auto" takes; NULL: none
 *
 * Fails with ADIT_ERROR_NO_DEVICE when there is no Vulkan, and, with @devices filled, when @best is
 * NULL: the error says why "auto" takes none.
 */
gboolean adit_vulkan_devices_describe(JsonArray *devices, char **best, GError **error);

/**
 * adit_vulkan_make_hint:
 * @control: a file that is there where NVIDIA's driver is in the kernel: "/dev/nvidiactl"
 * @library: that driver's part that speaks Vulkan without a display: "libEGL_nvidia.so.0"
 *
 * In containers the kernel often has NVIDIA's driver, but Vulkan does not find it.
 *
 * Returns: (nullable): what is missing there; NULL: it is no such machine
 */
char *adit_vulkan_make_hint(const char *control, const char *library);

G_END_DECLS
