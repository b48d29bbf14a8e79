/* core/data/adit-image.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-error.h>
#include <adit/adit-shape.h>

G_BEGIN_DECLS

/**
 * AditImageForm: what an image is to become.
 * @shape: channels (3: red, green, blue; 1: grey) x height x width; sizes of 0: as the image has
 * @scales: an image of another size is scaled and cut instead of refused
 * @like: (nullable): the image that the sizes were taken from, for messages
 */
typedef struct {
    AditShape shape;
    gboolean scales;
    const char *like;
} AditImageForm;

/**
 * adit_image_decode:
 * @bytes: a JPEG or PNG file, told by its first bytes
 * @name: of the file, in messages
 * @form: sizes of 0 are set to those of the image
 *
 * Decodes a file. What is refused, damaged or truncated is ADIT_ERROR_DAMAGED, what does not fit
 * into memory ADIT_ERROR_MEMORY, and ADIT_ERROR_FAILED means that this build decodes no images. May
 * be called from several threads.
 *
 * Returns: (nullable): bytes of form->shape
 */
guint8 *adit_image_decode(GBytes *bytes, const char *name, AditImageForm *form, GError **error);

G_END_DECLS
