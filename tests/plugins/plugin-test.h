/* tests/plugins/plugin-test.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-registry.h"

/* A component of the program's own plugins; further arguments as for g_object_new(). */
#define make_component(kind, name, ...)                                                            \
    ((gpointer) g_object_new(find_component_type(kind, name), __VA_ARGS__))

static inline GType
find_component_type(const char *kind, const char *name)
{
    g_autoptr(GError) error = NULL;
    GType type = adit_registry_find(adit_registry_get(), kind, name, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(type, !=, 0);
    return type;
}

static inline GArray *
make_numbers(guint n, const double *values)
{
    GArray *numbers = g_array_new(FALSE, FALSE, sizeof(double));

    return g_array_append_vals(numbers, values, n);
}
