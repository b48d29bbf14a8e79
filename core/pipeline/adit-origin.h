/* core/pipeline/adit-origin.h - SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * adit_origin_find_run:
 * @path: what `model.from` says, or an argument of the command
 *
 * Returns: (transfer full) (nullable): the run directory that @path is, or the one among whose
 * checkpoints (RUN/checkpoints/NAME) it is; NULL: neither, so that it holds weights at most
 */
char *adit_origin_find_run(const char *path);

G_END_DECLS
