/* core/base/adit-file.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-error.h>
#include <gio/gio.h>

G_BEGIN_DECLS

/*
 * Files and folders that survive a crash. What fails to be written is ADIT_ERROR_OUTPUT with the
 * path and the reason: "cannot write runs/x/run.json: No space left on device".
 */

/* Writes @contents to @path through a temporary file beside it: fsync, rename, fsync of the folder.
 * After a failure @path is as before and the temporary file is gone; after a kill it may remain,
 * its name beginning with ".tmp-". */
gboolean adit_file_write(const char *path, const void *contents, gsize length, GError **error);

/**
 * adit_file_read:
 * @path: a regular file; anything else is refused unread
 * @limit: the most bytes accepted
 * @contents: (out): the bytes, and a NUL that @length does not count; owned by the caller
 * @length: (out) (optional): number of bytes
 *
 * Fails with ADIT_ERROR_NOT_FOUND (missing, unreadable), ADIT_ERROR_DAMAGED (not a regular file,
 * larger than @limit) or ADIT_ERROR_MEMORY.
 */
gboolean adit_file_read(const char *path, gsize limit, char **contents, gsize *length,
                        GError **error);

/* A GFile of a file that is on this system. g_file_new_for_path() would load the modules of GIO
 * that the system has, which are none of ours: they may be made for another GLib, and they bring
 * threads and connections. */
GFile *adit_file_get(const char *path);

/* SHA-256 of a regular file in hexadecimal; fails as adit_file_read() does. */
char *adit_file_hash(const char *path, GError **error);

/* A path beside @path, its name beginning with ".tmp-", that no other writer uses. */
char *adit_file_make_temporary_path(const char *path);

/* Makes @path a symbolic link to @target (relative to its folder) in one step, whatever it was. */
gboolean adit_link_write(const char *path, const char *target, GError **error);

/* Makes a folder and those above it, each durable; one that exists is fine. */
gboolean adit_folder_create(const char *path, GError **error);
/* Whether @path is a folder without entries. */
gboolean adit_folder_is_empty(const char *path);
/* fsync of a folder, so that a rename within it is durable. */
gboolean adit_folder_sync(const char *path, GError **error);
/* Removes a folder and what is in it; links are removed, not followed. None there is fine. */
gboolean adit_folder_remove(const char *path, GError **error);
/* Removes a folder that others read: renames it to ".tmp-..." beside it first, so that no half of
 * it is ever seen under its name. */
gboolean adit_folder_retire(const char *path, GError **error);

/**
 * adit_folder_replace:
 * @from: a complete folder, its files synced
 * @to: its final name, in the same folder
 *
 * Moves @from to @to durably. A folder @to that exists is exchanged in one step and then removed.
 * Where the file system cannot exchange, it is first renamed to ".old-NAME" beside it;
 * adit_folder_restore() puts that back after a kill between the two renames.
 */
gboolean adit_folder_replace(const char *from, const char *to, GError **error);

/* Tidies @path after a kill: entries ".tmp-..." are removed; ".old-NAME" is removed if NAME exists
 * and renamed to NAME if not. A missing @path is fine. */
gboolean adit_folder_restore(const char *path, GError **error);

G_END_DECLS
