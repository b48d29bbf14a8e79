/* shaders/include/layer-norm.glsl - SPDX-License-Identifier: MIT */

#include "channels.glsl"

/* Mean of the n numbers of input 0 from element x on, and 1 / sqrt(variance + epsilon). */
void
adit_statistics(uint x, uint n, out float mean, out float inverse)
{
    float sum, squares;

    ADIT_LANES_SUM(sum, n, IN0(x + i));
    mean = sum / float(n);
    ADIT_LANES_SUM(squares, n, (IN0(x + i) - mean) * (IN0(x + i) - mean));
    inverse = adit_inverse_deviation(squares / float(n));
}
