/* shaders/include/combine.glsl - SPDX-License-Identifier: MIT */

/* The partial results of the slices are the rows of input 0; those of slices without rows are not
 * there. They are joined in order. */

/* Element j of slice s. */
float
adit_partial(uint s, uint j)
{
    return IN0(s * adit_count(1) + j);
}

float
adit_partial_sum(uint j)
{
    precise float sum = 0.0;

    for (uint s = 0; s < push.rows; s++)
        sum += adit_partial(s, j);
    return sum;
}
