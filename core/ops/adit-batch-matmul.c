/* core/ops/adit-batch-matmul.c - SPDX-License-Identifier: MIT */
#include "adit-attributes.h"
#include "adit-ops-private.h"

static gboolean
fail(GError **error, AditTensor *const *inputs, const char *reason)
{
    g_autofree char *left = adit_shape_to_string(adit_tensor_get_shape(inputs[0]));
    g_autofree char *right = adit_shape_to_string(adit_tensor_get_shape(inputs[1]));

    g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID, "batch-matmul of %s with %s: %s", left,
                right, reason);
    return FALSE;
}

static gboolean
infer(AditTensor *const *inputs, guint n_inputs, const void *data, AditShape *shape, gboolean *rows,
      GError **error)
{
    const AditBatchMatmulAttributes *attributes = data;
    const AditShape *a = adit_tensor_get_shape(inputs[0]);
    const AditShape *b = adit_tensor_get_shape(inputs[1]);
    gboolean fits = a->rank == b->rank;
    guint last = a->rank - 1;

    for (guint i = 0; i < 2; i++) {
        if (adit_tensor_get_shape(inputs[i])->rank < 2)
            return adit_infer_fail(error, inputs[i], "batch-matmul: expected matrices");
    }
    for (guint i = 0; fits && i + 1 < last; i++)
        fits = a->size[i] == b->size[i];
    if (!fits)
        return fail(error, inputs, "the leading axes differ");
    if (a->size[attributes->transpose_a ? last - 1 : last] !=
        b->size[attributes->transpose_b ? last : last - 1])
        return fail(error, inputs, "the inner sizes differ");
    if (adit_tensor_has_rows(inputs[0]) != adit_tensor_has_rows(inputs[1]))
        return fail(error, inputs, "expected both with rows or neither");
    *shape = *a;
    shape->size[last - 1] = a->size[attributes->transpose_a ? last : last - 1];
    shape->size[last] = b->size[attributes->transpose_b ? last - 1 : last];
    *rows = adit_tensor_has_rows(inputs[0]);
    return TRUE;
}

/* With A and B as they are multiplied: by A it is dy B^T, by B it is A^T dy; where an input lies
 * transposed, so does its gradient. */
static void
gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    const AditBatchMatmulAttributes *attributes = adit_tensor_get_attributes(y);
    gboolean a = attributes->transpose_a, b = attributes->transpose_b;

    dx[0] =
        a ? adit_batch_matmul(inputs[1], dy, b, TRUE) : adit_batch_matmul(dy, inputs[1], FALSE, !b);
    dx[1] =
        b ? adit_batch_matmul(dy, inputs[0], TRUE, a) : adit_batch_matmul(inputs[0], dy, !a, FALSE);
}

static const AditOp batch_matmul_op = {.name = "batch-matmul",
                                       .encode = adit_encode_batch_matmul,
                                       .infer = infer,
                                       .gradient = gradient};

AditTensor *
adit_batch_matmul(AditTensor *a, AditTensor *b, gboolean transpose_a, gboolean transpose_b)
{
    AditBatchMatmulAttributes attributes = {transpose_a, transpose_b};

    return adit_apply(&batch_matmul_op, (AditTensor *[]){a, b}, 2, &attributes, sizeof attributes);
}
