/* core/ops/adit-rows.c - SPDX-License-Identifier: MIT */
#include "adit-image-layout.h"
#include "adit-ops-private.h"

/* Reductions over the rows of the batch, and their opposite. */

static gboolean
rows_infer(AditTensor *const *inputs, guint n_inputs, const void *attributes, AditShape *shape,
           gboolean *rows, GError **error)
{
    if (!adit_tensor_has_rows(inputs[0]))
        return adit_infer_fail(error, inputs[0], "reduce-rows: expected a value for every row");
    *rows = FALSE;
    return TRUE;
}

static void
sum_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    dx[0] = adit_broadcast_rows(dy);
}

static void
mean_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    dx[0] = adit_broadcast_rows_mean(dy);
}

/* Rows that equal the maximum or minimum share its gradient. */
static void
extremum_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    AditTensor *hit = adit_equal(inputs[0], y);

    dx[0] = adit_mul(hit, adit_div(dy, adit_reduce_rows(hit, ADIT_REDUCE_SUM)));
}

static const AditOp rows_ops[] = {
    [ADIT_REDUCE_SUM] = {.name = "rows-sum",
                         .infer = rows_infer,
                         .lay_channels_last = adit_image_lay_anyhow,
                         .gradient = sum_gradient,
                         .combine = "combine-sum",
                         .over_rows = TRUE,
                         .accumulates = TRUE},
    [ADIT_REDUCE_MEAN] = {.name = "rows-mean",
                          .infer = rows_infer,
                          .lay_channels_last = adit_image_lay_anyhow,
                          .gradient = mean_gradient,
                          .combine = "combine-mean",
                          .over_rows = TRUE,
                          .accumulates = TRUE},
    [ADIT_REDUCE_MAX] = {.name = "rows-max",
                         .infer = rows_infer,
                         .lay_channels_last = adit_image_lay_anyhow,
                         .gradient = extremum_gradient,
                         .combine = "combine-max",
                         .over_rows = TRUE,
                         .accumulates = TRUE},
    [ADIT_REDUCE_MIN] = {.name = "rows-min",
                         .infer = rows_infer,
                         .lay_channels_last = adit_image_lay_anyhow,
                         .gradient = extremum_gradient,
                         .combine = "combine-min",
                         .over_rows = TRUE,
                         .accumulates = TRUE},
};

AditTensor *
adit_reduce_rows(AditTensor *x, AditReduction reduction)
{
    if (adit_tensor_has_failed(x))
        return x;
    if (reduction == ADIT_REDUCE_ARGMAX)
        return adit_graph_fail(adit_tensor_get_graph(x), "reduce-rows: argmax has no meaning");
    return adit_apply(&rows_ops[reduction], &x, 1, NULL, 0);
}

static gboolean
broadcast_rows_infer(AditTensor *const *inputs, guint n_inputs, const void *attributes,
                     AditShape *shape, gboolean *rows, GError **error)
{
    if (adit_tensor_has_rows(inputs[0]))
        return adit_infer_fail(error, inputs[0], "broadcast-rows: expected a value without rows");
    *rows = TRUE;
    return TRUE;
}

static void
broadcast_rows_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    dx[0] = adit_sum_to(dy, inputs[0]);
}

static void
broadcast_rows_mean_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs,
                             AditTensor **dx)
{
    dx[0] = adit_tensor_has_rows(dy) ? adit_reduce_rows(dy, ADIT_REDUCE_MEAN) : dy;
}

static const AditOp broadcast_rows_op = {.name = "broadcast-rows",
                                         .infer = broadcast_rows_infer,
                                         .lay_channels_last = adit_image_lay_anyhow,
                                         .gradient = broadcast_rows_gradient};
static const AditOp broadcast_rows_mean_op = {.name = "broadcast-rows-mean",
                                              .infer = broadcast_rows_infer,
                                              .lay_channels_last = adit_image_lay_anyhow,
                                              .gradient = broadcast_rows_mean_gradient};

AditTensor *
adit_broadcast_rows(AditTensor *x)
{
    return adit_apply(&broadcast_rows_op, &x, 1, NULL, 0);
}

AditTensor *
adit_broadcast_rows_mean(AditTensor *x)
{
    return adit_apply(&broadcast_rows_mean_op, &x, 1, NULL, 0);
}
