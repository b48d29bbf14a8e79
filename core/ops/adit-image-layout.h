/* core/ops/adit-image-layout.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-op.h>

G_BEGIN_DECLS

/* Images are [channels, height, width] for whoever builds a graph; a device may have them laid out
 * [height, width, channels]. */

/* The shape of an image, or of what broadcasts to one, when it is laid out so: of rank 3. */
AditShape adit_image_lay(const AditShape *shape);
/* What axis @axis of an image [channels, height, width] is called then. @inner: (out): elements
 * from one to the next along it. */
guint adit_image_lay_axis(const AditShape *image, guint axis, gsize *inner);
/* For AditOp.lay_channels_last of operations that do not ask where a number lies. */
gboolean adit_image_lay_anyhow(const AditShape *image, void *attributes);
/* Whether there is a difference: [channels, height, width] of several channels and pixels. */
gboolean adit_image_is_laid(const AditShape *shape);

/* Attributes: AditTransposeAttributes. */
extern const AditOp adit_op_transpose;

G_END_DECLS
