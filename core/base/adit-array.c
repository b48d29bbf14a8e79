/* core/base/adit-array.c - SPDX-License-Identifier: MIT */
#include "adit-array-private.h"

#include <adit/adit-error.h>

#include <string.h>

static const gsize sizes[] = {
    [ADIT_TYPE_CODE_F32] = sizeof(float),
    [ADIT_TYPE_CODE_F64] = sizeof(double),
    [ADIT_TYPE_CODE_U8] = sizeof(guint8),
    [ADIT_TYPE_CODE_I32] = sizeof(gint32),
};

gsize
adit_type_code_get_size(AditTypeCode type)
{
    g_return_val_if_fail(type < G_N_ELEMENTS(sizes), 0);
    return sizes[type];
}

/* Bytes of @rows rows; FALSE when they are more than a size can say. */
static gboolean
adit_array_measure(AditTypeCode type, const AditShape *shape, gsize rows, gsize *bytes)
{
    *bytes = adit_type_code_get_size(type);
    for (guint i = 0; i < shape->rank; i++)
        if (!g_size_checked_mul(bytes, *bytes, shape->size[i]))
            return FALSE;
    return g_size_checked_mul(bytes, *bytes, rows);
}

static void
adit_array_set_memory_error(const AditShape *shape, gsize rows, GError **error)
{
    g_autofree char *text = adit_shape_to_string(shape);

    g_set_error(error, ADIT_ERROR, ADIT_ERROR_MEMORY,
                "%" G_GSIZE_FORMAT " rows of %s do not fit into memory", rows, text);
}

AditArray *
adit_array_new(AditTypeCode type, const AditShape *shape, gsize rows, GError **error)
{
    gsize bytes = 0;
    void *data = NULL;
    AditArray *self = NULL;

    g_return_val_if_fail(shape != NULL && shape->rank <= ADIT_MAX_RANK, NULL);

    if (adit_array_measure(type, shape, rows, &bytes))
        data = g_try_malloc0(bytes);
    else
        bytes = G_MAXSIZE;
    if (data == NULL && bytes > 0) {
        adit_array_set_memory_error(shape, rows, error);
        return NULL;
    }
    self = g_new0(AditArray, 1);
    self->type = type;
    self->rows = rows;
    self->shape = *shape;
    self->scale = 1;
    self->data = data;
    self->capacity = rows;
    self->ref_count = 1;
    return self;
}

AditArray *
adit_array_ref(AditArray *self)
{
    g_return_val_if_fail(self != NULL, NULL);
    g_atomic_int_inc(&self->ref_count);
    return self;
}

void
adit_array_unref(AditArray *self)
{
    g_return_if_fail(self != NULL);
    if (!g_atomic_int_dec_and_test(&self->ref_count))
        return;
    g_free(self->data);
    g_free(self);
}

gboolean
adit_array_append(AditArray *self, const void *row, GError **error)
{
    gsize row_size = 0;
    gboolean fits = adit_array_measure(self->type, &self->shape, 1, &row_size);

    if (self->rows == self->capacity) {
        /* half as much again: the sum of all moves stays linear, and memory below three times */
        gsize capacity = self->capacity + self->capacity / 2 + 16;
        gsize bytes = 0;
        void *data = NULL;

        if (fits && adit_array_measure(self->type, &self->shape, capacity, &bytes))
            data = g_try_realloc(self->data, bytes);
        if (data == NULL && row_size > 0) {
            adit_array_set_memory_error(&self->shape, capacity, error);
            return FALSE;
        }
        self->data = data;
        self->capacity = capacity;
    }
    if (row_size > 0)
        memcpy((guint8 *) self->data + self->rows * row_size, row, row_size);
    self->rows++;
    return TRUE;
}

double
adit_array_get(const AditArray *self, gsize index)
{
    switch (self->type) {
    case ADIT_TYPE_CODE_F32:
        return (double) ((const float *) self->data)[index] * self->scale;
    case ADIT_TYPE_CODE_F64:
        return ((const double *) self->data)[index] * self->scale;
    case ADIT_TYPE_CODE_U8:
        return ((const guint8 *) self->data)[index] * self->scale;
    case ADIT_TYPE_CODE_I32:
        return ((const gint32 *) self->data)[index] * self->scale;
    default:
        g_return_val_if_reached(0);
    }
}

char *
adit_array_describe_index(const AditArray *array, gsize index)
{
    g_autoptr(GString) text = g_string_new("]");

    for (guint i = array->shape.rank; i > 0; i--) {
        g_autofree char *number =
            g_strdup_printf(", %" G_GSIZE_FORMAT, index % array->shape.size[i - 1]);

        g_string_prepend(text, number);
        index /= array->shape.size[i - 1];
    }
    return g_strdup_printf("[%" G_GSIZE_FORMAT "%s", index, text->str);
}
