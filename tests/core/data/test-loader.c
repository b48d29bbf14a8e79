/* tests/core/data/test-loader.c - SPDX-License-Identifier: MIT */
#include "adit-loader.h"
#include "scratch.h"

#include <sys/stat.h>

static const char text[] = "one,two\n1,2\n3,4\n";

/* Everything behind @path, or NULL with an error. */
static GByteArray *
read_all(AditLoader *loader, const char *path, GError **error)
{
    g_autoptr(GInputStream) stream = adit_loader_open(loader, path, error);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    guint8 buffer[1000];
    gssize got = 0;

    if (stream == NULL)
        return NULL;
    while ((got = g_input_stream_read(stream, buffer, sizeof buffer, NULL, error)) > 0)
        g_byte_array_append(bytes, buffer, (guint) got);
    return got < 0 ? NULL : g_steal_pointer(&bytes);
}

static void
assert_reads(const char *path, const void *expected, gsize size)
{
    g_autoptr(AditLoader) loader = adit_loader_new("/nowhere", 0);
    g_autoptr(GError) error = NULL;
    g_autoptr(GByteArray) bytes = read_all(loader, path, &error);

    g_assert_no_error(error);
    g_assert_cmpmem(bytes->data, bytes->len, expected, size);
}

static void
test_unpacks_by_content(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(GByteArray) gzip = pack_gzip(text, strlen(text));
    g_autoptr(GByteArray) xz = pack_xz(text, strlen(text));
    g_autofree char *plain_path = NULL;
    g_autofree char *gzip_path = NULL;
    g_autofree char *xz_path = NULL;

    scratch_init(&scratch);
    plain_path = scratch_write_text(&scratch, "plain.gz", text);
    gzip_path = scratch_write(&scratch, "gzip.csv", gzip->data, gzip->len);
    xz_path = scratch_write(&scratch, "xz.bin", xz->data, xz->len);
    assert_reads(plain_path, text, strlen(text));
    assert_reads(gzip_path, text, strlen(text));
    assert_reads(xz_path, text, strlen(text));
}

static void
test_finds_packed_files(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(AditLoader) loader = NULL;
    g_autoptr(GByteArray) gzip = pack_gzip(text, strlen(text));
    g_autoptr(GByteArray) xz = pack_xz(text, strlen(text));
    g_autofree char *a = NULL;
    g_autofree char *b = NULL;
    g_autofree char *c = NULL;

    scratch_init(&scratch);
    a = scratch_write(&scratch, "a.csv.gz", gzip->data, gzip->len);
    b = scratch_write(&scratch, "b.csv.xz", xz->data, xz->len);
    c = g_build_filename(scratch.path, "c.csv", NULL);
    a[strlen(a) - 3] = '\0';
    b[strlen(b) - 3] = '\0';
    assert_reads(a, text, strlen(text));
    assert_reads(b, text, strlen(text));
    loader = adit_loader_new(NULL, 0);
    g_assert_true(adit_loader_exists(loader, a));
    g_assert_true(adit_loader_exists(loader, b));
    g_assert_false(adit_loader_exists(loader, c));
}

static void
test_reads_several_members(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(GByteArray) gzip = pack_gzip(text, 8);
    g_autoptr(GByteArray) gzip_rest = pack_gzip(text + 8, strlen(text) - 8);
    g_autoptr(GByteArray) xz = pack_xz(text, 8);
    g_autoptr(GByteArray) xz_rest = pack_xz(text + 8, strlen(text) - 8);
    g_autofree char *gzip_path = NULL;
    g_autofree char *xz_path = NULL;

    scratch_init(&scratch);
    g_byte_array_append(gzip, gzip_rest->data, gzip_rest->len);
    g_byte_array_append(xz, xz_rest->data, xz_rest->len);
    gzip_path = scratch_write(&scratch, "two.gz", gzip->data, gzip->len);
    xz_path = scratch_write(&scratch, "two.xz", xz->data, xz->len);
    assert_reads(gzip_path, text, strlen(text));
    assert_reads(xz_path, text, strlen(text));
}

static void
assert_fails(AditLoader *loader, const char *path, AditError code, const char *message)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GByteArray) bytes = read_all(loader, path, &error);

    g_assert_null(bytes);
    g_assert_error(error, ADIT_ERROR, (gint) code);
    g_assert_cmpstr(error->message, ==, message);
}

static void
test_names_what_is_missing(void)
{
    g_autoptr(AditLoader) loader = adit_loader_new("/no/data/", 0);
    g_autoptr(AditLoader) lost = adit_loader_new(NULL, 0);

    assert_fails(loader, "/no/data/sgemm/sgemm_products.csv", ADIT_ERROR_NOT_FOUND,
                 "no file '$data/sgemm/sgemm_products.csv'");
    assert_fails(loader, "/no/dataset/x.csv", ADIT_ERROR_NOT_FOUND, "no file '/no/dataset/x.csv'");
    assert_fails(lost, "/no/x.csv", ADIT_ERROR_NOT_FOUND,
                 "no file '/no/x.csv'; $data is ADIT_DATA or --data");
}

static void
test_opens_files_alone(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(AditLoader) loader = NULL;
    g_autofree char *folder = NULL;
    g_autofree char *pipe = NULL;

    scratch_init(&scratch);
    loader = adit_loader_new(scratch.path, 0);
    folder = g_build_filename(scratch.path, "folder", NULL);
    pipe = g_build_filename(scratch.path, "pipe", NULL);
    g_assert_cmpint(g_mkdir(folder, 0700), ==, 0);
    g_assert_cmpint(mkfifo(pipe, 0600), ==, 0);
    assert_fails(loader, folder, ADIT_ERROR_NOT_FOUND,
                 "'$data/folder' is a folder, expected a file");
    assert_fails(loader, pipe, ADIT_ERROR_NOT_FOUND,
                 "'$data/pipe' is not a regular file, expected a file");
}

static void
test_damaged_data(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(AditLoader) loader = NULL;
    g_autoptr(GByteArray) gzip = pack_gzip(text, strlen(text));
    g_autoptr(GByteArray) xz = pack_xz(text, strlen(text));
    g_autofree char *short_path = NULL;
    g_autofree char *gzip_path = NULL;
    g_autofree char *behind_path = NULL;
    g_autofree char *xz_path = NULL;

    scratch_init(&scratch);
    loader = adit_loader_new(scratch.path, 0);
    short_path = scratch_write(&scratch, "short.gz", gzip->data, 20);
    g_byte_array_append(gzip, (const guint8 *) "garbage", 7);
    behind_path = scratch_write(&scratch, "behind.gz", gzip->data, gzip->len);
    gzip->data[gzip->len - 7 - 8] ^= 1;
    gzip_path = scratch_write(&scratch, "a.gz", gzip->data, gzip->len - 7);
    xz->data[xz->len / 2] ^= 1;
    xz_path = scratch_write(&scratch, "a.xz", xz->data, xz->len);
    assert_fails(loader, short_path, ADIT_ERROR_DAMAGED,
                 "$data/short.gz: truncated: the gzip data end after 20 bytes");
    assert_fails(loader, gzip_path, ADIT_ERROR_DAMAGED,
                 "$data/a.gz: damaged gzip data: incorrect data check");
    assert_fails(loader, behind_path, ADIT_ERROR_DAMAGED,
                 "$data/behind.gz: damaged gzip data: incorrect header check");
    assert_fails(loader, xz_path, ADIT_ERROR_DAMAGED,
                 "$data/a.xz: damaged xz data: wrong checksum or contents");
}

/* A file cut anywhere is an error, or (when its magic is gone) bytes as they are. */
static void
check_truncated(Scratch *scratch, const GByteArray *packed)
{
    for (guint size = 0; size < packed->len; size++) {
        g_autofree char *path = scratch_write(scratch, "cut", packed->data, size);
        g_autoptr(AditLoader) loader = adit_loader_new(scratch->path, 0);
        g_autoptr(GError) error = NULL;
        g_autoptr(GByteArray) bytes = read_all(loader, path, &error);

        if (size >= 6)
            g_assert_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED);
        else if (bytes != NULL)
            g_assert_cmpmem(bytes->data, bytes->len, packed->data, size);
    }
}

static void
test_truncated_anywhere(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(GByteArray) gzip = pack_gzip(text, strlen(text));
    g_autoptr(GByteArray) xz = pack_xz(text, strlen(text));

    scratch_init(&scratch);
    check_truncated(&scratch, gzip);
    check_truncated(&scratch, xz);
}

static void
test_refuses_bombs(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(AditLoader) loader = NULL;
    gsize size = 80 * 1024 * 1024;
    g_autofree guint8 *zeros = g_malloc0(size);
    g_autoptr(GByteArray) gzip = pack_gzip(zeros, size);
    g_autoptr(GByteArray) tame = pack_gzip(zeros, 1024 * 1024);
    g_autofree char *path = NULL;
    g_autofree char *tame_path = NULL;

    scratch_init(&scratch);
    loader = adit_loader_new(scratch.path, 0);
    path = scratch_write(&scratch, "bomb.gz", gzip->data, gzip->len);
    tame_path = scratch_write(&scratch, "tame.gz", tame->data, tame->len);
    assert_fails(loader, path, ADIT_ERROR_DAMAGED,
                 "$data/bomb.gz: damaged gzip data: it expands to more than 100 times its size");
    assert_reads(tame_path, zeros, 1024 * 1024);
}

static void
test_reads_exactly(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(AditLoader) loader = NULL;
    g_autoptr(GInputStream) stream = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;
    char buffer[32] = "";

    scratch_init(&scratch);
    loader = adit_loader_new(scratch.path, 0);
    path = scratch_write_text(&scratch, "a", text);
    stream = adit_loader_open(loader, path, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(adit_loader_get_name(loader, stream), ==, "$data/a");
    g_assert_true(adit_loader_read(loader, stream, buffer, 4, "the header", &error));
    g_assert_cmpstr(buffer, ==, "one,");
    g_assert_false(adit_loader_read_end(loader, stream, "the header", &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED);
    g_assert_cmpstr(error->message, ==, "$data/a: trailing bytes behind the header");
    g_clear_error(&error);
    g_assert_false(adit_loader_read(loader, stream, buffer, 16, "the sizes", &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED);
    g_assert_cmpstr(error->message, ==, "$data/a: truncated: got 11 of 16 bytes of the sizes");
    g_clear_error(&error);
    g_assert_true(adit_loader_read_end(loader, stream, "the sizes", &error));
}

/* The digest is that of the file on disk, however much of it was read and in which way. */
static void
test_digests(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(AditLoader) loader = NULL;
    gsize size = 300000;
    g_autofree guint8 *bytes = g_malloc0(size);
    g_autoptr(GByteArray) gzip = pack_gzip(bytes, size);
    g_autofree char *expected = g_compute_checksum_for_data(G_CHECKSUM_SHA256, bytes, size);
    g_autofree char *packed = g_compute_checksum_for_data(G_CHECKSUM_SHA256, gzip->data, gzip->len);
    g_autofree char *path = NULL;
    g_autofree char *packed_path = NULL;
    g_autofree char *line = g_strconcat(expected, "  $data/plain", NULL);
    g_autofree char *packed_line = g_strconcat(packed, "  $data/packed", NULL);
    g_autoptr(GError) error = NULL;
    guint8 buffer[10];

    scratch_init(&scratch);
    loader = adit_loader_new(scratch.path, 0);
    path = scratch_write(&scratch, "plain", bytes, size);
    packed_path = scratch_write(&scratch, "packed", gzip->data, gzip->len);
    for (guint i = 0; i < 2; i++) {
        g_autoptr(GInputStream) stream = adit_loader_open(loader, path, &error);
        g_autoptr(GByteArray) all = read_all(loader, packed_path, &error);

        g_assert_no_error(error);
        g_assert_cmpuint(all->len, ==, size);
        g_assert_true(adit_loader_read(loader, stream, buffer, sizeof buffer, "it", &error));
    }
    {
        g_auto(GStrv) files = adit_loader_list_files(loader, &error);

        g_assert_no_error(error);
        g_assert_cmpuint(g_strv_length(files), ==, 2);
        g_assert_cmpstr(files[0], ==, line);
        g_assert_cmpstr(files[1], ==, packed_line);
    }
}

/* Everything of member @name of the archive at @path, or NULL with an error. */
static GByteArray *
read_member(AditLoader *loader, const char *path, const char *name, GError **error)
{
    g_autoptr(GInputStream) stream = adit_loader_open_member(loader, path, name, error);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    gsize got = 0;

    if (stream == NULL)
        return NULL;
    g_byte_array_set_size(bytes, 4096);
    g_assert_true(g_input_stream_read_all(stream, bytes->data, bytes->len, &got, NULL, error));
    g_byte_array_set_size(bytes, (guint) got);
    return g_steal_pointer(&bytes);
}

static void
test_reads_archives(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(AditLoader) loader = NULL;
    g_autoptr(GByteArray) zip = pack_zip("x.npy", text, strlen(text), "y.npy", text, 8);
    g_autofree char *path = NULL;
    g_autoptr(GByteArray) x = NULL;
    g_autoptr(GByteArray) y = NULL;
    g_autoptr(GError) error = NULL;

    scratch_init(&scratch);
    loader = adit_loader_new(scratch.path, 0);
    path = scratch_write(&scratch, "a.npz", zip->data, zip->len);
    x = read_member(loader, path, "x.npy", &error);
    g_assert_no_error(error);
    g_assert_cmpmem(x->data, x->len, text, strlen(text));
    y = read_member(loader, path, "y.npy", &error);
    g_assert_no_error(error);
    g_assert_cmpmem(y->data, y->len, text, 8);
    g_assert_null(read_member(loader, path, "z.npy", &error));
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_INVALID);
    g_assert_cmpstr(error->message, ==, "no member 'z.npy' in $data/a.npz; members: x.npy, y.npy");
}

static void
test_damaged_archives(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(AditLoader) loader = NULL;
    g_autoptr(GByteArray) zip = pack_zip("x.npy", text, strlen(text), "y.npy", text, 8);
    g_autoptr(GError) error = NULL;

    scratch_init(&scratch);
    loader = adit_loader_new(scratch.path, 0);
    for (guint size = 0; size < zip->len; size++) {
        g_autofree char *path = scratch_write(&scratch, "cut.npz", zip->data, size);
        g_autoptr(GByteArray) bytes = read_member(loader, path, "y.npy", &error);

        g_assert_null(bytes);
        g_assert_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED);
        g_clear_error(&error);
    }
    for (guint at = 0; at < zip->len; at++) {
        g_autofree char *path = NULL;
        g_autoptr(GByteArray) bytes = NULL;

        /* one byte wrong anywhere: the right bytes (names, times) or an error */
        zip->data[at] ^= 0x41;
        path = scratch_write(&scratch, "bad.npz", zip->data, zip->len);
        zip->data[at] ^= 0x41;
        bytes = read_member(loader, path, "y.npy", &error);
        g_assert_true((bytes == NULL) == (error != NULL));
        if (bytes != NULL)
            g_assert_cmpmem(bytes->data, bytes->len, text, 8);
        g_clear_error(&error);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/data/loader/unpacks-by-content", test_unpacks_by_content);
    g_test_add_func("/data/loader/finds-packed-files", test_finds_packed_files);
    g_test_add_func("/data/loader/reads-several-members", test_reads_several_members);
    g_test_add_func("/data/loader/names-what-is-missing", test_names_what_is_missing);
    g_test_add_func("/data/loader/opens-files-alone", test_opens_files_alone);
    g_test_add_func("/data/loader/damaged-data", test_damaged_data);
    g_test_add_func("/data/loader/truncated-anywhere", test_truncated_anywhere);
    g_test_add_func("/data/loader/refuses-bombs", test_refuses_bombs);
    g_test_add_func("/data/loader/reads-exactly", test_reads_exactly);
    g_test_add_func("/data/loader/digests", test_digests);
    g_test_add_func("/data/loader/reads-archives", test_reads_archives);
    g_test_add_func("/data/loader/damaged-archives", test_damaged_archives);
    return g_test_run();
}
