/* core/run/adit-safetensors-header.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-tensor-list.h"

G_BEGIN_DECLS

/* A tensor as the header declares it; @begin and @end count from the first byte after the header.
 */
typedef struct {
    char *name;
    AditDtype dtype;
    AditShape shape;
    guint64 begin;
    guint64 end;
} AditSafetensorsEntry;

void adit_safetensors_entry_free(AditSafetensorsEntry *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditSafetensorsEntry, adit_safetensors_entry_free)

/**
 * adit_safetensors_header_parse:
 * @path: for messages
 * @text: (array length=length): the header
 * @tensors: gets the texts of "__metadata__"
 *
 * Accepts the grammar of the format and nothing wider: an object of entries with the keys "dtype",
 * "shape" and "data_offsets", each once. So nesting is bounded by the grammar, numbers are exact,
 * and a key that is there twice is an error; none of this holds for a general JSON reader.
 *
 * Returns: (transfer full) (nullable) (element-type AditSafetensorsEntry): in the order of the
 * header
 */
GPtrArray *adit_safetensors_header_parse(const char *path, const char *text, gsize length,
                                         AditTensorList *tensors, GError **error);

G_END_DECLS
