/* core/adit/adit-ops.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-graph.h>

G_BEGIN_DECLS

/* Operations. Each returns a new tensor of the same graph. Axes count from 0 over the shape,
 * without the batch; negative ones from the end (-1: the last). Where shapes differ they broadcast:
 * aligned at their last axes, an axis of size 1 or a missing one is repeated; a tensor without rows
 * is repeated over the rows. A shape that does not fit fails the graph. */

/* Pointwise (core/ops/adit-pointwise.def). Comparisons give 1 or 0. */
AditTensor *adit_add(AditTensor *a, AditTensor *b);
AditTensor *adit_sub(AditTensor *a, AditTensor *b);
AditTensor *adit_mul(AditTensor *a, AditTensor *b);
AditTensor *adit_div(AditTensor *a, AditTensor *b);
AditTensor *adit_min(AditTensor *a, AditTensor *b);
AditTensor *adit_max(AditTensor *a, AditTensor *b);
AditTensor *adit_pow(AditTensor *a, AditTensor *b);
AditTensor *adit_equal(AditTensor *a, AditTensor *b);
AditTensor *adit_less(AditTensor *a, AditTensor *b);
AditTensor *adit_less_equal(AditTensor *a, AditTensor *b);
AditTensor *adit_greater(AditTensor *a, AditTensor *b);
AditTensor *adit_greater_equal(AditTensor *a, AditTensor *b);
/* a where @condition is not 0, else b. */
AditTensor *adit_select(AditTensor *condition, AditTensor *a, AditTensor *b);
AditTensor *adit_neg(AditTensor *x);
AditTensor *adit_abs(AditTensor *x);
AditTensor *adit_sign(AditTensor *x); /* 0 at 0 */
AditTensor *adit_floor(AditTensor *x);
AditTensor *adit_exp(AditTensor *x);
AditTensor *adit_log(AditTensor *x);
AditTensor *adit_sqrt(AditTensor *x);
AditTensor *adit_square(AditTensor *x);
AditTensor *adit_reciprocal(AditTensor *x);
AditTensor *adit_relu(AditTensor *x);
/* x where x > 0, else @slope x. */
AditTensor *adit_leaky_relu(AditTensor *x, double slope);
/* x Phi(x), exact form: Hendrycks and Gimpel 2016, section 2. */
AditTensor *adit_gelu(AditTensor *x);
/* x sigmoid(x). */
AditTensor *adit_silu(AditTensor *x);
AditTensor *adit_sigmoid(AditTensor *x);
AditTensor *adit_tanh(AditTensor *x);
/* log(1 + exp x), without overflow. */
AditTensor *adit_softplus(AditTensor *x);
/* factor x; x + offset. */
AditTensor *adit_scale(AditTensor *x, double factor);
AditTensor *adit_offset(AditTensor *x, double offset);

/* The product over a's last axis and b's last but one: [.., i, k] x [k, j] -> [.., i, j]; a vector
 * a [k] gives [j]. With @transpose_b, b is [j, k]. b has no rows (a layer's weights). */
AditTensor *adit_matmul(AditTensor *a, AditTensor *b, gboolean transpose_b);
/* A product for each row and each of the leading axes, which are the same for both: [.., i, k] x
 * [.., k, j] -> [.., i, j]. With @transpose_a, a is [.., k, i]; with @transpose_b, b is [.., j, k].
 * Both have rows or neither has. */
AditTensor *adit_batch_matmul(AditTensor *a, AditTensor *b, gboolean transpose_a,
                              gboolean transpose_b);
/* Sum over all rows (and leading axes) of the outer products of a's and b's last axes: [.., i],
 * [.., j]
 * -> [i, j] without rows; the gradient of a layer's weights. */
AditTensor *adit_matmul_rows(AditTensor *a, AditTensor *b);

/* Images are [channels, height, width]. A pair of sizes is height, then width. */

/* Height (@axis 0) or width (1) of a parameter that adit_component_class_add_pair() declares: one
 * number is both, @def what is left out. */
double adit_pair_get(const GArray *pair, guint axis, double def);

/**
 * AditWindow: how a window moves over an image. Along each axis output o sees the pixels
 * o stride - before + i dilation, i < size; beyond the image lies the padding. There are
 * (image + before + after - (size - 1) dilation - 1) / stride + 1 outputs.
 */
typedef struct {
    gsize size[2];
    gsize stride[2];
    gsize dilation[2];
    gsize before[2];
    gsize after[2];
} AditWindow;

/**
 * AditPadding:
 * @ADIT_PADDING_SAME: as adit_window_pad_same() does
 * @ADIT_PADDING_VALID: none
 * @ADIT_PADDING_END: as much as "same", all of it after the image: the first window begins with the
 *   image's first pixel
 *
 * What a pair of paddings may hold in place of numbers of pixels.
 */
typedef enum {
    ADIT_PADDING_SAME = -1,
    ADIT_PADDING_VALID = -2,
    ADIT_PADDING_END = -3,
} AditPadding;

/* Their words, "same", "valid", "end", for adit_component_class_allow_words(). */
const char *const *adit_padding_list_words(void);
/* Pads a window of known size and dilation as the pair @padding says, each number of pixels before
 * the image and after it. */
void adit_window_pad(AditWindow *self, const GArray *padding, AditPadding def);
/* Pads for ceil(image / stride) outputs, "same": (size - 1) dilation in all, one half before and
 * one after; of an odd number the larger half after. So odd windows lie symmetrically at every
 * stride. */
void adit_window_pad_same(AditWindow *self);

/* Cross-correlation: x [channels, h, w] with rows, @weight [filters, channels / groups, kernel
 * height, kernel width] without -> [filters, h', w']; the padding is 0. Filter f sees the channels
 * of group f groups / filters. */
AditTensor *adit_conv2d(AditTensor *x, AditTensor *weight, const AditWindow *window, guint groups);
/* Its transpose, the gradient by the image: @dy [filters, h', w'] -> [channels, h, w], @image being
 * h and w. */
AditTensor *adit_conv2d_back(AditTensor *dy, AditTensor *weight, const AditWindow *window,
                             guint groups, const gsize *image);
/* Its gradient by the weights: over all rows, @x and @dy as above -> the shape of the weights. */
AditTensor *adit_conv2d_rows(AditTensor *x, AditTensor *dy, const AditWindow *window, guint groups);

typedef enum {
    ADIT_POOL_MAX,
    ADIT_POOL_AVERAGE,
} AditPooling;

/* The largest pixel of each window, whose gradient goes to the first of equal ones, or the mean of
 * those in the image: padding does not count. x [channels, h, w] -> [channels, h', w']. */
AditTensor *adit_pool2d(AditTensor *x, AditPooling pooling, const AditWindow *window);
/* The same to @size, h' and w', by windows of about equal size: output o of n sees the pixels from
 * floor(o size / n) up to ceil((o + 1) size / n). */
AditTensor *adit_pool2d_to(AditTensor *x, AditPooling pooling, const gsize *size);

typedef enum {
    ADIT_REDUCE_SUM,
    ADIT_REDUCE_MEAN,
    ADIT_REDUCE_MAX,
    ADIT_REDUCE_MIN,
    ADIT_REDUCE_ARGMAX, /* the first maximum's index; one axis only */
} AditReduction;

/* Over @n_axes axes, which leave the shape. No axes given (0): over all of them, to a scalar. */
AditTensor *adit_reduce(AditTensor *x, AditReduction reduction, const int *axes, guint n_axes);
/* Over the rows of the batch, in eight fixed slices; the result has no rows. Not ARGMAX. */
AditTensor *adit_reduce_rows(AditTensor *x, AditReduction reduction);
AditTensor *adit_sum(AditTensor *x);      /* all axes, to a scalar */
AditTensor *adit_mean(AditTensor *x);     /* all axes, to a scalar */
AditTensor *adit_sum_last(AditTensor *x); /* the last axis */

/**
 * AditExtremaOf: what extrema are taken of.
 * @ADIT_EXTREMA_OF_NUMBERS: of a tensor's
 * @ADIT_EXTREMA_OF_EXTREMA: of extrema, [4, ...], so that those of parts become those of the whole:
 *   the largest of part 0 and the smallest of part 2. Axes count from 0 behind the first
 */
typedef enum {
    ADIT_EXTREMA_OF_NUMBERS,
    ADIT_EXTREMA_OF_EXTREMA,
} AditExtremaOf;

/* The largest and the smallest along @n_axes axes from @first on, and which of the numbers along
 * them, counted from 0, it is, of equal ones the first: [4, n] of the largest, its number, the
 * smallest, its number, for each of the n that the other axes have together. NaN is both. The
 * gradient goes to that number alone; there is none by the numbers. */
AditTensor *adit_extrema(AditTensor *x, AditExtremaOf of, guint first, guint n_axes);
/* The same over the rows of the batch, in eight fixed slices: [4, elements], of which rows. */
AditTensor *adit_extrema_rows(AditTensor *x, AditExtremaOf of);
/* How far extrema [.., 4, n] are from having @margin on both sides of 0 between them, n deficits
 * @upper max(0, margin - largest) + @lower max(0, margin + smallest): [.., 1, n] (Riera et al.
 * 2022, equations 9 to 12, with max(0, margin + smallest) for what is printed in 10 and 12). */
AditTensor *adit_deficits(AditTensor *extrema, double margin, double upper, double lower);
/* The sum of the deficits of extrema with rows over them and over all rows, and of their squares:
 * [2]. */
AditTensor *adit_deficits_rows(AditTensor *extrema, double margin, double upper, double lower);

AditTensor *adit_broadcast(AditTensor *x, const AditShape *shape);
/* A tensor without rows, repeated for every row. */
AditTensor *adit_broadcast_rows(AditTensor *x);
AditTensor *adit_reshape(AditTensor *x, const AditShape *shape);
/* Axis i of the result is axis @axes[i] of @x. */
AditTensor *adit_transpose(AditTensor *x, const int *axes);
AditTensor *adit_concat(AditTensor *const *tensors, guint n, int axis);
/* Elements @begin, @begin + @stride, ... below @end of one axis. */
AditTensor *adit_slice(AditTensor *x, int axis, gsize begin, gsize end, gsize stride);
AditTensor *adit_pad(AditTensor *x, int axis, gsize before, gsize after, double value);
typedef enum {
    ADIT_OUTSIDE_ZERO, /* there is nothing around a map */
    ADIT_OUTSIDE_EDGE, /* what is around it is as its nearest number */
} AditOutside;

/* A window of @height x @width numbers of maps x [channels, height, width]. @place [4] says where,
 * of every row its own if it has rows: number (i, j) of the window stands at line place[0] + i
 * place[2] and column place[1] + j place[3] of the map, in the units of its numbers; between them
 * it is linear (bilinear interpolation). So (1, 2, 1, 1) moves, (0, width - 1, 1, -1) mirrors, and
 * steps of 2 make half as large. A place that is not finite shows 0. No gradient is taken of
 * @place. */
AditTensor *adit_crop(AditTensor *x, AditTensor *place, gsize height, gsize width,
                      AditOutside outside);
/* table [n, ..] without rows, @index a scalar with rows -> [..]: row index of the table for every
 * row. */
AditTensor *adit_gather(AditTensor *table, AditTensor *index);
/* @index a scalar -> [classes]: 1 at index, 0 elsewhere. */
AditTensor *adit_one_hot(AditTensor *index, guint classes);

/* The axis of the channels: the first of images (channels x height x width), else the last; 0 of a
 * scalar, which has none. */
guint adit_channel_axis(const AditShape *shape);

/* Over the last axis. */
AditTensor *adit_softmax(AditTensor *x);
AditTensor *adit_log_softmax(AditTensor *x);
/* -log softmax(logits)[target], one a row; @target is a scalar of class numbers. */
AditTensor *adit_cross_entropy(AditTensor *logits, AditTensor *target);

/* Mean and biased variance over the rows and all axes but @axis: [2, size of axis], by Chan, Golub
 * and LeVeque 1979 over the eight slices. */
AditTensor *adit_moments(AditTensor *x, int axis);
/* (x - mean) / sqrt(variance + epsilon) scale + shift per channel along @axis; @moments as above,
 * @scale and @shift of the channels' shape. Ioffe and Szegedy 2015, algorithm 1. */
AditTensor *adit_normalize(AditTensor *x, AditTensor *moments, AditTensor *scale, AditTensor *shift,
                           int axis, double epsilon);
/* Over the last axis: Ba, Kiros and Hinton 2016, equation 4. */
AditTensor *adit_layer_norm(AditTensor *x, AditTensor *scale, AditTensor *shift, double epsilon);
/* Inverted dropout in training (Srivastava et al. 2014, section 10): x / (1 - rate) where a uniform
 * of stream @name is at least rate, else 0; the identity in evaluation. @rate a scalar tensor. */
AditTensor *adit_dropout(AditTensor *x, AditTensor *rate, const char *name);
/* What each token sees of all tokens, in each of @heads parts of the width by itself (Vaswani et
 * al. 2017, equation 1, whose scale the queries bring): softmax(query key^T) value; all three are
 * [tokens, width]. In training the weights are dropped out, as adit_dropout() does by stream @name,
 * at rate @dropout; at 0 none are. No tokens x tokens weights are kept (decisions/0023). */
AditTensor *adit_attention(AditTensor *query, AditTensor *key, AditTensor *value, gsize heads,
                           double dropout, const char *name);
/* The value, of which no gradient is taken. */
AditTensor *adit_stop_gradient(AditTensor *x);

/* The bias of a layer with the weights @weight, one number a unit (dense) or filter (convolution):
 * parameter @name, drawn as @initializer draws those weights, with their fans; NULL: zeros.
 * PyTorch's layers start with uniform numbers up to 1 / sqrt(fan-in) in weights and biases alike:
 * its reset_parameters() of Linear and of convolutions. Here that is `kaiming-uniform` for both. */
AditTensor *adit_bias(AditTensor *weight, const char *name, AditInitializer *initializer);
/* x W + b with parameters "weight" [width, units] and "bias" [units] (@bias FALSE: none), tapped as
 * "linear"; the names carry @prefix when it is not empty: "gate.weight". @initializer NULL is the
 * model's, @bias_initializer as above. */
AditTensor *adit_dense(AditTensor *x, gsize units, gboolean bias, AditInitializer *initializer,
                       AditInitializer *bias_initializer, const char *prefix);

G_END_DECLS
