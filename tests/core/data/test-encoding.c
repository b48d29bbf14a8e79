/* tests/core/data/test-encoding.c - SPDX-License-Identifier: MIT */
#include "adit-loader.h"
#include "scratch.h"

#include <math.h>

/* @bytes as a stream of file "a". */
static GInputStream *
open_bytes(AditLoader *loader, Scratch *scratch, const void *bytes, gsize size)
{
    g_autofree char *path = scratch_write(scratch, "a", bytes, size);
    g_autoptr(GError) error = NULL;
    GInputStream *stream = adit_loader_open(loader, path, &error);

    g_assert_no_error(error);
    return stream;
}

static void
test_decodes_numbers(void)
{
    static const struct {
        AditEncoding encoding;
        guint8 bytes[8];
        AditTypeCode type;
        double value;
    } cases[] = {
        {{ADIT_ENCODING_UNSIGNED, 1, FALSE}, {51}, ADIT_TYPE_CODE_U8, 0.2},
        {{ADIT_ENCODING_BOOLEAN, 1, FALSE}, {1}, ADIT_TYPE_CODE_U8, 1},
        {{ADIT_ENCODING_SIGNED, 1, FALSE}, {0x80}, ADIT_TYPE_CODE_F32, -128},
        {{ADIT_ENCODING_UNSIGNED, 2, FALSE}, {1, 2}, ADIT_TYPE_CODE_F32, 0x0201},
        {{ADIT_ENCODING_SIGNED, 2, TRUE}, {0xff, 0xfe}, ADIT_TYPE_CODE_F32, -2},
        {{ADIT_ENCODING_SIGNED, 4, FALSE}, {0, 0, 0, 0x80}, ADIT_TYPE_CODE_F64, -2147483648.0},
        {{ADIT_ENCODING_UNSIGNED, 4, TRUE}, {0xff, 0, 0, 1}, ADIT_TYPE_CODE_F64, 4278190081.0},
        {{ADIT_ENCODING_SIGNED, 8, TRUE},
         {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xf0},
         ADIT_TYPE_CODE_F64,
         -16},
        {{ADIT_ENCODING_REAL, 4, FALSE}, {0, 0, 0x20, 0xc1}, ADIT_TYPE_CODE_F32, -10},
        {{ADIT_ENCODING_REAL, 4, TRUE}, {0xc1, 0x20, 0, 0}, ADIT_TYPE_CODE_F32, -10},
        {{ADIT_ENCODING_REAL, 8, TRUE},
         {0x40, 0x09, 0x21, 0xfb, 0x54, 0x44, 0x2d, 0x18},
         ADIT_TYPE_CODE_F64,
         G_PI},
    };
    g_auto(Scratch) scratch = {0};

    scratch_init(&scratch);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(AditLoader) loader = adit_loader_new(NULL, 0);
        g_autoptr(GInputStream) stream =
            open_bytes(loader, &scratch, cases[i].bytes, cases[i].encoding.size);
        g_autoptr(GError) error = NULL;
        g_autoptr(AditArray) array = adit_loader_read_array(loader, stream, &cases[i].encoding,
                                                            &ADIT_SCALAR, 1, "the array", &error);

        g_assert_no_error(error);
        g_assert_cmpint((int) array->type, ==, (int) cases[i].type);
        g_assert_cmpfloat_with_epsilon(adit_array_get(array, 0), cases[i].value, 1e-15);
    }
}

/* More than one chunk of rows, to the byte. */
static void
test_reads_many(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(AditLoader) loader = adit_loader_new(NULL, 0);
    AditEncoding encoding = {ADIT_ENCODING_UNSIGNED, 4, TRUE};
    g_autofree guint32 *numbers = g_new(guint32, 300000);
    g_autoptr(GInputStream) stream = NULL;
    g_autoptr(AditArray) array = NULL;
    g_autoptr(GError) error = NULL;

    scratch_init(&scratch);
    for (guint i = 0; i < 300000; i++)
        numbers[i] = GUINT32_TO_BE(i);
    stream = open_bytes(loader, &scratch, numbers, 300000 * sizeof *numbers);
    array =
        adit_loader_read_array(loader, stream, &encoding, &ADIT_SHAPE(2, 3), 50000, "it", &error);
    g_assert_no_error(error);
    g_assert_cmpuint(array->rows, ==, 50000);
    for (guint i = 0; i < 300000; i++)
        g_assert_cmpfloat(adit_array_get(array, i), ==, i);
}

static void
assert_array_fails(const void *bytes, gsize size, const AditEncoding *encoding,
                   const AditShape *shape, guint64 rows, const char *message)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(AditLoader) loader = NULL;
    g_autoptr(GInputStream) stream = NULL;
    g_autoptr(AditArray) array = NULL;
    g_autoptr(GError) error = NULL;

    scratch_init(&scratch);
    loader = adit_loader_new(scratch.path, 0);
    stream = open_bytes(loader, &scratch, bytes, size);
    array = adit_loader_read_array(loader, stream, encoding, shape, rows, "the images", &error);
    g_assert_null(array);
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED);
    g_assert_cmpstr(error->message, ==, message);
}

static void
test_refused_arrays(void)
{
    AditEncoding bytes = {ADIT_ENCODING_UNSIGNED, 1, FALSE};
    AditEncoding reals = {ADIT_ENCODING_REAL, 4, FALSE};
    float values[6] = {1, 2, 3, 4, NAN, 6};
    AditShape images = ADIT_SHAPE(28, 28);

    assert_array_fails(values, 20, &bytes, &images, 60000,
                       "$data/a: truncated: got 20 of 47040000 bytes of the images");
    /* a header that lies about terabytes costs nothing */
    assert_array_fails(values, 20, &bytes, &images, (guint64) 1 << 40,
                       "$data/a: truncated: got 20 of 862017116176384 bytes of the images");
    assert_array_fails(values, 20, &bytes, &images, (guint64) 1 << 60,
                       "$data/a: the sizes of the images are too large");
    assert_array_fails(values, 0, &bytes, &ADIT_SHAPE(1 << 30, 1 << 30, 1 << 30), 0,
                       "$data/a: the sizes of the images are too large");
    assert_array_fails(values, sizeof values, &reals, &ADIT_SHAPE(3), 2,
                       "$data/a: element [1, 1] is nan, expected a finite number");
    values[4] = -INFINITY;
    assert_array_fails(values, sizeof values, &reals, &ADIT_SCALAR, 6,
                       "$data/a: element [4] is -inf, expected a finite number");
}

static AditArray *
read_labels(const void *bytes, gsize size, const AditEncoding *encoding, guint *classes,
            GError **error)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(AditLoader) loader = NULL;
    g_autoptr(GInputStream) stream = NULL;

    scratch_init(&scratch);
    loader = adit_loader_new(scratch.path, 0);
    stream = open_bytes(loader, &scratch, bytes, size);
    return adit_loader_read_labels(loader, stream, encoding, size / encoding->size, classes, error);
}

static void
test_labels(void)
{
    AditEncoding bytes = {ADIT_ENCODING_UNSIGNED, 1, FALSE};
    AditEncoding small = {ADIT_ENCODING_SIGNED, 1, FALSE};
    AditEncoding large = {ADIT_ENCODING_SIGNED, 8, FALSE};
    guint8 labels[] = {3, 0, 9, 255};
    gint64 wide = (gint64) 1 << 40;
    g_autoptr(GError) error = NULL;
    g_autoptr(AditArray) array = NULL;
    guint classes = 0;

    array = read_labels(labels, 3, &bytes, &classes, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(classes, ==, 10);
    g_assert_cmpint((int) array->type, ==, (int) ADIT_TYPE_CODE_I32);
    g_assert_cmpuint(array->shape.rank, ==, 0);
    g_assert_cmpmem(array->data, 12, ((gint32[]){3, 0, 9}), 12);

    g_assert_null(read_labels(labels, 4, &bytes, &classes, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED);
    g_assert_cmpstr(error->message, ==, "$data/a: label 255 at [3], expected 0..9");
    g_clear_error(&error);
    classes = 0;
    g_assert_null(read_labels(labels, 4, &small, &classes, &error));
    g_assert_cmpstr(error->message, ==, "$data/a: label -1 at [3], expected 0..999999");
    g_clear_error(&error);
    g_assert_null(read_labels(&wide, 8, &large, &classes, &error));
    g_assert_cmpstr(error->message, ==, "$data/a: label 1099511627776 at [0], expected 0..999999");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/data/encoding/decodes-numbers", test_decodes_numbers);
    g_test_add_func("/data/encoding/reads-many", test_reads_many);
    g_test_add_func("/data/encoding/refused-arrays", test_refused_arrays);
    g_test_add_func("/data/encoding/labels", test_labels);
    return g_test_run();
}
