/* shaders/include/power.glsl - SPDX-License-Identifier: MIT */

/* pow, as exp(b log a): since the exponent may be 88, the logarithm needs 31 correct bits and is a pair
 * of numbers (adit_two_sum). Part of math.glsl. */

vec2
adit_pair_product(vec2 a, vec2 b)
{
    vec2 product = adit_two_product(a.x, b.x);
    precise float rest = product.y + (a.x * b.y + a.y * b.x);

    return vec2(product.x, rest);
}

/* log x for a positive finite x: log m + e log 2, and with s = (m - 1) / (m + 1)
 * log m = 2 s + s^3 (2/3 + s^2 Q(s^2)). */
vec2
adit_log_pair(float x)
{
    vec2 split = adit_split(x);
    precise float f = split.x - 1.0;
    vec2 t = adit_two_sum(1.0, split.x);
    vec2 s, back, cube, sum, other;
    precise float z, q, rest;

    s.x = f / t.x;
    back = adit_two_product(s.x, t.x);
    rest = (f - back.x) - back.y - s.x * t.y;
    s.y = rest / t.x;

    vec2 square = adit_pair_product(s, s);

    z = square.x;
    q = z * (z * (z * (z * 0.195564255 + 0.221797287) + 0.285719723) + 0.399999976);
    cube = adit_two_sum(0.666666687, q);
    rest = cube.y - 1.98682149e-08;
    cube = adit_pair_product(adit_pair_product(square, s), vec2(cube.x, rest));

    sum = adit_two_sum(2.0 * s.x, cube.x);
    rest = 2.0 * s.y + cube.y + sum.y + split.y * ADIT_LN2_LOW;
    sum = adit_two_sum(split.y * ADIT_LN2_HIGH, sum.x);
    other = adit_two_sum(sum.x, split.y * ADIT_LN2_MIDDLE);
    rest = other.y + sum.y + rest;
    return adit_two_sum(other.x, rest);
}

/* a^b for a >= 0, and neither a = 1 nor b = 0. */
float
adit_pow_positive(float a, float b)
{
    bool grows = (a > 1.0) == (b > 0.0);

    if (floatBitsToUint(a) == 0u || !adit_is_finite(a) || !adit_is_finite(b))
        return grows ? ADIT_INFINITY : 0.0;

    vec2 logarithm = adit_log_pair(a);
    precise float whole = b * logarithm.x;

    if (abs(whole) > 100.0)
        return grows ? ADIT_INFINITY : 0.0;

    vec2 exponent = adit_pair_product(vec2(b, 0.0), logarithm);

    if (exponent.x + exponent.y <= ADIT_EXP_FIRST)
        return 0.0;
    return adit_exp_product(1.0, exponent.x, exponent.y);
}

/* Special cases as C's pow(). */
float
adit_pow(float a, float b)
{
    uint bits = floatBitsToUint(a) & 0x7fffffffu;
    float size = uintBitsToFloat(bits), whole = abs(b);
    bool is_whole = whole >= 8388608.0 || floor(whole) == whole;
    bool is_odd = is_whole && whole < 16777216.0 && (uint(whole) & 1u) != 0u;
    bool is_negative = (floatBitsToUint(a) & 0x80000000u) != 0u;

    if ((b == 0.0 && !adit_is_nan(b)) || (a == 1.0 && !adit_is_nan(a)))
        return 1.0;
    if (adit_is_nan(a) || adit_is_nan(b))
        return ADIT_NAN;
    if (is_negative && !is_whole && bits != 0u && adit_is_finite(a))
        return ADIT_NAN;

    float y = size == 1.0 ? 1.0 : adit_pow_positive(size, b);

    return is_negative && is_odd ? -y : y;
}
