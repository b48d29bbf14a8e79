/* shaders/matmul-rows.comp - SPDX-License-Identifier: MIT */
#version 450

#define LEFT_ALONG_K  false
#define RIGHT_ALONG_K false

#include "tiles.glsl"

#include "matmul-rows.glsl"
