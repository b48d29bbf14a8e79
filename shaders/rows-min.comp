/* shaders/rows-min.comp - SPDX-License-Identifier: MIT */
#version 450

#define ADIT_COLUMNS
#include "lanes.glsl"

#include "columns.glsl"
#include "folds.glsl"

float
fold(uint x, uint step, uint n)
{
    return adit_fold_min(x, step, n);
}
