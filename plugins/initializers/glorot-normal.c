/* plugins/initializers/glorot-normal.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>
#include <math.h>

struct _AditGlorotNormal {
    AditInitializer parent_instance;
};
ADIT_DEFINE_INITIALIZER(AditGlorotNormal, adit_glorot_normal, ADIT_GLOROT_NORMAL)

/* Glorot, Bengio, "Understanding the difficulty of training deep feedforward neural networks",
 * AISTATS 2010, equation 12; truncated as in Keras. */
static void
fill(AditInitializer *initializer, const AditShape *shape, AditRandom *random, double *values)
{
    double fans = adit_shape_fan_in(shape) + adit_shape_fan_out(shape);

    adit_fill_truncated_normal(shape, sqrt(2.0 / fans), random, values);
}

static void
adit_glorot_normal_class_init(AditComponentClass *klass)
{
    ADIT_INITIALIZER_CLASS(klass)->fill = fill;
    adit_component_class_describe(klass, "glorot-normal",
                                  "Truncated normal of variance 2 / (fan-in + fan-out)");
}

ADIT_PLUGIN("glorot-normal", "1.0", "MIT", ADIT_TYPES(adit_glorot_normal_get_type))
