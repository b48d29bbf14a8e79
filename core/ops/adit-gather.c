/* core/ops/adit-gather.c - SPDX-License-Identifier: MIT */
#include "adit-attributes.h"
#include "adit-ops-private.h"

/* Rows of a table by number, and numbers as unit vectors. */

static gboolean
gather_infer(AditTensor *const *inputs, guint n_inputs, const void *data, AditShape *shape,
             gboolean *rows, GError **error)
{
    const AditShape *table = adit_tensor_get_shape(inputs[0]);
    const AditShape *index = adit_tensor_get_shape(inputs[1]);

    if (table->rank == 0 || adit_tensor_has_rows(inputs[0]))
        return adit_infer_fail(error, inputs[0], "gather: expected a table without rows");
    if (index->rank + table->rank - 1 > ADIT_MAX_RANK)
        return adit_infer_fail(error, inputs[1], "gather: expected at most %u axes of numbers",
                               ADIT_MAX_RANK + 1 - table->rank);
    *shape = *index;
    for (guint i = 1; i < table->rank; i++)
        shape->size[shape->rank++] = table->size[i];
    *rows = adit_tensor_has_rows(inputs[1]);
    return TRUE;
}

/* Inputs: the numbers, the gradient by the rows they chose. */
static gboolean
gather_gradient_infer(AditTensor *const *inputs, guint n_inputs, const void *data, AditShape *shape,
                      gboolean *rows, GError **error)
{
    const AditGatherAttributes *attributes = data;
    const AditShape *index = adit_tensor_get_shape(inputs[0]);
    const AditShape *dy = adit_tensor_get_shape(inputs[1]);

    *shape = ADIT_SHAPE(attributes->size);
    for (guint i = index->rank; i < dy->rank; i++)
        shape->size[shape->rank++] = dy->size[i];
    *rows = FALSE;
    return TRUE;
}

static const AditOp gather_gradient_op = {.name = "gather-gradient",
                                          .encode = adit_encode_gather,
                                          .infer = gather_gradient_infer,
                                          .over_rows = TRUE,
                                          .accumulates = TRUE};
static const AditOp gather_gradient_outer_op = {
    .name = "gather-gradient-outer", .encode = adit_encode_gather, .infer = gather_gradient_infer};

static void
gather_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    AditGatherAttributes attributes = {adit_tensor_get_shape(inputs[0])->size[0]};
    const AditOp *op =
        adit_tensor_has_rows(inputs[1]) ? &gather_gradient_op : &gather_gradient_outer_op;

    dx[0] = adit_apply(op, (AditTensor *[]){inputs[1], dy}, 2, &attributes, sizeof attributes);
}

static const AditOp gather_op = {
    .name = "gather", .infer = gather_infer, .gradient = gather_gradient};

AditTensor *
adit_gather(AditTensor *table, AditTensor *index)
{
    return adit_apply(&gather_op, (AditTensor *[]){table, index}, 2, NULL, 0);
}

static gboolean
one_hot_infer(AditTensor *const *inputs, guint n_inputs, const void *data, AditShape *shape,
              gboolean *rows, GError **error)
{
    const AditGatherAttributes *attributes = data;

    if (attributes->size == 0) {
        g_set_error_literal(error, ADIT_ERROR, ADIT_ERROR_INVALID,
                            "one-hot: expected at least one class, got 0");
        return FALSE;
    }
    if (shape->rank == ADIT_MAX_RANK)
        return adit_infer_fail(error, inputs[0], "one-hot: expected at most %d axes",
                               ADIT_MAX_RANK - 1);
    shape->size[shape->rank++] = attributes->size;
    return TRUE;
}

static const AditOp one_hot_op = {.name = "one-hot",
                                  .encode = adit_encode_gather,
                                  .infer = one_hot_infer,
                                  .gradient = adit_gradient_zero};

AditTensor *
adit_one_hot(AditTensor *index, guint classes)
{
    AditGatherAttributes attributes = {classes};

    return adit_apply(&one_hot_op, &index, 1, &attributes, sizeof attributes);
}
