/* core/base/adit-file.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-error.h>

G_BEGIN_DECLS

/* Files that survive a crash. All fail with ADIT_ERROR_OUTPUT, naming the path and the reason. */

/* Writes @contents to @path through a temporary file: fsync, rename, fsync of the folder. */
gboolean adit_file_write(const char *path, const void *contents, gsize length, GError **error);
/* fsync of a folder, so that a rename within it is durable. */
gboolean adit_folder_sync(const char *path, GError **error);
/* Removes a folder and what is in it; links are removed, not followed. */
gboolean adit_folder_remove(const char *path, GError **error);

G_END_DECLS
