/* tests/core/base/test-cache.c - SPDX-License-Identifier: MIT */
#include "adit-cache.h"
#include "adit-file.h"
#include "cache-tests.h"
#include "fault.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utime.h>

#define PAYLOAD_LENGTH 301
/* Where the fields of a file's head lie. */
#define AT_VERSION        8
#define AT_PAYLOAD_LENGTH 32
#define AT_KEY_LENGTH     40
#define AT_CHECKSUM       48
#define HEADER_SIZE       80

static GBytes *
make_bytes(const char *text)
{
    return g_bytes_new_static(text, strlen(text));
}

/* Bytes of every value. */
static GBytes *
make_payload(guint8 first, gsize length)
{
    guint8 *bytes = g_malloc(length);

    for (gsize i = 0; i < length; i++)
        bytes[i] = (guint8) (first + 7 * i);
    return g_bytes_new_take(bytes, length);
}

static char *
make_path(const char *kind, GBytes *key)
{
    g_autofree char *name = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, key);

    return g_build_filename(g_get_user_cache_dir(), "adit", kind, name, NULL);
}

static void
assert_kept(GBytes *key, GBytes *payload)
{
    g_autoptr(GBytes) got = adit_cache_load("things", key);

    g_assert_nonnull(got);
    g_assert_cmpmem(g_bytes_get_data(got, NULL), g_bytes_get_size(got),
                    g_bytes_get_data(payload, NULL), g_bytes_get_size(payload));
    g_assert_cmpuint(GPOINTER_TO_SIZE(g_bytes_get_data(got, NULL)) % 8, ==, 0);
}

static void
assert_none(GBytes *key)
{
    g_assert_null(adit_cache_load("things", key));
}

/* One entry, and its file in memory to be damaged. */
typedef struct {
    GBytes *key;
    GBytes *payload;
    char *path;
    char *file;
    gsize size;
} Entry;

static void
entry_clear(Entry *self)
{
    g_bytes_unref(self->key);
    g_bytes_unref(self->payload);
    g_free(self->path);
    g_free(self->file);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Entry, entry_clear)

static Entry
make_entry(const char *key)
{
    Entry self = {make_bytes(key), make_payload(1, PAYLOAD_LENGTH), NULL};

    self.path = make_path("things", self.key);
    adit_cache_save("things", self.key, self.payload);
    g_assert_true(adit_file_read(self.path, 10000, &self.file, &self.size, NULL));
    g_assert_cmpuint(self.size, ==, HEADER_SIZE + PAYLOAD_LENGTH + strlen(key));
    return self;
}

/* Without fsync: thousands of them are written. */
static void
put_back(const Entry *self, gsize size)
{
    g_assert_true(g_file_set_contents_full(self->path, self->file, (gssize) size,
                                           G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL));
}

static void
test_round_trip(void)
{
    static const gsize lengths[] = {0, 1, 4096, 1000003};
    g_autoptr(GBytes) key = make_bytes("a\nkey");

    assert_none(key);
    for (guint i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autoptr(GBytes) payload = make_payload((guint8) i, lengths[i]);

        adit_cache_save("things", key, payload);
        assert_kept(key, payload);
    }
}

static void
test_owner_only(void)
{
    mode_t mask = umask(0);
    g_auto(Entry) entry = make_entry("key");
    g_autofree char *folder = g_path_get_dirname(entry.path);
    GStatBuf status;

    umask(mask);
    g_assert_cmpint(g_stat(entry.path, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 0777, ==, 0600);
    g_assert_cmpint(g_stat(folder, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 0777, ==, 0700);
    g_assert_cmpuint(fault_count_entries(folder, ""), ==, 1);
    assert_kept(entry.key, entry.payload);
    /* what others may have written is not taken */
    g_assert_cmpint(g_chmod(entry.path, 0620), ==, 0);
    assert_none(entry.key);
}

static void
test_cut_short(void)
{
    g_auto(Entry) entry = make_entry("key");

    for (gsize size = 0; size < entry.size; size++) {
        put_back(&entry, size);
        assert_none(entry.key);
    }
    put_back(&entry, entry.size);
    assert_kept(entry.key, entry.payload);
}

static void
test_too_long(void)
{
    g_auto(Entry) entry = make_entry("key");

    entry.file = g_realloc(entry.file, entry.size + 1);
    entry.file[entry.size] = 'x';
    put_back(&entry, entry.size + 1);
    assert_none(entry.key);
}

static void
test_flipped_bits(void)
{
    g_auto(Entry) entry = make_entry("key");
    GRand *random = g_rand_new_with_seed(17);

    for (guint i = 0; i < 1000; i++) {
        gsize bit = (gsize) g_rand_int_range(random, 0, (gint32) entry.size * 8);

        entry.file[bit / 8] ^= (char) (1 << bit % 8);
        put_back(&entry, entry.size);
        assert_none(entry.key);
        entry.file[bit / 8] ^= (char) (1 << bit % 8);
    }
    g_rand_free(random);
    put_back(&entry, entry.size);
    assert_kept(entry.key, entry.payload);
}

/* A file whose checksum is right: what is told must be refused for itself. */
static void
put_back_summed(Entry *entry)
{
    g_autoptr(GChecksum) sha256 = g_checksum_new(G_CHECKSUM_SHA256);
    gsize length = HEADER_SIZE - AT_CHECKSUM;

    g_checksum_update(sha256, (guchar *) entry->file, AT_CHECKSUM);
    g_checksum_update(sha256, (guchar *) entry->file + HEADER_SIZE,
                      (gssize) (entry->size - HEADER_SIZE));
    g_checksum_get_digest(sha256, (guint8 *) entry->file + AT_CHECKSUM, &length);
    put_back(entry, entry->size);
}

static void
set_length(Entry *entry, gsize at, guint64 length)
{
    memcpy(entry->file + at, &length, sizeof(length));
}

static void
test_other_head(void)
{
    g_auto(Entry) entry = make_entry("key");

    put_back_summed(&entry);
    assert_kept(entry.key, entry.payload);
    entry.file[0]++;
    put_back_summed(&entry);
    assert_none(entry.key);
    entry.file[0]--;
    entry.file[AT_VERSION]++;
    put_back_summed(&entry);
    assert_none(entry.key);
    entry.file[AT_VERSION]--;
    /* lengths that give the file's size only when they overflow, or read the key elsewhere */
    set_length(&entry, AT_PAYLOAD_LENGTH, G_MAXUINT64);
    set_length(&entry, AT_KEY_LENGTH, PAYLOAD_LENGTH + 4);
    put_back_summed(&entry);
    assert_none(entry.key);
    set_length(&entry, AT_PAYLOAD_LENGTH, PAYLOAD_LENGTH + 1);
    set_length(&entry, AT_KEY_LENGTH, 2);
    put_back_summed(&entry);
    assert_none(entry.key);
    set_length(&entry, AT_KEY_LENGTH, G_MAXUINT64);
    put_back_summed(&entry);
    assert_none(entry.key);
}

static void
test_foreign(void)
{
    g_auto(Entry) entry = make_entry("key");
    g_auto(Entry) other = make_entry("kez");
    g_autofree char *path = make_path("stuff", entry.key);
    g_autofree char *folder = g_path_get_dirname(path);

    /* as if two keys had one name */
    g_assert_true(adit_file_write(entry.path, other.file, other.size, NULL));
    g_assert_cmpint(g_chmod(entry.path, 0600), ==, 0);
    assert_none(entry.key);
    assert_kept(other.key, other.payload);
    g_assert_cmpint(g_mkdir(folder, 0700), ==, 0);
    g_assert_true(adit_file_write(path, entry.file, entry.size, NULL));
    g_assert_cmpint(g_chmod(path, 0600), ==, 0);
    g_assert_null(adit_cache_load("stuff", entry.key));
}

static void
test_no_plain_file(void)
{
    g_auto(Entry) entry = make_entry("key");
    g_auto(Entry) other = make_entry("other");

    g_assert_cmpint(g_unlink(entry.path), ==, 0);
    g_assert_cmpint(symlink(other.path, entry.path), ==, 0);
    assert_none(entry.key);
    g_assert_cmpint(g_unlink(entry.path), ==, 0);
    g_assert_cmpint(mkfifo(entry.path, 0600), ==, 0);
    assert_none(entry.key);
    adit_cache_save("things", entry.key, entry.payload);
    assert_kept(entry.key, entry.payload);
}

static void
test_off(void)
{
    g_auto(Entry) entry = make_entry("key");
    g_autoptr(GBytes) other = make_bytes("other");
    g_autofree char *path = make_path("things", other);

    g_setenv("ADIT_CACHE", "0", TRUE);
    assert_none(entry.key);
    adit_cache_save("things", other, entry.payload);
    g_unsetenv("ADIT_CACHE");
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    assert_kept(entry.key, entry.payload);
}

static void
make_old(const char *path, int days)
{
    time_t when = time(NULL) - (time_t) days * 24 * 60 * 60;
    struct utimbuf times = {when, when};

    g_assert_cmpint(g_utime(path, &times), ==, 0);
}

static void
test_old_are_removed(void)
{
    g_auto(Entry) unused = make_entry("unused");
    g_auto(Entry) used = make_entry("used");
    g_auto(Entry) younger = make_entry("younger");

    make_old(unused.path, 91);
    make_old(used.path, 91);
    make_old(younger.path, 89);
    assert_kept(used.key, used.payload);
    adit_cache_save("things", younger.key, younger.payload);
    assert_none(unused.key);
    assert_kept(used.key, used.payload);
    assert_kept(younger.key, younger.payload);
}

/* In a process of its own, since the warning comes once in the life of one. */
static void
test_not_writable(void)
{
    g_autoptr(GBytes) key = make_bytes("key");

    if (!g_test_subprocess()) {
        g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
        g_test_trap_assert_passed();
        return;
    }
    g_assert_cmpint(g_mkdir_with_parents(g_get_user_cache_dir(), 0700), ==, 0);
    g_autofree char *in_the_way = g_build_filename(g_get_user_cache_dir(), "adit", NULL);
    g_assert_true(g_file_set_contents(in_the_way, "", 0, NULL));
    g_test_expect_message("adit-base", G_LOG_LEVEL_WARNING,
                          "cannot create */adit/things: *; going on without a cache");
    adit_cache_save("things", key, key);
    g_test_assert_expected_messages();
    assert_none(key);
    adit_cache_save("things", key, key);
    assert_none(key);
}

/* Every file system call in turn fails. */
static void
test_faults(void)
{
    g_auto(Entry) entry = {NULL};
    g_autoptr(GBytes) next = make_payload(2, 20);
    g_autofree char *folder = NULL;
    gboolean struck = TRUE;

    if (!g_test_subprocess()) {
        g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
        g_test_trap_assert_passed();
        return;
    }
    entry = make_entry("key");
    folder = g_path_get_dirname(entry.path);
    g_test_expect_message("adit-base", G_LOG_LEVEL_WARNING, "cannot write *; going on without *");
    for (guint nth = 1; struck; nth++) {
        g_autoptr(GBytes) got = NULL;

        put_back(&entry, entry.size);
        fault_arm(nth, ENOSPC);
        adit_cache_save("things", entry.key, next);
        struck = fault_disarm();
        got = adit_cache_load("things", entry.key);
        g_assert_true(g_bytes_equal(got, next) || (struck && g_bytes_equal(got, entry.payload)));
        g_assert_cmpuint(fault_count_entries(folder, ""), ==, 1);
        g_assert_true(nth < 50);
    }
    g_test_assert_expected_messages();
}

static GPid
start_writer(GBytes *key, GBytes *payload)
{
    GPid pid = fork();

    g_assert_cmpint(pid, >=, 0);
    if (pid > 0)
        return pid;
    for (guint i = 0; i < 100; i++)
        adit_cache_save("things", key, payload);
    _exit(0);
}

static void
test_two_writers(void)
{
    g_autoptr(GBytes) key = make_bytes("key");
    g_autoptr(GBytes) short_one = make_payload(1, 1000);
    g_autoptr(GBytes) long_one = make_payload(2, 100000);
    g_autofree char *path = make_path("things", key);
    g_autofree char *folder = g_path_get_dirname(path);
    gboolean has_been_there = FALSE;
    GPid writers[] = {start_writer(key, short_one), start_writer(key, long_one)};

    for (guint left = 2; left > 0;) {
        g_autoptr(GBytes) got = adit_cache_load("things", key);
        int status;

        /* once there, it is there at every moment */
        g_assert_true(got != NULL || !has_been_there);
        has_been_there = got != NULL;
        g_assert_true(got == NULL || g_bytes_equal(got, short_one) || g_bytes_equal(got, long_one));
        if (waitpid(writers[left - 1], &status, WNOHANG) == 0)
            continue;
        g_assert_cmpint(status, ==, 0);
        left--;
    }
    g_autoptr(GBytes) last = adit_cache_load("things", key);
    g_assert_nonnull(last);
    g_assert_cmpuint(fault_count_entries(folder, ""), ==, 1);
}

int
main(int argc, char **argv)
{
    static const CacheTest tests[] = {
        {"/cache/round-trip", test_round_trip},
        {"/cache/owner-only", test_owner_only},
        {"/cache/cut-short", test_cut_short},
        {"/cache/too-long", test_too_long},
        {"/cache/flipped-bits", test_flipped_bits},
        {"/cache/other-head", test_other_head},
        {"/cache/foreign", test_foreign},
        {"/cache/no-plain-file", test_no_plain_file},
        {"/cache/off", test_off},
        {"/cache/old-are-removed", test_old_are_removed},
        {"/cache/not-writable", test_not_writable},
        {"/cache/faults", test_faults},
        {"/cache/two-writers", test_two_writers},
    };

    g_test_init(&argc, &argv, NULL);
    return cache_tests_run(tests, G_N_ELEMENTS(tests));
}
