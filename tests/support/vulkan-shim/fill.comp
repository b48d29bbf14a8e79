/* tests/support/vulkan-shim/fill.comp - SPDX-License-Identifier: MIT */
#version 450

/* Number i becomes i + 1. */

layout(local_size_x_id = 0) in;

layout(std430, set = 0, binding = 0) buffer Numbers { uint numbers[]; };

void
main()
{
    numbers[gl_GlobalInvocationID.x] = gl_GlobalInvocationID.x + 1u;
}
