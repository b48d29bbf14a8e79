/* plugins/initializers/uniform.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>

struct _AditUniformInitializer {
    AditInitializer parent_instance;
    double min;
    double max;
};
ADIT_DEFINE_INITIALIZER(AditUniformInitializer, adit_uniform_initializer, ADIT_UNIFORM_INITIALIZER)

static void
fill(AditInitializer *initializer, const AditShape *shape, AditRandom *random, double *values)
{
    AditUniformInitializer *self = ADIT_UNIFORM_INITIALIZER(initializer);
    gsize count = adit_shape_count(shape);

    for (gsize i = 0; i < count; i++)
        values[i] = self->min + (self->max - self->min) * adit_random_uniform(random);
}

static gboolean
check(AditComponent *component, GError **error)
{
    AditUniformInitializer *self = ADIT_UNIFORM_INITIALIZER(component);

    if (self->min <= self->max)
        return TRUE;
    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                "'min' must not be above 'max', got %g and %g", self->min, self->max);
    return FALSE;
}

static void
adit_uniform_initializer_class_init(AditComponentClass *klass)
{
    klass->check = check;
    ADIT_INITIALIZER_CLASS(klass)->fill = fill;
    adit_component_class_describe(klass, "uniform", "Uniform between two bounds");
    adit_component_class_add_number(klass, "min", "Lower bound", -1e6, 1e6, -0.05,
                                    ADIT_FIELD(AditUniformInitializer, min, double));
    adit_component_class_add_number(klass, "max", "Upper bound", -1e6, 1e6, 0.05,
                                    ADIT_FIELD(AditUniformInitializer, max, double));
}

ADIT_PLUGIN("uniform", "1.0", "MIT", ADIT_TYPES(adit_uniform_initializer_get_type))
