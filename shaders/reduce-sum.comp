/* shaders/reduce-sum.comp - SPDX-License-Identifier: MIT */
#version 450

#include "lanes.glsl"

#include "folds.glsl"
#include "reduce.glsl"

float
fold(uint x, uint step, uint n)
{
    return adit_fold_sum(x, step, n);
}
