/* core/ops/adit-image-layout.c - SPDX-License-Identifier: MIT */
#include "adit-image-layout.h"

/* The axes of an image, padded at its front if there are fewer. */
static void
get_sizes(const AditShape *shape, gsize *sizes)
{
    for (guint i = 1; i <= 3; i++)
        sizes[3 - i] = i <= shape->rank ? shape->size[shape->rank - i] : 1;
}

AditShape
adit_image_lay(const AditShape *shape)
{
    gsize sizes[3];

    get_sizes(shape, sizes);
    return ADIT_SHAPE(sizes[1], sizes[2], sizes[0]);
}

guint
adit_image_lay_axis(const AditShape *image, guint axis, gsize *inner)
{
    AditShape laid = adit_image_lay(image);
    guint to = (axis + 2) % 3;

    *inner = 1;
    for (guint i = to + 1; i < 3; i++)
        *inner *= laid.size[i];
    return to;
}

gboolean
adit_image_lay_anyhow(const AditShape *image, void *attributes)
{
    return TRUE;
}

gboolean
adit_image_is_laid(const AditShape *shape)
{
    return shape->rank == 3 && shape->size[0] > 1 && shape->size[1] * shape->size[2] > 1;
}
