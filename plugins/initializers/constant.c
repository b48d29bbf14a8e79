/* plugins/initializers/constant.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditConstantInitializer {
    AditInitializer parent_instance;
    double value;
};
ADIT_DEFINE_INITIALIZER(AditConstantInitializer, adit_constant_initializer,
                        ADIT_CONSTANT_INITIALIZER)

static void
fill(AditInitializer *initializer, const AditShape *shape, AditRandom *random, double *values)
{
    gsize count = adit_shape_count(shape);

    for (gsize i = 0; i < count; i++)
        values[i] = ADIT_CONSTANT_INITIALIZER(initializer)->value;
}

static void
adit_constant_initializer_class_init(AditComponentClass *klass)
{
    ADIT_INITIALIZER_CLASS(klass)->fill = fill;
    adit_component_class_describe(klass, "constant", "All one value");
    adit_component_class_add_number(klass, "value", "The value", -1e6, 1e6, 0,
                                    ADIT_FIELD(AditConstantInitializer, value, double));
}

ADIT_PLUGIN("constant", "1.0", "MIT", ADIT_TYPES(adit_constant_initializer_get_type))
