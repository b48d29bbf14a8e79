/* core/base/adit-suggest.h - SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * adit_suggest:
 * @word: what was written
 * @candidates: (array length=n_candidates): what exists
 *
 * The candidate nearest to @word by Damerau-Levenshtein distance, if it is near enough to be a
 * typing error: at most a third of the longer word, at least one edit allowed, transposition counts
 * one, as do letters left out at the end.
 *
 * Returns: (transfer none) (nullable): a member of @candidates
 */
const char *adit_suggest(const char *word, const char *const *candidates, gsize n_candidates);

G_END_DECLS
