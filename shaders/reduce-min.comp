/* shaders/reduce-min.comp - SPDX-License-Identifier: MIT */
#version 450

#include "lanes.glsl"

#include "folds.glsl"
#include "reduce.glsl"

float
fold(uint x, uint step, uint n)
{
    return adit_fold_min(x, step, n);
}
