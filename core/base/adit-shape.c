/* core/base/adit-shape.c - SPDX-License-Identifier: MIT */
#include <adit/adit-shape.h>

gsize
adit_shape_count(const AditShape *shape)
{
    gsize count = 1;
    for (guint i = 0; i < shape->rank; i++)
        count *= shape->size[i];
    return count;
}

gboolean
adit_shape_equal(const AditShape *a, const AditShape *b)
{
    if (a->rank != b->rank)
        return FALSE;
    for (guint i = 0; i < a->rank; i++) {
        if (a->size[i] != b->size[i])
            return FALSE;
    }
    return TRUE;
}

char *
adit_shape_to_string(const AditShape *shape)
{
    if (shape->rank == 0)
        return g_strdup("1");
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < shape->rank; i++)
        g_string_append_printf(text, "%s%" G_GSIZE_FORMAT, i > 0 ? "x" : "", shape->size[i]);
    return g_string_free(text, FALSE);
}

AditShape
adit_shape_prepend(const AditShape *shape, gsize size)
{
    g_return_val_if_fail(shape->rank < ADIT_MAX_RANK, *shape);
    AditShape result = {.rank = shape->rank + 1, .size = {size}};
    for (guint i = 0; i < shape->rank; i++)
        result.size[i + 1] = shape->size[i];
    return result;
}
