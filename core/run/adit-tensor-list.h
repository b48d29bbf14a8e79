/* core/run/adit-tensor-list.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-error.h>
#include <adit/adit-shape.h>

G_BEGIN_DECLS

/* Number types a stored tensor may have. */
typedef enum {
    ADIT_DTYPE_F32,
    ADIT_DTYPE_F64,
    ADIT_DTYPE_U8,
    ADIT_DTYPE_I64,
} AditDtype;

/* "F32", "F64", "U8", "I64": their names in safetensors files. */
const char *adit_dtype_get_name(AditDtype dtype);
gboolean adit_dtype_from_name(const char *name, AditDtype *dtype);
gsize adit_dtype_get_size(AditDtype dtype);

/**
 * AditStoredTensor: a tensor as stored in a file: named, row-major, little-endian.
 * @data: @length bytes, aligned for @dtype; not NULL unless @length is 0
 */
typedef struct {
    char *name;
    AditDtype dtype;
    AditShape shape;
    gsize length;
    const void *data;
    void *owned; /* private: what of @data belongs to this tensor alone */
} AditStoredTensor;

/**
 * AditTensorList: named tensors, and texts about them: what a .safetensors file holds.
 * Reference-counted. Names are data: unique, UTF-8, never a path.
 */
typedef struct _AditTensorList AditTensorList;

AditTensorList *adit_tensor_list_new(void);
AditTensorList *adit_tensor_list_ref(AditTensorList *self);
void adit_tensor_list_unref(AditTensorList *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditTensorList, adit_tensor_list_unref)

/**
 * adit_tensor_list_add:
 * @name: not yet in the list, not empty, not "__metadata__"
 * @data: the elements; borrowed, and must outlive the list's last use
 */
void adit_tensor_list_add(AditTensorList *self, const char *name, AditDtype dtype,
                          const AditShape *shape, const void *data);
guint adit_tensor_list_get_length(const AditTensorList *self);
const AditStoredTensor *adit_tensor_list_get(const AditTensorList *self, guint index);
/* Returns: (nullable): the tensor of that name */
const AditStoredTensor *adit_tensor_list_find(const AditTensorList *self, const char *name);

void adit_tensor_list_set_text(AditTensorList *self, const char *key, const char *value);
/* Returns: (nullable): the text under @key in the file's `__metadata__` */
const char *adit_tensor_list_get_text(const AditTensorList *self, const char *key);
/* Returns: (transfer container): the keys, sorted */
GList *adit_tensor_list_get_text_keys(const AditTensorList *self);

/**
 * adit_tensor_list_is_finite:
 * @where: (out) (optional) (transfer none): the first tensor that holds a NaN or an infinity
 */
gboolean adit_tensor_list_is_finite(const AditTensorList *self, const char **where);

/* Bytes of a tensor by checked multiplication: FALSE above 2^40 elements (any axis of 0 makes it
 * 0). */
gboolean adit_stored_shape_get_length(AditDtype dtype, const AditShape *shape, gsize *length);

/* Takes @tensor's name and @tensor->owned; FALSE, taking nothing, if the name is there already. For
 * readers. */
gboolean adit_tensor_list_take(AditTensorList *self, AditStoredTensor *tensor);
/* Takes the block of memory that tensors of the list point into. */
void adit_tensor_list_take_block(AditTensorList *self, void *block);

G_END_DECLS
