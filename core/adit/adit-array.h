/* core/adit/adit-array.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-shape.h>

G_BEGIN_DECLS

typedef enum {
    ADIT_TYPE_CODE_F32,
    ADIT_TYPE_CODE_F64,
    ADIT_TYPE_CODE_U8,  /* read as value * scale */
    ADIT_TYPE_CODE_I32, /* class numbers */
} AditTypeCode;

/**
 * AditArray: @rows examples of @shape in memory, row after row. Boxed, reference-counted.
 * @scale: factor by which a stored number is read (1/255 for the bytes of images), 1 otherwise
 */
struct _AditArray {
    AditTypeCode type;
    gsize rows;
    AditShape shape;
    double scale;
    void *data;

    gsize capacity; /* private: rows that fit */
    gint ref_count; /* private */
};

/* Zeroed. NULL with ADIT_ERROR_MEMORY when it does not fit into memory. */
AditArray *adit_array_new(AditTypeCode type, const AditShape *shape, gsize rows, GError **error);
AditArray *adit_array_ref(AditArray *self);
void adit_array_unref(AditArray *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditArray, adit_array_unref)
/* Bytes of one element. */
gsize adit_type_code_get_size(AditTypeCode type);
/* Appends a row (elements of @type, adit_shape_count() of them); FALSE with ADIT_ERROR_MEMORY. */
gboolean adit_array_append(AditArray *self, const void *row, GError **error);
/* Element @index of the whole array as a number, scaled. */
double adit_array_get(const AditArray *self, gsize index);

G_END_DECLS
