/* plugins/initializers/lecun-uniform.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>
#include <math.h>

struct _AditLecunUniform {
    AditInitializer parent_instance;
};
ADIT_DEFINE_INITIALIZER(AditLecunUniform, adit_lecun_uniform, ADIT_LECUN_UNIFORM)

/* LeCun, Bottou, Orr, Mueller, "Efficient backprop", 1998, section 4.6, with a uniform of that
 * variance. */
static void
fill(AditInitializer *initializer, const AditShape *shape, AditRandom *random, double *values)
{
    adit_fill_uniform(shape, sqrt(3.0 / adit_shape_fan_in(shape)), random, values);
}

static void
adit_lecun_uniform_class_init(AditComponentClass *klass)
{
    ADIT_INITIALIZER_CLASS(klass)->fill = fill;
    adit_component_class_describe(klass, "lecun-uniform", "Uniform of variance 1 / fan-in");
}

ADIT_PLUGIN("lecun-uniform", "1.0", "MIT", ADIT_TYPES(adit_lecun_uniform_get_type))
