/* shaders/guard.comp - SPDX-License-Identifier: MIT */
#version 450

/* Stops everything behind it where input 0, a scalar, is not finite, and notes the call. */

#define ADIT_BLOCK_WRITABLE

#include "adit.glsl"

layout(local_size_x = 64) in;

void
main()
{
    if (gl_LocalInvocationID.x == 0u && adit_is_running() && !adit_is_finite(IN0(0))) {
        block[BLOCK_STATUS] = 1u;
        block[BLOCK_FAILED_SERIAL] = block[BLOCK_SERIAL];
        block[BLOCK_FAILED_STEP] = block[BLOCK_STEP];
        block[BLOCK_FAILED_STEP + 1] = block[BLOCK_STEP + 1];
    }
}
