/* tests/core/run/test-safetensors.c - SPDX-License-Identifier: MIT */
#include "adit-file.h"
#include "adit-safetensors.h"
#include "fault.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

static void
write_list(const AditTensorList *tensors, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AditOutput) output = adit_output_new_replacing(path, &error);

    g_assert_no_error(error);
    adit_safetensors_write(tensors, output, &error);
    g_assert_no_error(error);
    adit_output_finish(output, &error);
    g_assert_no_error(error);
}

/* A file of @header (its length before it) and @data_length bytes 1, 2, 3, ... */
static GByteArray *
make_file(const char *header, gsize header_length, gsize data_length)
{
    GByteArray *file = g_byte_array_new();
    guint64 length = GUINT64_TO_LE(header_length);

    g_byte_array_append(file, (const guint8 *) &length, sizeof(length));
    g_byte_array_append(file, (const guint8 *) header, (guint) header_length);
    for (gsize i = 0; i < data_length; i++) {
        guint8 byte = (guint8) (i + 1);

        g_byte_array_append(file, &byte, 1);
    }
    return file;
}

static AditTensorList *
read_bytes(const char *folder, gconstpointer bytes, gsize length, GError **error)
{
    g_autofree char *path = g_build_filename(folder, "x.safetensors", NULL);
    FILE *file = fopen(path, "wb");

    g_assert_nonnull(file);
    g_assert_cmpuint(fwrite(bytes, 1, length, file), ==, length);
    g_assert_cmpint(fclose(file), ==, 0);
    return adit_safetensors_read(path, NULL, error);
}

static AditTensorList *
read_header(const char *folder, const char *header, gsize data_length, GError **error)
{
    g_autoptr(GByteArray) file = make_file(header, strlen(header), data_length);

    return read_bytes(folder, file->data, file->len, error);
}

static void
assert_equal_lists(const AditTensorList *read, const AditTensorList *tensors)
{
    const AditStoredTensor *tensor;

    for (guint i = 0; i < adit_tensor_list_get_length(tensors); i++) {
        const AditStoredTensor *written = adit_tensor_list_get(tensors, i);

        tensor = adit_tensor_list_find(read, written->name);
        g_assert_nonnull(tensor);
        g_assert_cmpint(tensor->dtype, ==, written->dtype);
        g_assert_cmpuint(tensor->shape.rank, ==, written->shape.rank);
        for (guint axis = 0; axis < written->shape.rank; axis++)
            g_assert_cmpuint(tensor->shape.size[axis], ==, written->shape.size[axis]);
        g_assert_cmpmem(tensor->data, tensor->length, written->data, written->length);
        g_assert_cmpuint((gsize) tensor->data % adit_dtype_get_size(tensor->dtype), ==, 0);
    }
}

static void
test_round_trip(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autofree char *path = g_build_filename(folder, "x.safetensors", NULL);
    static const float weights[6] = {1, -2.5F, 3e-40F, -0.0F, INFINITY, NAN};
    static const double moments[2] = {0.1, -1e308};
    static const gint64 counts[1] = {G_MININT64};
    static const guint8 flags[3] = {0, 1, 255};
    const AditShape matrix = ADIT_SHAPE(2, 3), pair = ADIT_SHAPE(2), triple = ADIT_SHAPE(3);
    const AditShape single = ADIT_SCALAR, empty = ADIT_SHAPE(4, 0);
    g_autoptr(AditTensorList) tensors = adit_tensor_list_new();
    g_autoptr(AditTensorList) read = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *sha256 = NULL, *expected = NULL;

    adit_tensor_list_add(tensors, "flags", ADIT_DTYPE_U8, &triple, flags);
    adit_tensor_list_add(tensors, "trunk.1.weight \"\\\n\u00e9\U0001f600", ADIT_DTYPE_F32, &matrix,
                         weights);
    adit_tensor_list_add(tensors, "count", ADIT_DTYPE_I64, &single, counts);
    adit_tensor_list_add(tensors, "a/../moments", ADIT_DTYPE_F64, &pair, moments);
    adit_tensor_list_add(tensors, "empty", ADIT_DTYPE_F32, &empty, NULL);
    adit_tensor_list_set_text(tensors, "format", "adit");
    adit_tensor_list_set_text(tensors, "quote", "\"\t\u00e9");
    write_list(tensors, path);

    read = adit_safetensors_read(path, &sha256, &error);
    g_assert_no_error(error);
    expected = adit_file_hash(path, NULL);
    g_assert_cmpstr(sha256, ==, expected);
    g_assert_cmpuint(adit_tensor_list_get_length(read), ==, 5);
    g_assert_cmpstr(adit_tensor_list_get_text(read, "quote"), ==, "\"\t\u00e9");
    g_assert_cmpstr(adit_tensor_list_get_text(read, "format"), ==, "adit");
    assert_equal_lists(read, tensors);
    /* larger numbers first, then by name */
    g_assert_cmpstr(adit_tensor_list_get(read, 0)->name, ==, "a/../moments");
    g_assert_cmpstr(adit_tensor_list_get(read, 1)->name, ==, "count");
    g_assert_cmpstr(adit_tensor_list_get(read, 4)->name, ==, "flags");
}

/* The bytes themselves, so that other programs read them. */
static void
test_bytes(void)
{
    static const char expected[] = "\x58\0\0\0\0\0\0\0"
                                   "{\"__metadata__\":{\"format\":\"adit\"},"
                                   "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}"
                                   " \0\0\x80\x3f";
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autofree char *path = g_build_filename(folder, "x.safetensors", NULL);
    g_autoptr(AditTensorList) tensors = adit_tensor_list_new();
    const AditShape shape = ADIT_SHAPE(1);
    g_autofree char *text = NULL;
    const float one = 1;
    gsize length;

    adit_tensor_list_add(tensors, "b", ADIT_DTYPE_F32, &shape, &one);
    adit_tensor_list_set_text(tensors, "format", "adit");
    write_list(tensors, path);
    g_assert_true(adit_file_read(path, 1000, &text, &length, NULL));
    g_assert_cmpmem(text, length, expected, sizeof(expected) - 1);
}

static void
test_empty(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autofree char *path = g_build_filename(folder, "x.safetensors", NULL);
    g_autoptr(AditTensorList) tensors = adit_tensor_list_new();
    g_autoptr(AditTensorList) read = NULL;
    g_autoptr(GError) error = NULL;

    write_list(tensors, path);
    read = adit_safetensors_read(path, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(adit_tensor_list_get_length(read), ==, 0);
}

static void
test_finite(void)
{
    g_autoptr(AditTensorList) tensors = adit_tensor_list_new();
    const AditShape shape = ADIT_SHAPE(2);
    static const float good[] = {1, FLT_MAX};
    static const double bad[] = {1, (double) NAN};
    const char *where = NULL;

    adit_tensor_list_add(tensors, "good", ADIT_DTYPE_F32, &shape, good);
    g_assert_true(adit_tensor_list_is_finite(tensors, &where));
    adit_tensor_list_add(tensors, "bad", ADIT_DTYPE_F64, &shape, bad);
    g_assert_false(adit_tensor_list_is_finite(tensors, &where));
    g_assert_cmpstr(where, ==, "bad");
}

/* What other writers may do: any order of keys and entries, blanks, escapes, no padding, odd
 * places. */
static void
test_accepts(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autoptr(GError) error = NULL;
    g_autoptr(AditTensorList) read =
        read_header(folder,
                    "{ \"b\\u00e9\\ud83d\\ude00\\/\\n\" : { \"shape\" : [ 2 ] ,\n"
                    "\"data_offsets\":[3,11], \"dtype\":\"F32\" },\t\"a\":{\"dtype\":\"U8\","
                    "\"shape\":[3],\"data_offsets\":[0,3]}, \"__metadata__\":{}}  ",
                    11, &error);
    const AditStoredTensor *tensor;

    g_assert_no_error(error);
    tensor = adit_tensor_list_find(read, "b\u00e9\U0001f600/\n");
    g_assert_nonnull(tensor);
    g_assert_cmpuint((gsize) tensor->data % sizeof(float), ==, 0);
    g_assert_cmpmem(tensor->data, tensor->length, "\4\5\6\7\10\11\12\13", 8);
    g_assert_cmpmem(adit_tensor_list_find(read, "a")->data, 3, "\1\2\3", 3);
}

#define ENTRY(dtype, shape, offsets)                                                               \
    "{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}"
#define ONE(dtype, shape, offsets) "{\"a\":" ENTRY(dtype, shape, offsets) "}"
#define TWO(first, second)                                                                         \
    "{\"a\":" ENTRY("\"U8\"", "[4]", first) ",\"b\":" ENTRY("\"U8\"", "[4]", second) "}"

/* A header, the bytes of data behind it, and a part of the message. */
static const struct {
    const char *header;
    gsize data_length;
    const char *message;
} refused[] = {
    {TWO("[0,4]", "[3,7]"), 7, "'b': expected to begin at byte 4 of the data, got 3 (an overlap)"},
    {TWO("[0,4]", "[0,4]"), 4, "'b': expected to begin at byte 4 of the data, got 0 (an overlap)"},
    {TWO("[0,4]", "[5,9]"), 9, "'b': expected to begin at byte 4 of the data, got 5 (a hole)"},
    {TWO("[1,5]", "[5,9]"), 9, "'a': expected to begin at byte 0 of the data, got 1 (a hole)"},
    {TWO("[0,4]", "[4,8]"), 9, "expected 8 bytes of data, got 9"},
    {TWO("[0,4]", "[4,8]"), 7, "'b': expected to end within bytes 4 to 7 of the data, got 8"},
    {TWO("[0,4]", "[4,0]"), 8, "'b': expected to end within"},
    {"{}", 1, "expected 0 bytes of data, got 1"},
    {ONE("\"U8\"", "[3]", "[0,4]"), 4, "expected 3 bytes for its shape, got 4"},
    {ONE("\"F32\"", "[1]", "[0,8]"), 8, "expected 4 bytes for its shape, got 8"},
    {ONE("\"U8\"", "[]", "[0,4]"), 4, "expected 1 bytes for its shape, got 4"},
    {ONE("\"U8\"", "[9223372036854775808]", "[0,4]"), 4, "expected at most 2^40 elements"},
    {ONE("\"U8\"", "[18446744073709551615]", "[0,4]"), 4, "expected at most 2^40 elements"},
    {ONE("\"F64\"", "[4294967296,4294967296]", "[0,0]"), 0, "expected at most 2^40 elements"},
    {ONE("\"F64\"", "[2305843009213693952]", "[0,0]"), 0, "expected at most 2^40 elements"},
    {ONE("\"U8\"", "[18446744073709551616]", "[0,4]"), 4, "expected a number below 2^64"},
    {ONE("\"U8\"", "[4]", "[0,99999999999999999999999]"), 4, "expected a number below 2^64"},
    {ONE("\"U8\"", "[4]", "[0,9223372036854775808]"), 4, "expected to end within bytes 0 to 4"},
    {ONE("\"U8\"", "[4]", "[18446744073709551612,18446744073709551615]"), 4, "(a hole)"},
    {ONE("\"U8\"", "[-4]", "[0,4]"), 4, "expected a whole number, not negative, got '-'"},
    {ONE("\"U8\"", "[4]", "[-4,0]"), 4, "expected a whole number, not negative, got '-'"},
    {ONE("\"U8\"", "[4.0]", "[0,4]"), 4, "expected a whole number, got '.'"},
    {ONE("\"U8\"", "[4e0]", "[0,4]"), 4, "expected a whole number, got 'e'"},
    {ONE("\"U8\"", "[04]", "[0,4]"), 4, "without leading zeros"},
    {ONE("\"U8\"", "[\"4\"]", "[0,4]"), 4, "expected a whole number, not negative, got '\"'"},
    {ONE("\"U8\"", "[4,]", "[0,4]"), 4, "expected a whole number, not negative, got ']'"},
    {ONE("\"U8\"", "[[4]]", "[0,4]"), 4, "expected a whole number, not negative, got '['"},
    {ONE("\"U8\"", "4", "[0,4]"), 4, "expected '[', got '4'"},
    {ONE("\"U8\"", "[1,1,1,1,1,1,1,1,4]", "[0,4]"), 4, "expected at most 8 numbers"},
    {ONE("\"U8\"", "[4]", "[0]"), 4, "expected 2 data_offsets, got 1"},
    {ONE("\"U8\"", "[4]", "[0,4,4]"), 4, "expected at most 2 numbers"},
    {ONE("\"U9\"", "[4]", "[0,4]"), 4, "'a': expected dtype F32, F64, U8 or I64, got 'U9'"},
    {ONE("\"BF16\"", "[2]", "[0,4]"), 4, "got 'BF16'"},
    {ONE("8", "[4]", "[0,4]"), 4, "expected the name of a dtype, got '8'"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[4]}}", 4, "tensor 'a' has no 'data_offsets'"},
    {"{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,4]}}", 4, "tensor 'a' has no 'shape'"},
    {"{\"a\":{\"shape\":[4],\"data_offsets\":[0,4]}}", 4, "tensor 'a' has no 'dtype'"},
    {"{\"a\":{}}", 4, "expected 'dtype', 'shape' or 'data_offsets', got '}'"},
    {"{\"a\":{\"x\":1}}", 4, "tensor 'a': unknown key 'x'"},
    {"{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\"}}", 4, "tensor 'a': key 'dtype' is there twice"},
    {"{\"a\":" ENTRY("\"U8\"", "[4]", "[0,4]") ",\"a\":" ENTRY("\"U8\"", "[4]", "[0,4]") "}", 4,
     "'a' is there twice"},
    {"{\"a\":" ENTRY("\"U8\"", "[0]", "[0,0]") ",\"\\u0061\":" ENTRY("\"U8\"", "[0]", "[0,0]") "}",
     0, "'a' is there twice"},
    {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "'__metadata__' is there twice"},
    {"{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", 0, "'__metadata__' has 'a' twice"},
    {"{\"__metadata__\":{\"a\":1}}", 0, "expected a text in '__metadata__', got '1'"},
    {"{\"__metadata__\":{\"a\":{}}}", 0, "expected a text in '__metadata__', got '{'"},
    {"{\"__metadata__\":[]}", 0, "expected '{', got '['"},
    {"[]", 0, "expected '{', got '['"},
    {" {}", 0, "expected '{', got ' '"},
    {"", 0, "expected '{', got the end"},
    {"{", 0, "expected the name of a tensor, got the end"},
    {"{}{}", 0, "expected spaces, got '{'"},
    {"{\"a\"}", 0, "expected ':', got '}'"},
    {"{'a':1}", 0, "expected the name of a tensor, got '\''"},
    {"{/**/}", 0, "expected the name of a tensor, got '/'"},
    {"{\"a", 0, "expected '\"', got the end"},
    {"{\"a\\", 0, "expected an escaped character, got the end"},
    {"{\"a\\x\":1}", 0, "expected an escaped character, got 'x'"},
    {"{\"a\\u12g4\":1}", 0, "expected four hexadecimal digits"},
    {"{\"a\\u0000\":1}", 0, "expected a character, got \\u0000"},
    {"{\"a\\ud800\":1}", 0, "expected the second half of a surrogate pair"},
    {"{\"a\\ud800\\u0041\":1}", 0, "expected a surrogate pair"},
    {"{\"a\\udc00\":1}", 0, "expected a character, got \\udc00"},
    {"{\"\xff\":1}", 0, "expected UTF-8"},
    {"{\"a\nb\":1}", 0, "expected a character of a text, got byte 0x0a"},
};

static void
test_refuses(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();

    for (guint i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(read_header(folder, refused[i].header, refused[i].data_length, &error));
        g_assert_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, refused[i].message));
    }
}

static void
test_refuses_deep(void)
{
    static const char *const openings[] = {"[", "{\"a\":", "{\"a\":{\"shape\":["};
    g_auto(FaultFolder) folder = fault_make_folder();

    for (guint i = 0; i < G_N_ELEMENTS(openings); i++) {
        g_autoptr(GString) header = g_string_new(NULL);
        g_autoptr(GError) error = NULL;

        while (header->len < 1000000)
            g_string_append(header, openings[i]);
        g_assert_null(read_header(folder, header->str, 0, &error));
        g_assert_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED);
    }
}

static void
test_refuses_header_lengths(void)
{
    static const guint64 lengths[] = {3, 11, 100000001, G_MAXINT64, G_MAXUINT64, G_MAXUINT64 - 7};
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autoptr(GByteArray) file = make_file("{}", 2, 0);

    for (guint i = 0; i < G_N_ELEMENTS(lengths); i++) {
        guint64 length = GUINT64_TO_LE(lengths[i]);
        g_autoptr(GError) error = NULL;

        memcpy(file->data, &length, sizeof(length));
        g_assert_null(read_bytes(folder, file->data, file->len, &error));
        g_assert_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED);
        g_assert_nonnull(strstr(error->message, "expected a header of"));
    }
}

static GByteArray *
make_good_file(void)
{
    static const char header[] = "{\"__metadata__\":{\"k\":\"v\"},\"a\":" ENTRY(
        "\"F32\"", "[2,1]", "[0,8]") ",\"b\":" ENTRY("\"U8\"", "[3]", "[8,11]") "}   ";

    return make_file(header, strlen(header), 11);
}

static void
test_refuses_truncation(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autoptr(GByteArray) file = make_good_file();
    g_autoptr(AditTensorList) whole = read_bytes(folder, file->data, file->len, NULL);

    g_assert_nonnull(whole);
    for (guint length = 0; length < file->len; length++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(read_bytes(folder, file->data, length, &error));
        g_assert_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED);
    }
}

/* Every single byte changed to every kind of byte: read or refused, never anything else. */
static void
test_survives_changed_bytes(void)
{
    static const guint8 bytes[] = {0,   1,   ' ', '"', '0',  '9',  ',',
                                   '[', ']', '{', '}', '\\', 0x80, 0xff};
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autoptr(GByteArray) file = make_good_file();
    guint refusals = 0;

    for (guint at = 0; at < file->len; at++) {
        guint8 kept = file->data[at];

        for (guint i = 0; i < G_N_ELEMENTS(bytes); i++) {
            g_autoptr(GError) error = NULL;
            g_autoptr(AditTensorList) read = NULL;

            file->data[at] = bytes[i];
            read = read_bytes(folder, file->data, file->len, &error);
            if (read == NULL) {
                g_assert_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED);
                refusals++;
            }
        }
        file->data[at] = kept;
    }
    g_assert_cmpuint(refusals, >, 1000);
}

static void
test_refuses_other_files(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(adit_safetensors_read("/no/such/file", NULL, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_null(adit_safetensors_read("/dev/zero", NULL, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/run/safetensors/round-trip", test_round_trip);
    g_test_add_func("/run/safetensors/bytes", test_bytes);
    g_test_add_func("/run/safetensors/empty", test_empty);
    g_test_add_func("/run/safetensors/finite", test_finite);
    g_test_add_func("/run/safetensors/accepts-other-writers", test_accepts);
    g_test_add_func("/run/safetensors/refuses", test_refuses);
    g_test_add_func("/run/safetensors/refuses-deep-nesting", test_refuses_deep);
    g_test_add_func("/run/safetensors/refuses-header-lengths", test_refuses_header_lengths);
    g_test_add_func("/run/safetensors/refuses-truncation", test_refuses_truncation);
    g_test_add_func("/run/safetensors/survives-changed-bytes", test_survives_changed_bytes);
    g_test_add_func("/run/safetensors/refuses-other-files", test_refuses_other_files);
    return g_test_run();
}
