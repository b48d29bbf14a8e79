/* tests/fuzz/mutate.h - SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>

/* Damages @bytes in one to eight places: bits, bytes, numbers, ranges that are left out, doubled or
 * put elsewhere, an early end, and texts of @words (NULL-terminated). */
void mutate(GByteArray *bytes, GRand *random, const char *const *words);
