/* shaders/combine-moments.comp - SPDX-License-Identifier: MIT */
#version 450

/* Chan, Golub and LeVeque 1979, equation 1.5, for variances: slices weigh as their rows do. An
 * invocation needs both moments of its channel and writes one. */

#include "elements.glsl"

#include "combine.glsl"

void
compute(uint e)
{
    uint size = adit_count(0) / 2u, j = e % size;
    precise float mean = adit_partial(0, j), variance = adit_partial(0, size + j);

    for (uint s = 1; s < push.rows; s++) {
        uint before = adit_slice_begin(s), after = adit_slice_begin(s + 1u);
        precise float weight = float(after - before) / float(after);
        precise float delta = adit_partial(s, j) - mean;

        variance += weight * (adit_partial(s, size + j) - variance) +
                    weight * (1.0 - weight) * delta * delta;
        mean += weight * delta;
    }
    OUT(e) = e < size ? mean : variance;
}
