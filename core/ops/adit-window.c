/* core/ops/adit-window.c - SPDX-License-Identifier: MIT */
#include "adit-ops-private.h"

/* Windows that move over images: where they lie and how many there are. */

double
adit_pair_get(const GArray *pair, guint axis, double def)
{
    return pair->len == 0 ? def : g_array_index(pair, double, MIN(axis, pair->len - 1));
}

const char *const *
adit_padding_list_words(void)
{
    /* -1, -2, -3 */
    static const char *const words[] = {"same", "valid", "end", NULL};

    return words;
}

/* @padding: pixels on each side, or an AditPadding */
static void
pad(AditWindow *self, guint axis, gint64 padding)
{
    gsize all = (self->size[axis] - 1) * self->dilation[axis];
    gsize before = padding > 0 ? (gsize) padding : 0, after = before;

    if (padding == ADIT_PADDING_SAME || padding == ADIT_PADDING_END) {
        before = padding == ADIT_PADDING_SAME ? all / 2 : 0;
        after = all - before;
    }
    self->before[axis] = before;
    self->after[axis] = after;
}

void
adit_window_pad(AditWindow *self, const GArray *padding, AditPadding def)
{
    for (guint i = 0; i < 2; i++)
        pad(self, i, (gint64) adit_pair_get(padding, i, def));
}

void
adit_window_pad_same(AditWindow *self)
{
    for (guint i = 0; i < 2; i++)
        pad(self, i, ADIT_PADDING_SAME);
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
