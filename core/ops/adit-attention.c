/* core/ops/adit-attention.c - SPDX-License-Identifier: MIT */
#include "adit-attributes.h"
#include "adit-graph-private.h"
#include "adit-kernels.h"
#include "adit-ops-private.h"

/* Attention as one operation, which keeps none of its weights (decisions/0023), and as the
 * operations that it stands for. Inputs: queries, keys, values; those without rows are the same for
 * every row. */

/* ---- one operation ---- */

static gboolean
gradient_infer(AditTensor *const *inputs, guint n_inputs, const void *attributes, AditShape *shape,
               gboolean *rows, GError **error)
{
    *shape = *adit_tensor_get_shape(inputs[0]);
    shape->size[0] *= 3;
    return TRUE;
}

/* Inputs: queries, keys, values, dy, y. The gradients of the first three, one behind the other. */
static const AditOp attention_gradient_op = {.name = "attention-gradient",
                                             .encode = adit_encode_attention_gradient,
                                             .infer = gradient_infer};

static void
gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    const AditAttentionAttributes *attributes = adit_tensor_get_attributes(y);
    gsize tokens = attributes->tokens;
    AditTensor *all =
        adit_apply(&attention_gradient_op, (AditTensor *[]){inputs[0], inputs[1], inputs[2], dy, y},
                   5, attributes, sizeof *attributes);

    adit_tensor_set_streams(all, g_strdupv(adit_tensor_get_streams(y)));
    for (guint i = 0; i < 3; i++)
        dx[i] = adit_sum_to(adit_slice(all, 0, i * tokens, (i + 1) * tokens, 1), inputs[i]);
}

static const AditOp attention_op = {
    .name = "attention", .encode = adit_encode_attention, .gradient = gradient};

AditTensor *
adit_attention_fused(AditTensor *const *inputs, gsize heads, double dropout, const char *name)
{
    AditAttentionAttributes attributes = {heads, adit_tensor_get_shape(inputs[0])->size[0],
                                          dropout};
    AditTensor *y = adit_apply(&attention_op, inputs, 3, &attributes, sizeof attributes);

    if (dropout > 0)
        adit_tensor_set_streams(y, adit_graph_list_names(adit_tensor_get_graph(y), name, FALSE));
    return y;
}

/* ---- several ---- */

/* [tokens, width] -> [heads, tokens, width / heads]. */
static AditTensor *
split(AditTensor *x, gsize heads)
{
    const AditShape *shape = adit_tensor_get_shape(x);
    AditShape parts = ADIT_SHAPE(shape->size[0], heads, shape->size[1] / heads);

    return adit_transpose(adit_reshape(x, &parts), (int[]){1, 0, 2});
}

AditTensor *
adit_attention_composed(AditTensor *const *inputs, gsize heads, double dropout, const char *name)
{
    AditShape shape = *adit_tensor_get_shape(inputs[0]);
    AditTensor *key = split(inputs[1], heads), *value = split(inputs[2], heads);
    AditTensor *weights =
        adit_softmax(adit_batch_matmul(split(inputs[0], heads), key, FALSE, TRUE));
    AditTensor *y;

    if (dropout > 0)
        weights =
            adit_dropout(weights, adit_constant(adit_tensor_get_graph(weights), dropout), name);
    y = adit_transpose(adit_batch_matmul(weights, value, FALSE, FALSE), (int[]){1, 0, 2});
    return adit_reshape(y, &shape);
}

/* ---- either ---- */

/* NULL: the inputs are right. */
static AditTensor *
find_fault(AditTensor *const *inputs, gsize heads)
{
    AditGraph *graph = adit_tensor_get_graph(inputs[0]);
    const AditShape *shape = adit_tensor_get_shape(inputs[0]);
    g_autofree char *text = adit_shape_to_string(shape);

    for (guint i = 0; i < 3; i++) {
        const AditShape *other = adit_tensor_get_shape(inputs[i]);
        g_autofree char *got = adit_shape_to_string(other);

        if (adit_tensor_has_failed(inputs[i]))
            return inputs[i];
        if (!adit_shape_equal(other, shape))
            return adit_graph_fail(graph,
                                   "attention: expected queries, keys and values of one shape, "
                                   "got %s and %s",
                                   text, got);
    }
    if (shape->rank != 2)
        return adit_graph_fail(graph, "attention: expected tokens x width, got %s", text);
    if (heads == 0 || shape->size[1] % heads != 0)
        return adit_graph_fail(
            graph, "attention: expected a width that %" G_GSIZE_FORMAT " heads divide, got %s",
            heads, text);
    return NULL;
}

AditTensor *
adit_attention(AditTensor *query, AditTensor *key, AditTensor *value, gsize heads, double dropout,
               const char *name)
{
    AditTensor *inputs[] = {query, key, value};
    AditTensor *fault = find_fault(inputs, heads);
    gboolean rows = TRUE;

    if (fault != NULL)
        return fault;
    for (guint i = 0; i < G_N_ELEMENTS(inputs); i++)
        rows = rows && adit_tensor_has_rows(inputs[i]);
    if (adit_graph_get_mode(adit_tensor_get_graph(query)) == ADIT_MODE_EVALUATION)
        dropout = 0;
    return rows && adit_may_fuse() ? adit_attention_fused(inputs, heads, dropout, name)
                                   : adit_attention_composed(inputs, heads, dropout, name);
}
