/* shaders/matmul.comp - SPDX-License-Identifier: MIT */
#version 450

/* A[.., K] B[K, N] or, with attribute 0, B[N, K] transposed. All leading axes of A, and its rows, are
 * rows of one matrix. */

#define LEFT_ALONG_K  true
#define RIGHT_ALONG_K (adit_attribute(0) != 0u)

#include "tiles.glsl"

void
main()
{
    uint columns = adit_size(2, RIGHT_ALONG_K ? 0 : 1), depth = adit_size(2, RIGHT_ALONG_K ? 1 : 0);
    uint rows = adit_output_elements() / columns;
    AditSide a = AditSide(0u, depth, 1u, 0u, rows * depth);
    AditSide b = AditSide(0u, RIGHT_ALONG_K ? depth : 1u, RIGHT_ALONG_K ? 1u : columns, 0u,
                          adit_count(2));

    adit_product(AditProduct(rows, columns, depth, 1u, 0u, a, b));
}
