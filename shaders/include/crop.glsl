/* shaders/include/crop.glsl - SPDX-License-Identifier: MIT */

/* Where the numbers of a window stand on a map: core/ops/adit-crop.kernel.c. Attributes: height and width
 * of the window, of the map, whether what is outside reads the edge. */

/* By how much number `at` of an axis of `full` goes into number i of a window that begins at `begin`,
 * `step` apart. `low`: the first of the two that go into it; beyond the map: none does. */
float
adit_crop_share(float begin, float step, uint i, uint full, int at, out int low)
{
    precise float place = begin + float(i) * step;
    float end = float(full);

    low = -2;
    if (!adit_is_finite(begin) || !adit_is_finite(step))
        return 0.0;
    if (adit_attribute(4) != 0u)
        place = place > 0.0 ? (place < end - 1.0 ? place : end - 1.0) : 0.0;
    if (!(place > -1.0 && place < end))
        return 0.0;
    low = int(floor(place));

    precise float share = place - floor(place);
    precise float rest = 1.0 - share;

    if (at < 0 || at >= int(full) || at < low || at > low + 1)
        return 0.0;
    return at == low ? rest : share;
}
