/* core/compile/adit-simplify.c - SPDX-License-Identifier: MIT */
#include "adit-compile-private.h"

static void
reach(GHashTable *live, GPtrArray *pending, AditTensor *tensor)
{
    if (tensor != NULL && g_hash_table_add(live, tensor))
        g_ptr_array_add(pending, tensor);
}

GHashTable *
adit_simplify(const AditProgramOutput *outputs, guint n_outputs)
{
    GHashTable *live = g_hash_table_new(NULL, NULL);
    g_autoptr(GPtrArray) pending = g_ptr_array_new();
    for (guint i = 0; i < n_outputs; i++)
        reach(live, pending, outputs[i].tensor);
    while (pending->len > 0) {
        AditTensor *tensor = g_ptr_array_steal_index_fast(pending, pending->len - 1);
        for (guint i = 0; i < tensor->n_inputs; i++)
            reach(live, pending, tensor->inputs[i]);
        reach(live, pending, tensor->after);
        reach(live, pending, tensor->other);
        reach(live, pending, tensor->initial);
        reach(live, pending, tensor->next);
    }
    return live;
}
