/* shaders/include/reduce.glsl - SPDX-License-Identifier: MIT */

/* For reductions over the middle of [outer, size, inner]: they give fold(x, step, n), what the n
 * numbers of input 0 from element x on, @step apart, come to. */

#include "results.glsl"

float fold(uint x, uint step, uint n);

float
compute(uint e, bool wanted)
{
    uint size = adit_attribute(0), inner = adit_attribute(1);

    return fold(e / inner * size * inner + e % inner, inner, wanted ? size : 0u);
}
