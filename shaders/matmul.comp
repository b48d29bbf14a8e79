/* shaders/matmul.comp - SPDX-License-Identifier: MIT */
#version 450

#define LEFT_ALONG_K  true
#define RIGHT_ALONG_K (adit_attribute(0) != 0u)

#include "tiles.glsl"

#include "matmul.glsl"
