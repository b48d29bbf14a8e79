/* tests/core/base/test-output.c - SPDX-License-Identifier: MIT */
#include "adit-file.h"
#include "adit-output.h"
#include "fault.h"

#include <errno.h>
#include <unistd.h>

static void
assert_contents(const char *path, const char *expected)
{
    g_autofree char *text = NULL;

    g_assert_true(adit_file_read(path, 1000000, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, expected);
}

static void
test_new(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autofree char *path = g_build_filename(folder, "a", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(AditOutput) output = adit_output_new(path, &error);

    g_assert_no_error(error);
    g_assert_true(adit_output_write(output, "a", 1, &error));
    g_assert_true(adit_output_write(output, "bc", 2, &error));
    g_assert_true(adit_output_finish(output, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(adit_output_get_size(output), ==, 3);
    /* FIPS 180-4, example of one block */
    g_assert_cmpstr(adit_output_get_sha256(output), ==,
                    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_contents(path, "abc");
    g_assert_null(adit_output_new(path, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_OUTPUT);
}

static void
test_new_replacing_unfinished(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autofree char *path = g_build_filename(folder, "a", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(AditOutput) output = NULL;

    g_assert_true(adit_file_write(path, "old", 3, &error));
    output = adit_output_new_replacing(path, &error);
    g_assert_true(adit_output_write(output, "new", 3, &error));
    assert_contents(path, "old");
    g_clear_pointer(&output, adit_output_free);
    assert_contents(path, "old");
    g_assert_cmpuint(fault_count_entries(folder, ""), ==, 1);
}

static void
append(const char *path, const char *line)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AditOutput) output = adit_output_append(path, &error);

    g_assert_no_error(error);
    g_assert_true(adit_output_write_line(output, line, strlen(line), &error));
    g_assert_true(adit_output_sync(output, &error));
    g_assert_no_error(error);
}

static void
test_append_cuts_torn_line(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autofree char *path = g_build_filename(folder, "a", NULL);
    g_autofree char *long_line = g_strnfill(10000, 'x');
    g_autofree char *torn = g_strconcat("one\ntwo\n", long_line, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(adit_file_write(path, torn, strlen(torn), &error));
    append(path, "three\n");
    assert_contents(path, "one\ntwo\nthree\n");
    g_assert_true(adit_file_write(path, long_line, 10000, &error));
    append(path, "one\n");
    assert_contents(path, "one\n");
}

static void
test_append_whole_lines(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autofree char *path = g_build_filename(folder, "a", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(AditOutput) output = adit_output_append(path, &error);

    g_assert_true(adit_output_write_line(output, "one\n", 4, &error));
    /* half of the line is written, then the disk is full */
    fault_arm_short_write(1);
    fault_arm(2, ENOSPC);
    g_assert_false(adit_output_write_line(output, "two, long\n", 10, &error));
    g_assert_true(fault_disarm());
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_OUTPUT);
    assert_contents(path, "one\n");
    g_assert_true(adit_output_write_line(output, "three\n", 6, NULL));
    assert_contents(path, "one\nthree\n");
}

static void
test_full_device(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autofree char *path = g_build_filename(folder, "a", NULL);
    g_autofree char *expected = g_strdup_printf("cannot write %s: No space left on device", path);
    g_autoptr(GError) error = NULL;
    g_autoptr(AditOutput) output = NULL;

    if (access("/dev/full", W_OK) < 0) {
        g_test_skip("no /dev/full here");
        return;
    }
    g_assert_cmpint(symlink("/dev/full", path), ==, 0);
    output = adit_output_append(path, &error);
    g_assert_no_error(error);
    g_assert_false(adit_output_write_line(output, "one\n", 4, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_OUTPUT);
    g_assert_cmpstr(error->message, ==, expected);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/output/new", test_new);
    g_test_add_func("/base/output/new-replacing-unfinished", test_new_replacing_unfinished);
    g_test_add_func("/base/output/append-cuts-torn-line", test_append_cuts_torn_line);
    g_test_add_func("/base/output/append-whole-lines", test_append_whole_lines);
    g_test_add_func("/base/output/full-device", test_full_device);
    return g_test_run();
}
