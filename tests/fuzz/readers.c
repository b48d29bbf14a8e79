/* tests/fuzz/readers.c - SPDX-License-Identifier: MIT */
#include "adit-data.h"
#include "adit-experiment.h"
#include "adit-image.h"
#include "adit-loader.h"
#include "adit-registry.h"
#include "fuzz.h"
#include "tar.h"

/* What is read, in forms as small as can be. */

/* Opens a data set of @kind whose parameter @name is @path; all of it is trained on, so that no
 * share of the rows that are left is none. */
static gboolean
read_data(Scratch *scratch, const char *kind, const char *name, const char *path, GError **error)
{
    GType type = adit_registry_find(adit_registry_get(), "dataset", kind, NULL);
    g_autoptr(AditDataset) dataset = g_object_new(type, name, path, "test", &(AditAmount){0}, NULL);
    g_autoptr(AditData) data = NULL;
    AditSchema schema;

    if (!adit_data_describe(dataset, scratch->path, &schema, error))
        return FALSE;
    data = adit_data_open_as(dataset, scratch->path, 1, NULL, error);
    return data != NULL;
}

static GByteArray *
copy(const void *bytes, gsize size)
{
    return g_byte_array_append(g_byte_array_new(), bytes, (guint) size);
}

/* ---- archives ---- */

static GByteArray *
make_tar(Scratch *scratch, guint form)
{
    g_autoptr(GByteArray) tar = g_byte_array_new();
    static const char pax[] = "30 mtime=1350244992.023960108\n14 path=a/c/1\n";

    tar_append(tar, 'g', "pax_global_header", "19 comment=whatever\n", 20);
    tar_append(tar, '5', "./a/", "", 0);
    tar_append(tar, 'L', "././@LongLink", "./a-/4", 7);
    tar_add(tar, "cut off", "four", 4);
    tar_append(tar, 'x', "PaxHeaders/1", pax, 44);
    tar_add(tar, "cut off", "one", 3);
    tar_end(tar);
    if (form == 0)
        return g_steal_pointer(&tar);
    if (form == 1)
        return pack_gzip(tar->data, tar->len);
    return form == 2 ? pack_xz(tar->data, tar->len) : NULL;
}

/* Sums of headers. */
static void
mend_tar(GByteArray *bytes)
{
    for (guint at = 0; at + 512 <= bytes->len; at += 512) {
        guint8 *header = bytes->data + at;
        guint sum = 0;

        if (memcmp(header + 257, "ustar", 5) != 0)
            continue;
        memset(header + 148, ' ', 8);
        for (guint i = 0; i < 512; i++)
            sum += header[i];
        g_snprintf((char *) header + 148, 8, "%06o", sum);
    }
}

static gboolean
read_tree(Scratch *scratch, const char *path, GError **error)
{
    g_autoptr(AditLoader) loader = adit_loader_new(scratch->path, 0);
    g_autoptr(AditTree) tree = adit_loader_open_tree(loader, path, error);
    g_autoptr(AditTree) listed = NULL;

    if (tree == NULL)
        return FALSE;
    listed = adit_loader_list_tree(loader, path, error);
    g_assert_nonnull(listed);
    for (guint i = 0; i < adit_tree_count_entries(tree); i++) {
        const char *name = adit_tree_get_entry(tree, i);
        g_autoptr(GBytes) bytes = NULL;
        g_autoptr(GBytes) again = NULL;

        g_assert_cmpstr(adit_tree_get_entry(listed, i), ==, name);
        if (g_str_has_suffix(name, "/"))
            continue;
        bytes = adit_tree_read(tree, i, error);
        again = adit_tree_read(listed, i, error);
        g_assert_true(g_bytes_equal(bytes, again));
    }
    return TRUE;
}

static const char *const tar_words[] = {"/", "../", "a/b/", "ustar", "path=", "size=", NULL};
static const Reader tar_reader = {"tar", "a.tar", tar_words, make_tar, mend_tar, read_tree};

/* ---- images ---- */

static void
append_chunk(GByteArray *png, const char *type, const void *bytes, gsize size)
{
    guint32 length = GUINT32_TO_BE((guint32) size), sum = 0;
    guint at = png->len + 4;

    g_byte_array_append(png, (const guint8 *) &length, 4);
    g_byte_array_append(png, (const guint8 *) type, 4);
    g_byte_array_append(png, bytes, (guint) size);
    sum = GUINT32_TO_BE((guint32) crc32_z(crc32(0, NULL, 0), png->data + at, size + 4));
    g_byte_array_append(png, (const guint8 *) &sum, 4);
}

/* 4 wide, 3 high, red, green and blue. */
static GByteArray *
make_png(Scratch *scratch, guint form)
{
    static const guint8 header[] = {0, 0, 0, 4, 0, 0, 0, 3, 8, 2, 0, 0, 0};
    static const guint8 lines[3 * 13] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 1, 200};
    g_autoptr(GByteArray) packed = pack_zlib(lines, sizeof lines, 15);
    GByteArray *png = NULL;

    if (form > 0)
        return NULL;
    png = copy("\x89PNG\r\n\x1a\n", 8);
    append_chunk(png, "IHDR", header, sizeof header);
    append_chunk(png, "IDAT", packed->data, packed->len);
    append_chunk(png, "IEND", "", 0);
    return png;
}

/* Sums of chunks. */
static void
mend_png(GByteArray *bytes)
{
    for (guint at = 8; at + 12 <= bytes->len;) {
        const guint8 *n = bytes->data + at;
        guint64 size = (guint64) n[0] << 24 | (guint64) n[1] << 16 | (guint64) n[2] << 8 | n[3];
        guint32 sum = 0;

        if (size > bytes->len - at - 12)
            return;
        sum = GUINT32_TO_BE((guint32) crc32_z(crc32(0, NULL, 0), n + 4, size + 4));
        memcpy(bytes->data + at + 8 + size, &sum, 4);
        at += (guint) size + 12;
    }
}

/* Images are of one size, so that one that claims to be huge takes no time. */
static gboolean
read_image(Scratch *scratch, const char *path, GError **error)
{
    AditImageForm form = {.shape = ADIT_SHAPE(3, 3, 4)};
    g_autofree char *name = g_build_filename("$data", "x", NULL);
    g_autofree guint8 *pixels = NULL;
    g_autoptr(GBytes) bytes = NULL;
    char *contents = NULL;
    gsize size = 0;

    g_assert_true(g_file_get_contents(path, &contents, &size, NULL));
    bytes = g_bytes_new_take(contents, size);
    pixels = adit_image_decode(bytes, name, &form, error);
    return pixels != NULL;
}

static const char *const png_words[] = {"IHDR", "IDAT", "IEND", "PLTE", "tRNS", "gAMA", NULL};
static const Reader png_reader = {"png", "a.png", png_words, make_png, mend_png, read_image};

#ifdef ADIT_HAVE_GDK_PIXBUF
#include <gdk-pixbuf/gdk-pixbuf.h>

static GByteArray *
make_jpeg(Scratch *scratch, guint form)
{
    g_autoptr(GdkPixbuf) picture = gdk_pixbuf_new(GDK_COLORSPACE_RGB, FALSE, 8, 4, 3);
    g_autofree char *jpeg = NULL;
    gsize size = 0;

    if (form > 0)
        return NULL;
    gdk_pixbuf_fill(picture, 0xc8642800);
    g_assert_true(gdk_pixbuf_save_to_buffer(picture, &jpeg, &size, "jpeg", NULL, NULL));
    return copy(jpeg, size);
}

static const char *const jpeg_words[] = {"\xff\xc0", "\xff\xc2", "\xff\xc4", "\xff\xda",
                                         "\xff\xdd", "\xff\xd9", NULL};
static const Reader jpeg_reader = {"jpeg", "a.jpg", jpeg_words, make_jpeg, NULL, read_image};
#endif

/* ---- records ---- */

static GByteArray *
make_cifar(Scratch *scratch, guint form)
{
    static const char *const others[] = {"data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
                                         "data_batch_5.bin", "test_batch.bin"};
    static const guint8 record[3073] = {3, 1, 2, 3};

    for (guint i = 0; i < G_N_ELEMENTS(others); i++)
        g_free(scratch_write(scratch, others[i], record, sizeof record));
    return form == 0 ? copy(record, sizeof record) : NULL;
}

static gboolean
read_cifar(Scratch *scratch, const char *path, GError **error)
{
    return read_data(scratch, "cifar", "folder", scratch->path, error);
}

static const Reader cifar_reader = {"cifar", "data_batch_1.bin", NULL, make_cifar,
                                    NULL,    read_cifar};

/* 3 grey images of 2 x 2, and their labels. */
static const guint8 images[] = {0, 0, 8, 3,  0,   0,   0, 3, 0, 0, 0, 2, 0, 0,
                                0, 2, 0, 51, 102, 255, 1, 2, 3, 4, 5, 6, 7, 8};
static const guint8 labels[] = {0, 0, 8, 1, 0, 0, 0, 3, 2, 0, 1};

static GByteArray *
make_images(Scratch *scratch, guint form)
{
    g_free(scratch_write(scratch, "train-labels-idx1-ubyte", labels, sizeof labels));
    return form == 0 ? copy(images, sizeof images) : NULL;
}

static GByteArray *
make_labels(Scratch *scratch, guint form)
{
    g_free(scratch_write(scratch, "train-images-idx3-ubyte", images, sizeof images));
    return form == 0 ? copy(labels, sizeof labels) : NULL;
}

static gboolean
read_idx(Scratch *scratch, const char *path, GError **error)
{
    return read_data(scratch, "idx", "folder", scratch->path, error);
}

static const Reader idx_images = {"idx-images", "train-images-idx3-ubyte", NULL, make_images, NULL,
                                  read_idx};
static const Reader idx_labels = {"idx-labels", "train-labels-idx1-ubyte", NULL, make_labels, NULL,
                                  read_idx};

/* ---- arrays and tables ---- */

static GByteArray *
make_npy(Scratch *scratch, guint form)
{
    static const char header[] = "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }   \n";
    static const double numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    GByteArray *array = NULL;

    if (form > 0)
        return NULL;
    array = copy("\x93NUMPY\x01\x00", 8);
    append_number(array, strlen(header), 2);
    g_byte_array_append(array, (const guint8 *) header, (guint) strlen(header));
    return g_byte_array_append(array, (const guint8 *) numbers, sizeof numbers);
}

static gboolean
read_npy(Scratch *scratch, const char *path, GError **error)
{
    return read_data(scratch, "npy", "inputs", path, error);
}

static const char *const npy_words[] = {"(",     ")",    ",",    "'",       "True", "99999999999",
                                        "'<u8'", "'|O'", "'>i4", "'shape'", "[",    NULL};
static const Reader npy_reader = {"npy", "x.npy", npy_words, make_npy, NULL, read_npy};

static GByteArray *
make_npz(Scratch *scratch, guint form)
{
    g_autoptr(GByteArray) array = make_npy(scratch, form);

    if (array == NULL)
        return NULL;
    return pack_zip("y.npy", array->data, array->len, "x.npy", array->data, array->len);
}

static gboolean
read_npz(Scratch *scratch, const char *path, GError **error)
{
    return read_data(scratch, "npy", "path", path, error);
}

static const char *const zip_words[] = {"PK\1\2", "PK\3\4", "PK\5\6", "x.npy", NULL};
static const Reader npz_reader = {"npz", "x.npz", zip_words, make_npz, NULL, read_npz};

static GByteArray *
make_csv(Scratch *scratch, guint form)
{
    static const char *const texts[] = {"a,b,y\n1,2,3\n4,5,6\n7,8,9\n1e3,-.5,0\n",
                                        "\"a\",\"b \"\"c\"\"\",y\r\n1,\"2\",3\r\n\r\n4,5,6\r\n"};

    return form < G_N_ELEMENTS(texts) ? copy(texts[form], strlen(texts[form])) : NULL;
}

static gboolean
read_csv(Scratch *scratch, const char *path, GError **error)
{
    return read_data(scratch, "csv", "path", path, error);
}

static const char *const csv_words[] = {",",   "\"", "\n",  "\r\n", "nan", "1e400",
                                        "0x1", "-",  "inf", "\xff", ";",   NULL};
static const Reader csv_reader = {"csv", "t.csv", csv_words, make_csv, NULL, read_csv};

/* ---- pipelines ---- */

static const char pipeline[] =
    "adit: 1\n"
    "params: {depth: 4, width: 3, norm: &n {batch-norm: {momentum: 0.9}}}\n"
    "data: {moons: {samples: 40, noise: 0.1, test: 25%}}\n"
    "parts:\n"
    "  block: {params: {units: 3}, blocks: [{dense: {units: $units, norm: $norm}}, relu]}\n"
    "model:\n"
    "  stem: [{dense: {units: $width}}]\n"
    "  trunk:\n"
    "    aggregator: {glonet: {weights: learned}}\n"
    "    blocks:\n"
    "      - repeat: {times: $(depth / 2), index: l, blocks: [{block: {units: $width}}]}\n"
    "      - paths: {of: {a: [block], b: [{dropout: {rate: $(0.1 * 2)}}]}, join: sum}\n"
    "  head: {dense: {units: 2}}\n"
    "train:\n"
    "  - {loss: cross-entropy, optimizer: {adam: {lr: {step: {from: 0.01, factor: 0.1, every: 5}}}},\n"
    "     batch: 10, epochs: 2, regularizers: [{l2: {weight: 1e-5, at: trunk.1..3}}]}\n"
    "probes: [{block-norm: {at: trunk.*, samples: 50%}}]\n";

static GByteArray *
make_yaml(Scratch *scratch, guint form)
{
    return form == 0 ? copy(pipeline, strlen(pipeline)) : NULL;
}

/* Every error of a file has its line, but for those of the file as a whole. */
static void
assert_places(const AditDiagnostics *diagnostics, const char *path)
{
    guint n =
        adit_diagnostics_count_errors(diagnostics) + adit_diagnostics_count_warnings(diagnostics);
    g_autofree char *place = g_strconcat(path, ":", NULL);
    g_autofree char *whole = g_strdup_printf("'%s'", path);

    for (guint i = 0; i < n; i++) {
        g_autofree char *line = adit_diagnostics_get_line(diagnostics, i);

        if (strstr(line, whole) == NULL &&
            (!g_str_has_prefix(line, place) || !g_ascii_isdigit(line[strlen(place)])))
            g_error("no place: %s", line);
    }
}

static gboolean
read_yaml(Scratch *scratch, const char *path, GError **error)
{
    g_autoptr(AditDiagnostics) diagnostics = adit_diagnostics_new();
    g_autoptr(AditExperiment) experiment =
        adit_experiment_read(path, (const char *const[]){NULL}, 1, scratch->path, diagnostics);

    assert_places(diagnostics, path);
    g_assert_true((experiment == NULL) == (adit_diagnostics_count_errors(diagnostics) > 0));
    return !adit_diagnostics_fail(diagnostics, error);
}

static const char *const yaml_words[] = {"[",        "]",
                                         "{",        "}",
                                         ": ",       "- ",
                                         "&a ",      "*n",
                                         "$width",   "$(",
                                         ")",        "<<: ",
                                         "\t",       "!!int ",
                                         "~",        "1e999",
                                         "'",        "\"",
                                         "|\n",      "#",
                                         "-1",       "50%",
                                         "paths",    "..",
                                         "/",        "$$",
                                         "\xff",     "? ",
                                         "trunk",    "repeat",
                                         "block",    "block: ",
                                         "sequence", "9999999999999999999",
                                         NULL};
static const Reader yaml_reader = {"yaml", "x.yaml", yaml_words, make_yaml, NULL, read_yaml};

const Reader *const readers[] = {
    &tar_reader, &cifar_reader, &idx_images, &idx_labels,
    &npy_reader, &npz_reader,   &csv_reader, &yaml_reader,
#ifdef ADIT_HAVE_GDK_PIXBUF
    &png_reader, &jpeg_reader,
#endif
    NULL,
};
