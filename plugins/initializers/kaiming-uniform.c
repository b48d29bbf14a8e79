/* plugins/initializers/kaiming-uniform.c - SPDX-License-Identifier: MIT */
#include <adit/adit-plugin.h>
#include <math.h>

struct _AditKaimingUniform {
    AditInitializer parent_instance;
    double slope;
};
ADIT_DEFINE_INITIALIZER(AditKaimingUniform, adit_kaiming_uniform, ADIT_KAIMING_UNIFORM)

/* He, Zhang, Ren, Sun 2015, equation 15, with a uniform of that variance. With a slope of sqrt 5,
 * PyTorch's default, the bound is 1 / sqrt(fan-in). */
static void
fill(AditInitializer *initializer, const AditShape *shape, AditRandom *random, double *values)
{
    double slope = ADIT_KAIMING_UNIFORM(initializer)->slope;
    double bound = sqrt(6.0 / ((1.0 + slope * slope) * adit_shape_fan_in(shape)));

    adit_fill_uniform(shape, bound, random, values);
}

static void
adit_kaiming_uniform_class_init(AditComponentClass *klass)
{
    ADIT_INITIALIZER_CLASS(klass)->fill = fill;
    adit_component_class_describe(klass, "kaiming-uniform",
                                  "Uniform for rectifiers that leak, as PyTorch's layers start");
    adit_component_class_add_number(klass, "slope", "Slope of the rectifier below 0", 0, 1000,
                                    2.23606797749978969,
                                    ADIT_FIELD(AditKaimingUniform, slope, double));
}

ADIT_PLUGIN("kaiming-uniform", "1.0", "MIT", ADIT_TYPES(adit_kaiming_uniform_get_type))
