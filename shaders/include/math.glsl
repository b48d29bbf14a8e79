/* shaders/include/math.glsl - SPDX-License-Identifier: MIT */

/* Functions that are the same on every device: Vulkan promises of exp, log and pow next to nothing,
 * drivers' tanh and exp give NaN for large arguments. What is used here is rounded correctly, but for
 * division and sqrt, and `precise` keeps compilers from joining or moving it. Errors are at most
 * 1.5 units in the last place, of erfc 3.5 (where division and sqrt are good); results too small for
 * a normal number may be 0.
 *
 * The polynomials were fitted by minimax, their coefficients rounded to float32 one after the other,
 * each time fitting the rest again. */

#define ADIT_NAN      uintBitsToFloat(0x7fc00000u)
#define ADIT_INFINITY uintBitsToFloat(0x7f800000u)

/* Of exp: below, the result is less than the smallest normal number; above, more than the largest. */
#define ADIT_EXP_FIRST -87.3365448
#define ADIT_EXP_LAST  88.7228394

/* ln 2 = LN2_HIGH + LN2_MIDDLE + LN2_LOW; integers below 2^9 times the first two are exact. */
#define ADIT_LN2_HIGH   0.693145751953125
#define ADIT_LN2_MIDDLE 1.42859062179923e-06
#define ADIT_LN2_LOW    1.61985102e-11

/* y 2^k, for k from -252 to 254. */
float
adit_scale(float y, int k)
{
    int half_k = k >> 1;

    return y * uintBitsToFloat(uint(half_k + 127) << 23) *
           uintBitsToFloat(uint(k - half_k + 127) << 23);
}

/* Pairs of numbers: the second is what the first lost in rounding. */
vec2
adit_two_sum(float a, float b)
{
    precise float sum = a + b;
    precise float part = sum - a;
    precise float rest = (a - (sum - part)) + (b - part);

    return vec2(sum, rest);
}

vec2
adit_two_product(float a, float b)
{
    /* halves of 12 bits, whose products are exact */
    precise float a_high = uintBitsToFloat(floatBitsToUint(a) & 0xfffff000u), a_low = a - a_high;
    precise float b_high = uintBitsToFloat(floatBitsToUint(b) & 0xfffff000u), b_low = b - b_high;
    precise float product = a * b;
    precise float rest =
        ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;

    return vec2(product, rest);
}

/* y exp(x + rest): x in the range of exp, rest small beside it. */
float
adit_exp_product(float y, float x, float rest)
{
    precise float k = floor(x * 1.44269504 + 0.5);
    precise float r = x - k * ADIT_LN2_HIGH - k * ADIT_LN2_MIDDLE + rest;
    precise float sum =
        r * (r * (r * (r * (r * 0.00138364348 + 0.00836913101) + 0.0416681059) + 0.166665167) +
             0.49999994);

    sum = sum * r + r;
    sum = y * sum + y;
    return adit_scale(sum, int(k));
}

float
adit_exp(float x)
{
    if (adit_is_nan(x))
        return x;
    if (x >= ADIT_EXP_LAST)
        return ADIT_INFINITY;
    return x <= ADIT_EXP_FIRST ? 0.0 : adit_exp_product(1.0, x, 0.0);
}

/* A positive finite x as m 2^e with m from sqrt(1/2) to sqrt(2): (m, e). */
vec2
adit_split(float x)
{
    uint bits = floatBitsToUint(x);
    int e = 0;

    /* numbers below the normal ones, which arithmetic may take for 0 */
    if (bits < 0x00800000u) {
        bits = floatBitsToUint(float(bits));
        e = -149;
    }
    bits -= 0x3f3504f3u;
    return vec2(uintBitsToFloat((bits & 0x007fffffu) + 0x3f3504f3u), float(e + (int(bits) >> 23)));
}

float
adit_log(float x)
{
    uint bits = floatBitsToUint(x);

    if ((bits & 0x7fffffffu) == 0u)
        return -ADIT_INFINITY;
    if (bits > 0x7f800000u)
        return ADIT_NAN;
    if (bits == 0x7f800000u)
        return x;

    vec2 split = adit_split(x);
    precise float f = split.x - 1.0;
    precise float y =
        f * (f * (f * (f * (f * (f * (f * -0.0763639957 + 0.127621993) + -0.131596133) +
                            0.142015815) + -0.166234091) + 0.200012416) + -0.250008196) +
        0.333333313;
    precise float square = f * f;

    y = y * f * square + split.y * ADIT_LN2_MIDDLE - 0.5 * square + f;
    y = split.y * ADIT_LN2_HIGH + y;
    return y;
}

/* log(1 + x): what 1 + x loses is put back. */
float
adit_log1p(float x)
{
    precise float u = 1.0 + x;
    precise float y = adit_log(u);

    if (!(u > 0.0) || !adit_is_finite(u))
        return y;
    if (u == 1.0)
        return x;
    y = y + (x - (u - 1.0)) / u;
    return y;
}

/* One of Heron's steps makes up for a rough sqrt. */
float
adit_sqrt(float x)
{
    uint bits = floatBitsToUint(x);

    if ((bits & 0x7fffffffu) == 0u || bits == 0x7f800000u)
        return x;
    if (bits > 0x7f800000u)
        return ADIT_NAN;

    /* as in adit_split(): 2^-150 is taken out */
    bool is_small = bits < 0x00800000u;
    precise float normal = is_small ? 2.0 * float(bits) : x;
    precise float root = sqrt(normal);
    precise float y = 0.5 * (root + normal / root);

    return is_small ? y * 2.64697796e-23 : y;
}

float
adit_tanh(float x)
{
    precise float size = abs(x);
    precise float y, z = x * x;

    if (adit_is_nan(x) || size < 0.0001)
        return x;
    if (size < 1.0) {
        y = z * (z * (z * (z * (z * (z * -0.000358394434 + 0.0023012301) + -0.00794601347) +
                                0.0214866754) + -0.0538798459) + 0.133323461) + -0.333332956;
        y = y * z * x + x;
        return y;
    }
    y = 1.0 - 2.0 / (adit_exp(2.0 * min(size, 10.0)) + 1.0);
    return x < 0.0 ? -y : y;
}

/* 1 - erf(x). From x = 1/2 on exp(-x^2) q / (1 + 2 x) with a pair of numbers for the square; q, which
 * is near 1, is a polynomial of t = (x - 2) / (x + 2). */
float
adit_erfc(float x)
{
    precise float size = min(abs(x), 10.0);
    precise float y, z, t;

    if (adit_is_nan(x))
        return x;
    if (size < 0.5) {
        z = x * x;
        y = z * (z * (z * (z * 0.00435198005 + -0.0265473593) + 0.112787813) + -0.37612316) +
            1.12837911;
        y = 1.0 - x * y;
        return y;
    }

    vec2 square = adit_two_product(size, size);

    if (square.x + square.y >= -ADIT_EXP_FIRST)
        return x < 0.0 ? 2.0 : 0.0;
    t = (size - 2.0) / (size + 2.0);
    y = t * (t * (t * (t * (t * (t * (t * (t * -0.00131190661 + 0.000957503682) + 0.00869043171) +
                                 -0.00795355719) + -0.0542179421) + 0.16404362) + -0.166030318) +
             -0.0927636474) + 1.27697837;
    y = adit_exp_product(y / (1.0 + 2.0 * size), -square.x, -square.y);
    z = 2.0 - y;
    return x < 0.0 ? z : y;
}

/* (cos, sin) of a turn's part: 2 pi u, for 0 <= u <= 1. What is left of u beside the nearest quarter
 * is exact. */
vec2
adit_cos_sin(float u)
{
    precise float quarter = floor(u * 4.0 + 0.5);
    precise float x = (u - quarter * 0.25) * 6.28318531;
    precise float z = x * x;
    precise float c = z * (z * 2.44323273e-05 + -0.00138873095) + 0.0416666456;
    precise float s = z * (z * -0.000195178975 + 0.00833218731) + -0.166666552;

    c = c * z * z - 0.5 * z + 1.0;
    s = s * z * x + x;
    switch (int(quarter)) {
    case 1:
        return vec2(-s, c);
    case 2:
        return vec2(-c, -s);
    case 3:
        return vec2(s, -c);
    default:
        return vec2(c, s);
    }
}

#include "power.glsl"
