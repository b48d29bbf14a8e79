/* core/ops/adit-matmul.c - SPDX-License-Identifier: MIT */
#include "adit-attributes.h"
#include "adit-ops-private.h"

static gboolean
matmul_infer(AditTensor *const *inputs, guint n_inputs, const void *data, AditShape *shape,
             gboolean *rows, GError **error)
{
    const AditMatmulAttributes *attributes = data;
    const AditShape *a = adit_tensor_get_shape(inputs[0]);
    const AditShape *b = adit_tensor_get_shape(inputs[1]);
    gsize inner;

    if (a->rank == 0)
        return adit_infer_fail(error, inputs[0], "matmul: expected a vector on the left");
    if (b->rank != 2)
        return adit_infer_fail(error, inputs[1], "matmul: expected a matrix on the right");
    if (adit_tensor_has_rows(inputs[1]))
        return adit_infer_fail(error, inputs[1],
                               "matmul: expected a matrix without rows on the right");
    inner = b->size[attributes->transpose_b ? 1 : 0];
    if (a->size[a->rank - 1] != inner) {
        g_autofree char *left = adit_shape_to_string(a);
        g_autofree char *right = adit_shape_to_string(b);

        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "matmul of %s with %s%s: the inner sizes differ", left, right,
                    attributes->transpose_b ? " transposed" : "");
        return FALSE;
    }
    *shape = *a;
    shape->size[a->rank - 1] = b->size[attributes->transpose_b ? 0 : 1];
    *rows = adit_tensor_has_rows(inputs[0]);
    return TRUE;
}

static void
matmul_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    const AditMatmulAttributes *attributes = adit_tensor_get_attributes(y);

    dx[0] = adit_matmul(dy, inputs[1], !attributes->transpose_b);
    dx[1] =
        attributes->transpose_b ? adit_matmul_rows(dy, inputs[0]) : adit_matmul_rows(inputs[0], dy);
}

static gboolean
matmul_rows_infer(AditTensor *const *inputs, guint n_inputs, const void *data, AditShape *shape,
                  gboolean *rows, GError **error)
{
    const AditShape *a = adit_tensor_get_shape(inputs[0]);
    const AditShape *b = adit_tensor_get_shape(inputs[1]);
    gboolean fits = a->rank == b->rank && a->rank > 0;

    for (guint i = 0; fits && i + 1 < a->rank; i++)
        fits = a->size[i] == b->size[i];
    if (!fits || adit_tensor_has_rows(inputs[0]) != adit_tensor_has_rows(inputs[1])) {
        g_autofree char *left = adit_shape_to_string(a);
        g_autofree char *right = adit_shape_to_string(b);

        g_set_error(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                    "outer product of %s with %s: only the last axes may differ", left, right);
        return FALSE;
    }
    *shape = ADIT_SHAPE(a->size[a->rank - 1], b->size[b->rank - 1]);
    *rows = FALSE;
    return TRUE;
}

static void
matmul_rows_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    dx[0] = adit_matmul(inputs[1], dy, TRUE);
    dx[1] = adit_matmul(inputs[0], dy, FALSE);
}

static const AditOp matmul_op = {.name = "matmul",
                                 .encode = adit_encode_matmul,
                                 .infer = matmul_infer,
                                 .gradient = matmul_gradient};
static const AditOp matmul_rows_op = {.name = "matmul-rows",
                                      .infer = matmul_rows_infer,
                                      .gradient = matmul_rows_gradient,
                                      .over_rows = TRUE,
                                      .accumulates = TRUE};
/* The same of tensors without rows: the sum is over their leading axes alone. */
static const AditOp matmul_outer_op = {
    .name = "matmul-outer", .infer = matmul_rows_infer, .gradient = matmul_rows_gradient};

AditTensor *
adit_matmul(AditTensor *a, AditTensor *b, gboolean transpose_b)
{
    AditMatmulAttributes attributes = {transpose_b};

    return adit_apply(&matmul_op, (AditTensor *[]){a, b}, 2, &attributes, sizeof attributes);
}

AditTensor *
adit_matmul_rows(AditTensor *a, AditTensor *b)
{
    const AditOp *op = adit_tensor_has_rows(a) ? &matmul_rows_op : &matmul_outer_op;

    return adit_apply(op, (AditTensor *[]){a, b}, 2, NULL, 0);
}
