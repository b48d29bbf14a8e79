/* core/data/adit-images.c - SPDX-License-Identifier: MIT */
#include <adit/adit-tree.h>

#include <string.h>

#include "adit-image.h"
#include "adit-loader.h"

/* Images a thread takes at once; below that many for each, another thread costs more than it does.
 */
#define CHUNK 64

/**
 * Reading: the images of a tree on their way into an array, shared by threads.
 * @next: the first image that nobody has taken
 * @failed: of the first image that failed, as its number; @error: why
 */
typedef struct {
    AditTree *tree;
    const guint *entries;
    gsize n;
    AditImageForm form;
    AditArray *images;

    GMutex lock;
    gsize next;
    gsize failed;
    GError *error;
} Reading;

static guint8 *
read_image(AditTree *tree, guint entry, AditImageForm *form, GError **error)
{
    g_autofree char *name = adit_tree_show(tree, adit_tree_get_entry(tree, entry));
    g_autoptr(GBytes) bytes = adit_tree_read(tree, entry, error);

    return bytes != NULL ? adit_image_decode(bytes, name, form, error) : NULL;
}

/* The next images to read: none behind one that failed. Those before it are read all the same, so
 * that the first to fail does not depend on the threads. */
static gboolean
take(Reading *self, gsize *begin, gsize *end)
{
    g_mutex_lock(&self->lock);
    *begin = self->next;
    *end = MIN(MIN(*begin + CHUNK, self->n), self->failed);
    self->next = MAX(*begin, *end);
    g_mutex_unlock(&self->lock);
    return *begin < *end;
}

static void
note_failure(Reading *self, gsize number, GError *error)
{
    g_autoptr(GError) dropped = error;

    g_mutex_lock(&self->lock);
    if (number < self->failed) {
        dropped = self->error;
        self->error = error;
        self->failed = number;
    }
    g_mutex_unlock(&self->lock);
}

static void
read_range(Reading *self, gsize begin, gsize end)
{
    gsize count = adit_shape_count(&self->form.shape);

    for (gsize i = begin; i < end; i++) {
        GError *error = NULL;
        AditImageForm form = self->form;
        g_autofree guint8 *image = read_image(self->tree, self->entries[i], &form, &error);

        if (image == NULL) {
            note_failure(self, i, error);
            return;
        }
        memcpy((guint8 *) self->images->data + i * count, image, count);
    }
}

static gpointer
read_images(gpointer data)
{
    gsize begin = 0, end = 0;

    while (take(data, &begin, &end))
        read_range(data, begin, end);
    return NULL;
}

static void
run(Reading *self)
{
    g_autoptr(GPtrArray) threads = g_ptr_array_new();
    guint most = adit_loader_count_threads(adit_tree_get_loader(self->tree));
    gsize wanted = MIN(most, self->n / CHUNK + 1);

    for (gsize i = 1; i < wanted; i++) {
        GThread *thread = g_thread_try_new("adit-images", read_images, self, NULL);

        if (thread != NULL)
            g_ptr_array_add(threads, thread);
    }
    read_images(self);
    for (guint i = 0; i < threads->len; i++)
        g_thread_join(threads->pdata[i]);
}

AditArray *
adit_tree_read_images(AditTree *self, const guint *entries, gsize n, AditShape *shape,
                      gboolean scales, GError **error)
{
    g_autoptr(AditArray) images = NULL;
    g_autofree guint8 *first = NULL;
    g_autofree char *like = NULL;
    Reading reading = {.tree = self, .entries = entries, .n = n, .failed = G_MAXSIZE};

    g_return_val_if_fail(n > 0 && shape->rank == 3, NULL);
    reading.form = (AditImageForm){.shape = *shape, .scales = scales};
    if (shape->size[1] == 0) {
        first = read_image(self, entries[0], &reading.form, error);
        if (first == NULL)
            return NULL;
        like = adit_tree_show(self, adit_tree_get_entry(self, entries[0]));
        reading.form.like = like;
        *shape = reading.form.shape;
    }
    images = adit_array_new(ADIT_TYPE_CODE_U8, shape, n, error);
    if (images == NULL)
        return NULL;
    images->scale = 1.0 / 255.0;
    reading.images = images;
    g_mutex_init(&reading.lock);
    run(&reading);
    g_mutex_clear(&reading.lock);
    if (reading.error != NULL) {
        g_propagate_error(error, reading.error);
        return NULL;
    }
    return g_steal_pointer(&images);
}
