/* tests/core/data/test-tree.c - SPDX-License-Identifier: MIT */
#include "adit-loader.h"
#include "scratch.h"
#include "tar.h"

/* "train/ train/a.txt=first ..." of the tree at @path. */
static char *
describe(AditLoader *loader, const char *path, GError **error)
{
    g_autoptr(AditTree) tree = adit_loader_open_tree(loader, path, error);
    g_autoptr(GString) text = g_string_new(NULL);

    if (tree == NULL)
        return NULL;
    for (guint i = 0; i < adit_tree_count_entries(tree); i++) {
        const char *name = adit_tree_get_entry(tree, i);
        g_autoptr(GBytes) bytes = NULL;

        g_string_append_printf(text, "%s%s", i > 0 ? " " : "", name);
        if (g_str_has_suffix(name, "/"))
            continue;
        bytes = adit_tree_read(tree, i, error);
        g_assert_nonnull(bytes);
        g_string_append_c(text, '=');
        g_string_append_len(text, g_bytes_get_data(bytes, NULL), (gssize) g_bytes_get_size(bytes));
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void
assert_tree(const char *path, const char *expected)
{
    g_autoptr(AditLoader) loader = adit_loader_new(NULL, 0);
    g_autoptr(GError) error = NULL;
    g_autofree char *text = describe(loader, path, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(text, ==, expected);
}

static void
write_file(Scratch *scratch, const char *name, const char *text)
{
    g_autofree char *full = g_build_filename(scratch->path, name, NULL);
    g_autofree char *folder = g_path_get_dirname(full);
    g_autofree char *path = NULL;

    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    path = scratch_write_text(scratch, name, text);
}

static void
test_folder(void)
{
    g_auto(Scratch) scratch = {0};

    scratch_init(&scratch);
    write_file(&scratch, "a/c/1", "one");
    write_file(&scratch, "a-/4", "four");
    write_file(&scratch, "a/b/3", "");
    write_file(&scratch, "a/b/2", "two");
    write_file(&scratch, "a/b/.hidden", "no");
    write_file(&scratch, ".git/x", "no");
    assert_tree(scratch.path, "a-/ a-/4=four a/ a/b/ a/b/2=two a/b/3= a/c/ a/c/1=one");
}

/* The digest of a folder is that of what sha256sum prints of its files, whoever reads them when. */
static void
test_folder_digest(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(AditLoader) loader = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    g_autofree char *digest = NULL;
    g_autofree char *line = NULL;
    g_auto(GStrv) files = NULL;
    /* printf a | sha256sum; printf b | sha256sum */
    static const char lines[] =
        "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  one/a\n"
        "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d  two/b\n";

    scratch_init(&scratch);
    write_file(&scratch, "two/b", "b");
    write_file(&scratch, "one/a", "a");
    loader = adit_loader_new(scratch.path, 0);
    text = describe(loader, scratch.path, &error);
    g_assert_no_error(error);
    files = adit_loader_list_files(loader, &error);
    g_assert_no_error(error);
    digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, lines, -1);
    line = g_strconcat(digest, "  ", scratch.path, NULL);
    g_assert_cmpuint(g_strv_length(files), ==, 1);
    g_assert_cmpstr(files[0], ==, line);
}

/* Names in every form that archives have, folders said or not, in any order. */
static GByteArray *
pack(void)
{
    GByteArray *tar = g_byte_array_new();
    static const char pax[] = "30 mtime=1350244992.023960108\n14 path=a/c/1\n";

    tar_append(tar, 'g', "pax_global_header", "19 comment=whatever\n", 20);
    tar_append(tar, '5', "./", "", 0);
    tar_append(tar, 'L', "././@LongLink", "./a-/4", 7);
    tar_add(tar, "cut off", "four", 4);
    tar_append(tar, '5', "a/", "", 0);
    tar_append(tar, '5', "a/", "", 0);
    tar_append(tar, '\0', "a/b/2", "two", 3);
    tar_append(tar, 'x', "PaxHeaders/1", pax, 44);
    tar_add(tar, "cut off", "one", 3);
    tar_add(tar, "./a//b/./3", "", 0);
    tar_add(tar, "a/b/._2", "no", 2);
    tar_append(tar, '5', "a/", "", 0);
    tar_end(tar);
    return tar;
}

static void
test_archive(void)
{
    static const char expected[] = "a-/ a-/4=four a/ a/b/ a/b/2=two a/b/3= a/c/ a/c/1=one";
    g_auto(Scratch) scratch = {0};
    g_autoptr(GByteArray) tar = pack();
    g_autoptr(GByteArray) gzip = pack_gzip(tar->data, tar->len);
    g_autoptr(GByteArray) xz = pack_xz(tar->data, tar->len);
    g_autofree char *plain_path = NULL;
    g_autofree char *gzip_path = NULL;
    g_autofree char *xz_path = NULL;

    scratch_init(&scratch);
    plain_path = scratch_write(&scratch, "a.tar", tar->data, tar->len);
    gzip_path = scratch_write(&scratch, "b.tgz", gzip->data, gzip->len);
    xz_path = scratch_write(&scratch, "c.tar.xz", xz->data, xz->len);
    assert_tree(plain_path, expected);
    assert_tree(gzip_path, expected);
    xz_path[strlen(xz_path) - 3] = '\0';
    assert_tree(xz_path, expected);
}

/* What a longer name is cut into. */
static void
test_archive_prefix(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(GByteArray) tar = g_byte_array_new();
    g_autofree char *path = NULL;
    guint sum = 0;

    scratch_init(&scratch);
    tar_add(tar, "b/c", "x", 1);
    memcpy(tar->data + 345, "a/a", 3);
    memset(tar->data + 148, ' ', 8);
    for (guint i = 0; i < 512; i++)
        sum += tar->data[i];
    g_snprintf((char *) tar->data + 148, 8, "%06o", sum);
    tar_end(tar);
    path = scratch_write(&scratch, "a.tar", tar->data, tar->len);
    assert_tree(path, "a/ a/a/ a/a/b/ a/a/b/c=x");
}

static void
assert_fails(Scratch *scratch, GByteArray *tar, gsize size, const char *message)
{
    g_autofree char *path = scratch_write(scratch, "a.tar", tar->data, size);
    g_autoptr(AditLoader) loader = adit_loader_new(scratch->path, 0);
    g_autoptr(GError) error = NULL;
    g_autoptr(AditTree) tree = adit_loader_open_tree(loader, path, &error);

    g_assert_null(tree);
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED);
    if (message != NULL)
        g_assert_cmpstr(error->message, ==, message);
}

static void
test_archive_errors(void)
{
    static const struct {
        char type;
        const char *name;
        const char *text;
        const char *message;
    } cases[] = {
        {'0', "/etc/passwd", "", "$data/a.tar: member '/etc/passwd': expected a relative name"},
        {'0', "a/../../b", "", "$data/a.tar: member 'a/../../b' leads out of the archive"},
        {'1', "a", "", "$data/a.tar: member 'a' is a link, expected a file or a folder"},
        {'2', "a/b", "", "$data/a.tar: member 'a/b' is a link, expected a file or a folder"},
        {'3', "null", "",
         "$data/a.tar: member 'null' is of a special kind, expected a file or a folder"},
        {'x', "pax", "9 path=x\n8", "$data/a.tar: a damaged pax header"},
        {'x', "pax", "999999999999 path=x\n", "$data/a.tar: a damaged pax header"},
        {'x', "pax", "0 path=x\n", "$data/a.tar: a damaged pax header"},
        {'x', "pax", "-1 path=x\n", "$data/a.tar: a damaged pax header"},
        {'0', "first", "", "$data/a.tar:first: it is in the archive twice"},
    };
    g_auto(Scratch) scratch = {0};

    scratch_init(&scratch);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GByteArray) tar = g_byte_array_new();

        tar_add(tar, "first", "1", 1);
        tar_append(tar, cases[i].type, cases[i].name, cases[i].text, strlen(cases[i].text));
        tar_end(tar);
        assert_fails(&scratch, tar, tar->len, cases[i].message);
    }
}

/* What describes the next entry may be empty: then it says nothing, or no name. */
static void
test_archive_empty_text(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(GByteArray) tar = g_byte_array_new();
    g_autoptr(GByteArray) nameless = g_byte_array_new();
    g_autofree char *path = NULL;

    scratch_init(&scratch);
    tar_append(tar, 'x', "PaxHeaders/1", "", 0);
    tar_add(tar, "a", "x", 1);
    tar_end(tar);
    path = scratch_write(&scratch, "b.tar", tar->data, tar->len);
    assert_tree(path, "a=x");
    tar_append(nameless, 'L', "././@LongLink", "", 0);
    tar_add(nameless, "a", "x", 1);
    tar_end(nameless);
    assert_fails(&scratch, nameless, nameless->len,
                 "$data/a.tar: member '': expected a relative name");
}

/* Folders in folders, as deep as they may be and one deeper; and a name that is nothing else. */
static void
test_archive_depth(void)
{
    static const char deep[] = "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/";
    g_auto(Scratch) scratch = {0};
    g_autoptr(GByteArray) tar = g_byte_array_new();
    g_autoptr(GByteArray) deeper = g_byte_array_new();
    g_autoptr(GByteArray) long_name = g_byte_array_new();
    g_autoptr(GString) name = g_string_new(NULL);
    g_autoptr(AditLoader) loader = adit_loader_new(NULL, 0);
    g_autoptr(AditTree) tree = NULL;
    g_autofree char *path = NULL;

    scratch_init(&scratch);
    tar_append(tar, '5', deep, "", 0);
    tar_add(tar, "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/file", "x", 1);
    tar_end(tar);
    path = scratch_write(&scratch, "deep.tar", tar->data, tar->len);
    tree = adit_loader_open_tree(loader, path, NULL);
    g_assert_nonnull(tree);
    g_assert_cmpuint(adit_tree_count_entries(tree), ==, 17);

    tar_add(deeper, "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/file", "x", 1);
    tar_end(deeper);
    assert_fails(&scratch, deeper, deeper->len,
                 "$data/a.tar:a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q: folders are more than 16 deep");

    for (guint i = 0; i < 30000; i++)
        g_string_append(name, "a/");
    tar_append(long_name, 'L', "././@LongLink", name->str, name->len);
    tar_add(long_name, "cut off", "", 0);
    tar_end(long_name);
    assert_fails(&scratch, long_name, long_name->len,
                 "$data/a.tar:a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a: folders are more than 16 deep");
}

/* Folders that nobody said count as well. */
static void
test_archive_entries(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(GByteArray) tar = g_byte_array_new();

    scratch_init(&scratch);
    for (guint i = 0; i < 1000000 / 16 + 1; i++) {
        g_autofree char *name = g_strdup_printf("%x/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/", i);

        tar_append(tar, '5', name, "", 0);
    }
    tar_end(tar);
    assert_fails(&scratch, tar, tar->len, "$data/a.tar: more than 1000000 files and folders");
}

/* Whoever lists an archive has the names; contents are read when they are asked for. */
static void
test_archive_listed(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(GByteArray) tar = pack();
    g_autoptr(GByteArray) other = g_byte_array_new();
    g_autoptr(AditLoader) loader = adit_loader_new(NULL, 0);
    g_autoptr(AditTree) tree = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;
    g_autofree char *message = NULL;

    scratch_init(&scratch);
    path = scratch_write(&scratch, "a.tar", tar->data, tar->len);
    tree = adit_loader_list_tree(loader, path, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(adit_tree_count_entries(tree), ==, 8);
    for (guint i = 0; i < 2; i++) {
        g_autoptr(GBytes) bytes = adit_tree_read(tree, 7, &error);

        g_assert_no_error(error);
        g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), "one", 3);
    }
    tar_add(other, "a/c/1", "one", 3);
    tar_end(other);
    g_free(scratch_write(&scratch, "a.tar", other->data, other->len));
    g_assert_null(adit_tree_read(tree, 1, &error));
    message = g_strconcat(path, ":a-/4: it is no longer in the archive", NULL);
    g_assert_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED);
    g_assert_cmpstr(error->message, ==, message);
}

static void
test_archive_damaged(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(GByteArray) tar = g_byte_array_new();
    g_autoptr(GByteArray) text = g_byte_array_new();

    scratch_init(&scratch);
    g_byte_array_append(text, (const guint8 *) "not an archive", 14);
    assert_fails(
        &scratch, text, text->len,
        "$data/a.tar: no tar archive: it begins 6e 6f 74 20, expected the header of a file "
        "or a folder");
    assert_fails(&scratch, text, 0, "$data/a.tar: the file is empty, expected a tar archive");
    tar_add(tar, "a", "1", 1);
    tar_add(tar, "b", "2", 1);
    assert_fails(&scratch, tar, tar->len, "$data/a.tar: truncated: it ends behind member 2");
    tar->data[1024 + 5] ^= 1;
    assert_fails(&scratch, tar, tar->len,
                 "$data/a.tar: the header of member 2 is damaged: got a checksum of 2465, expected "
                 "2464");
    tar->data[1024 + 5] ^= 1;
    tar->data[1024 + 148] = 'x';
    assert_fails(&scratch, tar, tar->len,
                 "$data/a.tar: the header of member 2 is damaged: its checksum is no number");
    /* what begins like an archive is one, whatever happened to its first header */
    tar->data[5] ^= 1;
    assert_fails(&scratch, tar, tar->len,
                 "$data/a.tar: the header of member 1 is damaged: got a checksum of 2464, expected "
                 "2463");
}

/* A size that lies costs no memory. */
static void
test_archive_lies(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(GByteArray) tar = g_byte_array_new();
    guint sum = 0;

    scratch_init(&scratch);
    tar_add(tar, "a", "1", 1);
    memset(tar->data + 124, 0, 12);
    tar->data[124] = 0x80;
    tar->data[129] = 0x7f; /* 127 << 48 bytes */
    memset(tar->data + 148, ' ', 8);
    for (guint i = 0; i < 512; i++)
        sum += tar->data[i];
    g_snprintf((char *) tar->data + 148, 8, "%06o", sum);
    assert_fails(&scratch, tar, tar->len,
                 "$data/a.tar: truncated: got 512 of 1048576 bytes of member 'a'");
}

/* Wherever it is cut, but between the two blocks of zeros at its end. */
static void
test_archive_truncated_anywhere(void)
{
    g_auto(Scratch) scratch = {0};
    g_autoptr(GByteArray) tar = pack();

    scratch_init(&scratch);
    for (gsize size = 0; size < tar->len - 512; size += 61)
        assert_fails(&scratch, tar, size, NULL);
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tree/folder", test_folder);
    g_test_add_func("/tree/folder-digest", test_folder_digest);
    g_test_add_func("/tree/archive", test_archive);
    g_test_add_func("/tree/archive-prefix", test_archive_prefix);
    g_test_add_func("/tree/archive-errors", test_archive_errors);
    g_test_add_func("/tree/archive-empty-text", test_archive_empty_text);
    g_test_add_func("/tree/archive-depth", test_archive_depth);
    g_test_add_func("/tree/archive-entries", test_archive_entries);
    g_test_add_func("/tree/archive-listed", test_archive_listed);
    g_test_add_func("/tree/archive-damaged", test_archive_damaged);
    g_test_add_func("/tree/archive-lies", test_archive_lies);
    g_test_add_func("/tree/archive-truncated-anywhere", test_archive_truncated_anywhere);
    return g_test_run();
}
