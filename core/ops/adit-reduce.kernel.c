/* core/ops/adit-reduce.kernel.c - SPDX-License-Identifier: MIT */
#include "adit-lanes.h"

typedef real (*Fold)(gsize n, const real *x, gsize step);

/**
 * Middle: tensors [outer, size, inner], of which the middle is reduced; of pitched ones the rows
 * are part of inner: @line of @pitch of them.
 */
typedef struct {
    gsize outer, size, inner;
    gsize pitch, line;
} Middle;

static void
middle_init(Middle *self, const AditKernelCall *call)
{
    const AditReduceAttributes *attributes = call->attributes;
    gboolean pitched = call->pitch != 0 && call->output.rows;

    self->size = attributes->size;
    self->inner = attributes->inner;
    self->outer = (pitched ? call->output.count : call_count(call)) / self->inner;
    self->pitch = pitched ? call->pitch : 1;
    self->line = pitched ? call_line(call) : 1;
    if (self->line == self->pitch) {
        self->inner *= self->pitch;
        self->pitch = self->line = 1;
    }
}

/* @fold over the middle of [outer, size, inner]. */
ADIT_ALWAYS_INLINE void
reduce(const AditKernelCall *call, Fold fold)
{
    Middle t;
    const real *x = call->inputs[0].data;
    real *out = call->output.data;

    middle_init(&t, call);
    for (gsize i = 0; i < t.outer; i++, x += t.size * t.inner * t.pitch) {
        for (gsize j = 0; j < t.inner; j++, out += t.pitch) {
            for (gsize r = 0; r < t.line; r++)
                out[r] = fold(t.size, x + j * t.pitch + r, t.inner * t.pitch);
        }
    }
}

/* Sums are taken in a fixed order of their own for neighbouring numbers (lanes_sum) and in order
 * for others, whole lines at a time. */
static void
sum(const AditKernelCall *call)
{
    Middle t;
    const real *x = call->inputs[0].data;
    real *out = call->output.data;

    middle_init(&t, call);
    if (t.size * t.inner == 1 && t.line == 1) { /* a loss of one number */
        for (gsize i = 0; i < t.outer; i++)
            out[i] = K(0) + x[i];
        return;
    }
    for (gsize i = 0; i < t.outer; i++) {
        const real *from = x + i * t.size * t.inner * t.pitch;

        if (t.inner == 1 && t.line == 1)
            out[i] = lanes_sum(t.size, from);
        else if (t.pitch == 1)
            columns_sum(t.size, t.inner, t.inner, from, out + i * t.inner, FALSE);
        else
            for (gsize j = 0; j < t.inner; j++)
                columns_sum(t.size, t.inner * t.pitch, t.line, from + j * t.pitch,
                            out + (i * t.inner + j) * t.pitch, FALSE);
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
    Middle t;
    real *out = call->output.data;

    sum(call);
    middle_init(&t, call);
    for (gsize i = 0; i < t.outer * t.inner; i++) {
        for (gsize r = 0; r < t.line; r++)
            out[i * t.pitch + r] /= (real) t.size;
    }
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
