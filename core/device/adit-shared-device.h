/* core/device/adit-shared-device.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-device.h"

G_BEGIN_DECLS

/* Trains by @device; @number: from 0. */
typedef void (*AditSharedFunc)(AditDevice *device, guint number, gpointer user_data);

/**
 * adit_device_share:
 *
 * Calls @func @n times, each on a thread of its own and with a device of its own that stands for
 * @device, and returns when all have returned. One of the threads goes on at a time, so they need
 * no care of each other; they take turns where they queue steps (adit_device_run_all()). The steps
 * that all of them have queued go to @device together: adit_device_run_together(). Who has returned
 * is not waited for.
 *
 * What a thread finds on its device is what it would find alone. @n 1: @func is called with @device
 * itself, here.
 */
void adit_device_share(AditDevice *device, guint n, AditSharedFunc func, gpointer user_data);

G_END_DECLS
