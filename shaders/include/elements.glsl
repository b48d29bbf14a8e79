/* shaders/include/elements.glsl - SPDX-License-Identifier: MIT */

/* For kernels that compute every element of the output by itself: they give compute(e), of element e
 * of this dispatch's rows. ADIT_ELEMENTS: how many there are, if not the output's. */

#include "adit.glsl"

#ifndef ADIT_ELEMENTS
#define ADIT_ELEMENTS adit_output_elements()
#endif

layout(local_size_x_id = 0) in;

void compute(uint e);

void
main()
{
    uint e = adit_invocation();

    if (adit_is_running() && e < ADIT_ELEMENTS)
        compute(e);
}
