/* core/ops/adit-batch-matmul.kernel.c - SPDX-License-Identifier: MIT */
#include "adit-product.h"

/* A product for each row and each of the leading axes. */
void
ADIT_KERNEL(batch_matmul)(const AditKernelCall *call)
{
    const AditBatchMatmulAttributes *attributes = call->attributes;
    const gsize *a = call->inputs[0].shape.size + call->inputs[0].shape.rank - 2;
    const gsize *b = call->inputs[1].shape.size + call->inputs[1].shape.rank - 2;
    gboolean across_a = attributes->transpose_a, across_b = attributes->transpose_b;
    Product product = {.lines = a[across_a ? 1 : 0],
                       .columns = b[across_b ? 0 : 1],
                       .depth = a[across_a ? 0 : 1],
                       .a = call->inputs[0].data,
                       .a_line = across_a ? 1 : a[1],
                       .a_step = across_a ? a[1] : 1,
                       .b = call->inputs[1].data,
                       .b_step = across_b ? 1 : b[1],
                       .b_column = across_b ? b[1] : 1,
                       .out = call->output.data};
    gsize size = product.lines * product.columns, n = call_count(call) / size;

    for (gsize i = 0; i < n; i++) {
        ADIT_KERNEL(large_product)(&product);
        product.a += a[0] * a[1];
        product.b += b[0] * b[1];
        product.out += size;
    }
}
