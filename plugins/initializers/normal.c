/* plugins/initializers/normal.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditNormalInitializer {
    AditInitializer parent_instance;
    double mean;
    double std;
};
ADIT_DEFINE_INITIALIZER(AditNormalInitializer, adit_normal_initializer, ADIT_NORMAL_INITIALIZER)

static void
fill(AditInitializer *initializer, const AditShape *shape, AditRandom *random, double *values)
{
    AditNormalInitializer *self = ADIT_NORMAL_INITIALIZER(initializer);
    gsize count = adit_shape_count(shape);

    for (gsize i = 0; i < count; i++)
        values[i] = self->mean + self->std * adit_random_normal(random);
}

static void
adit_normal_initializer_class_init(AditComponentClass *klass)
{
    ADIT_INITIALIZER_CLASS(klass)->fill = fill;
    adit_component_class_describe(klass, "normal", "Normal of a given mean and deviation");
    adit_component_class_add_number(klass, "mean", "Mean", -1e6, 1e6, 0,
                                    ADIT_FIELD(AditNormalInitializer, mean, double));
    adit_component_class_add_number(klass, "std", "Standard deviation", 0, 1e6, 0.05,
                                    ADIT_FIELD(AditNormalInitializer, std, double));
}

ADIT_PLUGIN("normal", "1.0", "MIT", ADIT_TYPES(adit_normal_initializer_get_type))
