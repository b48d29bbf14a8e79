/* core/base/adit-cache.h - SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * What took time to make, kept between two runs of the program: `$XDG_CACHE_HOME/adit/KIND/NAME`,
 * a file for each entry, for its owner alone. NAME is the SHA-256 of the key: whatever the entry
 * was made from, in bytes; the file has the whole key. Entries that nobody asked for in ninety days
 * are removed.
 *
 * A cache is never a reason to fail: an entry that is damaged, cut short, of another key, of
 * another version of the format, not a plain file of our own or not to be read is none, and what
 * cannot be written is not kept (one warning in the life of the program tells so). The
 * environment's ADIT_CACHE=0 switches caches off. All functions may be called from any thread.
 */

/**
 * adit_cache_load:
 * @kind: what is kept: a folder's name of at most 19 letters
 *
 * Returns: (transfer full) (nullable): what was saved, at an address that is a multiple of 8; NULL
 * when it has to be made
 */
GBytes *adit_cache_load(const char *kind, GBytes *key);

/* Keeps @payload. Of two programs that save at once one is kept, whole. */
void adit_cache_save(const char *kind, GBytes *key, GBytes *payload);

G_END_DECLS
