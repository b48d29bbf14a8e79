/* core/base/adit-installation.h - SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * Where the program's own files lie. They are looked for around the library first, so that an
 * installed tree and an unpacked bundle may be moved anywhere, and where the build was told to
 * install them second:
 *
 *     LIBRARIES/libadit-1.0.so.0
 *     LIBRARIES/adit-1.0/KIND-NAME.so
 *     LIBRARIES/adit-1.0/kernels/onednn.so                    not in bundles
 *     LIBRARIES/adit-1.0/algebra/lapack.so                    likewise
 *     LIBRARIES/adit-1.0/fallback/libvulkan.so.1              in bundles
 *     LIBRARIES/../share/adit-1.0/pipelines                   or ../../share: lib/x86_64-linux-gnu
 *     LIBRARIES/../share/adit-1.0/plots                       likewise
 */

/* (nullable): the folder that this library was loaded from, absolute and without links; NULL where
 * the system cannot tell. Lives as long as the program. */
const char *adit_installation_get_folder(void);

/* The folders that plugins are looked for in, the first of two with a file of one name first:
 * those of the environment's ADIT_PLUGIN_PATH; those of its ADIT_PLUGIN_SYSTEM_PATH, else the
 * user's and the installation's. Owned by the caller. */
char **adit_installation_list_plugins(void);

/* @folder: (nullable): where the library lies; other than adit_installation_get_folder() in tests.
 * The folder they return need not exist; the caller owns the path. */
char *adit_installation_find_plugins(const char *folder);
char *adit_installation_find_pipelines(const char *folder);
char *adit_installation_find_plots(const char *folder);

/* (nullable): a library that is brought along for systems without: "libvulkan.so.1" */
char *adit_installation_find_fallback(const char *folder, const char *library);

G_END_DECLS
