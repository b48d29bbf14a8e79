/* core/adit/adit-initializer.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-component.h>
#include <adit/adit-random.h>
#include <adit/adit-shape.h>

G_BEGIN_DECLS

/**
 * AditInitializer: shape and random stream -> the values a parameter starts with.
 */
#define ADIT_TYPE_INITIALIZER (adit_initializer_get_type())
G_DECLARE_DERIVABLE_TYPE(AditInitializer, adit_initializer, ADIT, INITIALIZER, AditComponent)

/**
 * AditInitializerClass:
 * @fill: writes adit_shape_count(@shape) values. @random is the parameter's own stream.
 */
struct _AditInitializerClass {
    AditComponentClass parent_class;

    void (*fill)(AditInitializer *self, const AditShape *shape, AditRandom *random, double *values);

    gpointer padding[7];
};

/* Inputs that feed one unit: all axes but the last ([in, out], [kernel.., in, out]); at least 1. */
double adit_shape_fan_in(const AditShape *shape);
/* Outputs that one input feeds: the last axis times the kernel's positions. */
double adit_shape_fan_out(const AditShape *shape);

/**
 * adit_initializer_new_for_bias:
 * @weight: shape of the weights of the layer
 *
 * What draws the bias of a layer: as @self would draw its weights, of which a bias takes the first
 * numbers. So the fans are those of the layer; a bias by itself has none.
 *
 * Returns: (transfer full): an initializer of any shape with at most as many elements as @weight
 */
AditInitializer *adit_initializer_new_for_bias(AditInitializer *self, const AditShape *weight);

/* Fills the whole shape uniformly from (-@bound, @bound). */
void adit_fill_uniform(const AditShape *shape, double bound, AditRandom *random, double *values);
/* Fills it with a normal cut off at two standard deviations and re-scaled so that what is left has
 * standard deviation @std. */
void adit_fill_truncated_normal(const AditShape *shape, double std, AditRandom *random,
                                double *values);

#define ADIT_DEFINE_INITIALIZER(TypeName, type_name, CAST)                                         \
    ADIT_DEFINE_COMPONENT(TypeName, type_name, CAST, ADIT_TYPE_INITIALIZER)

G_END_DECLS
