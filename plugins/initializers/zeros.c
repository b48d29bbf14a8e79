/* plugins/initializers/zeros.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditZeros {
    AditInitializer parent_instance;
};
ADIT_DEFINE_INITIALIZER(AditZeros, adit_zeros, ADIT_ZEROS)

static void
fill(AditInitializer *initializer, const AditShape *shape, AditRandom *random, double *values)
{
    gsize count = adit_shape_count(shape);

    for (gsize i = 0; i < count; i++)
        values[i] = 0.0;
}

static void
adit_zeros_class_init(AditComponentClass *klass)
{
    ADIT_INITIALIZER_CLASS(klass)->fill = fill;
    adit_component_class_describe(klass, "zeros", "All zero");
}

ADIT_PLUGIN("zeros", "1.0", "MIT", ADIT_TYPES(adit_zeros_get_type))
