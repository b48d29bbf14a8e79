/* tests/core/data/test-cifar.c - SPDX-License-Identifier: MIT */
#include "adit-data.h"
#include "adit-registry.h"
#include "scratch.h"

#define IMAGE 3072

/* A file of @n records: labels as @first and @second say, byte i of image r is r + i. */
static void
write_file(Scratch *scratch, const char *name, guint n, const guint8 *first, const guint8 *second)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_autofree char *path = NULL;

    for (guint r = 0; r < n; r++) {
        g_byte_array_append(bytes, first + r, 1);
        if (second != NULL)
            g_byte_array_append(bytes, second + r, 1);
        for (guint i = 0; i < IMAGE; i++)
            g_byte_array_append(bytes, &(guint8){(guint8) (r + i)}, 1);
    }
    path = scratch_write(scratch, name, bytes->data, bytes->len);
}

static void
write_cifar_10(Scratch *scratch)
{
    scratch_init(scratch);
    write_file(scratch, "data_batch_1.bin", 2, (guint8[]){3, 9}, NULL);
    write_file(scratch, "data_batch_2.bin", 1, (guint8[]){1}, NULL);
    write_file(scratch, "data_batch_3.bin", 1, (guint8[]){4}, NULL);
    write_file(scratch, "data_batch_4.bin", 1, (guint8[]){0}, NULL);
    write_file(scratch, "data_batch_5.bin", 1, (guint8[]){8}, NULL);
    write_file(scratch, "test_batch.bin", 3, (guint8[]){7, 6, 5}, NULL);
}

static AditDataset *
make(const char *folder)
{
    g_autoptr(GError) error = NULL;
    GType type = adit_registry_find(adit_registry_get(), "dataset", "cifar", &error);

    g_assert_no_error(error);
    return ADIT_DATASET(g_object_new(type, "folder", folder, NULL));
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
    g_assert_true(adit_shape_equal(&schema.inputs, &ADIT_SHAPE(3, 32, 32)));
    g_assert_true(adit_shape_equal(&data->input_shape, &ADIT_SHAPE(3, 32, 32)));
    g_assert_cmpuint(schema.classes, ==, data->classes);
    return data;
}

/* @folder of the scratch folder, which is $data, cannot be opened. */
static void
assert_fails(Scratch *scratch, const char *folder, AditError code, const char *message)
{
    g_autofree char *path = g_build_filename(scratch->path, folder, NULL);
    g_autoptr(AditDataset) dataset = make(path);
    g_autoptr(GError) error = NULL;
    g_autoptr(AditData) data = adit_data_open(dataset, scratch->path, &error);

    g_assert_null(data);
    g_assert_error(error, ADIT_ERROR, (gint) code);
    g_assert_cmpstr(error->message, ==, message);
}

static void
test_ten(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(AditDataset) dataset = NULL;
    g_autoptr(AditData) data = NULL;

    write_cifar_10(&scratch);
    dataset = make(scratch.path);
    data = open_data(dataset, scratch.path);
    g_assert_cmpuint(data->classes, ==, 10);
    g_assert_cmpuint(data->train.rows, ==, 6);
    g_assert_cmpuint(data->test.rows, ==, 3);
    g_assert_cmpmem(data->train.targets->data, 24, ((gint32[]){3, 9, 1, 4, 0, 8}), 24);
    g_assert_cmpmem(data->test.targets->data, 12, ((gint32[]){7, 6, 5}), 12);
    g_assert_cmpint((int) data->train.inputs->type, ==, (int) ADIT_TYPE_CODE_U8);
    for (guint i = 0; i < IMAGE; i++) {
        guint8 byte = (guint8) (1 + i);

        g_assert_cmpuint(((guint8 *) data->train.inputs->data)[IMAGE + i], ==, byte);
        g_assert_cmpfloat(adit_array_get(data->train.inputs, IMAGE + i), ==, byte * (1 / 255.0));
    }
    g_assert_cmpuint(g_strv_length(data->files), ==, 6);
}

static void
test_hundred(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(AditDataset) dataset = NULL;
    g_autoptr(AditData) fine = NULL;
    g_autoptr(AditData) coarse = NULL;

    scratch_init(&scratch);
    write_file(&scratch, "train.bin", 3, (guint8[]){19, 0, 7}, (guint8[]){99, 0, 50});
    write_file(&scratch, "test.bin", 1, (guint8[]){4}, (guint8[]){30});
    dataset = make(scratch.path);
    fine = open_data(dataset, scratch.path);
    g_assert_cmpuint(fine->classes, ==, 100);
    g_assert_cmpmem(fine->train.targets->data, 12, ((gint32[]){99, 0, 50}), 12);
    g_object_set(dataset, "labels", 1, NULL);
    coarse = open_data(dataset, scratch.path);
    g_assert_cmpuint(coarse->classes, ==, 20);
    g_assert_cmpmem(coarse->train.targets->data, 12, ((gint32[]){19, 0, 7}), 12);
    g_assert_cmpuint(((guint8 *) coarse->train.inputs->data)[0], ==, 0);
    g_assert_cmpuint(((guint8 *) coarse->train.inputs->data)[IMAGE], ==, 1);
}

/* The folder that the archive unpacks to is found below the one that is given. */
static void
test_unpacked_below(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(AditDataset) dataset = NULL;
    g_autoptr(AditData) data = NULL;
    g_autofree char *below = NULL;

    scratch_init(&scratch);
    below = g_build_filename(scratch.path, "cifar-100-binary", NULL);
    g_assert_cmpint(g_mkdir(below, 0700), ==, 0);
    write_file(&scratch, "cifar-100-binary/train.bin", 1, (guint8[]){1}, (guint8[]){2});
    write_file(&scratch, "cifar-100-binary/test.bin", 1, (guint8[]){1}, (guint8[]){2});
    dataset = make(scratch.path);
    data = open_data(dataset, scratch.path);
    g_assert_cmpuint(data->classes, ==, 100);
}

static void
test_errors(void)
{
    g_auto(Scratch) scratch = {0};
    g_autofree char *path = NULL;

    write_cifar_10(&scratch);
    write_file(&scratch, "data_batch_3.bin", 2, (guint8[]){1, 10}, NULL);
    assert_fails(&scratch, "", ADIT_ERROR_DAMAGED,
                 "$data/data_batch_3.bin: label 10 at [1], expected 0..9; is it a file of CIFAR-10 "
                 "with records of 3073 bytes?");
    /* a record of CIFAR-100 */
    write_file(&scratch, "data_batch_3.bin", 1, (guint8[]){1}, (guint8[]){2});
    assert_fails(
        &scratch, "", ADIT_ERROR_DAMAGED,
        "$data/data_batch_3.bin: truncated: got 1 of 3073 bytes of image [1]; is it a file of "
        "CIFAR-10?");
    path = scratch_write_text(&scratch, "data_batch_3.bin", "");
    assert_fails(&scratch, "", ADIT_ERROR_DAMAGED,
                 "$data/data_batch_3.bin: the file is empty, expected records of 3073 bytes");
}

static void
test_missing(void)
{
    g_auto(Scratch) scratch = {0};

    scratch_init(&scratch);
    assert_fails(&scratch, "", ADIT_ERROR_NOT_FOUND, "no file '$data/data_batch_1.bin'");
    write_file(&scratch, "train.bin", 1, (guint8[]){1}, (guint8[]){2});
    assert_fails(&scratch, "", ADIT_ERROR_NOT_FOUND, "no file '$data/test.bin'");
}

static void
test_python_version(void)
{
    g_auto(Scratch) scratch = {0};
    g_autofree char *path = NULL;

    scratch_init(&scratch);
    path = scratch_write_text(&scratch, "data_batch_1", "pickle");
    assert_fails(&scratch, "", ADIT_ERROR_NOT_FOUND,
                 "the folder has the Python version of CIFAR-10, expected the binary version: "
                 "'data_batch_1.bin'");
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cifar/ten", test_ten);
    g_test_add_func("/cifar/hundred", test_hundred);
    g_test_add_func("/cifar/unpacked-below", test_unpacked_below);
    g_test_add_func("/cifar/errors", test_errors);
    g_test_add_func("/cifar/missing", test_missing);
    g_test_add_func("/cifar/python-version", test_python_version);
    return g_test_run();
}
