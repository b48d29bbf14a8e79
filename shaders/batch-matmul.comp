/* shaders/batch-matmul.comp - SPDX-License-Identifier: MIT */
#version 450

#define LEFT_ALONG_K  (adit_attribute(0) == 0u)
#define RIGHT_ALONG_K (adit_attribute(1) != 0u)

#include "tiles.glsl"

#include "batch-matmul.glsl"
