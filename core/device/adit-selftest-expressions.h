/* core/device/adit-selftest-expressions.h - SPDX-License-Identifier: MIT */
#pragma once

#include "adit-selftest-private.h"

G_BEGIN_DECLS

/* What operations are found in: an expression of each builder, over a case's inputs, numbers and
 * shape. */
#define EXPRESSION(name)                                                                           \
    AditTensor *adit_selftest_##name(AditGraph *graph, AditTensor *const *x,                       \
                                     const AditSelftestCase *self);

EXPRESSION(build_pointwise)
EXPRESSION(build_matmul)
EXPRESSION(build_matmul_rows)
EXPRESSION(build_batch_matmul)
EXPRESSION(build_attention)
EXPRESSION(build_conv2d)
EXPRESSION(build_pool2d)
EXPRESSION(build_reduce)
EXPRESSION(build_reduce_rows)
EXPRESSION(build_extrema)
EXPRESSION(build_extrema_rows)
EXPRESSION(build_deficits_rows)
EXPRESSION(build_broadcast)
EXPRESSION(build_broadcast_rows)
EXPRESSION(build_broadcast_rows_mean)
EXPRESSION(build_transpose)
EXPRESSION(build_concat)
EXPRESSION(build_slice)
EXPRESSION(build_pad)
EXPRESSION(build_crop)
EXPRESSION(build_gather)
EXPRESSION(build_one_hot)
EXPRESSION(build_softmax)
EXPRESSION(build_log_softmax)
EXPRESSION(build_cross_entropy)
EXPRESSION(build_moments)
EXPRESSION(build_normalize)
EXPRESSION(build_layer_norm)
EXPRESSION(build_noise_uniform)
EXPRESSION(build_noise_normal)
EXPRESSION(build_dense_gelu)
EXPRESSION(build_dense_transposed)
EXPRESSION(build_dense_shared)
EXPRESSION(build_chain)

#undef EXPRESSION

G_END_DECLS
