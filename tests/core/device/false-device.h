/* tests/core/device/false-device.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-device.h"

G_BEGIN_DECLS

/**
 * FalseDevice: the CPU in float32, behind a device whose kernels have forms and may be wrong.
 * Kernels that sum have all three forms, others have no subgroup form.
 */
#define FALSE_TYPE_DEVICE (false_device_get_type())
G_DECLARE_FINAL_TYPE(FalseDevice, false_device, FALSE, DEVICE, AditDevice)

/**
 * FalseHow: what a wrong kernel does.
 * @FALSE_ADDS: 1/64 to the first number
 * @FALSE_NANS: the first number is NaN
 * @FALSE_INFINITE: the first number, if NaN, is infinite
 * @FALSE_REFUSES: it cannot be prepared
 * @FALSE_LOSES: the device is lost
 */
typedef enum {
    FALSE_ADDS,
    FALSE_NANS,
    FALSE_INFINITE,
    FALSE_REFUSES,
    FALSE_LOSES,
} FalseHow;

FalseDevice *false_device_new(void);
/* From here on the kernel is wrong in these forms, a bit for each AditKernelForm. */
void false_device_spoil(FalseDevice *self, const char *kernel, guint forms, FalseHow how);
/* The form it was set to last. */
AditKernelForm false_device_get_form(FalseDevice *self, const char *kernel);
/* How often steps of @n memories came at once; 1: how many came alone. */
guint false_device_count_together(const FalseDevice *self, guint n);

G_END_DECLS
