/* core/ops/adit-window.c - SPDX-License-Identifier: MIT */
#include "adit-ops-private.h"

/* Windows that move over images: where they lie and how many there are. */

void
adit_window_pad_same(AditWindow *self)
{
    for (guint i = 0; i < 2; i++) {
        gsize padding = (self->size[i] - 1) * self->dilation[i];

        self->before[i] = padding / 2;
        self->after[i] = padding - self->before[i];
    }
}

/* Pixels from the first one of a window to its last. */
static gsize
count_extent(const AditWindow *window, guint axis)
{
    return (window->size[axis] - 1) * window->dilation[axis] + 1;
}

gboolean
adit_window_infer(const char *name, const AditWindow *window, const gsize *image, gsize *out,
                  GError **error)
{
    for (guint i = 0; i < 2; i++) {
        if (window->size[i] == 0 || window->stride[i] == 0 || window->dilation[i] == 0) {
            g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                        "%s: expected a window whose size, stride and dilation are at least 1, got "
                        "size %zux%zu, stride %zux%zu, dilation %zux%zu",
                        name, window->size[0], window->size[1], window->stride[0],
                        window->stride[1], window->dilation[0], window->dilation[1]);
            return FALSE;
        }
    }
    for (guint i = 0; i < 2; i++) {
        gsize extent = count_extent(window, i);
        gsize padded = image[i] + window->before[i] + window->after[i];

        if (extent > padded) {
            g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                        "%s: a window of %zux%zu pixels does not fit on an image of %zux%zu with "
                        "its padding",
                        name, count_extent(window, 0), count_extent(window, 1),
                        image[0] + window->before[0] + window->after[0],
                        image[1] + window->before[1] + window->after[1]);
            return FALSE;
        }
        out[i] = (padded - extent) / window->stride[i] + 1;
    }
    return TRUE;
}
