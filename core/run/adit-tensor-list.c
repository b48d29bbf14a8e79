/* core/run/adit-tensor-list.c - SPDX-License-Identifier: MIT */
#include "adit-tensor-list.h"

#include <math.h>

#define MAX_ELEMENTS ((guint64) 1 << 40)

struct _AditTensorList {
    GPtrArray *tensors;
    GHashTable *by_name; /* borrowed name -> tensor */
    GHashTable *texts;
    GPtrArray *blocks;
    gint ref_count;
};

static const struct {
    const char *name;
    gsize size;
} dtypes[] = {
    [ADIT_DTYPE_F32] = {"F32", sizeof(float)},
    [ADIT_DTYPE_F64] = {"F64", sizeof(double)},
    [ADIT_DTYPE_U8] = {"U8", 1},
    [ADIT_DTYPE_I64] = {"I64", sizeof(gint64)},
};

const char *
adit_dtype_get_name(AditDtype dtype)
{
    return dtypes[dtype].name;
}

gboolean
adit_dtype_from_name(const char *name, AditDtype *dtype)
{
    for (guint i = 0; i < G_N_ELEMENTS(dtypes); i++) {
        if (g_str_equal(name, dtypes[i].name)) {
            *dtype = (AditDtype) i;
            return TRUE;
        }
    }
    return FALSE;
}

gsize
adit_dtype_get_size(AditDtype dtype)
{
    return dtypes[dtype].size;
}

gboolean
adit_stored_shape_get_length(AditDtype dtype, const AditShape *shape, gsize *length)
{
    guint64 count = 1;

    for (guint i = 0; i < shape->rank; i++) {
        if (!g_uint64_checked_mul(&count, count, shape->size[i]))
            return FALSE;
    }
    if (count > MAX_ELEMENTS)
        return FALSE;
    return g_size_checked_mul(length, (gsize) count, dtypes[dtype].size);
}

static void
free_tensor(AditStoredTensor *tensor)
{
    g_free(tensor->name);
    g_free(tensor->owned);
    g_free(tensor);
}

AditTensorList *
adit_tensor_list_new(void)
{
    AditTensorList *self = g_new0(AditTensorList, 1);

    self->tensors = g_ptr_array_new_with_free_func((GDestroyNotify) free_tensor);
    self->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    self->texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    self->blocks = g_ptr_array_new_with_free_func(g_free);
    self->ref_count = 1;
    return self;
}

AditTensorList *
adit_tensor_list_ref(AditTensorList *self)
{
    g_atomic_int_inc(&self->ref_count);
    return self;
}

void
adit_tensor_list_unref(AditTensorList *self)
{
    if (!g_atomic_int_dec_and_test(&self->ref_count))
        return;
    g_hash_table_unref(self->by_name);
    g_hash_table_unref(self->texts);
    g_ptr_array_unref(self->tensors);
    g_ptr_array_unref(self->blocks);
    g_free(self);
}

gboolean
adit_tensor_list_take(AditTensorList *self, AditStoredTensor *tensor)
{
    AditStoredTensor *kept;

    if (g_hash_table_contains(self->by_name, tensor->name))
        return FALSE;
    kept = g_memdup2(tensor, sizeof(*tensor));
    tensor->name = NULL;
    tensor->owned = NULL;
    g_ptr_array_add(self->tensors, kept);
    g_hash_table_insert(self->by_name, kept->name, kept);
    return TRUE;
}

void
adit_tensor_list_take_block(AditTensorList *self, void *block)
{
    g_ptr_array_add(self->blocks, block);
}

void
adit_tensor_list_add(AditTensorList *self, const char *name, AditDtype dtype,
                     const AditShape *shape, const void *data)
{
    AditStoredTensor tensor = {.dtype = dtype, .shape = *shape, .data = data};

    g_return_if_fail(*name != '\0' && !g_str_equal(name, "__metadata__"));
    g_return_if_fail(g_utf8_validate(name, -1, NULL));
    g_return_if_fail(adit_tensor_list_find(self, name) == NULL);
    g_return_if_fail(adit_stored_shape_get_length(dtype, shape, &tensor.length));
    g_return_if_fail(data != NULL || tensor.length == 0);
    tensor.name = g_strdup(name);
    adit_tensor_list_take(self, &tensor);
}

guint
adit_tensor_list_get_length(const AditTensorList *self)
{
    return self->tensors->len;
}

const AditStoredTensor *
adit_tensor_list_get(const AditTensorList *self, guint index)
{
    return g_ptr_array_index(self->tensors, index);
}

const AditStoredTensor *
adit_tensor_list_find(const AditTensorList *self, const char *name)
{
    return g_hash_table_lookup(self->by_name, name);
}

void
adit_tensor_list_set_text(AditTensorList *self, const char *key, const char *value)
{
    g_hash_table_insert(self->texts, g_strdup(key), g_strdup(value));
}

const char *
adit_tensor_list_get_text(const AditTensorList *self, const char *key)
{
    return g_hash_table_lookup(self->texts, key);
}

GList *
adit_tensor_list_get_text_keys(const AditTensorList *self)
{
    return g_list_sort(g_hash_table_get_keys(self->texts), (GCompareFunc) g_strcmp0);
}

static gboolean
is_finite(const AditStoredTensor *tensor)
{
    gsize count = tensor->length / dtypes[tensor->dtype].size;
    const float *singles = tensor->data;
    const double *doubles = tensor->data;

    if (tensor->dtype == ADIT_DTYPE_F32) {
        for (gsize i = 0; i < count; i++) {
            if (!isfinite(singles[i]))
                return FALSE;
        }
    } else if (tensor->dtype == ADIT_DTYPE_F64) {
        for (gsize i = 0; i < count; i++) {
            if (!isfinite(doubles[i]))
                return FALSE;
        }
    }
    return TRUE;
}

gboolean
adit_tensor_list_is_finite(const AditTensorList *self, const char **where)
{
    for (guint i = 0; i < self->tensors->len; i++) {
        const AditStoredTensor *tensor = adit_tensor_list_get(self, i);

        if (is_finite(tensor))
            continue;
        if (where != NULL)
            *where = tensor->name;
        return FALSE;
    }
    return TRUE;
}
