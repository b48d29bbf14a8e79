/* shaders/matmul-rows-direct.comp - SPDX-License-Identifier: MIT */
#version 450

#include "direct.glsl"

#include "matmul-rows.glsl"
