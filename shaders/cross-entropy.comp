/* shaders/cross-entropy.comp - SPDX-License-Identifier: MIT */
#version 450

/* Inputs: logits, class numbers. A class number that is none gives NaN. */

#include "lanes.glsl"

#include "results.glsl"
#include "softmax.glsl"

float
compute(uint e, bool wanted)
{
    uint n = adit_last_size(1), x = adit_line_of(1, e);
    float target = IN1(adit_number_of(2, e));
    bool is_class = !adit_is_nan(target) && target >= 0.0 && target < float(n);
    float top = adit_greatest(x, wanted ? n : 0u);
    float tail = adit_log(adit_sum_exp(x, wanted ? n : 0u, top));

    return is_class ? top - IN0(x + uint(target)) + tail : uintBitsToFloat(0x7fc00000u);
}
