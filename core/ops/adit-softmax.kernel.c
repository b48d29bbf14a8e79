/* core/ops/adit-softmax.kernel.c - SPDX-License-Identifier: MIT */
#include <tgmath.h>

#include "adit-lanes.h"

/* Line @i of an input, @n numbers; inputs without rows are repeated for every row. */
ADIT_ALWAYS_INLINE const real *
line_of(const AditKernelCall *call, guint input, gsize i, gsize n)
{
    gsize lines = call->inputs[input].count / n;

    return call_row(call, input, i / lines) + i % lines * n;
}

ADIT_ALWAYS_INLINE gsize
last_size(const AditView *view)
{
    return view->shape.size[view->shape.rank - 1];
}

static real
greatest(gsize n, const real *x)
{
    real best = x[0];

    for (gsize i = 1; i < n; i++)
        best = max_of(best, x[i]);
    return best;
}

/* max + log(sum exp(x - max)) in two parts. */
static real
log_sum(gsize n, const real *x, real *max)
{
    real top = greatest(n, x);

    *max = top;
    return log(LANES_SUM(n, exp(x[i] - top)));
}

void
ADIT_KERNEL(softmax)(const AditKernelCall *call)
{
    gsize n = last_size(&call->output), lines = call_count(call) / n;

    for (gsize r = 0; r < lines; r++) {
        const real *x = (const real *) call->inputs[0].data + r * n;
        real *out = (real *) call->output.data + r * n;
        real max = greatest(n, x), sum;

        for (gsize i = 0; i < n; i++)
            out[i] = exp(x[i] - max);
        sum = lanes_sum(n, out);
        for (gsize i = 0; i < n; i++)
            out[i] /= sum;
    }
}

/* Inputs: y, dy: y (dy - sum(y dy)). */
void
ADIT_KERNEL(softmax_gradient)(const AditKernelCall *call)
{
    gsize n = last_size(&call->output), lines = call_count(call) / n;

    for (gsize r = 0; r < lines; r++) {
        const real *y = line_of(call, 0, r, n);
        const real *dy = line_of(call, 1, r, n);
        real *out = (real *) call->output.data + r * n;
        real sum = LANES_SUM(n, y[i] * dy[i]);

        for (gsize i = 0; i < n; i++)
            out[i] = y[i] * (dy[i] - sum);
    }
}

void
ADIT_KERNEL(log_softmax)(const AditKernelCall *call)
{
    gsize n = last_size(&call->output), lines = call_count(call) / n;

    for (gsize r = 0; r < lines; r++) {
        const real *x = (const real *) call->inputs[0].data + r * n;
        real *out = (real *) call->output.data + r * n;
        real max, tail = log_sum(n, x, &max);

        for (gsize i = 0; i < n; i++)
            out[i] = x[i] - max - tail;
    }
}

/* Inputs: y, dy: dy - exp(y) sum(dy). */
void
ADIT_KERNEL(log_softmax_gradient)(const AditKernelCall *call)
{
    gsize n = last_size(&call->output), lines = call_count(call) / n;

    for (gsize r = 0; r < lines; r++) {
        const real *y = line_of(call, 0, r, n);
        const real *dy = line_of(call, 1, r, n);
        real *out = (real *) call->output.data + r * n;
        real sum = lanes_sum(n, dy);

        for (gsize i = 0; i < n; i++)
            out[i] = dy[i] - exp(y[i]) * sum;
    }
}

/* A class number that is none gives NaN. */
void
ADIT_KERNEL(cross_entropy)(const AditKernelCall *call)
{
    gsize n = last_size(&call->inputs[0]), lines = call_count(call);
    real *out = call->output.data;

    for (gsize r = 0; r < lines; r++) {
        const real *x = line_of(call, 0, r, n);
        real target = *line_of(call, 1, r, 1);
        real max, tail = log_sum(n, x, &max);

        if (target >= 0 && target < (real) n)
            out[r] = max - x[(gsize) target] + tail;
        else
            out[r] = K(NAN);
    }
}

/* Inputs: logits, class numbers, dy: (softmax - one-hot) dy. */
void
ADIT_KERNEL(cross_entropy_gradient)(const AditKernelCall *call)
{
    gsize n = last_size(&call->output), lines = call_count(call) / n;

    for (gsize r = 0; r < lines; r++) {
        const real *x = line_of(call, 0, r, n);
        real target = *line_of(call, 1, r, 1);
        real dy = *line_of(call, 2, r, 1);
        real *out = (real *) call->output.data + r * n;
        real max = greatest(n, x), sum;

        for (gsize i = 0; i < n; i++)
            out[i] = exp(x[i] - max);
        sum = lanes_sum(n, out);
        for (gsize i = 0; i < n; i++)
            out[i] = (out[i] / sum - (target == (real) i ? K(1) : K(0))) * dy;
    }
}
