/* tests/core/data/test-images.c - SPDX-License-Identifier: MIT */
#include "adit-data.h"
#include "adit-image.h"
#include "adit-registry.h"
#include "scratch.h"
#include "tar.h"

#include <gdk-pixbuf/gdk-pixbuf.h>

/* Pictures are made here: what is read back is known pixel by pixel. */

/* Channel @c of the pixel at (@x, @y) of picture @number. */
static guint8
colour(guint number, guint x, guint y, guint c)
{
    return (guint8) (number * 7 + x * 40 + y * 3 + c * 85);
}

/* (transfer full): picture @number as a file of @type. */
static GByteArray *
make_picture(const char *type, guint number, guint width, guint height, gboolean alpha)
{
    g_autoptr(GdkPixbuf) picture =
        gdk_pixbuf_new(GDK_COLORSPACE_RGB, alpha, 8, (int) width, (int) height);
    g_autoptr(GError) error = NULL;
    g_autofree char *bytes = NULL;
    gsize size = 0;
    guint8 *pixels = gdk_pixbuf_get_pixels(picture);
    guint step = alpha ? 4 : 3, line = (guint) gdk_pixbuf_get_rowstride(picture);

    for (guint y = 0; y < height; y++)
        for (guint x = 0; x < width; x++)
            for (guint c = 0; c < step; c++)
                pixels[y * line + x * step + c] = colour(number, x, y, c);
    gdk_pixbuf_save_to_buffer(picture, &bytes, &size, type, &error, NULL);
    g_assert_no_error(error);
    return g_byte_array_append(g_byte_array_new(), (guint8 *) bytes, (guint) size);
}

static void
write_bytes(Scratch *scratch, const char *name, const GByteArray *bytes, gsize size)
{
    g_autofree char *full = g_build_filename(scratch->path, name, NULL);
    g_autofree char *folder = g_path_get_dirname(full);
    g_autofree char *path = NULL;

    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    g_unlink(full); /* else GLib waits for the disk */
    path = scratch_write(scratch, name, bytes->data, size);
}

static void
write_picture(Scratch *scratch, const char *name, guint number)
{
    g_autoptr(GByteArray) png = make_picture("png", number, 4, 3, FALSE);

    write_bytes(scratch, name, png, png->len);
}

/* Five pictures, 4 wide and 3 high, of two classes. "a" comes before "a-b", "a/" behind "a-b/". */
static void
write_pictures(Scratch *scratch, const char *folder)
{
    static const char *const names[] = {"a/0.png", "a/1.png", "a-b/0.png", "a-b/1.png",
                                        "a-b/2.png"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *name = g_build_filename(folder, names[i], NULL);

        write_picture(scratch, name, i);
    }
}

static const AditAmount *const one = &(AditAmount){.value = 1};

static AditDataset *
make(const char *path, const char *first, ...)
{
    g_autoptr(GError) error = NULL;
    GType type = adit_registry_find(adit_registry_get(), "dataset", "image-folder", &error);
    AditDataset *dataset = NULL;
    va_list arguments;

    g_assert_no_error(error);
    va_start(arguments, first);
    dataset = ADIT_DATASET(g_object_new_valist(type, first, arguments));
    va_end(arguments);
    g_object_set(dataset, "folder", path, NULL);
    adit_component_check(ADIT_COMPONENT(dataset), &error);
    g_assert_no_error(error);
    return dataset;
}

static AditData *
open_data(AditDataset *dataset, const char *folder)
{
    g_autoptr(GError) error = NULL;
    AditData *data = adit_data_open(dataset, folder, &error);
    AditSchema schema;

    g_assert_no_error(error);
    adit_data_describe(dataset, folder, &schema, &error);
    g_assert_no_error(error);
    g_assert_true(adit_shape_equal(&schema.inputs, &data->input_shape));
    g_assert_cmpuint(schema.classes, ==, data->classes);
    g_assert_cmpuint(schema.rows, ==, data->train.inputs->rows);
    return data;
}

static void
assert_fails(AditDataset *dataset, const char *folder, AditError code, const char *message)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AditData) data = adit_data_open(dataset, folder, &error);

    g_assert_null(data);
    g_assert_error(error, ADIT_ERROR, (gint) code);
    if (message != NULL)
        g_assert_cmpstr(error->message, ==, message);
}

/* Row @row is picture @number, by channels, then lines. */
static void
assert_picture(const AditArray *inputs, gsize row, guint number)
{
    const guint8 *bytes = (const guint8 *) inputs->data + row * 36;

    for (guint c = 0; c < 3; c++)
        for (guint y = 0; y < 3; y++)
            for (guint x = 0; x < 4; x++)
                g_assert_cmpuint(*bytes++, ==, colour(number, x, y, c));
}

static void
assert_pictures(const AditData *data)
{
    g_assert_true(adit_shape_equal(&data->input_shape, &ADIT_SHAPE(3, 3, 4)));
    g_assert_cmpint((int) data->train.inputs->type, ==, (int) ADIT_TYPE_CODE_U8);
    g_assert_cmpfloat_with_epsilon(data->train.inputs->scale, 1 / 255.0, 1e-15);
    g_assert_cmpuint(data->classes, ==, 2);
    g_assert_cmpuint(data->train.inputs->rows, ==, 5);
    for (guint i = 0; i < 5; i++)
        assert_picture(data->train.inputs, i, i);
    g_assert_cmpmem(data->train.targets->data, 20, ((gint32[]){0, 0, 1, 1, 1}), 20);
}

static void
test_classes(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(AditDataset) dataset = NULL;
    g_autoptr(AditData) data = NULL;

    scratch_init(&scratch);
    write_pictures(&scratch, "");
    dataset = make(scratch.path, NULL, NULL);
    data = open_data(dataset, scratch.path);
    assert_pictures(data);
    g_assert_cmpuint(data->train.rows, ==, 4);
    g_assert_cmpuint(data->test.rows, ==, 1);
    g_assert_cmpuint(g_strv_length(data->files), ==, 1);
}

static void
test_own_test_set(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(AditDataset) dataset = NULL;
    g_autoptr(AditDataset) named = NULL;
    g_autoptr(AditDataset) other = NULL;
    g_autoptr(AditData) data = NULL;
    g_autoptr(AditData) again = NULL;

    scratch_init(&scratch);
    write_pictures(&scratch, "train");
    write_picture(&scratch, "test/a-b/0.png", 9);
    write_picture(&scratch, "val/a/x.png", 8);
    dataset = make(scratch.path, NULL, NULL);
    data = open_data(dataset, scratch.path);
    assert_pictures(data);
    g_assert_cmpuint(data->train.rows, ==, 5);
    g_assert_cmpuint(data->test.rows, ==, 1);
    assert_picture(data->test.inputs, 0, 9);
    g_assert_cmpint(((gint32 *) data->test.targets->data)[0], ==, 1);

    named = make(scratch.path, "test-folder", "val", NULL);
    again = open_data(named, scratch.path);
    assert_picture(again->test.inputs, 0, 8);
    g_assert_cmpint(((gint32 *) again->test.targets->data)[0], ==, 0);
    other = make(scratch.path, "test-folder", "none", NULL);
    assert_fails(other, scratch.path, ADIT_ERROR_NOT_FOUND, NULL);

    write_picture(&scratch, "test/c/0.png", 9);
    g_autofree char *message =
        g_strdup_printf("%s: test images of class 'c', which has no training images", scratch.path);
    assert_fails(dataset, scratch.path, ADIT_ERROR_DAMAGED, message);
    /* before anything is read */
    g_autoptr(GError) error = NULL;
    AditSchema schema;

    g_assert_false(adit_data_describe(dataset, scratch.path, &schema, &error));
    g_assert_cmpstr(error->message, ==, message);
}

/* The folder that is said may be the only one there is; what is not there is told where it was
 * looked for. */
static void
test_named_folder(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(AditDataset) dataset = NULL;
    g_autoptr(AditDataset) other = NULL;
    g_autoptr(AditDataset) outer = NULL;
    g_autoptr(AditData) data = NULL;
    g_autoptr(AditData) all = NULL;
    g_autofree char *path = NULL;

    scratch_init(&scratch);
    path = g_build_filename(scratch.path, "d", NULL);
    write_pictures(&scratch, "d/train");
    dataset = make(path, "train-folder", "train", NULL);
    data = open_data(dataset, scratch.path);
    assert_pictures(data);
    other = make(path, "train-folder", "training", NULL);
    assert_fails(other, scratch.path, ADIT_ERROR_NOT_FOUND, "no folder '$data/d/training'");
    outer = make(scratch.path, "train-folder", "train", NULL);
    all = open_data(outer, scratch.path);
    assert_pictures(all);
}

/* Where there is no "test", "val" holds the test set. */
static void
test_val(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(AditDataset) dataset = NULL;
    g_autoptr(AditData) data = NULL;

    scratch_init(&scratch);
    write_pictures(&scratch, "train");
    write_picture(&scratch, "val/a-b/x.png", 8);
    dataset = make(scratch.path, NULL, NULL);
    data = open_data(dataset, scratch.path);
    assert_pictures(data);
    g_assert_cmpuint(data->train.rows, ==, 5);
    g_assert_cmpuint(data->test.rows, ==, 1);
    assert_picture(data->test.inputs, 0, 8);
}

/* An archive gives what its folder gives, though all of it lies in one more folder. */
static void
test_archive(void)
{
    static const char *const names[] = {"set/train/a/0.png",   "set/train/a/1.png",
                                        "set/train/a-b/0.png", "set/train/a-b/1.png",
                                        "set/train/a-b/2.png", "set/test/a/0.png"};
    g_auto(Scratch) scratch = {0};
    g_autoptr(GByteArray) tar = g_byte_array_new();
    g_autoptr(GByteArray) packed = NULL;
    g_autoptr(AditDataset) dataset = NULL;
    g_autoptr(AditData) data = NULL;
    g_autofree char *path = NULL;

    scratch_init(&scratch);
    for (guint i = G_N_ELEMENTS(names); i-- > 0;) {
        g_autoptr(GByteArray) png = make_picture("png", i, 4, 3, FALSE);

        tar_add(tar, names[i], png->data, png->len);
    }
    tar_add(tar, "set/README", "where it is from", 16);
    tar_end(tar);
    packed = pack_xz(tar->data, tar->len);
    path = scratch_write(&scratch, "set.tar.xz", packed->data, packed->len);
    dataset = make(path, NULL, NULL);
    data = open_data(dataset, scratch.path);
    assert_pictures(data);
    g_assert_cmpuint(data->test.rows, ==, 1);
    assert_picture(data->test.inputs, 0, 5);
    g_assert_true(g_str_has_suffix(data->files[0], "  $data/set.tar.xz"));
}

/* Transparency is left away; brightness is what the eye sees of the colours. */
static void
test_channels(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(GByteArray) png = make_picture("png", 0, 4, 3, TRUE);
    g_autoptr(AditDataset) dataset = NULL;
    g_autoptr(AditDataset) grey = NULL;
    g_autoptr(AditData) data = NULL;
    g_autoptr(AditData) brightness = NULL;

    scratch_init(&scratch);
    write_bytes(&scratch, "a/0.png", png, png->len);
    write_bytes(&scratch, "a/1.png", png, png->len);
    dataset = make(scratch.path, "test", one, NULL);
    data = open_data(dataset, scratch.path);
    assert_picture(data->train.inputs, 0, 0);
    grey = make(scratch.path, "channels", 1, "test", one, NULL);
    brightness = open_data(grey, scratch.path);
    g_assert_true(adit_shape_equal(&brightness->input_shape, &ADIT_SHAPE(1, 3, 4)));
    for (guint i = 0; i < 12; i++) {
        guint x = i % 4, y = i / 4;
        double luma =
            0.299 * colour(0, x, y, 0) + 0.587 * colour(0, x, y, 1) + 0.114 * colour(0, x, y, 2);

        g_assert_cmpfloat_with_epsilon(((guint8 *) brightness->train.inputs->data)[i], luma, 0.51);
    }
}

static void
append_chunk(GByteArray *png, const char *type, const guint8 *bytes, guint32 size)
{
    guint32 length = GUINT32_TO_BE(size);
    uLong sum = crc32_z(crc32_z(crc32(0, NULL, 0), (const guint8 *) type, 4), bytes, size);
    guint32 check = GUINT32_TO_BE((guint32) sum);

    g_byte_array_append(png, (const guint8 *) &length, 4);
    g_byte_array_append(png, (const guint8 *) type, 4);
    g_byte_array_append(png, bytes, size);
    g_byte_array_append(png, (const guint8 *) &check, 4);
}

/* (transfer full): a PNG file of a grey picture 4 wide and 3 high: pixel i is 20 i. */
static GByteArray *
make_grey(void)
{
    static const guint8 header[13] = {0, 0, 0, 4, 0, 0, 0, 3, 8, 0, 0, 0, 0};
    GByteArray *png = g_byte_array_new();
    guint8 lines[15] = {0}, packed[64];
    uLongf size = sizeof packed;

    for (guint i = 0; i < 12; i++)
        lines[i / 4 * 5 + 1 + i % 4] = (guint8) (20 * i); /* behind each line's filter */
    g_assert_cmpint(compress(packed, &size, lines, sizeof lines), ==, Z_OK);
    g_byte_array_append(png, (const guint8 *) "\x89PNG\r\n\x1a\n", 8);
    append_chunk(png, "IHDR", header, sizeof header);
    append_chunk(png, "IDAT", packed, (guint32) size);
    append_chunk(png, "IEND", header, 0);
    return png;
}

/* Grey among colours is three times the same; among the brightnesses it is what it is. */
static void
test_grey_among_colours(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(GByteArray) png = make_grey();
    g_autoptr(AditDataset) dataset = NULL;
    g_autoptr(AditDataset) grey = NULL;
    g_autoptr(AditData) data = NULL;
    g_autoptr(AditData) brightness = NULL;

    scratch_init(&scratch);
    write_picture(&scratch, "a/0.png", 0);
    write_bytes(&scratch, "a/1.png", png, png->len);
    write_picture(&scratch, "a/2.png", 2);
    dataset = make(scratch.path, "test", one, NULL);
    data = open_data(dataset, scratch.path);
    assert_picture(data->train.inputs, 0, 0);
    assert_picture(data->train.inputs, 2, 2);
    for (guint i = 0; i < 36; i++)
        g_assert_cmpuint(((guint8 *) data->train.inputs->data)[36 + i], ==, i % 12 * 20);
    grey = make(scratch.path, "channels", 1, "test", one, NULL);
    brightness = open_data(grey, scratch.path);
    for (guint i = 0; i < 12; i++)
        g_assert_cmpuint(((guint8 *) brightness->train.inputs->data)[12 + i], ==, i * 20);
}

/* JPEG loses something, here little. */
static void
test_jpeg(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(GdkPixbuf) picture = gdk_pixbuf_new(GDK_COLORSPACE_RGB, FALSE, 8, 16, 16);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_autoptr(AditDataset) dataset = NULL;
    g_autoptr(AditData) data = NULL;
    g_autofree char *jpeg = NULL;
    gsize size = 0;

    scratch_init(&scratch);
    gdk_pixbuf_fill(picture, 0xc8642800); /* 200, 100, 40 */
    g_assert_true(
        gdk_pixbuf_save_to_buffer(picture, &jpeg, &size, "jpeg", NULL, "quality", "100", NULL));
    g_byte_array_append(bytes, (guint8 *) jpeg, (guint) size);
    write_bytes(&scratch, "a/0.jpg", bytes, size);
    write_bytes(&scratch, "a/1.jpg", bytes, size);
    dataset = make(scratch.path, "test", one, NULL);
    data = open_data(dataset, scratch.path);
    g_assert_true(adit_shape_equal(&data->input_shape, &ADIT_SHAPE(3, 16, 16)));
    for (guint i = 0; i < 768; i++) {
        static const double expected[] = {200, 100, 40};

        g_assert_cmpfloat_with_epsilon(((guint8 *) data->train.inputs->data)[i], expected[i / 256],
                                       2);
    }
}

/* Twice as wide as wanted: what stands out at the sides is cut off, the rest made smaller. */
static void
test_size(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(GdkPixbuf) picture = gdk_pixbuf_new(GDK_COLORSPACE_RGB, FALSE, 8, 24, 12);
    g_autoptr(GdkPixbuf) middle = gdk_pixbuf_new_subpixbuf(picture, 6, 0, 12, 12);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_autoptr(GArray) sizes = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(AditDataset) dataset = NULL;
    g_autoptr(AditData) data = NULL;
    g_autofree char *png = NULL;
    gsize size = 0;

    scratch_init(&scratch);
    gdk_pixbuf_fill(picture, 0xff000000);
    gdk_pixbuf_fill(middle, 0x00c80a00);
    g_assert_true(gdk_pixbuf_save_to_buffer(picture, &png, &size, "png", NULL, NULL));
    g_byte_array_append(bytes, (guint8 *) png, (guint) size);
    write_bytes(&scratch, "a/wide.png", bytes, size);
    write_picture(&scratch, "a/small.png", 0);
    g_array_append_vals(sizes, (double[]){6}, 1);
    dataset = make(scratch.path, "size", sizes, "test", one, NULL);
    data = open_data(dataset, scratch.path);
    g_assert_true(adit_shape_equal(&data->input_shape, &ADIT_SHAPE(3, 6, 6)));
    for (guint i = 0; i < 108; i++) {
        static const guint expected[] = {0, 200, 10};
        guint column = i % 6;

        /* at the cut the other colour may shine through */
        if (column > 0 && column < 5)
            g_assert_cmpuint(((guint8 *) data->train.inputs->data)[108 + i], ==, expected[i / 36]);
    }
}

static void
test_folder_errors(void)
{
    static const struct {
        const char *file;   /* (nullable): a picture more */
        const char *folder; /* (nullable): a folder more */
        const char *message;
    } cases[] = {
        {NULL, "c", "$data/p/c: the folder of a class is empty, expected images"},
        {"a/more/2.png", NULL,
         "$data/p/a/more: a folder in the folder of a class, expected images"},
        {"train/x.png", NULL, "$data/p/train: no folders, expected one with images for each class"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) scratch = {0};
        g_autoptr(AditDataset) dataset = NULL;
        g_autofree char *path = NULL;

        scratch_init(&scratch);
        path = g_build_filename(scratch.path, "p", NULL);
        write_pictures(&scratch, "p");
        if (cases[i].file != NULL) {
            g_autofree char *name = g_build_filename("p", cases[i].file, NULL);

            write_picture(&scratch, name, 0);
        }
        if (cases[i].folder != NULL) {
            g_autofree char *name = g_build_filename(path, cases[i].folder, NULL);

            g_assert_cmpint(g_mkdir(name, 0700), ==, 0);
        }
        dataset = make(path, NULL, NULL);
        assert_fails(dataset, scratch.path, ADIT_ERROR_DAMAGED, cases[i].message);
    }
}

static void
assert_nothing(const char *path, const char *folder, const char *message)
{
    g_autoptr(AditDataset) dataset = make(path, NULL, NULL);

    assert_fails(dataset, folder, ADIT_ERROR_DAMAGED, message);
}

/* A folder, or an archive, that is there and has nothing in it. */
static void
test_nothing(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(GByteArray) tar = g_byte_array_new();
    g_autofree char *folder = NULL;
    g_autofree char *archive = NULL;
    g_autofree char *file = NULL;

    scratch_init(&scratch);
    folder = g_build_filename(scratch.path, "p", NULL);
    g_assert_cmpint(g_mkdir(folder, 0700), ==, 0);
    assert_nothing(folder, scratch.path,
                   "$data/p: nothing is in it, expected a folder with images for each class");
    tar_end(tar);
    archive = scratch_write(&scratch, "p.tar", tar->data, tar->len);
    assert_nothing(archive, scratch.path,
                   "$data/p.tar: nothing is in it, expected a folder with images for each class");
    file = scratch_write(&scratch, "q.tar", "", 0);
    assert_nothing(file, scratch.path, "$data/q.tar: the file is empty, expected a tar archive");
}

/* The third picture is put in place of "a-b/0.png" of @scratch: the message says why not. */
static void
assert_refused(Scratch *scratch, const GByteArray *bytes, gsize size, const char *message)
{
    g_autoptr(AditDataset) dataset = make(scratch->path, NULL, NULL);

    write_bytes(scratch, "a-b/0.png", bytes, size);
    assert_fails(dataset, scratch->path, ADIT_ERROR_DAMAGED, message);
}

static void
test_image_errors(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(GByteArray) wider = make_picture("png", 0, 5, 3, FALSE);
    g_autoptr(GByteArray) text = g_byte_array_new();
    g_autofree char *name = NULL;
    g_autofree char *other_size = NULL;
    g_autofree char *no_image = NULL;
    g_autofree char *empty = NULL;

    scratch_init(&scratch);
    write_pictures(&scratch, "");
    name = g_build_filename(scratch.path, "a-b/0.png", NULL);
    other_size = g_strdup_printf("%s: the image is 5 wide and 3 high, expected 4 and 3, as "
                                 "%s/a/0.png",
                                 name, scratch.path);
    no_image = g_strdup_printf("%s: no image: it begins 74 65 78 74, expected ff d8 ff (JPEG) or "
                               "89 50 4e 47 (PNG)",
                               name);
    empty = g_strdup_printf("%s: the file is empty, expected a JPEG or PNG image", name);
    g_byte_array_append(text, (const guint8 *) "text", 4);
    assert_refused(&scratch, wider, wider->len, other_size);
    assert_refused(&scratch, text, text->len, no_image);
    assert_refused(&scratch, text, 0, empty);
}

/* Cut anywhere but within what stands behind the picture: nobody misses that. */
static void
test_truncated_anywhere(void)
{
    static const struct {
        const char *type;
        gsize behind;
    } cases[] = {{"png", 12}, {"jpeg", 2}};

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) scratch = {0};
        g_autoptr(GByteArray) bytes = make_picture(cases[i].type, 0, 4, 3, FALSE);

        scratch_init(&scratch);
        write_pictures(&scratch, "");
        for (gsize size = 0; size < bytes->len - cases[i].behind; size++)
            assert_refused(&scratch, bytes, size, NULL);
    }
}

/* No byte that is changed does worse than another picture or an error. */
static void
test_changed_anywhere(void)
{
    static const char *const types[] = {"png", "jpeg"};

    for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
        g_auto(Scratch) scratch = {0};
        g_autoptr(GByteArray) bytes = make_picture(types[i], 0, 4, 3, FALSE);
        g_autoptr(AditDataset) dataset = NULL;
        guint failures = 0;

        scratch_init(&scratch);
        write_pictures(&scratch, "");
        dataset = make(scratch.path, NULL, NULL);
        for (guint at = 0; at < bytes->len; at++) {
            g_autoptr(AditData) data = NULL;
            g_autoptr(GError) error = NULL;

            bytes->data[at] ^= 0x55;
            write_bytes(&scratch, "a-b/0.png", bytes, bytes->len);
            bytes->data[at] ^= 0x55;
            data = adit_data_open(dataset, scratch.path, &error);
            g_assert_true((data != NULL) != (error != NULL));
            failures += error != NULL;
            if (error != NULL)
                g_assert_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED);
        }
        g_assert_cmpuint(failures, >, 10);
    }
}

/* CRC-32 of a PNG's first chunk, which says the sizes. */
static void
set_png_size(GByteArray *png, guint32 width, guint32 height)
{
    guint32 numbers[] = {GUINT32_TO_BE(width), GUINT32_TO_BE(height)}, sum = 0;

    memcpy(png->data + 16, numbers, sizeof numbers);
    sum = GUINT32_TO_BE((guint32) crc32_z(crc32(0, NULL, 0), png->data + 12, 17));
    memcpy(png->data + 29, &sum, 4);
}

/* A header may claim what it likes: no memory is taken for it. */
static void
test_huge(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(GByteArray) png = make_picture("png", 0, 4, 3, FALSE);
    g_autoptr(GByteArray) jpeg = make_picture("jpeg", 0, 4, 3, FALSE);
    g_autoptr(AditDataset) dataset = NULL;
    g_autofree char *high = NULL;
    g_autofree char *wide = NULL;
    guint at = 2;

    scratch_init(&scratch);
    dataset = make(scratch.path, NULL, NULL);
    set_png_size(png, 20000, 20000);
    write_bytes(&scratch, "a/0.png", png, png->len);
    high = g_strdup_printf("%s/a/0.png: the image is 20000 wide and 20000 high, expected at most "
                           "65536 each and 268435456 pixels",
                           scratch.path);
    assert_fails(dataset, scratch.path, ADIT_ERROR_DAMAGED, high);

    /* the frame's header: marker, length, precision, height, width */
    while (jpeg->data[at + 1] != 0xc0)
        at += 2 + (guint) (jpeg->data[at + 2] << 8 | jpeg->data[at + 3]);
    memset(jpeg->data + at + 5, 0xff, 4);
    jpeg->data[at + 8] = 0x00; /* 65280 wide: libjpeg itself takes no 65535 */
    jpeg->data[at + 6] = 0x00;
    write_bytes(&scratch, "a/0.png", jpeg, jpeg->len);
    wide = g_strdup_printf("%s/a/0.png: the image is 65280 wide and 65280 high, expected at most "
                           "65536 each and 268435456 pixels",
                           scratch.path);
    assert_fails(dataset, scratch.path, ADIT_ERROR_DAMAGED, wide);
}

/* Of several that fail it is the first that is named, whichever thread meets one first. */
static void
test_first_failure(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(GByteArray) png = make_picture("png", 0, 4, 3, FALSE);
    g_autoptr(AditDataset) dataset = NULL;
    g_autofree char *message = NULL;

    scratch_init(&scratch);
    for (guint i = 0; i < 1000; i++) {
        g_autofree char *name = g_strdup_printf("a/%03u.png", i);

        write_bytes(&scratch, name, png, i == 300 || i == 301 || i >= 700 ? 0 : png->len);
    }
    dataset = make(scratch.path, NULL, NULL);
    message = g_strdup_printf("%s/a/300.png: the file is empty, expected a JPEG or PNG image",
                              scratch.path);
    for (guint i = 0; i < 5; i++)
        assert_fails(dataset, scratch.path, ADIT_ERROR_DAMAGED, message);
}

/* Nobody's picture is damaged because the memory is full. */
static void
test_memory(void)
{
    g_autoptr(GByteArray) png = make_picture("png", 0, 4, 3, FALSE);
    g_autoptr(GBytes) bytes = g_bytes_new(png->data, png->len);
    AditImageForm form = {.shape = ADIT_SHAPE(3, 1 << 30, 1 << 30), .scales = TRUE};
    g_autoptr(GError) error = NULL;

    g_assert_null(adit_image_decode(bytes, "a.png", &form, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_MEMORY);
    g_assert_cmpstr(error->message, ==, "a.png: the image does not fit into memory");
}

static guint n_threads;

/* In place of GLib's. */
GThread *
g_thread_try_new(const char *name, GThreadFunc run, gpointer data, GError **error)
{
    n_threads++;
    return g_thread_new(name, run, data);
}

/* As many threads read as there are to be, the caller's among them. */
static void
test_threads(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(GByteArray) png = make_picture("png", 0, 4, 3, FALSE);
    g_autoptr(AditDataset) dataset = NULL;

    scratch_init(&scratch);
    for (guint i = 0; i < 300; i++) {
        g_autofree char *name = g_strdup_printf("a/%03u.png", i);

        write_bytes(&scratch, name, png, png->len);
    }
    dataset = make(scratch.path, NULL, NULL);
    for (guint threads = 1; threads <= 3; threads++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(AditData) data = NULL;

        n_threads = 0;
        data = adit_data_open_as(dataset, scratch.path, threads, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(n_threads, ==, threads - 1);
    }
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/image-folder/classes", test_classes);
    g_test_add_func("/image-folder/own-test-set", test_own_test_set);
    g_test_add_func("/image-folder/named-folder", test_named_folder);
    g_test_add_func("/image-folder/val", test_val);
    g_test_add_func("/image-folder/archive", test_archive);
    g_test_add_func("/image-folder/channels", test_channels);
    g_test_add_func("/image-folder/grey-among-colours", test_grey_among_colours);
    g_test_add_func("/image-folder/jpeg", test_jpeg);
    g_test_add_func("/image-folder/size", test_size);
    g_test_add_func("/image-folder/folder-errors", test_folder_errors);
    g_test_add_func("/image-folder/nothing", test_nothing);
    g_test_add_func("/image-folder/image-errors", test_image_errors);
    g_test_add_func("/image-folder/truncated-anywhere", test_truncated_anywhere);
    g_test_add_func("/image-folder/changed-anywhere", test_changed_anywhere);
    g_test_add_func("/image-folder/huge", test_huge);
    g_test_add_func("/image-folder/first-failure", test_first_failure);
    g_test_add_func("/image-folder/memory", test_memory);
    g_test_add_func("/image-folder/threads", test_threads);
    return g_test_run();
}
