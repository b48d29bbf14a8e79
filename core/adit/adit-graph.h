/* core/adit/adit-graph.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-error.h>
#include <adit/adit-shape.h>

G_BEGIN_DECLS

/**
 * AditGraph: operations on tensors, written down and not computed. Boxed, reference-counted.
 *
 * A tensor is owned by its graph; everyone else borrows it. It has a shape without the batch, and
 * either one value for every row of the batch ("rows") or a single one (parameters, constants).
 *
 * Errors are sticky: the first one is kept with the component and the place in the YAML it came
 * from; an operation on a failed tensor returns a failed tensor, whose sizes read 1. Authors check
 * nothing.
 */
#define ADIT_TYPE_GRAPH (adit_graph_get_type())
GType adit_graph_get_type(void);

/**
 * AditMode: what a graph is built for: blocks like dropout and batch normalisation ask.
 */
typedef enum {
    ADIT_MODE_TRAINING,
    ADIT_MODE_EVALUATION,
} AditMode;

AditGraph *adit_graph_new(AditMode mode);
AditGraph *adit_graph_ref(AditGraph *self);
void adit_graph_unref(AditGraph *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditGraph, adit_graph_unref)

AditMode adit_graph_get_mode(const AditGraph *self);
/* The first error, or NULL. */
const GError *adit_graph_get_error(const AditGraph *self);
/* Fails the graph with ADIT_ERROR_INVALID unless it has failed before; returns a failed tensor. */
AditTensor *adit_graph_fail(AditGraph *self, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Tells the user of something that works but is probably not meant, once for each component. */
void adit_graph_warn(AditGraph *self, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* The graph in Graphviz' language, loops as clusters. */
char *adit_graph_to_dot(const AditGraph *self);

/* Tensors. */

AditGraph *adit_tensor_get_graph(const AditTensor *self);
gboolean adit_tensor_has_failed(const AditTensor *self);
const AditShape *adit_tensor_get_shape(const AditTensor *self);
/* Whether there is a value for every row of the batch. */
gboolean adit_tensor_has_rows(const AditTensor *self);
/* Size of the last axis; 1 for a scalar. */
gsize adit_tensor_get_width(const AditTensor *self);
/* Number of classes of a target tensor; 0 for values. */
guint adit_tensor_get_classes(const AditTensor *self);

/* Sources: the only operations that take the graph. */

/* A value for every row, fed from outside: the features, the targets (@classes > 0: class numbers).
 */
AditTensor *adit_input(AditGraph *graph, const char *name, const AditShape *shape, guint classes);
/* A number. */
AditTensor *adit_constant(AditGraph *graph, double value);
/* @values: one for every element of @shape, copied. */
AditTensor *adit_constant_array(AditGraph *graph, const AditShape *shape, const double *values);
/* The current value of a number that may move with training; borrowed, must outlive the graph. */
AditTensor *adit_live(AditGraph *graph, AditLive *live);
/* Number of the optimizer's update, 1 for the first. */
AditTensor *adit_step(AditGraph *graph);

/**
 * AditRole: what a parameter is to its layer; regularizers and reports choose by it.
 */
typedef enum {
    ADIT_ROLE_WEIGHT, /* dense: in x out; convolution: filters x channels x height x width */
    ADIT_ROLE_BIAS,
    ADIT_ROLE_NORM, /* scale and shift of a normalisation */
    ADIT_ROLE_OTHER,
} AditRole;

/**
 * adit_parameter:
 * @name: within the block: "weight", "bias"
 * @initializer: (nullable): NULL for the model's own initializer
 *
 * A trained tensor without rows. Inside a loop it is one of a stack, named as the unrolled network
 * names it (`trunk.37.weight`), unless the loop is tied.
 */
AditTensor *adit_parameter(AditGraph *graph, const char *name, AditRole role,
                           const AditShape *shape, AditInitializer *initializer);
/* The same, with all elements equal to @value at the start. */
AditTensor *adit_parameter_filled(AditGraph *graph, const char *name, AditRole role,
                                  const AditShape *shape, double value);
/* What is kept between steps and not trained (running statistics), @value at the start. */
AditTensor *adit_state(AditGraph *graph, const char *name, const AditShape *shape, double value);
/* Gives a state its value for the next step. Ignored unless the graph is built for training. */
void adit_state_update(AditTensor *state, AditTensor *value);

/* Random numbers for every row and step: stream @name in the block's scope. Uniform in (0, 1). */
AditTensor *adit_noise_uniform(AditGraph *graph, const char *name, const AditShape *shape);
/* Standard normal. */
AditTensor *adit_noise_normal(AditGraph *graph, const char *name, const AditShape *shape);

/**
 * adit_tap:
 * @port: "linear" (an affine map, before norm and activation) or "pre" (the argument of an
 * activation)
 *
 * Gives @x an address in the block being built, `trunk.7:pre`, for probes, exits and regularizers.
 * Costs nothing until somebody reads it. A second tensor of the same port is not recorded.
 *
 * Returns: @x
 */
AditTensor *adit_tap(AditTensor *x, const char *port);

G_END_DECLS
