/* core/ops/adit-rows.kernel.c - SPDX-License-Identifier: MIT */
#include "adit-lanes.h"

void
ADIT_KERNEL(rows_sum)(const AditKernelCall *call)
{
    if (call->pitch != 0) {
        ADIT_KERNEL(pitched_rows_sum)(call);
        return;
    }
    columns_sum(call->rows, call->output.count, call->output.count, call->inputs[0].data,
                call->output.data, call->accumulate);
}

void
ADIT_KERNEL(combine_mean)(const AditKernelCall *call)
{
    real *out = call->output.data;

    ADIT_KERNEL(rows_sum)(call);
    for (gsize j = 0; j < call->output.count; j++)
        out[j] /= (real) call->batch_rows;
}

void
ADIT_KERNEL(rows_max)(const AditKernelCall *call)
{
    gsize count = call->output.count;
    const real *x = call->inputs[0].data;
    real *restrict out = call->output.data;

    if (!call->accumulate)
        memcpy(out, x, count * sizeof(real));
    for (gsize r = call->accumulate ? 0 : 1; r < call->rows; r++) {
        for (gsize j = 0; j < count; j++)
            out[j] = max_of(out[j], x[r * count + j]);
    }
}

void
ADIT_KERNEL(rows_min)(const AditKernelCall *call)
{
    gsize count = call->output.count;
    const real *x = call->inputs[0].data;
    real *restrict out = call->output.data;

    if (!call->accumulate)
        memcpy(out, x, count * sizeof(real));
    for (gsize r = call->accumulate ? 0 : 1; r < call->rows; r++) {
        for (gsize j = 0; j < count; j++)
            out[j] = min_of(out[j], x[r * count + j]);
    }
}

void
ADIT_KERNEL(broadcast_rows_mean)(const AditKernelCall *call)
{
    gsize count = call->output.count;
    const real *x = call->inputs[0].data;
    real *restrict out = call->output.data;

    if (call->pitch != 0) {
        for (gsize j = 0; j < count; j++) {
            for (gsize r = 0; r < call_line(call); r++)
                out[j * call->pitch + r] = x[j] / (real) call->batch_rows;
        }
        return;
    }
    for (gsize r = 0; r < call->rows; r++) {
        for (gsize j = 0; j < count; j++)
            out[r * count + j] = x[j] / (real) call->batch_rows;
    }
}
