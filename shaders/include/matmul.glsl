/* shaders/include/matmul.glsl - SPDX-License-Identifier: MIT */

/* A[.., K] B[K, N] or, with attribute 0, B[N, K] transposed. All leading axes of A, and its rows, are
 * rows of one matrix. */

void
main()
{
    uint columns = adit_size(2, RIGHT_ALONG_K ? 0 : 1), depth = adit_size(2, RIGHT_ALONG_K ? 1 : 0);
    uint rows = adit_output_elements() / columns;
    AditSide a = AditSide(0u, depth, 1u, 0u, rows * depth);
    AditSide b = AditSide(0u, RIGHT_ALONG_K ? depth : 1u, RIGHT_ALONG_K ? 1u : columns, 0u,
                          adit_count(2));

    adit_product(AditProduct(rows, columns, depth, 1u, 0u, adit_group(), a, b));
}
