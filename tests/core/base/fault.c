/* tests/core/base/fault.c - SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* RTLD_NEXT, renameat2 */
#include "fault.h"

#include "adit-file.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name)) dlsym(RTLD_NEXT, #name))

static guint countdown;
static guint short_countdown;
static int fault_number;
static gboolean came_to_pass;
static gboolean no_exchange;

void
fault_arm(guint nth, int number)
{
    countdown = nth;
    fault_number = number;
    came_to_pass = FALSE;
}

void
fault_arm_short_write(guint nth)
{
    short_countdown = nth;
    came_to_pass = FALSE;
}

gboolean
fault_disarm(void)
{
    countdown = short_countdown = 0;
    return came_to_pass;
}

void
fault_forbid_exchange(gboolean forbid)
{
    no_exchange = forbid;
}

static gboolean
strikes(void)
{
    if (countdown == 0 || --countdown > 0)
        return FALSE;
    came_to_pass = TRUE;
    errno = fault_number;
    return TRUE;
}

int
open(const char *path, int flags, ...)
{
    va_list arguments;
    mode_t mode = 0;

    va_start(arguments, flags);
    if (flags & O_CREAT)
        mode = va_arg(arguments, mode_t);
    va_end(arguments);
    return strikes() ? -1 : NEXT(open)(path, flags, mode);
}

ssize_t
write(int fd, const void *data, size_t length)
{
    if (strikes())
        return -1;
    if (short_countdown > 0 && --short_countdown == 0 && length > 1) {
        came_to_pass = TRUE;
        length /= 2;
    }
    return NEXT(write)(fd, data, length);
}

int
fsync(int fd)
{
    return strikes() ? -1 : NEXT(fsync)(fd);
}

int
close(int fd)
{
    gboolean fails = strikes();
    int result = NEXT(close)(fd);

    if (!fails)
        return result;
    errno = fault_number;
    return -1;
}

int
ftruncate(int fd, off_t length)
{
    return strikes() ? -1 : NEXT(ftruncate)(fd, length);
}

int
rename(const char *from, const char *to)
{
    return strikes() ? -1 : NEXT(rename)(from, to);
}

int
renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned int flags)
{
    if (no_exchange && (flags & RENAME_EXCHANGE)) {
        errno = EINVAL;
        return -1;
    }
    return strikes() ? -1 : NEXT(renameat2)(from_fd, from, to_fd, to, flags);
}

int
mkdir(const char *path, mode_t mode)
{
    return strikes() ? -1 : NEXT(mkdir)(path, mode);
}

int
symlink(const char *target, const char *path)
{
    return strikes() ? -1 : NEXT(symlink)(target, path);
}

int
unlink(const char *path)
{
    return strikes() ? -1 : NEXT(unlink)(path);
}

int
rmdir(const char *path)
{
    return strikes() ? -1 : NEXT(rmdir)(path);
}

FaultFolder
fault_make_folder(void)
{
    /* in memory if that is to be had: thousands of fsyncs to a busy disk take minutes */
    const char *parent = access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : g_get_tmp_dir();
    char *folder = g_build_filename(parent, "adit-test-XXXXXX", NULL);

    g_assert_nonnull(g_mkdtemp(folder));
    return folder;
}

void
fault_remove_folder(FaultFolder folder)
{
    g_autoptr(GError) error = NULL;

    adit_folder_remove(folder, &error);
    g_assert_no_error(error);
    g_free(folder);
}

guint
fault_count_entries(const char *folder, const char *prefix)
{
    g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
    const char *name;
    guint count = 0;

    while (entries != NULL && (name = g_dir_read_name(entries)) != NULL)
        count += g_str_has_prefix(name, prefix) ? 1 : 0;
    return count;
}
