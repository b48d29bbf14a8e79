/* tests/support/vulkan-shim/measured.comp - SPDX-License-Identifier: MIT */
#version 450

/* Every kind of shared variable and of a workgroup's size, for the shim to measure.
 * FIXED: the size is no constant of specialization; SUBGROUPS: takes part in them. */

#ifdef SUBGROUPS
#extension GL_KHR_shader_subgroup_basic : require
#endif

#ifdef FIXED
layout(local_size_x = 8, local_size_y = 4) in;
#else
layout(local_size_x_id = 0, local_size_y = 1, local_size_z_id = 1) in;
#endif

layout(constant_id = 2) const uint ROWS = 4;
layout(constant_id = 3) const bool IS_WIDE = false;

layout(std430, set = 0, binding = 0) buffer Numbers { float numbers[]; };

struct Pair {
    float value;
    uint index;
};

shared vec4 tiles[ROWS * (ROWS + 1)];     /* 16 bytes each */
shared Pair pairs[gl_WorkGroupSize.x];    /* 8 */
shared bool flags[IS_WIDE ? 64u : 3u][2]; /* 4 */
shared mat3 matrix;                       /* 36 */
shared float halves[ROWS / 2u];           /* 4 */

void
main()
{
    uint i = gl_LocalInvocationIndex;

#ifdef SUBGROUPS
    i += gl_SubgroupInvocationID;
#endif
    tiles[i % ROWS] = vec4(numbers[i]);
    pairs[i % gl_WorkGroupSize.x] = Pair(numbers[i], i);
    flags[i % 3u][0] = numbers[i] > 0.0;
    matrix[i % 3u] = tiles[i % ROWS].xyz;
    halves[0] = 1.0;
    barrier();
    if (flags[i % 3u][0])
        numbers[i] = tiles[i % ROWS].x + pairs[0].value + matrix[0].x + halves[0];
}
