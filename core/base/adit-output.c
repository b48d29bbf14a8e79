/* core/base/adit-output.c - SPDX-License-Identifier: MIT */
#include "adit-output.h"

#include "adit-file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Modes of new files; the umask takes from them. */
#define SHARED  0666
#define PRIVATE 0600

struct _AditOutput {
    char *path;
    char *temporary; /* NULL: @path itself is written */
    int fd;
    guint64 size;
    GChecksum *checksum; /* NULL for a file of lines */
};

gboolean
adit_output_fail(GError **error, const char *verb, const char *path, int number)
{
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_OUTPUT, "cannot %s %s: %s", verb, path,
                g_strerror(number));
    return FALSE;
}

static int
open_retrying(const char *path, int flags, mode_t mode)
{
    int fd;

    do
        fd = open(path, flags | O_CLOEXEC | O_NOCTTY, mode);
    while (fd < 0 && errno == EINTR);
    return fd;
}

/* 0, or the errno that stopped it */
static int
write_all(int fd, const char *data, gsize length)
{
    while (length > 0) {
        ssize_t written = write(fd, data, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return errno;
        /* a regular file that takes nothing and says nothing would be asked for ever */
        if (written == 0)
            return EIO;
        data += written;
        length -= (gsize) written;
    }
    return 0;
}

static int
sync_retrying(int fd)
{
    int result;

    do
        result = fsync(fd);
    while (result < 0 && errno == EINTR);
    return result;
}

static AditOutput *
wrap(const char *path, int fd)
{
    AditOutput *self = g_new0(AditOutput, 1);

    self->path = g_strdup(path);
    self->fd = fd;
    return self;
}

/* Where the last whole line ends; -1 with errno. */
static off_t
find_end_of_lines(int fd, off_t size)
{
    char chunk[4096];

    while (size > 0) {
        off_t begin = MAX(0, size - (off_t) sizeof(chunk));
        ssize_t got = pread(fd, chunk, (gsize) (size - begin), begin);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -1;
        for (ssize_t i = got; i > 0; i--) {
            if (chunk[i - 1] == '\n')
                return begin + i;
        }
        size = begin;
    }
    return 0;
}

static gboolean
cut_torn_line(AditOutput *self, GError **error)
{
    struct stat status;
    off_t end;

    if (fstat(self->fd, &status) < 0)
        return adit_output_fail(error, "open", self->path, errno);
    if (!S_ISREG(status.st_mode))
        return TRUE;
    end = find_end_of_lines(self->fd, status.st_size);
    if (end < 0)
        return adit_output_fail(error, "read", self->path, errno);
    if (end < status.st_size && ftruncate(self->fd, end) < 0)
        return adit_output_fail(error, "cut the torn last line of", self->path, errno);
    return TRUE;
}

static AditOutput *
create(const char *path, char *temporary, mode_t mode, GError **error)
{
    int fd = open_retrying(temporary != NULL ? temporary : path, O_WRONLY | O_CREAT | O_EXCL, mode);
    AditOutput *self;

    if (fd < 0) {
        adit_output_fail(error, "write", path, errno);
        g_free(temporary);
        return NULL;
    }
    self = wrap(path, fd);
    self->temporary = temporary;
    self->checksum = g_checksum_new(G_CHECKSUM_SHA256);
    return self;
}

AditOutput *
adit_output_new(const char *path, GError **error)
{
    return create(path, NULL, SHARED, error);
}

AditOutput *
adit_output_new_replacing(const char *path, GError **error)
{
    return create(path, adit_file_make_temporary_path(path), SHARED, error);
}

AditOutput *
adit_output_new_private(const char *path, GError **error)
{
    return create(path, adit_file_make_temporary_path(path), PRIVATE, error);
}

AditOutput *
adit_output_append(const char *path, GError **error)
{
    int fd = open_retrying(path, O_RDWR | O_CREAT | O_APPEND, SHARED);
    g_autoptr(AditOutput) self = NULL;

    if (fd < 0) {
        adit_output_fail(error, "open", path, errno);
        return NULL;
    }
    self = wrap(path, fd);
    if (!cut_torn_line(self, error))
        return NULL;
    return g_steal_pointer(&self);
}

void
adit_output_free(AditOutput *self)
{
    if (self->fd >= 0)
        close(self->fd);
    if (self->temporary != NULL)
        g_unlink(self->temporary);
    g_free(self->temporary);
    g_clear_pointer(&self->checksum, g_checksum_free);
    g_free(self->path);
    g_free(self);
}

gboolean
adit_output_write(AditOutput *self, const void *data, gsize length, GError **error)
{
    int number = write_all(self->fd, data, length);

    if (number != 0)
        return adit_output_fail(error, "write", self->path, number);
    self->size += length;
    /* g_checksum_update() takes a signed length */
    for (const guchar *rest = data; length > 0;) {
        gsize part = MIN(length, (gsize) 1 << 30);

        g_checksum_update(self->checksum, rest, (gssize) part);
        rest += part;
        length -= part;
    }
    return TRUE;
}

gboolean
adit_output_write_line(AditOutput *self, const char *text, gsize length, GError **error)
{
    struct stat status;
    int number;

    if (fstat(self->fd, &status) < 0)
        return adit_output_fail(error, "write", self->path, errno);
    number = write_all(self->fd, text, length);
    if (number == 0)
        return TRUE;
    /* a disk that fills up takes the first half of a line; if the cut fails too, the next
     * adit_output_append() makes it */
    if (S_ISREG(status.st_mode) && ftruncate(self->fd, status.st_size) < 0)
        g_debug("cannot cut %s: %s", self->path, g_strerror(errno));
    return adit_output_fail(error, "write", self->path, number);
}

gboolean
adit_output_sync(AditOutput *self, GError **error)
{
    if (sync_retrying(self->fd) < 0)
        return adit_output_fail(error, "write", self->path, errno);
    return TRUE;
}

static gboolean
move_into_place(AditOutput *self, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(self->path);

    if (g_rename(self->temporary, self->path) < 0)
        return adit_output_fail(error, "write", self->path, errno);
    g_clear_pointer(&self->temporary, g_free);
    return adit_folder_sync(folder, error);
}

gboolean
adit_output_finish(AditOutput *self, GError **error)
{
    if (!adit_output_sync(self, error))
        return FALSE;
    /* after EINTR the descriptor is closed all the same on Linux */
    if (close(g_steal_fd(&self->fd)) < 0 && errno != EINTR)
        return adit_output_fail(error, "write", self->path, errno);
    return self->temporary == NULL || move_into_place(self, error);
}

guint64
adit_output_get_size(const AditOutput *self)
{
    return self->size;
}

const char *
adit_output_get_sha256(AditOutput *self)
{
    return g_checksum_get_string(self->checksum);
}
