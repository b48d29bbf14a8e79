/* plugins/initializers/he-uniform.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>
#include <math.h>

struct _AditHeUniform {
    AditInitializer parent_instance;
};
ADIT_DEFINE_INITIALIZER(AditHeUniform, adit_he_uniform, ADIT_HE_UNIFORM)

/* He, Zhang, Ren, Sun, "Delving deep into rectifiers", ICCV 2015, equation 10, with a uniform of
 * that variance. */
static void
fill(AditInitializer *initializer, const AditShape *shape, AditRandom *random, double *values)
{
    adit_fill_uniform(shape, sqrt(6.0 / adit_shape_fan_in(shape)), random, values);
}

static void
adit_he_uniform_class_init(AditComponentClass *klass)
{
    ADIT_INITIALIZER_CLASS(klass)->fill = fill;
    adit_component_class_describe(klass, "he-uniform",
                                  "Uniform of variance 2 / fan-in, for rectifiers");
}

ADIT_PLUGIN("he-uniform", "1.0", "MIT", ADIT_TYPES(adit_he_uniform_get_type))
