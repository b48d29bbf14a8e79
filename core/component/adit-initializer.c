/* core/component/adit-initializer.c - SPDX-License-Identifier: MIT */
#include <adit/adit-initializer.h>

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

double
adit_shape_fan_in(const AditShape *shape)
{
    double fan = 1.0;

    for (guint i = 0; i + 1 < shape->rank; i++)
        fan *= (double) shape->size[i];
    return MAX(fan, 1.0);
}

double
adit_shape_fan_out(const AditShape *shape)
{
    double fan = 1.0;

    /* all axes but the inputs', which is the last but one */
    for (guint i = 0; i < shape->rank; i++) {
        if (i + 2 != shape->rank)
            fan *= (double) shape->size[i];
    }
    return MAX(fan, 1.0);
}
