/* shaders/sift.comp - SPDX-License-Identifier: MIT */
#version 450

/* Which rows stay of those that a program has run for, in their order. Input 0, written: how many, and
 * from word 4 on which; input 1: the numbers that decide, the first of each row; input 3: how many
 * rows there are, if attribute 0 says so, else as many as the dispatch has. Attributes: whether those
 * are counted, numbers a row, the threshold, whether rows with as much leave, or else those with less.
 * One workgroup. */

#define ADIT_INPUT0_TYPE uint
#define ADIT_INPUT0_ACCESS
#define ADIT_INPUT3_TYPE uint

#include "adit.glsl"

#define SIZE 128u

layout(local_size_x = 128) in;

shared uint counts[SIZE];

bool
stays(uint row)
{
    float number = IN1(row * adit_attribute(1)), threshold = adit_attribute_float(2);

    if (adit_is_nan(number))
        return true;
    return adit_attribute(3) != 0u ? number < threshold : number >= threshold;
}

void
main()
{
    uint id = gl_LocalInvocationID.x, kept = 0u;
    uint n = adit_attribute(0) != 0u ? IN3(0) : push.rows;

    for (uint first = 0u; first < n; first += SIZE) {
        uint row = first + id;
        bool wanted = row < n && stays(row);

        counts[id] = wanted ? 1u : 0u;
        barrier();
        for (uint step = 1u; step < SIZE; step *= 2u) {
            uint before = id >= step ? counts[id - step] : 0u;

            barrier();
            counts[id] += before;
            barrier();
        }
        if (wanted)
            IN0(4u + kept + counts[id] - 1u) = row;
        kept += counts[SIZE - 1u];
        barrier();
    }
    if (id == 0u)
        IN0(0) = kept;
}
