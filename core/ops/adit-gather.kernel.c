/* core/ops/adit-gather.kernel.c - SPDX-License-Identifier: MIT */
#include "adit-kernel.h"

/* A number that is none of the table's gives NaN, and no gradient. */

void
ADIT_KERNEL(gather)(const AditKernelCall *call)
{
    const AditView *table = &call->inputs[0];
    gsize size = table->shape.size[0], line = table->count / size;
    gsize n = call_count(call) / line;
    const real *index = call->inputs[1].data;
    real *out = call->output.data;

    for (gsize i = 0; i < n; i++) {
        if (index[i] >= 0 && index[i] < (real) size) {
            memcpy(out + i * line, (const real *) table->data + (gsize) index[i] * line,
                   line * sizeof(real));
            continue;
        }
        for (gsize j = 0; j < line; j++)
            out[i * line + j] = K(NAN);
    }
}

void
ADIT_KERNEL(gather_gradient)(const AditKernelCall *call)
{
    const AditGatherAttributes *attributes = call->attributes;
    gsize size = attributes->size, line = call->output.count / size;
    gsize n = (call->inputs[0].rows ? call->rows : 1) * call->inputs[0].count;
    const real *index = call->inputs[0].data;
    const real *dy = call->inputs[1].data;
    gboolean repeats = call->inputs[0].rows && !call->inputs[1].rows;
    real *out = call->output.data;

    if (!call->accumulate)
        memset(out, 0, call->output.count * sizeof(real));
    for (gsize i = 0; i < n; i++) {
        const real *from = dy + (repeats ? i % call->inputs[0].count : i) * line;

        if (!(index[i] >= 0 && index[i] < (real) size))
            continue;
        for (gsize j = 0; j < line; j++)
            out[(gsize) index[i] * line + j] += from[j];
    }
}

void
ADIT_KERNEL(one_hot)(const AditKernelCall *call)
{
    const AditGatherAttributes *attributes = call->attributes;
    gsize size = attributes->size, n = call_count(call) / size;
    const real *index = call->inputs[0].data;
    real *out = call->output.data;

    for (gsize i = 0; i < n; i++) {
        for (gsize j = 0; j < size; j++)
            out[i * size + j] = index[i] == (real) j ? K(1) : K(0);
    }
}
