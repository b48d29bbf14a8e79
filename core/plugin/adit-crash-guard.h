/* core/plugin/adit-crash-guard.h - SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Names the plugin whose code is about to run: should it crash or abort before
 * adit_crash_guard_leave(), the program says so and exits with ADIT_ERROR_PLUGIN. One at a time.
 * @module: the file's name. */
void adit_crash_guard_enter(const char *module);
void adit_crash_guard_leave(void);

G_END_DECLS
