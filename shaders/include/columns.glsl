/* shaders/include/columns.glsl - SPDX-License-Identifier: MIT */

/* For kernels of kind COLUMNS: 16 lanes for each element of a slice's partial result. They give
 * fold(x, step, n), what the n numbers of input 0 from element x on, @step apart, come to. */

#include "slices.glsl"

float fold(uint x, uint step, uint n);

void
main()
{
    uint count = adit_count(0), column = adit_lane_group();
    bool wanted = adit_is_running() && column < count;
    uint n = wanted ? adit_slice_rows() : 0u;
    float result = fold(adit_slice_first() * count + column, count, n);

    if (wanted && adit_lane() == 0u)
        OUT(adit_slice_result() + column) = result;
}
