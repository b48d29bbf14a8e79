/* core/component/adit-initializer.c - SPDX-License-Identifier: MIT */
#include <adit/adit-initializer.h>

#include <math.h>
#include <string.h>

/* Standard deviation of a standard normal cut off at -2 and 2. */
#define TRUNCATED_STD 0.87962566103423978

G_DEFINE_ABSTRACT_TYPE(AditInitializer, adit_initializer, ADIT_TYPE_COMPONENT)

static void
adit_initializer_class_init(AditInitializerClass *klass)
{
    ADIT_COMPONENT_CLASS(klass)->kind = "initializer";
}

static void
adit_initializer_init(AditInitializer *self)
{
}

/* ---- biases ---- */

#define ADIT_TYPE_BIAS_INITIALIZER (adit_bias_initializer_get_type())
G_DECLARE_FINAL_TYPE(AditBiasInitializer, adit_bias_initializer, ADIT, BIAS_INITIALIZER,
                     AditInitializer)

struct _AditBiasInitializer {
    AditInitializer parent_instance;
    AditInitializer *of_weights;
    AditShape weight;
};
G_DEFINE_TYPE(AditBiasInitializer, adit_bias_initializer, ADIT_TYPE_INITIALIZER)

static void
fill_bias(AditInitializer *initializer, const AditShape *shape, AditRandom *random, double *values)
{
    AditBiasInitializer *self = ADIT_BIAS_INITIALIZER(initializer);
    g_autofree double *weights = g_new(double, adit_shape_count(&self->weight));

    ADIT_INITIALIZER_GET_CLASS(self->of_weights)
        ->fill(self->of_weights, &self->weight, random, weights);
    memcpy(values, weights, adit_shape_count(shape) * sizeof *values);
}

static void
adit_bias_initializer_dispose(GObject *object)
{
    g_clear_object(&ADIT_BIAS_INITIALIZER(object)->of_weights);
    G_OBJECT_CLASS(adit_bias_initializer_parent_class)->dispose(object);
}

static void
adit_bias_initializer_class_init(AditBiasInitializerClass *klass)
{
    G_OBJECT_CLASS(klass)->dispose = adit_bias_initializer_dispose;
    ADIT_INITIALIZER_CLASS(klass)->fill = fill_bias;
}

static void
adit_bias_initializer_init(AditBiasInitializer *self)
{
}

AditInitializer *
adit_initializer_new_for_bias(AditInitializer *self, const AditShape *weight)
{
    AditBiasInitializer *bias = g_object_new(ADIT_TYPE_BIAS_INITIALIZER, NULL);

    bias->of_weights = g_object_ref(self);
    bias->weight = *weight;
    return ADIT_INITIALIZER(bias);
}

/* ---- shapes ---- */

/* Weights of a convolution are filters x channels x height x width, all others in x out. */
#define KERNEL_RANK 4

double
adit_shape_fan_in(const AditShape *shape)
{
    double fan = 1.0;

    if (shape->rank == KERNEL_RANK)
        return MAX((double) (adit_shape_count(shape) / shape->size[0]), 1.0);

    for (guint i = 0; i + 1 < shape->rank; i++)
        fan *= (double) shape->size[i];
    return MAX(fan, 1.0);
}

double
adit_shape_fan_out(const AditShape *shape)
{
    guint inputs = shape->rank == KERNEL_RANK ? 1 : shape->rank - 2;
    double fan = 1.0;

    for (guint i = 0; i < shape->rank; i++) {
        if (i != inputs)
            fan *= (double) shape->size[i];
    }
    return MAX(fan, 1.0);
}

void
adit_fill_uniform(const AditShape *shape, double bound, AditRandom *random, double *values)
{
    gsize count = adit_shape_count(shape);

    for (gsize i = 0; i < count; i++)
        values[i] = bound * (2.0 * adit_random_uniform(random) - 1.0);
}

void
adit_fill_truncated_normal(const AditShape *shape, double std, AditRandom *random, double *values)
{
    gsize count = adit_shape_count(shape);

    for (gsize i = 0; i < count; i++) {
        double value = adit_random_normal(random);
        while (fabs(value) > 2.0)
            value = adit_random_normal(random);
        values[i] = std / TRUNCATED_STD * value;
    }
}
