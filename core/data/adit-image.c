/* core/data/adit-image.c - SPDX-License-Identifier: MIT */
#include "adit-image.h"

#ifdef ADIT_HAVE_GDK_PIXBUF

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <string.h>

#define SIDE_MAX   65536
#define PIXELS_MAX (256 * 1024 * 1024)

/* What the header of a file said, and why it is not decoded. */
typedef struct {
    const AditImageForm *form;
    int height;
    int width;
    gboolean is_too_large;
    gboolean has_other_size;
} Header;

/* Whether chunk follows upon chunk (length, type, contents, sum) to the last. */
static gboolean
is_whole_png(const guint8 *data, gsize size)
{
    gsize at = 8;

    while (size - at >= 12) {
        gsize length =
            (gsize) data[at] << 24 | data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3];

        if (memcmp(data + at + 4, "IEND", 4) == 0)
            return TRUE;
        if (length > size - at - 12)
            return FALSE;
        at += length + 12;
    }
    return FALSE;
}

/* Whether marker follows upon marker (ff, which, most with length and contents) to the last. Behind
 * that of a scan stand its bits, in which 00 or the number of a restart follows upon ff. */
static gboolean
is_whole_jpeg(const guint8 *data, gsize size)
{
    gsize at = 2;

    while (size - at >= 2) {
        guint8 marker = data[at + 1];

        if (data[at] != 0xff || marker == 0xff)
            at += 1;
        else if (marker == 0x00 || (marker >= 0xd0 && marker <= 0xd7))
            at += 2;
        else if (marker == 0xd9 || size - at < 4)
            return marker == 0xd9;
        else
            at += MIN(2 + (gsize) (data[at + 2] << 8 | data[at + 3]), size - at);
    }
    return FALSE;
}

/**
 * Format: a kind of file, by its first bytes.
 * @is_whole: whether the file goes on to its end. The decoders make something up for what is
 * missing
 */
typedef struct {
    const char *type; /* to gdk-pixbuf */
    guint8 magic[8];
    gsize size;
    gboolean (*is_whole)(const guint8 *data, gsize size);
} Format;

static const Format *
guess_format(GBytes *bytes)
{
    static const Format formats[] = {
        {"jpeg", {0xff, 0xd8, 0xff}, 3, is_whole_jpeg},
        {"png", {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'}, 8, is_whole_png},
    };
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(bytes, &size);

    for (guint i = 0; i < G_N_ELEMENTS(formats); i++)
        if (size >= formats[i].size && memcmp(data, formats[i].magic, formats[i].size) == 0)
            return &formats[i];
    return NULL;
}

/* Called before memory is taken for pixels; an image of no size is not decoded further. */
static void
check_header(GdkPixbufLoader *loader, int width, int height, gpointer user_data)
{
    Header *self = user_data;
    const AditShape *shape = &self->form->shape;

    self->height = height;
    self->width = width;
    self->is_too_large =
        height > SIDE_MAX || width > SIDE_MAX || (gint64) height * width > PIXELS_MAX;
    self->has_other_size = shape->size[1] > 0 && !self->form->scales &&
                           ((gsize) height != shape->size[1] || (gsize) width != shape->size[2]);
    if (self->is_too_large || self->has_other_size)
        gdk_pixbuf_loader_set_size(loader, 0, 0);
}

/* Lines that a damaged file leaves out are black, not what was in memory. */
static void
clear_pixels(GdkPixbufLoader *loader, gpointer user_data)
{
    gdk_pixbuf_fill(gdk_pixbuf_loader_get_pixbuf(loader), 0);
}

G_GNUC_PRINTF(3, 4)
static gpointer
fail(const char *name, GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED, "%s: %s", name, text);
    return NULL;
}

static gpointer
fail_header(const Header *self, const char *name, GError **error)
{
    const AditShape *shape = &self->form->shape;
    const char *like = self->form->like;

    if (self->is_too_large)
        return fail(name, error,
                    "the image is %d wide and %d high, expected at most %d each and %d pixels",
                    self->width, self->height, SIDE_MAX, PIXELS_MAX);
    return fail(name, error,
                "the image is %d wide and %d high, expected %" G_GSIZE_FORMAT
                " and %" G_GSIZE_FORMAT "%s%s",
                self->width, self->height, shape->size[2], shape->size[1],
                like != NULL ? ", as " : "", like != NULL ? like : "");
}

static gpointer
fail_format(GBytes *bytes, const char *name, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(bytes, &size);

    if (size == 0)
        return fail(name, error, "the file is empty, expected a JPEG or PNG image");
    for (gsize i = 0; i < MIN(size, 4); i++)
        g_string_append_printf(text, " %02x", data[i]);
    return fail(name, error, "no image: it begins%s, expected ff d8 ff (JPEG) or 89 50 4e 47 (PNG)",
                text->str);
}

static GdkPixbufLoader *
make_loader(const Format *format, const char *name, Header *header, GError **error)
{
    g_autoptr(GError) failure = NULL;
    GdkPixbufLoader *loader = gdk_pixbuf_loader_new_with_type(format->type, &failure);

    if (loader == NULL) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_FAILED, "%s: gdk-pixbuf reads no %s here: %s",
                    name, format->type, failure->message);
        return NULL;
    }
    g_signal_connect(loader, "size-prepared", G_CALLBACK(check_header), header);
    g_signal_connect(loader, "area-prepared", G_CALLBACK(clear_pixels), NULL);
    return loader;
}

/* (transfer full) (nullable): the image as it is. */
static GdkPixbuf *
load(GBytes *bytes, const char *name, Header *header, GError **error)
{
    const Format *format = guess_format(bytes);
    g_autoptr(GdkPixbufLoader) loader = NULL;
    g_autoptr(GError) failure = NULL;
    GdkPixbuf *image = NULL;
    gboolean is_read = FALSE;

    if (format == NULL)
        return fail_format(bytes, name, error);
    loader = make_loader(format, name, header, error);
    if (loader == NULL)
        return NULL;
    is_read = gdk_pixbuf_loader_write_bytes(loader, bytes, &failure);
    /* closed in any case: it must not go open */
    is_read = gdk_pixbuf_loader_close(loader, is_read ? &failure : NULL) && is_read;
    if (header->is_too_large || header->has_other_size)
        return fail_header(header, name, error);
    if (!format->is_whole(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes)))
        return fail(name, error, "truncated: got %" G_GSIZE_FORMAT " bytes, and no end of the %s",
                    g_bytes_get_size(bytes), format->type);
    image = gdk_pixbuf_loader_get_pixbuf(loader);
    if (!is_read || image == NULL)
        return fail(name, error, "damaged %s: %s", format->type,
                    failure != NULL ? failure->message : "no image in it");
    return g_object_ref(image);
}

/* (transfer full) (nullable): @image scaled until it covers @shape, what stands out cut off. */
static GdkPixbuf *
scale(GdkPixbuf *image, const AditShape *shape)
{
    int height = (int) shape->size[1], width = (int) shape->size[2];
    double own_height = gdk_pixbuf_get_height(image), own_width = gdk_pixbuf_get_width(image);
    double factor = MAX(height / own_height, width / own_width);
    GdkPixbuf *result =
        gdk_pixbuf_new(GDK_COLORSPACE_RGB, gdk_pixbuf_get_has_alpha(image), 8, width, height);

    if (result != NULL)
        gdk_pixbuf_scale(image, result, 0, 0, width, height, (width - own_width * factor) / 2,
                         (height - own_height * factor) / 2, factor, factor, GDK_INTERP_BILINEAR);
    return result;
}

/* Pixels to planes. Grey is the luma of ITU-R BT.601 in 16 bits: of equal channels exactly theirs.
 */
static void
unpack(const GdkPixbuf *image, gsize channels, guint8 *out)
{
    gsize height = (gsize) gdk_pixbuf_get_height(image);
    gsize width = (gsize) gdk_pixbuf_get_width(image);
    gsize step = (gsize) gdk_pixbuf_get_n_channels(image);
    gsize line = (gsize) gdk_pixbuf_get_rowstride(image);
    const guint8 *pixels = gdk_pixbuf_read_pixels(image);

    for (gsize y = 0; y < height; y++)
        for (gsize x = 0; x < width; x++) {
            const guint8 *pixel = pixels + y * line + x * step;
            gsize at = y * width + x;

            if (channels == 1) {
                guint luma = 19595u * pixel[0] + 38470u * pixel[1] + 7471u * pixel[2];

                out[at] = (guint8) ((luma + 32768) >> 16);
                continue;
            }
            for (gsize c = 0; c < channels; c++)
                out[c * height * width + at] = pixel[c];
        }
}

guint8 *
adit_image_decode(GBytes *bytes, const char *name, AditImageForm *form, GError **error)
{
    Header header = {.form = form};
    g_autoptr(GdkPixbuf) image = load(bytes, name, &header, error);
    g_autoptr(GdkPixbuf) scaled = NULL;
    guint8 *out = NULL;

    if (image == NULL)
        return NULL;
    if (form->shape.size[1] == 0) {
        form->shape.size[1] = (gsize) header.height;
        form->shape.size[2] = (gsize) header.width;
    }
    if ((gsize) header.height != form->shape.size[1] || (gsize) header.width != form->shape.size[2])
        scaled = scale(image, &form->shape);
    else
        scaled = g_object_ref(image);
    out = scaled != NULL ? g_try_malloc(adit_shape_count(&form->shape)) : NULL;
    if (out == NULL) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_MEMORY, "%s: the image does not fit into memory",
                    name);
        return NULL;
    }
    unpack(scaled, form->shape.size[0], out);
    return out;
}

#else

guint8 *
adit_image_decode(GBytes *bytes, const char *name, AditImageForm *form, GError **error)
{
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_FAILED,
                "%s: this build reads no images: it was made without gdk-pixbuf", name);
    return NULL;
}

#endif
