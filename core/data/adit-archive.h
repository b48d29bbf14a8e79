/* core/data/adit-archive.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-error.h>

G_BEGIN_DECLS

/**
 * adit_archive_read_member:
 * @stream: a seekable stream over a zip archive (PKWARE APPNOTE 6.3.3: 4.3.6, 4.3.12, 4.3.16)
 * @name: of the archive, for messages
 * @member: what to read
 *
 * Stored and deflated members, checksum verified. What is damaged, encrypted, zip64, otherwise
 * compressed, or expands a hundredfold beyond 64 MiB is ADIT_ERROR_DAMAGED, what does not fit into
 * memory ADIT_ERROR_MEMORY; a member that is not there is ADIT_ERROR_INVALID.
 *
 * Returns: (nullable): the member's bytes
 */
GBytes *adit_archive_read_member(GInputStream *stream, const char *name, const char *member,
                                 GError **error);

G_END_DECLS
