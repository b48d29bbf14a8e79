/* core/device/adit-selftest-expressions.c - SPDX-License-Identifier: MIT */
#include "adit-selftest-expressions.h"

#include <adit/adit-ops.h>

#include "adit-ops-private.h"
#include "adit-pointwise.h"

/* the parameter of pointwise operations that have one */
#define PARAMETER -0.75

AditTensor *
adit_selftest_build_pointwise(AditGraph *graph, AditTensor *const *x, const AditSelftestCase *self)
{
    AditPointwiseAttributes attributes = {PARAMETER};
    const AditPointwise *row = adit_pointwise_find(self->op);

    return adit_apply(row->op, x, row->arity, &attributes,
                      row->n_parameters > 0 ? sizeof attributes : 0);
}

AditTensor *
adit_selftest_build_matmul(AditGraph *graph, AditTensor *const *x, const AditSelftestCase *self)
{
    return adit_matmul(x[0], x[1], self->numbers[0] != 0);
}

AditTensor *
adit_selftest_build_matmul_rows(AditGraph *graph, AditTensor *const *x,
                                const AditSelftestCase *self)
{
    return adit_matmul_rows(x[0], x[1]);
}

/* The case's numbers: pairs of size, stride, dilation, before and after. */
static AditWindow
window_of(const AditSelftestCase *self)
{
    const gsize *n = self->numbers;

    return (AditWindow){{n[0], n[1]}, {n[2], n[3]}, {n[4], n[5]}, {n[6], n[7]}, {n[8], n[9]}};
}

/* numbers[10]: groups */
AditTensor *
adit_selftest_build_conv2d(AditGraph *graph, AditTensor *const *x, const AditSelftestCase *self)
{
    AditWindow window = window_of(self);

    return adit_conv2d(x[0], x[1], &window, (guint) self->numbers[10]);
}

/* numbers[10]: the pooling. A stride of 0: windows that come to that size. */
AditTensor *
adit_selftest_build_pool2d(AditGraph *graph, AditTensor *const *x, const AditSelftestCase *self)
{
    AditWindow window = window_of(self);
    AditPooling pooling = (AditPooling) self->numbers[10];

    if (window.stride[0] == 0)
        return adit_pool2d_to(x[0], pooling, window.size);
    return adit_pool2d(x[0], pooling, &window);
}

AditTensor *
adit_selftest_build_batch_matmul(AditGraph *graph, AditTensor *const *x,
                                 const AditSelftestCase *self)
{
    return adit_batch_matmul(x[0], x[1], self->numbers[0] & 1, self->numbers[0] & 2);
}

/* numbers: heads, whether there is dropout */
AditTensor *
adit_selftest_build_attention(AditGraph *graph, AditTensor *const *x, const AditSelftestCase *self)
{
    return adit_attention_fused(x, self->numbers[0], self->numbers[1] != 0 ? 0.25 : 0, "noise");
}

AditTensor *
adit_selftest_build_reduce(AditGraph *graph, AditTensor *const *x, const AditSelftestCase *self)
{
    int axes[ADIT_MAX_RANK];

    for (guint i = 0; i < self->numbers[2]; i++)
        axes[i] = (int) (self->numbers[1] + i);
    return adit_reduce(x[0], (AditReduction) self->numbers[0], axes, (guint) self->numbers[2]);
}

AditTensor *
adit_selftest_build_reduce_rows(AditGraph *graph, AditTensor *const *x,
                                const AditSelftestCase *self)
{
    return adit_reduce_rows(x[0], (AditReduction) self->numbers[0]);
}

/* numbers: whether of extrema, the first axis, how many */
AditTensor *
adit_selftest_build_extrema(AditGraph *graph, AditTensor *const *x, const AditSelftestCase *self)
{
    return adit_extrema(x[0], (AditExtremaOf) self->numbers[0], (guint) self->numbers[1],
                        (guint) self->numbers[2]);
}

AditTensor *
adit_selftest_build_extrema_rows(AditGraph *graph, AditTensor *const *x,
                                 const AditSelftestCase *self)
{
    return adit_extrema_rows(x[0], (AditExtremaOf) self->numbers[0]);
}

AditTensor *
adit_selftest_build_deficits_rows(AditGraph *graph, AditTensor *const *x,
                                  const AditSelftestCase *self)
{
    return adit_deficits_rows(x[0], 1, 0.5, 0.25);
}

AditTensor *
adit_selftest_build_broadcast(AditGraph *graph, AditTensor *const *x, const AditSelftestCase *self)
{
    return adit_broadcast(x[0], &self->shape);
}

AditTensor *
adit_selftest_build_broadcast_rows(AditGraph *graph, AditTensor *const *x,
                                   const AditSelftestCase *self)
{
    return adit_broadcast_rows(x[0]);
}

AditTensor *
adit_selftest_build_broadcast_rows_mean(AditGraph *graph, AditTensor *const *x,
                                        const AditSelftestCase *self)
{
    return adit_broadcast_rows_mean(x[0]);
}

/* Axes turned by numbers[0]; backwards if numbers[1]. */
AditTensor *
adit_selftest_build_transpose(AditGraph *graph, AditTensor *const *x, const AditSelftestCase *self)
{
    guint rank = self->inputs[0].shape.rank;
    int axes[ADIT_MAX_RANK];

    for (guint i = 0; i < rank; i++) {
        guint axis = (i + (guint) self->numbers[0]) % rank;

        axes[i] = (int) (self->numbers[1] != 0 ? rank - 1 - axis : axis);
    }
    return adit_transpose(x[0], axes);
}

AditTensor *
adit_selftest_build_concat(AditGraph *graph, AditTensor *const *x, const AditSelftestCase *self)
{
    return adit_concat(x, self->n_inputs, (int) self->numbers[0]);
}

AditTensor *
adit_selftest_build_slice(AditGraph *graph, AditTensor *const *x, const AditSelftestCase *self)
{
    return adit_slice(x[0], (int) self->numbers[0], self->numbers[1], self->numbers[2],
                      self->numbers[3]);
}

AditTensor *
adit_selftest_build_pad(AditGraph *graph, AditTensor *const *x, const AditSelftestCase *self)
{
    return adit_pad(x[0], (int) self->numbers[0], self->numbers[1], self->numbers[2], 0.5);
}

AditTensor *
adit_selftest_build_crop(AditGraph *graph, AditTensor *const *x, const AditSelftestCase *self)
{
    return adit_crop(x[0], x[1], self->numbers[0], self->numbers[1],
                     (AditOutside) self->numbers[2]);
}

AditTensor *
adit_selftest_build_gather(AditGraph *graph, AditTensor *const *x, const AditSelftestCase *self)
{
    return adit_gather(x[0], x[1]);
}

AditTensor *
adit_selftest_build_one_hot(AditGraph *graph, AditTensor *const *x, const AditSelftestCase *self)
{
    return adit_one_hot(x[0], (guint) self->positions);
}

AditTensor *
adit_selftest_build_softmax(AditGraph *graph, AditTensor *const *x, const AditSelftestCase *self)
{
    return adit_softmax(x[0]);
}

AditTensor *
adit_selftest_build_log_softmax(AditGraph *graph, AditTensor *const *x,
                                const AditSelftestCase *self)
{
    return adit_log_softmax(x[0]);
}

AditTensor *
adit_selftest_build_cross_entropy(AditGraph *graph, AditTensor *const *x,
                                  const AditSelftestCase *self)
{
    return adit_cross_entropy(x[0], x[1]);
}

AditTensor *
adit_selftest_build_moments(AditGraph *graph, AditTensor *const *x, const AditSelftestCase *self)
{
    return adit_moments(x[0], (int) self->numbers[0]);
}

AditTensor *
adit_selftest_build_normalize(AditGraph *graph, AditTensor *const *x, const AditSelftestCase *self)
{
    return adit_normalize(x[0], x[1], x[2], x[3], (int) self->numbers[0], 1e-5);
}

AditTensor *
adit_selftest_build_layer_norm(AditGraph *graph, AditTensor *const *x, const AditSelftestCase *self)
{
    return adit_layer_norm(x[0], x[1], x[2], 1e-5);
}

AditTensor *
adit_selftest_build_noise_uniform(AditGraph *graph, AditTensor *const *x,
                                  const AditSelftestCase *self)
{
    return adit_noise_uniform(graph, "noise", &self->shape);
}

AditTensor *
adit_selftest_build_noise_normal(AditGraph *graph, AditTensor *const *x,
                                 const AditSelftestCase *self)
{
    return adit_noise_normal(graph, "noise", &self->shape);
}

/* act(x W + b), once as it stands and once with its argument read by others too. */
AditTensor *
adit_selftest_build_dense_gelu(AditGraph *graph, AditTensor *const *x, const AditSelftestCase *self)
{
    return adit_gelu(adit_add(adit_matmul(x[0], x[1], FALSE), x[2]));
}

AditTensor *
adit_selftest_build_dense_transposed(AditGraph *graph, AditTensor *const *x,
                                     const AditSelftestCase *self)
{
    return adit_leaky_relu(adit_add(adit_matmul(x[0], x[1], TRUE), x[2]), PARAMETER);
}

AditTensor *
adit_selftest_build_dense_shared(AditGraph *graph, AditTensor *const *x,
                                 const AditSelftestCase *self)
{
    AditTensor *linear = adit_add(adit_matmul(x[0], x[1], FALSE), x[2]);
    AditTensor *total = adit_reduce(linear, ADIT_REDUCE_SUM, (int[]){-1}, 1);
    AditShape one = *adit_tensor_get_shape(linear);

    one.size[one.rank - 1] = 1;
    return adit_mul(adit_tanh(linear), adit_add(adit_softplus(linear), adit_reshape(total, &one)));
}

/* Each result is read twice; an operand is repeated along the rows, one along the line. */
AditTensor *
adit_selftest_build_chain(AditGraph *graph, AditTensor *const *x, const AditSelftestCase *self)
{
    AditTensor *a = adit_add(adit_scale(x[0], PARAMETER), x[1]);
    AditTensor *b = adit_mul(a, x[2]);

    return adit_max(adit_offset(adit_mul(b, adit_sigmoid(a)), 0.25), adit_sub(b, x[0]));
}
