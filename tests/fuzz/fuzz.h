/* tests/fuzz/fuzz.h - SPDX-License-Identifier: MIT */
#pragma once

#include "scratch.h"

/**
 * Reader: what reads bytes of which nothing is known.
 * @file: what they are called in a folder of their own
 * @words: (nullable) (array zero-terminated=1): that mean something to it
 * @make: (transfer full): form number @form (0, 1, ..) that it reads without an error, other files
 *   beside it written to @scratch; NULL: there are no more
 * @mend: (nullable): sets what would give the damage away at once: sums over headers
 * @read: reads the file; an error that is no error of Adit's, or that does not tell where, fails
 *   the test
 */
typedef struct {
    const char *name;
    const char *file;
    const char *const *words;
    GByteArray *(*make)(Scratch *scratch, guint form);
    void (*mend)(GByteArray *bytes);
    gboolean (*read)(Scratch *scratch, const char *path, GError **error);
} Reader;

/* (array zero-terminated=1) */
extern const Reader *const readers[];
