/* shaders/reduce-argmax.comp - SPDX-License-Identifier: MIT */
#version 450

/* Which number is the greatest, and of equals the first. NaN counts as the greatest. */

#include "lanes.glsl"

#include "reduce.glsl"

/* Bits that are ordered as the numbers are; never 0. */
uint
order(float x)
{
    uint bits = floatBitsToUint(x);

    if (adit_is_nan(x))
        return 0xffffffffu;
    if (bits == 0x80000000u)
        bits = 0u;
    return bits >= 0x80000000u ? ~bits : bits | 0x80000000u;
}

float
fold(uint x, uint step, uint n)
{
    uint best = 0u, at = 0xffffffffu;

    for (uint i = adit_lane(); i < n; i += ADIT_LANES) {
        uint value = order(IN0(x + i * step));

        at = value > best ? i : at;
        best = max(best, value);
    }
    for (uint offset = ADIT_LANES / 2u; offset > 0u; offset /= 2u) {
        uint other = adit_lanes_swap(best, offset), other_at = adit_lanes_swap(at, offset);

        if (other > best || (other == best && other_at < at))
            at = other_at;
        best = max(best, other);
    }
    return float(at);
}
