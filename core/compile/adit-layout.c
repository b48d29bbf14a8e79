/* core/compile/adit-layout.c - SPDX-License-Identifier: MIT */
#include "adit-layout.h"

#include "adit-graph-private.h"
#include "adit-philox.h"

/* Every slot begins on a full vector of the widest instruction set, in float32 and float64. */
#define ALIGNMENT 16

static void
slot_free(gpointer data)
{
    AditSlot *self = data;
    g_strfreev(self->names);
    g_clear_object(&self->initializer);
    g_free(self);
}

static void
add_slot(AditLayout *self, const AditTensor *tensor)
{
    AditSlot *slot = g_new0(AditSlot, 1);
    slot->names = g_strdupv(tensor->names);
    slot->n = g_strv_length(tensor->names);
    slot->is_state = tensor->kind == ADIT_TENSOR_STATE;
    slot->role = tensor->role;
    slot->fill = tensor->fill;
    if (tensor->initializer != NULL)
        slot->initializer = (AditInitializer *) g_object_ref((gpointer) tensor->initializer);

    /* the leading axes are the loops' */
    gsize instances = 1;
    guint lead = 0;
    while (instances < slot->n)
        instances *= tensor->shape.size[lead++];
    slot->shape.rank = tensor->shape.rank - lead;
    for (guint i = 0; i < slot->shape.rank; i++)
        slot->shape.size[i] = tensor->shape.size[lead + i];

    gsize *end = slot->is_state ? &self->n_states : &self->n_parameters;
    slot->offset = *end;
    gsize count = slot->n * adit_shape_count(&slot->shape);
    *end += (count + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    g_ptr_array_add(self->slots, slot);
    g_hash_table_insert(self->by_name, slot->names[0], slot);
    for (guint i = 0; i < slot->n; i++)
        g_hash_table_insert(self->places, slot->names[i],
                            GSIZE_TO_POINTER(slot->offset + i * adit_shape_count(&slot->shape)));
}

AditLayout *
adit_layout_new(AditGraph *graph)
{
    AditLayout *self = g_new0(AditLayout, 1);
    self->ref_count = 1;
    self->slots = g_ptr_array_new_with_free_func(slot_free);
    self->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    self->places = g_hash_table_new(g_str_hash, g_str_equal);
    const GPtrArray *tensors = graph->root->tensors;
    for (guint i = 0; i < tensors->len; i++) {
        const AditTensor *tensor = tensors->pdata[i];
        if (tensor->kind == ADIT_TENSOR_PARAMETER || tensor->kind == ADIT_TENSOR_STATE)
            add_slot(self, tensor);
    }
    return self;
}

AditLayout *
adit_layout_ref(AditLayout *self)
{
    g_atomic_int_inc(&self->ref_count);
    return self;
}

void
adit_layout_unref(AditLayout *self)
{
    if (!g_atomic_int_dec_and_test(&self->ref_count))
        return;
    g_hash_table_unref(self->by_name);
    g_hash_table_unref(self->places);
    g_ptr_array_unref(self->slots);
    g_free(self);
}

const AditSlot *
adit_layout_find(const AditLayout *self, const char *name)
{
    return g_hash_table_lookup(self->by_name, name);
}

gsize
adit_layout_locate(const AditLayout *self, const char *name)
{
    gpointer place = NULL;

    if (!g_hash_table_lookup_extended(self->places, name, NULL, &place))
        g_return_val_if_reached(0);
    return GPOINTER_TO_SIZE(place);
}

void
adit_slot_initialize(const AditSlot *slot, guint64 seed, double *values)
{
    gsize count = adit_shape_count(&slot->shape);
    for (guint i = 0; i < slot->n; i++, values += count) {
        if (slot->initializer != NULL) {
            AditRandom random;
            adit_random_init(&random, seed, slot->names[i]);
            ADIT_INITIALIZER_GET_CLASS(slot->initializer)
                ->fill(slot->initializer, &slot->shape, &random, values);
            continue;
        }
        for (gsize j = 0; j < count; j++)
            values[j] = slot->fill;
    }
}
