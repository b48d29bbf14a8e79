/* tests/support/components.c - SPDX-License-Identifier: MIT */
#include "components.h"

gpointer
test_component(const char *kind, const char *name, const char *first, ...)
{
    g_autoptr(GError) error = NULL;
    GType type = adit_registry_find(adit_registry_get(), kind, name, &error);
    va_list properties;

    g_assert_no_error(error);
    if (type == 0)
        g_test_message("no %s '%s'", kind, name);
    g_assert_cmpuint(type, !=, 0);
    va_start(properties, first);
    GObject *object = g_object_new_valist(type, first, properties);
    va_end(properties);
    g_assert_true(adit_component_check(ADIT_COMPONENT(object), &error));
    g_assert_no_error(error);
    return object;
}

static void
set_block(gpointer component, const char *property, const char *name)
{
    if (name == NULL)
        return;
    g_autoptr(GObject) block = test_component("block", name, NULL);
    g_object_set(component, property, block, NULL);
}

AditBlock *
test_dense(double units, const char *activation)
{
    AditAmount amount = {units, ADIT_UNIT_NONE};
    gpointer dense = test_component("block", "dense", "units", &amount, NULL);

    set_block(dense, "activation", activation);
    return dense;
}

AditBlock *
test_dense_pre(double units, const char *norm, const char *activation)
{
    AditBlock *dense = test_dense(units, activation);

    set_block(dense, "norm", norm);
    g_object_set(dense, "order", 1, NULL);
    return dense;
}

AditSequence *
test_sequence(AditAggregator *aggregator)
{
    AditSequence *sequence = adit_sequence_new(aggregator);

    g_object_unref(aggregator);
    return sequence;
}

void
test_add(AditSequence *sequence, AditBlock *block, const char *name, const char *type)
{
    adit_sequence_add(sequence, adit_item_new(block, name, type));
    g_object_unref(block);
}

void
test_add_repeat(AditSequence *sequence, guint times, gboolean tied, gboolean unrolled,
                AditBlock *block, const char *type)
{
    if (unrolled) {
        for (guint i = 0; i < times; i++)
            adit_sequence_add(sequence, adit_item_new(block, NULL, type));
    } else {
        AditItem *repeat = adit_item_new_repeat(times, tied);
        g_ptr_array_add(repeat->items, adit_item_new(block, NULL, type));
        adit_sequence_add(sequence, repeat);
    }
    g_object_unref(block);
}
