/* shaders/include/elements.glsl - SPDX-License-Identifier: MIT */

/* For kernels that compute every element of the output by itself: they give compute(e), of element e
 * of this dispatch's rows. */

#include "adit.glsl"

layout(local_size_x_id = 0) in;

void compute(uint e);

void
main()
{
    uint e = adit_invocation();

    if (adit_is_running() && e < adit_output_elements())
        compute(e);
}
