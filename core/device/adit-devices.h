/* core/device/adit-devices.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-device.h"

G_BEGIN_DECLS

/**
 * adit_device_open:
 * @name: (nullable): "auto" (also for NULL and ""), "cpu", "vulkan", "vulkan:N" (the loader's
 * order), "vulkan:uuid=UUID" or "vulkan:name~=TEXT" (a part of its name in any case)
 * @threads: of the CPU; 0: one for each core
 * @note: (out) (nullable): one line for people: why "auto" is the CPU; NULL: that is no news
 *
 * "auto" is the best GPU: discrete before integrated before virtual; the CPU if there is none.
 * "vulkan" is the same without the CPU. A software device, or one that another stands for, is taken
 * only if it is named.
 *
 * Fails with ADIT_ERROR_INVALID when @name is none of these, ADIT_ERROR_NO_DEVICE when there is no
 * such device or it cannot be used, and ADIT_ERROR_MEMORY.
 */
AditDevice *adit_device_open(const char *name, guint threads, char **note, GError **error);

/**
 * adit_devices_describe:
 *
 * All that can be named: "devices", the CPU first, then those of Vulkan in the loader's order, with
 * those that cannot be used ("reason") and those that another stands for ("duplicate-of");
 * "vulkan": whether there are any of Vulkan; "auto": the name of what "auto" takes, and
 * "auto-reason" why that is the CPU. Of each Vulkan device that can be used "selftest" is
 * "passed", "failed" (with "wrong-kernels") or, for this driver and build, "not run", and
 * "selftest-full" whether all shapes were tried. Sizes are in bytes; what is not known is not
 * there.
 */
JsonObject *adit_devices_describe(void);

G_END_DECLS
