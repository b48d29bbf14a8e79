/* core/ops/adit-pointwise.c - SPDX-License-Identifier: MIT */
#include "adit-pointwise.h"

#include "adit-image-layout.h"
#include "adit-ops-private.h"

static AditTensor *
apply(const AditOp *op, AditTensor *const *inputs, guint n_inputs, double p)
{
    AditPointwiseAttributes attributes = {p};

    return adit_apply(op, inputs, n_inputs, &attributes, sizeof attributes);
}

/* Hands the gradients of the broadcast values on to the inputs. */
static void
hand_on(AditTensor *const *gradients, AditTensor *const *inputs, guint n, AditTensor **dx)
{
    for (guint i = 0; i < n; i++)
        dx[i] = gradients[i] != NULL ? adit_sum_to(gradients[i], inputs[i]) : NULL;
}

#define NONE NULL

#define BUILDER_1_0(symbol)                                                                        \
    AditTensor *adit_##symbol(AditTensor *a)                                                       \
    {                                                                                              \
        return adit_apply(&symbol##_op, &a, 1, NULL, 0);                                           \
    }
#define BUILDER_1_1(symbol)                                                                        \
    AditTensor *adit_##symbol(AditTensor *a, double p)                                             \
    {                                                                                              \
        return apply(&symbol##_op, &a, 1, p);                                                      \
    }
#define BUILDER_2_0(symbol)                                                                        \
    AditTensor *adit_##symbol(AditTensor *a, AditTensor *b)                                        \
    {                                                                                              \
        return adit_apply(&symbol##_op, (AditTensor *[]){a, b}, 2, NULL, 0);                       \
    }
#define BUILDER_2_1(symbol)                                                                        \
    AditTensor *adit_##symbol(AditTensor *a, AditTensor *b, double p)                              \
    {                                                                                              \
        return apply(&symbol##_op, (AditTensor *[]){a, b}, 2, p);                                  \
    }
#define BUILDER_3_0(symbol)                                                                        \
    AditTensor *adit_##symbol(AditTensor *a, AditTensor *b, AditTensor *c)                         \
    {                                                                                              \
        return adit_apply(&symbol##_op, (AditTensor *[]){a, b, c}, 3, NULL, 0);                    \
    }

#define INFER(symbol, name)                                                                        \
    static gboolean symbol##_infer(AditTensor *const *inputs, guint n_inputs,                      \
                                   const void *attributes, AditShape *shape, gboolean *rows,       \
                                   GError **error)                                                 \
    {                                                                                              \
        return adit_infer_broadcast(name, inputs, n_inputs, shape, error);                         \
    }

/* The gradient expressions see the tensors by the names of the table. */
#define ADIT_POINTWISE(symbol, label, arity, parameters, expression, glsl, ...)                    \
    INFER(symbol, label)                                                                           \
    static void symbol##_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs,        \
                                  AditTensor **dx)                                                 \
    {                                                                                              \
        AditTensor *a G_GNUC_UNUSED = inputs[0];                                                   \
        AditTensor *b G_GNUC_UNUSED = arity > 1 ? inputs[1] : NULL;                                \
        AditTensor *c G_GNUC_UNUSED = arity > 2 ? inputs[2] : NULL;                                \
        const AditPointwiseAttributes *attributes = adit_tensor_get_attributes(y);                 \
        double p G_GNUC_UNUSED = parameters > 0 ? attributes->value : 0;                           \
        AditTensor *gradients[arity] = {__VA_ARGS__};                                              \
        hand_on(gradients, inputs, arity, dx);                                                     \
    }                                                                                              \
    static const AditOp symbol##_op = {.name = label,                                              \
                                       .infer = symbol##_infer,                                    \
                                       .lay_channels_last = adit_image_lay_anyhow,                 \
                                       .encode = parameters > 0 ? adit_encode_pointwise : NULL,    \
                                       .gradient = symbol##_gradient};                             \
    BUILDER_##arity##_##parameters(symbol)
#define ADIT_POINTWISE_HELPER(symbol, label, arity, parameters, expression, glsl)                  \
    INFER(symbol, label)                                                                           \
    static const AditOp symbol##_op = {.name = label,                                              \
                                       .infer = symbol##_infer,                                    \
                                       .lay_channels_last = adit_image_lay_anyhow,                 \
                                       .encode = parameters > 0 ? adit_encode_pointwise : NULL};   \
    BUILDER_##arity##_##parameters(symbol)
#include "adit-pointwise.def"

static const AditPointwise rows_of_table[] = {
#define ADIT_POINTWISE(symbol, name, arity, parameters, expression, glsl, ...)                     \
    {&symbol##_op, name, arity, parameters, glsl},
#include "adit-pointwise.def"
};

const AditPointwise *
adit_pointwise_list(guint *n)
{
    *n = G_N_ELEMENTS(rows_of_table);
    return rows_of_table;
}

const AditPointwise *
adit_pointwise_find(const AditOp *op)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows_of_table); i++) {
        if (rows_of_table[i].op == op)
            return &rows_of_table[i];
    }
    return NULL;
}
