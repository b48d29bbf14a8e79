/* plugins/initializers/he-normal.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>
#include <math.h>

struct _AditHeNormal {
    AditInitializer parent_instance;
};
ADIT_DEFINE_INITIALIZER(AditHeNormal, adit_he_normal, ADIT_HE_NORMAL)

/* He, Zhang, Ren, Sun, "Delving deep into rectifiers", ICCV 2015, equation 10; truncated as in
 * Keras. */
static void
fill(AditInitializer *initializer, const AditShape *shape, AditRandom *random, double *values)
{
    adit_fill_truncated_normal(shape, sqrt(2.0 / adit_shape_fan_in(shape)), random, values);
}

static void
adit_he_normal_class_init(AditComponentClass *klass)
{
    ADIT_INITIALIZER_CLASS(klass)->fill = fill;
    adit_component_class_describe(klass, "he-normal",
                                  "Truncated normal of variance 2 / fan-in, for rectifiers");
}

ADIT_PLUGIN("he-normal", "1.0", "MIT", ADIT_TYPES(adit_he_normal_get_type))
