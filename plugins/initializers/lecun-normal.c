/* plugins/initializers/lecun-normal.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>
#include <math.h>

struct _AditLecunNormal {
    AditInitializer parent_instance;
};
ADIT_DEFINE_INITIALIZER(AditLecunNormal, adit_lecun_normal, ADIT_LECUN_NORMAL)

/* LeCun, Bottou, Orr, Mueller, "Efficient backprop", 1998, section 4.6; truncated as in Keras. */
static void
fill(AditInitializer *initializer, const AditShape *shape, AditRandom *random, double *values)
{
    adit_fill_truncated_normal(shape, sqrt(1.0 / adit_shape_fan_in(shape)), random, values);
}

static void
adit_lecun_normal_class_init(AditComponentClass *klass)
{
    ADIT_INITIALIZER_CLASS(klass)->fill = fill;
    adit_component_class_describe(klass, "lecun-normal", "Truncated normal of variance 1 / fan-in");
}

ADIT_PLUGIN("lecun-normal", "1.0", "MIT", ADIT_TYPES(adit_lecun_normal_get_type))
