/* core/base/adit-cache.c - SPDX-License-Identifier: MIT */
#include "adit-cache.h"

#include "adit-file.h"
#include "adit-output.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#define MAGIC         "AditKep"
#define VERSION       1
#define CHECKSUM_SIZE 32
#define MAX_SIZE      ((gsize) 256 << 20)
#define KEPT_SECONDS  (90 * 24 * 60 * 60)

/* The head of a file; payload and key follow. Numbers are in the machine's order: read by a machine
 * of the other one, the version is wrong. */
typedef struct {
    char magic[8];
    guint32 version;
    char kind[20];
    guint64 payload_length;
    guint64 key_length;
    guint8 checksum[CHECKSUM_SIZE]; /* SHA-256 of all other bytes of the file */
} Header;

G_STATIC_ASSERT(sizeof(Header) == 80);

static gboolean
is_on(void)
{
    return g_strcmp0(g_getenv("ADIT_CACHE"), "0") != 0;
}

static char *
make_folder_path(const char *kind)
{
    return g_build_filename(g_get_user_cache_dir(), "adit", kind, NULL);
}

static char *
make_path(const char *folder, GBytes *key)
{
    g_autofree char *name = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, key);

    return g_build_filename(folder, name, NULL);
}

static void
compute_checksum(const Header *header, const void *payload, const void *key, guint8 *checksum)
{
    g_autoptr(GChecksum) sha256 = g_checksum_new(G_CHECKSUM_SHA256);
    gsize length = CHECKSUM_SIZE;

    g_checksum_update(sha256, (const guchar *) header, offsetof(Header, checksum));
    g_checksum_update(sha256, payload, (gssize) header->payload_length);
    g_checksum_update(sha256, key, (gssize) header->key_length);
    g_checksum_get_digest(sha256, checksum, &length);
}

static Header
make_header(const char *kind, GBytes *key, GBytes *payload)
{
    Header header = {.magic = MAGIC, .version = VERSION};

    g_strlcpy(header.kind, kind, sizeof(header.kind));
    header.payload_length = g_bytes_get_size(payload);
    header.key_length = g_bytes_get_size(key);
    compute_checksum(&header, g_bytes_get_data(payload, NULL), g_bytes_get_data(key, NULL),
                     header.checksum);
    return header;
}

/* The payload of a file's bytes; NULL with @reason. */
static GBytes *
unpack(GBytes *file, const char *kind, GBytes *key, const char **reason)
{
    gsize rest = g_bytes_get_size(file);
    g_autoptr(GBytes) payload = NULL;
    g_autoptr(GBytes) made_from = NULL;
    Header header, expected;

    *reason = "it is damaged";
    if (rest < sizeof(Header))
        return NULL;
    memcpy(&header, g_bytes_get_data(file, NULL), sizeof(Header));
    rest -= sizeof(Header);
    if (header.key_length > rest || header.payload_length != rest - header.key_length)
        return NULL;
    payload = g_bytes_new_from_bytes(file, sizeof(Header), header.payload_length);
    made_from =
        g_bytes_new_from_bytes(file, sizeof(Header) + header.payload_length, header.key_length);
    if (!g_bytes_equal(made_from, key)) {
        *reason = "it was made from something else";
        return NULL;
    }
    expected = make_header(kind, key, payload);
    return memcmp(&header, &expected, sizeof(Header)) == 0 ? g_steal_pointer(&payload) : NULL;
}

/* What others may have written is not ours to trust: drivers take what they are given. */
static gboolean
is_own_file(const char *path)
{
    GStatBuf status;

    return g_lstat(path, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
           (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

GBytes *
adit_cache_load(const char *kind, GBytes *key)
{
    g_autofree char *folder = make_folder_path(kind);
    g_autofree char *path = make_path(folder, key);
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) file = NULL;
    GBytes *payload;
    const char *reason;
    char *contents;
    gsize length;

    if (!is_on() || !is_own_file(path))
        return NULL;
    if (!adit_file_read(path, MAX_SIZE, &contents, &length, &error)) {
        g_debug("not taken from the cache: %s", error->message);
        return NULL;
    }
    file = g_bytes_new_take(contents, length);
    payload = unpack(file, kind, key, &reason);
    if (payload == NULL)
        g_debug("not taken from the cache: %s: %s", path, reason);
    else if (g_utime(path, NULL) < 0)
        g_debug("cannot say that %s was used", path);
    return payload;
}

/* Removes what has not been used for long, and what writers that were killed left behind. */
static void
remove_old(const char *path)
{
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    gint64 oldest = g_get_real_time() / G_USEC_PER_SEC - KEPT_SECONDS;
    const char *name;

    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        GStatBuf status;

        if (g_lstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_mtime < oldest &&
            g_unlink(file) < 0)
            g_debug("cannot remove %s", file);
    }
}

static gboolean
write_entry(const char *path, const Header *header, GBytes *payload, GBytes *key, GError **error)
{
    g_autoptr(AditOutput) output = adit_output_new_private(path, error);

    return output != NULL && adit_output_write(output, header, sizeof(Header), error) &&
           adit_output_write(output, g_bytes_get_data(payload, NULL), header->payload_length,
                             error) &&
           adit_output_write(output, g_bytes_get_data(key, NULL), header->key_length, error) &&
           adit_output_finish(output, error);
}

void
adit_cache_save(const char *kind, GBytes *key, GBytes *payload)
{
    static gint has_warned = FALSE;
    g_autofree char *folder = make_folder_path(kind);
    g_autofree char *path = make_path(folder, key);
    g_autoptr(GError) error = NULL;
    Header header;

    g_return_if_fail(strlen(kind) < sizeof(header.kind));
    if (!is_on() || g_bytes_get_size(payload) + g_bytes_get_size(key) > MAX_SIZE - sizeof(Header))
        return;
    header = make_header(kind, key, payload);
    if (g_mkdir_with_parents(folder, 0700) < 0)
        adit_output_fail(&error, "create", folder, errno);
    else if (write_entry(path, &header, payload, key, &error))
        remove_old(folder);
    if (error != NULL && g_atomic_int_compare_and_exchange(&has_warned, FALSE, TRUE))
        g_warning("%s; going on without a cache", error->message);
}
