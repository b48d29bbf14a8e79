/* shaders/include/lines.glsl - SPDX-License-Identifier: MIT */

/* For kernels of kind LINES: 16 lanes for each line along the output's last axis. They give
 * compute(line, n), of a line of n numbers, counted over the rows of the dispatch. Groups beyond the
 * end get n = 0: they take part in sums, and write nothing. */

void compute(uint line, uint n);

void
main()
{
    uint n = adit_last_size(0), line = adit_lane_group();
    bool wanted = adit_is_running() && line < adit_output_elements() / n;

    compute(wanted ? line : 0u, wanted ? n : 0u);
}
