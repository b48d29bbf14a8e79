/* core/ops/adit-softmax.c - SPDX-License-Identifier: MIT */
#include "adit-ops-private.h"

/* Softmax and what is made of it, over the last axis. */

static const AditOp softmax_gradient_op = {.name = "softmax-gradient"};
static const AditOp log_softmax_gradient_op = {.name = "log-softmax-gradient"};

static gboolean
softmax_infer(AditTensor *const *inputs, guint n_inputs, const void *attributes, AditShape *shape,
              gboolean *rows, GError **error)
{
    return shape->rank > 0 || adit_infer_fail(error, inputs[0], "softmax: expected a vector");
}

static void
softmax_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    dx[0] = adit_apply(&softmax_gradient_op, (AditTensor *[]){y, dy}, 2, NULL, 0);
}

static void
log_softmax_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    dx[0] = adit_apply(&log_softmax_gradient_op, (AditTensor *[]){y, dy}, 2, NULL, 0);
}

static const AditOp softmax_op = {
    .name = "softmax", .infer = softmax_infer, .gradient = softmax_gradient};
static const AditOp log_softmax_op = {
    .name = "log-softmax", .infer = softmax_infer, .gradient = log_softmax_gradient};

AditTensor *
adit_softmax(AditTensor *x)
{
    return adit_apply(&softmax_op, &x, 1, NULL, 0);
}

AditTensor *
adit_log_softmax(AditTensor *x)
{
    return adit_apply(&log_softmax_op, &x, 1, NULL, 0);
}

static gboolean
cross_entropy_infer(AditTensor *const *inputs, guint n_inputs, const void *attributes,
                    AditShape *shape, gboolean *rows, GError **error)
{
    AditShape wanted = *adit_tensor_get_shape(inputs[0]);

    if (wanted.rank == 0)
        return adit_infer_fail(error, inputs[0], "cross-entropy: expected a vector of logits");
    wanted.rank--;
    if (!adit_shape_equal(&wanted, adit_tensor_get_shape(inputs[1]))) {
        g_autofree char *text = adit_shape_to_string(&wanted);

        return adit_infer_fail(error, inputs[1],
                               "cross-entropy: expected class numbers of shape %s", text);
    }
    *shape = wanted;
    return TRUE;
}

/* Inputs: logits, class numbers, gradient by the result. */
static gboolean
cross_entropy_gradient_infer(AditTensor *const *inputs, guint n_inputs, const void *attributes,
                             AditShape *shape, gboolean *rows, GError **error)
{
    *shape = *adit_tensor_get_shape(inputs[0]);
    return TRUE;
}

static const AditOp cross_entropy_gradient_op = {.name = "cross-entropy-gradient",
                                                 .infer = cross_entropy_gradient_infer};

static void
cross_entropy_gradient(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx)
{
    AditTensor *all = adit_apply(&cross_entropy_gradient_op,
                                 (AditTensor *[]){inputs[0], inputs[1], dy}, 3, NULL, 0);

    dx[0] = adit_sum_to(all, inputs[0]);
}

static const AditOp cross_entropy_op = {
    .name = "cross-entropy", .infer = cross_entropy_infer, .gradient = cross_entropy_gradient};

AditTensor *
adit_cross_entropy(AditTensor *logits, AditTensor *target)
{
    return adit_apply(&cross_entropy_op, (AditTensor *[]){logits, target}, 2, NULL, 0);
}
