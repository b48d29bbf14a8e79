/* core/base/adit-file.c - SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* nftw, renameat2 */
#include "adit-file.h"

#include "adit-output.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPORARY_PREFIX ".tmp-"
#define ASIDE_PREFIX     ".old-"
#define HASH_CHUNK       65536

char *
adit_file_make_temporary_path(const char *path)
{
    static gint counter = 0;
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *temporary = g_strdup_printf(TEMPORARY_PREFIX "%s-%d-%d", name, (int) getpid(),
                                                 g_atomic_int_add(&counter, 1));

    return g_build_filename(folder, temporary, NULL);
}

GFile *
adit_file_get(const char *path)
{
    return g_vfs_get_file_for_path(g_vfs_get_local(), path);
}

static gboolean
sync_parent(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);

    return adit_folder_sync(folder, error);
}

gboolean
adit_file_write(const char *path, const void *contents, gsize length, GError **error)
{
    g_autoptr(AditOutput) output = adit_output_new_replacing(path, error);

    return output != NULL && adit_output_write(output, contents, length, error) &&
           adit_output_finish(output, error);
}

/* Opens a regular file and gives its size; -1 with @error. A FIFO must not block the open. */
static int
open_regular(const char *path, gsize limit, gsize *size, GError **error)
{
    int fd = g_open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0);
    struct stat status;

    if (fd < 0 || fstat(fd, &status) < 0) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_NOT_FOUND, "cannot read %s: %s", path,
                    g_strerror(errno));
    } else if (!S_ISREG(status.st_mode)) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED, "%s is not a regular file", path);
    } else if ((guint64) status.st_size > limit) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED,
                    "%s: expected at most %" G_GSIZE_FORMAT " bytes, got %" G_GUINT64_FORMAT, path,
                    limit, (guint64) status.st_size);
    } else {
        *size = (gsize) status.st_size;
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Number of bytes read, short only at the end of the file; -1 with errno. */
static gssize
read_all(int fd, char *buffer, gsize size)
{
    gsize got = 0;

    while (got < size) {
        ssize_t part = read(fd, buffer + got, size - got);

        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            return -1;
        if (part == 0)
            break;
        got += (gsize) part;
    }
    return (gssize) got;
}

gboolean
adit_file_read(const char *path, gsize limit, char **contents, gsize *length, GError **error)
{
    gsize size = 0;
    int fd = open_regular(path, limit, &size, error);
    g_autofree char *buffer = NULL;
    gssize got;
    int number;

    if (fd < 0)
        return FALSE;
    buffer = size < G_MAXSSIZE ? g_try_malloc(size + 1) : NULL;
    got = buffer != NULL ? read_all(fd, buffer, size) : 0;
    number = errno;
    close(fd);
    if (buffer == NULL) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_MEMORY,
                    "no memory for the %" G_GSIZE_FORMAT " bytes of %s", size, path);
        return FALSE;
    }
    if (got < 0) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_NOT_FOUND, "cannot read %s: %s", path,
                    g_strerror(number));
        return FALSE;
    }
    buffer[got] = '\0';
    *contents = g_steal_pointer(&buffer);
    if (length != NULL)
        *length = (gsize) got;
    return TRUE;
}

char *
adit_file_hash(const char *path, GError **error)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree char *buffer = g_malloc(HASH_CHUNK);
    gsize size;
    int fd = open_regular(path, G_MAXSIZE, &size, error);
    gssize got;
    int number;

    if (fd < 0)
        return NULL;
    while ((got = read_all(fd, buffer, HASH_CHUNK)) > 0)
        g_checksum_update(checksum, (const guchar *) buffer, got);
    number = errno;
    close(fd);
    if (got < 0) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_NOT_FOUND, "cannot read %s: %s", path,
                    g_strerror(number));
        return NULL;
    }
    return g_strdup(g_checksum_get_string(checksum));
}

gboolean
adit_link_write(const char *path, const char *target, GError **error)
{
    g_autofree char *temporary = adit_file_make_temporary_path(path);

    if (symlink(target, temporary) < 0)
        return adit_output_fail(error, "write", path, errno);
    if (g_rename(temporary, path) < 0) {
        int number = errno;

        g_unlink(temporary);
        return adit_output_fail(error, "write", path, number);
    }
    return sync_parent(path, error);
}

gboolean
adit_folder_create(const char *path, GError **error)
{
    g_autofree char *parent = NULL;

    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        return TRUE;
    parent = g_path_get_dirname(path);
    if (!g_str_equal(parent, path) && !adit_folder_create(parent, error))
        return FALSE;
    if (g_mkdir(path, 0777) < 0) {
        /* another process may have been quicker */
        if (errno != EEXIST || !g_file_test(path, G_FILE_TEST_IS_DIR))
            return adit_output_fail(error, "create", path, errno);
        return TRUE;
    }
    return adit_folder_sync(parent, error);
}

gboolean
adit_folder_is_empty(const char *path)
{
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);

    return folder != NULL && g_dir_read_name(folder) == NULL;
}

gboolean
adit_folder_sync(const char *path, GError **error)
{
    int fd = g_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    int result, number;

    if (fd < 0)
        return adit_output_fail(error, "sync", path, errno);
    do
        result = fsync(fd);
    while (result < 0 && errno == EINTR);
    number = errno;
    close(fd);
    /* some network file systems cannot sync a folder and have nothing to lose in it */
    if (result < 0 && number != EINVAL)
        return adit_output_fail(error, "sync", path, number);
    return TRUE;
}

static int
remove_cb(const char *path, const struct stat *status, int type, struct FTW *where)
{
    return (type == FTW_DP ? rmdir(path) : unlink(path)) < 0 ? errno : 0;
}

gboolean
adit_folder_remove(const char *path, GError **error)
{
    int result = nftw(path, remove_cb, 16, FTW_DEPTH | FTW_PHYS);
    int number = result < 0 ? errno : result;

    return number == 0 || number == ENOENT || adit_output_fail(error, "remove", path, number);
}

gboolean
adit_folder_retire(const char *path, GError **error)
{
    g_autofree char *temporary = adit_file_make_temporary_path(path);

    if (g_rename(path, temporary) < 0)
        return adit_output_fail(error, "remove", path, errno);
    return adit_folder_remove(temporary, error);
}

static gboolean
replace_in_two_steps(const char *from, const char *to, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(to);
    g_autofree char *name = g_path_get_basename(to);
    g_autofree char *aside_name = g_strconcat(ASIDE_PREFIX, name, NULL);
    g_autofree char *aside = g_build_filename(folder, aside_name, NULL);

    if (!adit_folder_remove(aside, error))
        return FALSE;
    if (g_rename(to, aside) < 0)
        return adit_output_fail(error, "replace", to, errno);
    if (g_rename(from, to) < 0) {
        int number = errno;

        if (g_rename(aside, to) < 0)
            g_debug("cannot put back %s: %s", to, g_strerror(errno));
        return adit_output_fail(error, "replace", to, number);
    }
    return adit_folder_sync(folder, error) && adit_folder_remove(aside, error);
}

gboolean
adit_folder_replace(const char *from, const char *to, GError **error)
{
    if (!g_file_test(to, G_FILE_TEST_EXISTS)) {
        if (g_rename(from, to) < 0)
            return adit_output_fail(error, "create", to, errno);
        return sync_parent(to, error);
    }
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE) == 0)
        return sync_parent(to, error) && adit_folder_remove(from, error);
    if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
        return adit_output_fail(error, "replace", to, errno);
    return replace_in_two_steps(from, to, error);
}

static gboolean
restore_entry(const char *folder, const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *original = NULL;

    if (g_str_has_prefix(name, TEMPORARY_PREFIX))
        return adit_folder_remove(path, error);
    if (!g_str_has_prefix(name, ASIDE_PREFIX))
        return TRUE;
    original = g_build_filename(folder, name + strlen(ASIDE_PREFIX), NULL);
    if (g_file_test(original, G_FILE_TEST_EXISTS))
        return adit_folder_remove(path, error);
    if (g_rename(path, original) < 0)
        return adit_output_fail(error, "restore", original, errno);
    return adit_folder_sync(folder, error);
}

gboolean
adit_folder_restore(const char *path, GError **error)
{
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *name;

    /* entries change below; read them all before */
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL)
        g_ptr_array_add(names, g_strdup(name));
    for (guint i = 0; i < names->len; i++) {
        if (!restore_entry(path, g_ptr_array_index(names, i), error))
            return FALSE;
    }
    return TRUE;
}
