/* tests/core/data/tar.h - SPDX-License-Identifier: MIT */
#pragma once

#include <glib.h>
#include <string.h>

/* A writer of tar archives. */

/* Appends an entry as it stands: @type as the header says it. */
G_GNUC_UNUSED static void
tar_append(GByteArray *tar, char type, const char *name, const void *bytes, gsize size)
{
    static const guint8 zeros[512];
    char header[512] = {0};
    guint sum = 0;

    memcpy(header, name, MIN(strlen(name), 100));
    g_snprintf(header + 100, 8, "0000644");
    g_snprintf(header + 124, 12, "%011o", (guint) size);
    g_snprintf(header + 136, 12, "00000000000");
    memset(header + 148, ' ', 8);
    header[156] = type;
    memcpy(header + 257,
           "ustar\0"
           "00",
           8);
    for (guint i = 0; i < sizeof header; i++)
        sum += (guint8) header[i];
    g_snprintf(header + 148, 8, "%06o", sum);
    g_byte_array_append(tar, (const guint8 *) header, sizeof header);
    g_byte_array_append(tar, bytes, (guint) size);
    g_byte_array_append(tar, zeros, (guint) ((512 - size % 512) % 512));
}

G_GNUC_UNUSED static void
tar_add(GByteArray *tar, const char *name, const void *bytes, gsize size)
{
    tar_append(tar, '0', name, bytes, size);
}

G_GNUC_UNUSED static void
tar_end(GByteArray *tar)
{
    static const guint8 zeros[1024];

    g_byte_array_append(tar, zeros, sizeof zeros);
}
