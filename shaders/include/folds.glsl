/* shaders/include/folds.glsl - SPDX-License-Identifier: MIT */

/* What the n numbers of input 0 from element x on, @step apart, come to. */

float
adit_fold_sum(uint x, uint step, uint n)
{
    float sum;

    ADIT_LANES_SUM(sum, n, IN0(x + i * step));
    return sum;
}

float
adit_fold_max(uint x, uint step, uint n)
{
    float best = ADIT_GREATEST_BEGIN;

    for (uint i = adit_lane(); i < n; i += ADIT_LANES)
        best = adit_max_of(best, IN0(x + i * step));
    return adit_lanes_max(best);
}

float
adit_fold_min(uint x, uint step, uint n)
{
    float best = ADIT_LEAST_BEGIN;

    for (uint i = adit_lane(); i < n; i += ADIT_LANES)
        best = adit_min_of(best, IN0(x + i * step));
    return adit_lanes_min(best);
}
