/* core/ops/adit-ops-private.h - SPDX-License-Identifier: MIT */
#pragma once

#include <adit/adit-op.h>
#include <adit/adit-ops.h>

G_BEGIN_DECLS

/* Helpers of builders, shape rules and gradient rules. */

/* Shape rule of operations whose inputs broadcast: sets @shape. @name: the verb of "cannot add 16
 * and 32". */
gboolean adit_infer_broadcast(const char *name, AditTensor *const *inputs, guint n_inputs,
                              AditShape *shape, GError **error);
/* Fails with "@what: expected @expected, got SHAPE"; always FALSE. */
gboolean adit_infer_fail(GError **error, const AditTensor *got, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* Turns a possibly negative axis of @x into 0..rank-1. FALSE: it failed the graph. */
gboolean adit_resolve_axis(AditTensor *x, const char *name, int axis, guint *resolved);
/* Elements behind @axis: the distance between neighbours along it. */
gsize adit_inner_count(const AditShape *shape, guint axis);

/* @dy, a gradient by something broadcast from @like, summed back to @like's shape and rows. */
AditTensor *adit_sum_to(AditTensor *dy, AditTensor *like);
/* The gradient of a mean over rows: repeated for every row, divided by their number. */
AditTensor *adit_broadcast_rows_mean(AditTensor *x);

/* The two forms of adit_attention() of queries, keys and values, for tests of one beside the other:
 * one operation, some of whose inputs have rows; the operations that it stands for, all or none.
 * @dropout 0: nothing is drawn.
 */
AditTensor *adit_attention_fused(AditTensor *const *inputs, gsize heads, double dropout,
                                 const char *name);
AditTensor *adit_attention_composed(AditTensor *const *inputs, gsize heads, double dropout,
                                    const char *name);

/* A gradient rule for operations that are constant almost everywhere. */
void adit_gradient_zero(AditTensor *y, AditTensor *dy, AditTensor *const *inputs, AditTensor **dx);

/* Sets @out, height and width, to the numbers of windows that fit on @image; FALSE: @error says why
 * there are none. @name: the operation. */
gboolean adit_window_infer(const char *name, const AditWindow *window, const gsize *image,
                           gsize *out, GError **error);

/* How attributes become the words of a shader: sizes and numbers in the order given here. */
guint adit_encode_matmul(const void *attributes, guint32 *words);       /* transpose_b */
guint adit_encode_batch_matmul(const void *attributes, guint32 *words); /* transpose_a, _b */
guint adit_encode_reduce(const void *attributes, guint32 *words);       /* size, inner */
guint adit_encode_transpose(const void *attributes, guint32 *words);    /* axes */
guint adit_encode_concat(const void *attributes, guint32 *words);       /* axis, inner */
/* workgroups for each row; heads, dropout, what is left of the weights is multiplied by */
guint adit_encode_attention(const void *attributes, guint32 *words);
guint adit_encode_attention_gradient(const void *attributes, guint32 *words);
/* begin, stride, size, full, inner, value */
guint adit_encode_slice(const void *attributes, guint32 *words);
/* height, width, full_height, full_width, clamps */
guint adit_encode_crop(const void *attributes, guint32 *words);
guint adit_encode_gather(const void *attributes, guint32 *words);    /* size */
guint adit_encode_channels(const void *attributes, guint32 *words);  /* size, inner, epsilon */
guint adit_encode_extrema(const void *attributes, guint32 *words);   /* size, inner, joins */
guint adit_encode_deficits(const void *attributes, guint32 *words);  /* margin, upper, lower */
guint adit_encode_pointwise(const void *attributes, guint32 *words); /* value */
/* Pairs of height and width: size, stride, dilation, before; then groups */
guint adit_encode_conv(const void *attributes, guint32 *words);
/* the same pairs; then whether the window is adaptive */
guint adit_encode_pool(const void *attributes, guint32 *words);

G_END_DECLS
