/* core/pipeline/adit-address.h - SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Checks the grammar of an address (LANGUAGE 2.1). Returns what is wrong, or NULL. @parameters: the
 * address says where parameters are, so that it has no port. */
char *adit_address_check(const char *text, gboolean parameters);

G_END_DECLS
