/* core/device/adit-device-wish.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-error.h>

G_BEGIN_DECLS

/**
 * AditDeviceBy: what a Vulkan device is picked by.
 */
typedef enum {
    ADIT_DEVICE_BY_RANK,  /* the best one */
    ADIT_DEVICE_BY_INDEX, /* its number in the loader's order */
    ADIT_DEVICE_BY_UUID,
    ADIT_DEVICE_BY_NAME, /* a part of its name */
} AditDeviceBy;

/**
 * AditDeviceWish: which Vulkan device is wanted.
 * @text: (owned) (nullable): the UUID's 32 digits in lower case; the part of the name, case-folded
 */
typedef struct {
    AditDeviceBy by;
    guint64 index;
    char *text;
} AditDeviceWish;

/**
 * adit_device_wish_init:
 * @wanted: (nullable): what follows "vulkan:": "1", "uuid=...", "name~=radeon"; NULL: the best
 *
 * ADIT_ERROR_INVALID when @wanted is none of these.
 */
gboolean adit_device_wish_init(AditDeviceWish *self, const char *wanted, GError **error);
void adit_device_wish_clear(AditDeviceWish *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AditDeviceWish, adit_device_wish_clear)

/* Whether @uuid (nullable), written with or without dashes, or @name, is what is wanted. */
gboolean adit_device_wish_matches(const AditDeviceWish *self, guint index, const char *uuid,
                                  const char *name);

G_END_DECLS
