/* shaders/include/batch-matmul.glsl - SPDX-License-Identifier: MIT */

/* A[i, k] B[k, j] for each row and each of the leading axes; attributes 0 and 1: A, B lies transposed.
 */

void
main()
{
    uint rank = adit_rank(0), rows = adit_size(0, rank - 2u), columns = adit_size(0, rank - 1u);
    uint depth = adit_size(1, LEFT_ALONG_K ? rank - 1u : rank - 2u);
    uint n = adit_output_elements() / (rows * columns);
    uint tiles = (rows + TILE_ROWS - 1u) / TILE_ROWS *
                 ((columns + TILE_COLUMNS - 1u) / TILE_COLUMNS);
    uint product = adit_group() / tiles;
    AditSide a = AditSide(product * rows * depth, LEFT_ALONG_K ? depth : 1u,
                          LEFT_ALONG_K ? 1u : rows, 0u, n * rows * depth);
    AditSide b = AditSide(product * columns * depth, RIGHT_ALONG_K ? depth : 1u,
                          RIGHT_ALONG_K ? 1u : columns, 0u, n * columns * depth);

    adit_product(AditProduct(product < n ? rows : 0u, columns, depth, 1u,
                             product * rows * columns, adit_group() % tiles, a, b));
}
