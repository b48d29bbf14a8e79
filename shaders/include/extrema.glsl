/* shaders/include/extrema.glsl - SPDX-License-Identifier: MIT */

/* For kernels that find the largest and the smallest of some numbers of input 0, and which of them it
 * is, of equal ones the first. NaN is both. 16 lanes find one of the two. */

/* Bits that are ordered as the numbers are, or, for the smallest, the other way around; never 0. */
uint
adit_order(float x, bool smallest)
{
    uint bits = floatBitsToUint(x);

    if (adit_is_nan(x))
        return 0xffffffffu;
    if (bits == 0x80000000u)
        bits = 0u;
    bits = bits >= 0x80000000u ? ~bits : bits | 0x80000000u;
    return smallest ? ~bits : bits;
}

/* The number of the first of the @n numbers from element @x on, @step apart, that is it. */
uint
adit_find_extremum(uint x, uint step, uint n, bool smallest)
{
    uint best = 0u, at = 0xffffffffu;

    for (uint i = adit_lane(); i < n; i += ADIT_LANES) {
        uint value = adit_order(IN0(x + i * step), smallest);

        at = value > best ? i : at;
        best = max(best, value);
    }
    for (uint offset = ADIT_LANES / 2u; offset > 0u; offset /= 2u) {
        uint other = adit_lanes_swap(best, offset), other_at = adit_lanes_swap(at, offset);

        if (other > best || (other == best && other_at < at))
            at = other_at;
        best = max(best, other);
    }
    return at;
}

/* Of parts 0 to 3 the one that is asked for: the number from element @x on, or which it is. */
float
adit_extremum_part(uint part, uint x, uint step, uint n, uint first)
{
    uint at = adit_find_extremum(x, step, n, part >= 2u);

    return part % 2u == 0u ? IN0(x + (n > 0u ? at : 0u) * step) : float(first + at);
}
