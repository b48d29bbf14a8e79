/* core/ops/adit-reduce.kernel.c - SPDX-License-Identifier: MIT */
#include "adit-lanes.h"

typedef real (*Fold)(gsize n, const real *x, gsize step);

/* @fold over the middle of [outer, size, inner]. */
ADIT_ALWAYS_INLINE void
reduce(const AditKernelCall *call, Fold fold)
{
    const AditReduceAttributes *attributes = call->attributes;
    gsize size = attributes->size, inner = attributes->inner;
    gsize outer = call_count(call) / inner;
    const real *x = call->inputs[0].data;
    real *out = call->output.data;

    for (gsize i = 0; i < outer; i++) {
        for (gsize j = 0; j < inner; j++)
            out[i * inner + j] = fold(size, x + i * size * inner + j, inner);
    }
}

/* Sums are taken in a fixed order of their own for neighbouring numbers (lanes_sum) and in order
 * for others, whole lines at a time. */
static void
sum(const AditKernelCall *call)
{
    const AditReduceAttributes *attributes = call->attributes;
    gsize size = attributes->size, inner = attributes->inner;
    gsize outer = call_count(call) / inner;
    const real *x = call->inputs[0].data;
    real *out = call->output.data;

    for (gsize i = 0; i < outer; i++) {
        if (inner == 1)
            out[i] = lanes_sum(size, x + i * size);
        else
            columns_sum(size, inner, x + i * size * inner, out + i * inner, FALSE);
    }
}

void
ADIT_KERNEL(reduce_sum)(const AditKernelCall *call)
{
    sum(call);
}

void
ADIT_KERNEL(reduce_mean)(const AditKernelCall *call)
{
    const AditReduceAttributes *attributes = call->attributes;
    gsize n = call_count(call);
    real *out = call->output.data;

    sum(call);
    for (gsize i = 0; i < n; i++)
        out[i] /= (real) attributes->size;
}

ADIT_ALWAYS_INLINE real
fold_max(gsize n, const real *x, gsize step)
{
    real best = x[0];

    for (gsize i = 1; i < n; i++)
        best = max_of(best, x[i * step]);
    return best;
}

ADIT_ALWAYS_INLINE real
fold_min(gsize n, const real *x, gsize step)
{
    real best = x[0];

    for (gsize i = 1; i < n; i++)
        best = min_of(best, x[i * step]);
    return best;
}

/* NaN counts as the greatest. */
ADIT_ALWAYS_INLINE real
fold_argmax(gsize n, const real *x, gsize step)
{
    gsize best = 0;

    for (gsize i = 1; i < n; i++) {
        real value = x[i * step], before = x[best * step];

        if (value > before || (value != value && before == before))
            best = i;
    }
    return (real) best;
}

void
ADIT_KERNEL(reduce_max)(const AditKernelCall *call)
{
    reduce(call, fold_max);
}

void
ADIT_KERNEL(reduce_min)(const AditKernelCall *call)
{
    reduce(call, fold_min);
}

void
ADIT_KERNEL(reduce_argmax)(const AditKernelCall *call)
{
    reduce(call, fold_argmax);
}
