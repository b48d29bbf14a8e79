/* shaders/include/deficits.glsl - SPDX-License-Identifier: MIT */

/* upper max(0, margin - largest) + lower max(0, margin + smallest), of attributes 0 to 2. */

#define DEFICITS_MARGIN uintBitsToFloat(adit_attribute(0))
#define DEFICITS_UPPER  uintBitsToFloat(adit_attribute(1))
#define DEFICITS_LOWER  uintBitsToFloat(adit_attribute(2))

float
adit_deficit(float largest, float smallest)
{
    precise float above = DEFICITS_MARGIN - largest, below = DEFICITS_MARGIN + smallest;
    precise float deficit =
        DEFICITS_UPPER * (above < 0.0 && !adit_is_nan(above) ? 0.0 : above) +
        DEFICITS_LOWER * (below < 0.0 && !adit_is_nan(below) ? 0.0 : below);

    return deficit;
}
