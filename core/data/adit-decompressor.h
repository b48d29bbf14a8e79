/* core/data/adit-decompressor.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-error.h>

G_BEGIN_DECLS

typedef enum {
    ADIT_PACKING_NONE,
    ADIT_PACKING_GZIP,
    ADIT_PACKING_XZ,
} AditPacking;

/* What the first bytes of a file say it is packed with. */
#define ADIT_PACKING_MAGIC 6
AditPacking adit_packing_guess(const void *bytes, gsize size);

/**
 * AditDecompressor: a #GConverter that unpacks gzip (several members one after the other too, which
 * GZlibDecompressor takes for the end) and xz, refuses what expands a hundredfold beyond 64 MiB,
 * and names the file in its errors, all ADIT_ERROR_DAMAGED.
 */
#define ADIT_TYPE_DECOMPRESSOR (adit_decompressor_get_type())
G_DECLARE_FINAL_TYPE(AditDecompressor, adit_decompressor, ADIT, DECOMPRESSOR, GObject)

AditDecompressor *adit_decompressor_new(AditPacking packing, const char *name);

G_END_DECLS
