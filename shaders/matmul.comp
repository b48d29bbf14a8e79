/* shaders/matmul.comp - SPDX-License-Identifier: MIT */
#version 450

/* A[.., K] B[K, N] or, with attribute 0, B[N, K] transposed. All leading axes of A, and its rows, are
 * rows of one matrix. */

#include "tiles.glsl"

uint columns, depth;
bool is_transposed;

float
left(uint row, uint k)
{
    return IN0(row * depth + k);
}

float
right(uint k, uint column)
{
    return IN1(is_transposed ? column * depth + k : k * columns + column);
}

void
main()
{
    is_transposed = adit_attribute(0) != 0u;
    columns = adit_size(2, is_transposed ? 0 : 1);
    depth = adit_size(2, is_transposed ? 1 : 0);
    adit_product(adit_output_elements() / columns, columns, depth, true, is_transposed, 0u);
}
