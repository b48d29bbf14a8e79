/* tests/core/base/test-file.c - SPDX-License-Identifier: MIT */
#include "adit-file.h"
#include "fault.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void
assert_contents(const char *path, const char *expected)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(adit_file_read(path, 1000000, &text, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(text, ==, expected);
}

static void
write_text(const char *path, const char *text)
{
    g_autoptr(GError) error = NULL;

    adit_file_write(path, text, strlen(text), &error);
    g_assert_no_error(error);
}

static void
test_write_replaces(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autofree char *path = g_build_filename(folder, "a", NULL);
    mode_t mask = umask(027);
    GStatBuf status;

    write_text(path, "one");
    write_text(path, "two, longer");
    umask(mask);
    assert_contents(path, "two, longer");
    g_assert_cmpint(g_stat(path, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 0777, ==, 0640);
    g_assert_cmpuint(fault_count_entries(folder, ""), ==, 1);
}

/* Every file system call in turn fails: the file is old or new, whole, and nothing lies beside it.
 */
static void
test_write_survives_faults(void)
{
    static const int numbers[] = {ENOSPC, EIO, EDQUOT};
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autofree char *path = g_build_filename(folder, "a", NULL);

    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
        gboolean struck = TRUE;

        for (guint nth = 1; struck; nth++) {
            g_autoptr(GError) error = NULL;
            g_autofree char *text = NULL;
            gboolean written;

            write_text(path, "old");
            fault_arm(nth, numbers[i]);
            written = adit_file_write(path, "new", 3, &error);
            struck = fault_disarm();
            g_assert_true(adit_file_read(path, 10, &text, NULL, NULL));
            if (written) {
                g_assert_no_error(error);
                g_assert_cmpstr(text, ==, "new");
            } else {
                g_autofree char *beginning = g_strdup_printf("cannot write %s: ", path);

                g_assert_error(error, ADIT_ERROR, ADIT_ERROR_OUTPUT);
                /* after the rename it is the folder that cannot be synced */
                if (g_str_equal(text, "old"))
                    g_assert_true(g_str_has_prefix(error->message, beginning));
                g_assert_nonnull(strstr(error->message, g_strerror(numbers[i])));
            }
            g_assert_cmpuint(fault_count_entries(folder, ".tmp-"), ==, 0);
            g_assert_true(nth < 50);
        }
    }
}

static void
test_write_goes_on(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autofree char *path = g_build_filename(folder, "a", NULL);
    g_autoptr(GError) error = NULL;

    fault_arm_short_write(1);
    adit_file_write(path, "0123456789", 10, &error);
    g_assert_true(fault_disarm());
    g_assert_no_error(error);
    assert_contents(path, "0123456789");
    /* 1 open, 2 write, 3 fsync */
    for (guint nth = 1; nth <= 3; nth++) {
        fault_arm(nth, EINTR);
        adit_file_write(path, "interrupted", 11, &error);
        g_assert_true(fault_disarm());
        g_assert_no_error(error);
        assert_contents(path, "interrupted");
    }
}

static void
test_write_full_disk(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autofree char *path = g_build_filename(folder, "a", NULL);
    g_autofree char *large = g_strnfill(100000, 'x');
    g_autofree char *expected = g_strdup_printf("cannot write %s: %s", path, g_strerror(EFBIG));
    g_autoptr(GError) error = NULL;
    struct rlimit limit, small;

    write_text(path, "old");
    signal(SIGXFSZ, SIG_IGN);
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &limit), ==, 0);
    small = limit;
    small.rlim_cur = 5000;
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &small), ==, 0);
    adit_file_write(path, large, 100000, &error);
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_OUTPUT);
    g_assert_cmpstr(error->message, ==, expected);
    assert_contents(path, "old");
    g_assert_cmpuint(fault_count_entries(folder, ""), ==, 1);
}

static void
test_write_refused(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autofree char *file = g_build_filename(folder, "a", NULL);
    g_autofree char *below = g_build_filename(file, "b", NULL);
    g_autofree char *missing = g_build_filename(folder, "no", "b", NULL);
    g_autofree char *expected = g_strdup_printf("cannot write %s: Not a directory", below);
    g_autoptr(GError) error = NULL;

    write_text(file, "file");
    g_assert_false(adit_file_write(below, "x", 1, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_OUTPUT);
    g_assert_cmpstr(error->message, ==, expected);
    g_clear_error(&error);
    g_assert_false(adit_file_write(missing, "x", 1, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_OUTPUT);
    g_clear_error(&error);
    g_assert_false(adit_file_write("/proc/adit", "x", 1, &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_OUTPUT);
}

static void
assert_read_refused(const char *path, gsize limit, AditError code)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_false(adit_file_read(path, limit, &text, NULL, &error));
    g_assert_error(error, ADIT_ERROR, (int) code);
    g_assert_nonnull(strstr(error->message, path));
}

static void
test_read_refuses(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autofree char *path = g_build_filename(folder, "a", NULL);
    g_autofree char *fifo = g_build_filename(folder, "fifo", NULL);

    write_text(path, "12345");
    g_assert_cmpint(mkfifo(fifo, 0666), ==, 0);
    assert_read_refused(folder, 100, ADIT_ERROR_DAMAGED);
    assert_read_refused(fifo, 100, ADIT_ERROR_DAMAGED);
    assert_read_refused("/dev/zero", 100, ADIT_ERROR_DAMAGED);
    assert_read_refused("/no/such/file", 100, ADIT_ERROR_NOT_FOUND);
    assert_read_refused(path, 4, ADIT_ERROR_DAMAGED);
    assert_contents(path, "12345");
}

static void
test_hash(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autofree char *path = g_build_filename(folder, "a", NULL);
    g_autofree char *sha256 = NULL;
    g_autoptr(GError) error = NULL;

    /* FIPS 180-4, example of one block */
    write_text(path, "abc");
    sha256 = adit_file_hash(path, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(sha256, ==, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    g_assert_null(adit_file_hash("/no/such/file", &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_NOT_FOUND);
}

static void
test_link(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autofree char *link = g_build_filename(folder, "last", NULL);
    g_autofree char *target = NULL;
    g_autoptr(GError) error = NULL;

    adit_link_write(link, "one", &error);
    g_assert_no_error(error);
    adit_link_write(link, "two", &error);
    g_assert_no_error(error);
    target = g_file_read_link(link, NULL);
    g_assert_cmpstr(target, ==, "two");
    fault_arm(2, ENOSPC);
    g_assert_false(adit_link_write(link, "three", &error));
    fault_disarm();
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_OUTPUT);
    g_assert_cmpuint(fault_count_entries(folder, ""), ==, 1);
}

static void
test_remove_follows_no_link(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autofree char *outside = g_build_filename(folder, "outside", NULL);
    g_autofree char *precious = g_build_filename(outside, "precious", NULL);
    g_autofree char *inside = g_build_filename(folder, "inside", "deep", NULL);
    g_autofree char *link = g_build_filename(inside, "link", NULL);
    g_autofree char *top = g_build_filename(folder, "inside", NULL);
    g_autoptr(GError) error = NULL;

    adit_folder_create(outside, &error);
    adit_folder_create(inside, &error);
    g_assert_no_error(error);
    write_text(precious, "here");
    g_assert_cmpint(symlink(outside, link), ==, 0);
    adit_folder_remove(top, &error);
    g_assert_no_error(error);
    g_assert_false(g_file_test(top, G_FILE_TEST_EXISTS));
    assert_contents(precious, "here");
    adit_folder_remove(top, &error);
    g_assert_no_error(error);
}

static void
make_folder_with(const char *folder, const char *text)
{
    g_autofree char *path = g_build_filename(folder, "text", NULL);
    g_autoptr(GError) error = NULL;

    adit_folder_create(folder, &error);
    g_assert_no_error(error);
    write_text(path, text);
}

/* @data: whether the file system cannot exchange two names */
static void
test_replace(gconstpointer data)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autofree char *to = g_build_filename(folder, "step", NULL);
    g_autofree char *from = g_build_filename(folder, ".tmp-step", NULL);
    g_autofree char *text = g_build_filename(to, "text", NULL);
    gboolean struck = TRUE;

    fault_forbid_exchange(GPOINTER_TO_INT(data));
    for (guint nth = 1; struck; nth++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *found = NULL;
        gboolean replaced;

        make_folder_with(to, "old");
        make_folder_with(from, "new");
        fault_arm(nth, EIO);
        replaced = adit_folder_replace(from, to, &error);
        struck = fault_disarm();
        /* what the next start does */
        g_assert_true(adit_folder_restore(folder, NULL));
        g_assert_true(adit_file_read(text, 10, &found, NULL, NULL));
        if (replaced)
            g_assert_cmpstr(found, ==, "new");
        else
            g_assert_error(error, ADIT_ERROR, ADIT_ERROR_OUTPUT);
        g_assert_cmpuint(fault_count_entries(folder, ""), ==, 1);
        g_assert_true(nth < 50);
    }
    fault_forbid_exchange(FALSE);
}

/* A kill between the two renames leaves the old folder aside and nothing in its place. */
static void
test_restore(void)
{
    g_auto(FaultFolder) folder = fault_make_folder();
    g_autofree char *aside = g_build_filename(folder, ".old-step", NULL);
    g_autofree char *step = g_build_filename(folder, "step", NULL);
    g_autofree char *text = g_build_filename(step, "text", NULL);
    g_autofree char *leftover = g_build_filename(folder, ".tmp-file-1-2", NULL);
    g_autofree char *missing = g_build_filename(folder, "missing", NULL);
    g_autoptr(GError) error = NULL;

    make_folder_with(aside, "old");
    write_text(leftover, "half");
    adit_folder_restore(folder, &error);
    g_assert_no_error(error);
    assert_contents(text, "old");
    make_folder_with(aside, "older");
    adit_folder_restore(folder, &error);
    g_assert_no_error(error);
    assert_contents(text, "old");
    g_assert_cmpuint(fault_count_entries(folder, ""), ==, 1);
    g_assert_true(adit_folder_restore(missing, &error));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/file/write-replaces", test_write_replaces);
    g_test_add_func("/base/file/write-survives-faults", test_write_survives_faults);
    g_test_add_func("/base/file/write-goes-on-after-short-writes-and-signals", test_write_goes_on);
    g_test_add_func("/base/file/write-to-a-full-disk", test_write_full_disk);
    g_test_add_func("/base/file/write-refused", test_write_refused);
    g_test_add_func("/base/file/read-refuses", test_read_refuses);
    g_test_add_func("/base/file/hash", test_hash);
    g_test_add_func("/base/file/link", test_link);
    g_test_add_func("/base/file/remove-follows-no-link", test_remove_follows_no_link);
    g_test_add_data_func("/base/file/replace", GINT_TO_POINTER(FALSE), test_replace);
    g_test_add_data_func("/base/file/replace-in-two-steps", GINT_TO_POINTER(TRUE), test_replace);
    g_test_add_func("/base/file/restore", test_restore);
    return g_test_run();
}
