/* shaders/include/results.glsl - SPDX-License-Identifier: MIT */

/* For kernels of kind RESULTS: 16 lanes for each element of the output. They give compute(e, wanted):
 * the lanes of element e of the dispatch together return it. Where it is not wanted, beyond the end,
 * they take part in sums, of nothing. */

float compute(uint e, bool wanted);

void
main()
{
    uint e = adit_lane_group();
    bool wanted = adit_is_running() && e < adit_output_elements();
    float result = compute(wanted ? e : 0u, wanted);

    if (wanted && adit_lane() == 0u)
        OUT(e) = result;
}
