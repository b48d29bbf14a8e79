/* shaders/include/matmul-rows.glsl - SPDX-License-Identifier: MIT */

/* The sum over the slice's rows, and all leading axes, of A[.., i] B[.., j]. Without rows
 * (matmul-outer) all is one slice. An input without rows beside one that has them is repeated. */

#include "slices.glsl"

/* An input, @width numbers a line. */
AditSide
side(uint view, uint width)
{
    bool has_rows = adit_has_rows(view);
    uint count = adit_count(view);

    return AditSide(has_rows ? adit_slice_first() * count : 0u, 1u, width, has_rows ? count : 0u,
                    has_rows ? push.rows * count : count);
}

void
main()
{
    uint rows = adit_size(0, 0), columns = adit_size(0, 1), lines = adit_count(1) / rows, parts = 1u;

    if (adit_has_rows(1) && adit_has_rows(2))
        lines *= adit_slice_rows();
    else if (adit_has_rows(1) || adit_has_rows(2))
        parts = adit_slice_rows();
    adit_product(AditProduct(rows, columns, lines, parts, adit_slice_result(), adit_group(),
                             side(1, rows), side(2, columns)));
}
