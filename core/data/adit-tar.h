/* core/data/adit-tar.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-dataset.h>

G_BEGIN_DECLS

/* An archive that is being read. */
typedef struct _AditTar AditTar;

/* Takes a member: its name without "./" in front, a folder's with "/" at its end. FALSE ends the
 * reading: it fails if @error is set, and else was enough. */
typedef gboolean (*AditTarVisit)(AditTar *tar, const char *name, gpointer user_data,
                                 GError **error);

/**
 * adit_tar_read:
 * @stream: a tar archive, unpacked, of @loader
 *
 * Gives all folders and files of the archive to @visit, in the order they come in (POSIX.1-2017,
 * pax: "ustar Interchange Format", "pax Header Block"; and GNU tar's long names). Reads to the end,
 * so that what packs the archive has checked it. What is damaged, a link or a device, a name that
 * is absolute or leads out ("..") and more than a million members are ADIT_ERROR_DAMAGED.
 */
gboolean adit_tar_read(AditLoader *loader, GInputStream *stream, AditTarVisit visit,
                       gpointer user_data, GError **error);

/* (transfer full) (nullable): the contents of the file that is being visited. To be called once or,
 * by whoever does not want them, not at all: then they take no memory. */
GBytes *adit_tar_take_contents(AditTar *self, GError **error);

G_END_DECLS
