/* core/ops/adit-layer-norm.kernel.c - SPDX-License-Identifier: MIT */
#include <tgmath.h>

#include "adit-lanes.h"

/* Mean and 1 / sqrt(variance + epsilon) of a line. */
static void
statistics(const AditKernelCall *call, gsize n, const real *x, real *mean, real *inverse)
{
    const AditChannelAttributes *attributes = call->attributes;
    real centre = lanes_sum(n, x) / (real) n;
    real variance = LANES_SUM(n, (x[i] - centre) * (x[i] - centre)) / (real) n;

    *mean = centre;
    *inverse = K(1) / sqrt(variance + K(attributes->epsilon));
}

ADIT_ALWAYS_INLINE gsize
last_size(const AditView *view)
{
    return view->shape.size[view->shape.rank - 1];
}

/* Inputs: x, scale, shift. */
void
ADIT_KERNEL(layer_norm)(const AditKernelCall *call)
{
    gsize n = last_size(&call->output), lines = call_count(call) / n;
    const real *restrict scale = call->inputs[1].data;
    const real *restrict shift = call->inputs[2].data;

    for (gsize r = 0; r < lines; r++) {
        const real *restrict x = (const real *) call->inputs[0].data + r * n;
        real *restrict out = (real *) call->output.data + r * n;
        real mean, inverse;

        statistics(call, n, x, &mean, &inverse);
        for (gsize i = 0; i < n; i++)
            out[i] = (x[i] - mean) * inverse * scale[i] + shift[i];
    }
}

void
ADIT_KERNEL(standardize)(const AditKernelCall *call)
{
    gsize n = last_size(&call->output), lines = call_count(call) / n;

    for (gsize r = 0; r < lines; r++) {
        const real *restrict x = (const real *) call->inputs[0].data + r * n;
        real *restrict out = (real *) call->output.data + r * n;
        real mean, inverse;

        statistics(call, n, x, &mean, &inverse);
        for (gsize i = 0; i < n; i++)
            out[i] = (x[i] - mean) * inverse;
    }
}

/* Inputs: x, dy, scale. With g = dy scale and h the standardised x: (g - mean(g) - h mean(g h))
 * inverse. */
void
ADIT_KERNEL(layer_norm_gradient)(const AditKernelCall *call)
{
    gsize n = last_size(&call->output), lines = call_count(call) / n;
    const real *restrict scale = call->inputs[2].data;

    for (gsize r = 0; r < lines; r++) {
        const real *restrict x = call_row(call, 0, 0) + r * n;
        const real *restrict dy = call_row(call, 1, 0) + r * n;
        real *restrict out = (real *) call->output.data + r * n;
        real mean, inverse, g, gh;

        statistics(call, n, x, &mean, &inverse);
        g = LANES_SUM(n, dy[i] * scale[i]) / (real) n;
        gh = LANES_SUM(n, dy[i] * scale[i] * (x[i] - mean)) * inverse / (real) n;
        for (gsize i = 0; i < n; i++)
            out[i] = (dy[i] * scale[i] - g - (x[i] - mean) * inverse * gh) * inverse;
    }
}
