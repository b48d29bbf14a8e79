/* core/infer/adit-network-file.c - SPDX-License-Identifier: MIT */
#include "adit-network.h"

#include <string.h>

/* A model's arenas as named tensors, and back. Kept in float32: what a float32 device holds comes
 * back bit for bit. */

static void
add_tensor(AditTensorList *list, const char *name, const AditShape *shape, const double *values)
{
    gsize count = adit_shape_count(shape);
    float *data = g_new(float, MAX(count, 1));
    for (gsize i = 0; i < count; i++)
        data[i] = (float) values[i];
    AditStoredTensor tensor = {.name = g_strdup(name),
                               .dtype = ADIT_DTYPE_F32,
                               .shape = *shape,
                               .length = count * sizeof(float),
                               .data = data,
                               .owned = data};
    if (!adit_tensor_list_take(list, &tensor)) {
        g_critical("tensor '%s' is there twice", name);
        g_free(tensor.name);
        g_free(data);
    }
}

static gboolean
read_tensor(const AditTensorList *list, const char *name, const AditShape *shape, double *values,
            GError **error)
{
    const AditStoredTensor *tensor = adit_tensor_list_find(list, name);
    g_autofree char *wanted = adit_shape_to_string(shape);
    if (tensor == NULL) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED, "no tensor '%s' (%s)", name, wanted);
        return FALSE;
    }
    if (!adit_shape_equal(&tensor->shape, shape) || tensor->dtype != ADIT_DTYPE_F32) {
        g_autofree char *got = adit_shape_to_string(&tensor->shape);
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED,
                    "tensor '%s' is %s of %s, expected F32 of %s", name,
                    adit_dtype_get_name(tensor->dtype), got, wanted);
        return FALSE;
    }
    const float *data = tensor->data;
    for (gsize i = 0; i < adit_shape_count(shape); i++)
        values[i] = (double) data[i];
    return TRUE;
}

AditTensorList *
adit_network_save(AditNetwork *self)
{
    AditTensorList *list = adit_tensor_list_new();
    const AditLayout *layout = adit_network_get_layout(self);
    adit_tensor_list_set_text(list, "format", "adit");
    adit_tensor_list_set_text(list, "version", "1");
    for (guint i = 0; i < layout->slots->len; i++) {
        const AditSlot *slot = layout->slots->pdata[i];
        gsize count = adit_shape_count(&slot->shape);
        g_autofree double *values = g_new(double, slot->n *count + 1);
        adit_memory_read(adit_network_get_device(self), adit_network_get_memory(self),
                         slot->is_state ? ADIT_ARENA_STATES : ADIT_ARENA_PARAMETERS, slot->offset,
                         slot->n * count, values);
        for (guint j = 0; j < slot->n; j++)
            add_tensor(list, slot->names[j], &slot->shape, values + j * count);
    }
    return list;
}

gboolean
adit_network_load(AditNetwork *self, const AditTensorList *tensors, GError **error)
{
    const AditLayout *layout = adit_network_get_layout(self);
    guint n_names = 0;
    for (guint i = 0; i < layout->slots->len; i++) {
        const AditSlot *slot = layout->slots->pdata[i];
        gsize count = adit_shape_count(&slot->shape);
        g_autofree double *values = g_new(double, slot->n *count + 1);
        for (guint j = 0; j < slot->n; j++) {
            if (!read_tensor(tensors, slot->names[j], &slot->shape, values + j * count, error))
                return FALSE;
        }
        n_names += slot->n;
        adit_memory_write(adit_network_get_device(self), adit_network_get_memory(self),
                          slot->is_state ? ADIT_ARENA_STATES : ADIT_ARENA_PARAMETERS, slot->offset,
                          slot->n * count, values);
    }
    if (adit_tensor_list_get_length(tensors) != n_names) {
        g_set_error(error, ADIT_ERROR, ADIT_ERROR_DAMAGED, "%u tensors, the network has %u",
                    adit_tensor_list_get_length(tensors), n_names);
        return FALSE;
    }
    return TRUE;
}

/* Calls for every parameter and optimizer slot with the name its values are stored under. */
typedef gboolean (*SlotFunc)(AditNetwork *self, const char *name, const AditShape *shape,
                             gsize offset, gpointer data, GError **error);

static gboolean
for_each_slot(AditNetwork *self, guint n_slots, SlotFunc func, gpointer data, GError **error)
{
    const AditLayout *layout = adit_network_get_layout(self);
    for (guint i = 0; i < layout->slots->len; i++) {
        const AditSlot *slot = layout->slots->pdata[i];
        if (slot->is_state)
            continue;
        gsize count = adit_shape_count(&slot->shape);
        for (guint j = 0; j < slot->n * n_slots; j++) {
            guint instance = j / n_slots, k = j % n_slots;
            g_autofree char *name = g_strdup_printf("%s.%u", slot->names[instance], k);
            gsize offset = k * layout->n_parameters + slot->offset + instance * count;
            if (!func(self, name, &slot->shape, offset, data, error))
                return FALSE;
        }
    }
    return TRUE;
}

static gboolean
save_slot(AditNetwork *self, const char *name, const AditShape *shape, gsize offset, gpointer data,
          GError **error)
{
    gsize count = adit_shape_count(shape);
    g_autofree double *values = g_new(double, count + 1);
    adit_memory_read(adit_network_get_device(self), adit_network_get_memory(self),
                     ADIT_ARENA_OPTIMIZER, offset, count, values);
    add_tensor(data, name, shape, values);
    return TRUE;
}

static gboolean
load_slot(AditNetwork *self, const char *name, const AditShape *shape, gsize offset, gpointer data,
          GError **error)
{
    gsize count = adit_shape_count(shape);
    g_autofree double *values = g_new(double, count + 1);
    if (!read_tensor(data, name, shape, values, error))
        return FALSE;
    adit_memory_write(adit_network_get_device(self), adit_network_get_memory(self),
                      ADIT_ARENA_OPTIMIZER, offset, count, values);
    return TRUE;
}

AditTensorList *
adit_network_save_slots(AditNetwork *self, guint n_slots)
{
    AditTensorList *list = adit_tensor_list_new();
    for_each_slot(self, n_slots, save_slot, list, NULL);
    return list;
}

gboolean
adit_network_load_slots(AditNetwork *self, guint n_slots, const AditTensorList *tensors,
                        GError **error)
{
    return for_each_slot(self, n_slots, load_slot, (gpointer) tensors, error);
}
