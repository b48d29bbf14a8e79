/* shaders/matmul-direct.comp - SPDX-License-Identifier: MIT */
#version 450

#define RIGHT_ALONG_K (adit_attribute(0) != 0u)

#include "direct.glsl"

#include "matmul.glsl"
