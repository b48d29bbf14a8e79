/* shaders/include/lanes.glsl - SPDX-License-Identifier: MIT */

/* Sums and extrema that 16 invocations take together, each a lane, in the order of
 * core/ops/adit-lanes.h: number i goes into lane i % 16, then lanes are joined by halves, lane[i]
 * with lane[i + 8], then 4, 2 and 1 apart. All lanes get the result: each joins the two numbers that
 * its partner joins, so that the bits are the same whoever swaps them, the subgroup or shared memory.
 *
 * A workgroup has several groups of lanes, and all its invocations must call these functions
 * together. With ADIT_COLUMNS there are eight groups instead of four, and neighbouring invocations
 * are the same lane of neighbouring groups: they read what lies side by side in a row. */

#ifdef ADIT_SUBGROUP
#extension GL_KHR_shader_subgroup_shuffle : require
#endif

#include "adit.glsl"

#define ADIT_LANES 16u
#ifdef ADIT_COLUMNS
#define ADIT_GROUPS 8u
#define ADIT_LANE_STEP ADIT_GROUPS
layout(local_size_x = 128) in;
#else
#define ADIT_GROUPS 4u
#define ADIT_LANE_STEP 1u
layout(local_size_x = 64) in;
#endif

#ifdef ADIT_SUBGROUP
/* Subgroups are full: invocation i of the workgroup is number i % size of its own. */
layout(constant_id = 3) const uint ADIT_SUBGROUP_SIZE = 1u;
#endif

shared uint lanes_shared[ADIT_LANES * ADIT_GROUPS];

uint
adit_lane()
{
    return gl_LocalInvocationID.x / ADIT_LANE_STEP % ADIT_LANES;
}

/* Number, within the dispatch, of this invocation's group of lanes. */
uint
adit_lane_group()
{
#ifdef ADIT_COLUMNS
    return adit_group() * ADIT_GROUPS + gl_LocalInvocationID.x % ADIT_GROUPS;
#else
    return adit_group() * ADIT_GROUPS + gl_LocalInvocationID.x / ADIT_LANES;
#endif
}

/* Size of an operand's last axis. */
uint
adit_last_size(uint view)
{
    return adit_size(view, adit_rank(view) - 1u);
}

uint
adit_lanes_swap_shared(uint bits, uint offset)
{
    uint own = gl_LocalInvocationID.x;

    barrier();
    lanes_shared[own] = bits;
    barrier();
    return lanes_shared[own ^ offset];
}

/* What the lane that is @offset (a power of two) away has. */
uint
adit_lanes_swap(uint bits, uint offset)
{
    offset *= ADIT_LANE_STEP;
#ifdef ADIT_SUBGROUP
    if (offset < ADIT_SUBGROUP_SIZE)
        bits = subgroupShuffleXor(bits, offset);
    else
        bits = adit_lanes_swap_shared(bits, offset);
    return bits;
#else
    return adit_lanes_swap_shared(bits, offset);
#endif
}

float
adit_lanes_swap(float x, uint offset)
{
    return uintBitsToFloat(adit_lanes_swap(floatBitsToUint(x), offset));
}

float
adit_lanes_sum(float x)
{
    precise float sum = x;

    for (uint offset = ADIT_LANES / 2u; offset > 0u; offset /= 2u)
        sum += adit_lanes_swap(sum, offset);
    return sum;
}

/* sum = the sum of TERM, an expression in `i`, for i from 0 to n - 1. */
#define ADIT_LANES_SUM(sum, n, term)                                                               \
    {                                                                                              \
        precise float own_ = 0.0;                                                                  \
        for (uint i = adit_lane(); i < (n); i += ADIT_LANES)                                       \
            own_ += (term);                                                                        \
        sum = adit_lanes_sum(own_);                                                                \
    }

/* What the greatest and the least begin with: infinities. */
#define ADIT_GREATEST_BEGIN uintBitsToFloat(0xff800000u)
#define ADIT_LEAST_BEGIN    uintBitsToFloat(0x7f800000u)

float
adit_lanes_max(float x)
{
    for (uint offset = ADIT_LANES / 2u; offset > 0u; offset /= 2u)
        x = adit_max_of(x, adit_lanes_swap(x, offset));
    return x;
}

float
adit_lanes_min(float x)
{
    for (uint offset = ADIT_LANES / 2u; offset > 0u; offset /= 2u)
        x = adit_min_of(x, adit_lanes_swap(x, offset));
    return x;
}
