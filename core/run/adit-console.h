/* core/run/adit-console.h - SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What a terminal was sent, as whole lines for a file: without escape sequences and carriage
 * returns, a newline at the end. */
char *adit_console_to_plain(const char *text);

G_END_DECLS
