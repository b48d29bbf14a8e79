/* plugins/initializers/glorot-uniform.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>
#include <math.h>

struct _AditGlorotUniform {
    AditInitializer parent_instance;
};
ADIT_DEFINE_INITIALIZER(AditGlorotUniform, adit_glorot_uniform, ADIT_GLOROT_UNIFORM)

/* Glorot, Bengio, "Understanding the difficulty of training deep feedforward neural networks",
 * AISTATS 2010, equation 16. */
static void
fill(AditInitializer *initializer, const AditShape *shape, AditRandom *random, double *values)
{
    double fans = adit_shape_fan_in(shape) + adit_shape_fan_out(shape);

    adit_fill_uniform(shape, sqrt(6.0 / fans), random, values);
}

static void
adit_glorot_uniform_class_init(AditComponentClass *klass)
{
    ADIT_INITIALIZER_CLASS(klass)->fill = fill;
    adit_component_class_describe(klass, "glorot-uniform",
                                  "Uniform of variance 2 / (fan-in + fan-out)");
}

ADIT_PLUGIN("glorot-uniform", "1.0", "MIT", ADIT_TYPES(adit_glorot_uniform_get_type))
