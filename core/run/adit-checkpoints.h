/* core/run/adit-checkpoints.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-checkpoint.h"

G_BEGIN_DECLS

/* The checkpoints of a run together: what is there, which are linked, which go. @folder is
 * RUN/checkpoints throughout. */

char *adit_checkpoints_get_path(const char *folder, guint64 step);
/* Returns: (transfer full) (element-type guint64): the steps that have a folder, whole or not,
 * newest first */
GArray *adit_checkpoints_list(const char *folder);
/* Returns: (transfer full) (element-type AditManifest): those whose files are there with their
 * sizes, up to @step, newest first */
GPtrArray *adit_checkpoints_list_whole(const char *folder, guint64 step);
/* Lets `last` and, if wanted, `best` point at members of @whole; removes a link that has none. */
gboolean adit_checkpoints_set_links(const char *folder, GPtrArray *whole, gboolean want_best,
                                    GError **error);
/* Deletes the members of @whole that @retention does not want. */
gboolean adit_checkpoints_retain(const char *folder, GPtrArray *whole,
                                 const AditRetention *retention, GError **error);

G_END_DECLS
