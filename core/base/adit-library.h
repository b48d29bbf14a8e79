/* core/base/adit-library.h - SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * adit_library_find:
 * @folder: below the folders of plugins: "kernels"
 * @symbol: what a module there exports: a table that begins with a guint, its version
 * @version: that is known here
 * @without: what is done where there is none, for people: "convolutions are computed without it"
 *
 * Opens the module of a library that the program can do without, the first by name of the first
 * folder that has one. What was opened stays open: threads of the library may outlive all that used
 * it.
 *
 * Returns: (nullable): the table
 */
gconstpointer adit_library_find(const char *folder, const char *symbol, guint version,
                                const char *without);

G_END_DECLS
