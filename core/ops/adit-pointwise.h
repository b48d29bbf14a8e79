/* core/ops/adit-pointwise.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-op.h>

G_BEGIN_DECLS

/* Attributes of a pointwise operation with a parameter. */
typedef struct {
    double value;
} AditPointwiseAttributes;

/**
 * AditPointwise: one row of the table of pointwise operations (adit-pointwise.def).
 * @arity: number of inputs: 1 to 3
 * @n_parameters: 0, or 1: the operation's attributes are AditPointwiseAttributes
 * @glsl: its value as GLSL over a, b, c and the parameter p
 */
typedef struct {
    const AditOp *op;
    const char *name;
    guint arity;
    guint n_parameters;
    const char *glsl;
} AditPointwise;

/* The rows, in the table's order. */
const AditPointwise *adit_pointwise_list(guint *n);
/* The row of an operation; NULL if @op is not pointwise. */
const AditPointwise *adit_pointwise_find(const AditOp *op);

/* Every row's builder: those of <adit/adit-ops.h> and the gradients' helpers. */
#define ADIT_BUILDER_1_0(symbol) AditTensor *adit_##symbol(AditTensor *a);
#define ADIT_BUILDER_1_1(symbol) AditTensor *adit_##symbol(AditTensor *a, double p);
#define ADIT_BUILDER_2_0(symbol) AditTensor *adit_##symbol(AditTensor *a, AditTensor *b);
#define ADIT_BUILDER_2_1(symbol) AditTensor *adit_##symbol(AditTensor *a, AditTensor *b, double p);
#define ADIT_BUILDER_3_0(symbol)                                                                   \
    AditTensor *adit_##symbol(AditTensor *a, AditTensor *b, AditTensor *c);
#define ADIT_POINTWISE(symbol, name, arity, parameters, expression, glsl, ...)                     \
    ADIT_BUILDER_##arity##_##parameters(symbol)
#include "adit-pointwise.def"
#undef ADIT_BUILDER_1_0
#undef ADIT_BUILDER_1_1
#undef ADIT_BUILDER_2_0
#undef ADIT_BUILDER_2_1
#undef ADIT_BUILDER_3_0

G_END_DECLS
