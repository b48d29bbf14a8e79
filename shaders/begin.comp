/* shaders/begin.comp - SPDX-License-Identifier: MIT */
#version 450

/* Begins a call: what the host wrote for it into its slot of a ring (input 0; attributes: slots, words
 * a slot) becomes the block's words from the serial on. Runs whatever the status. */

#define ADIT_BLOCK_WRITABLE
#define ADIT_INPUT0_TYPE uint

#include "adit.glsl"

layout(local_size_x = 64) in;

void
main()
{
    uint cursor = block[BLOCK_CURSOR], size = adit_attribute(1);
    uint slot = cursor % adit_attribute(0) * size;

    /* all have read the cursor */
    memoryBarrierBuffer();
    barrier();
    for (uint i = gl_LocalInvocationID.x; i < size; i += 64u)
        block[BLOCK_SERIAL + i] = IN0(slot + i);
    if (gl_LocalInvocationID.x == 0u)
        block[BLOCK_CURSOR] = cursor + 1u;
}
