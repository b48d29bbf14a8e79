/* core/data/adit-digest.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-error.h>

G_BEGIN_DECLS

/**
 * AditDigest: the SHA-256 of one file, taken from what is read anyway. Reference-counted.
 * @is_folder: of a folder instead: of the lines that sha256sum prints of what was read of it, in
 *   the order of names; whoever reads it puts them in
 */
typedef struct {
    gboolean is_folder;
    char *path;
    char *name; /* in messages */
    GChecksum *checksum;
    guint64 bytes; /* that went in so far */
} AditDigest;

AditDigest *adit_digest_new(const char *path, const char *name);
AditDigest *adit_digest_ref(AditDigest *self);
void adit_digest_unref(AditDigest *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditDigest, adit_digest_unref)

/* Reads what nobody has read of the file and returns the digest in hexadecimal; NULL with
 * ADIT_ERROR_NOT_FOUND when the file cannot be read any more. */
const char *adit_digest_finish(AditDigest *self, GError **error);

/* A stream over @base whose bytes go into @digest. */
GInputStream *adit_digest_stream_new(GInputStream *base, AditDigest *digest);

G_END_DECLS
