/* shaders/include/softmax.glsl - SPDX-License-Identifier: MIT */

/* What kernels over lines of logits share. */

#include "math.glsl"

/* First element of the line of an input that goes with line @line of the dispatch; inputs without
 * rows are repeated. */
uint
adit_line_of(uint view, uint line)
{
    uint n = adit_last_size(view);

    return (adit_has_rows(view) ? line : line % (adit_count(view) / n)) * n;
}

/* The same of an input that has one number for each line. */
uint
adit_number_of(uint view, uint line)
{
    return adit_has_rows(view) ? line : line % adit_count(view);
}

/* The greatest of the n numbers of input 0 from element x on. */
float
adit_greatest(uint x, uint n)
{
    float best = ADIT_GREATEST_BEGIN;

    for (uint i = adit_lane(); i < n; i += ADIT_LANES)
        best = adit_max_of(best, IN0(x + i));
    return adit_lanes_max(best);
}

/* And sum exp(x - top) of them. */
float
adit_sum_exp(uint x, uint n, float top)
{
    float sum;

    ADIT_LANES_SUM(sum, n, adit_exp(IN0(x + i) - top));
    return sum;
}
