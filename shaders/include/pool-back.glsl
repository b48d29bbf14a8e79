/* shaders/include/pool-back.glsl - SPDX-License-Identifier: MIT */

/* For gradients by the image, a sum over the windows that see a pixel: the kernel gives
 * pool_give(pixel, window, y, x), what the window of this number and these spans gives to pixel
 * @pixel of the channel's image. */

#define POOL_IMAGE   0
#define POOL_WINDOWS 1
#include "pool.glsl"

float pool_give(uint pixel, uint window, PoolSpan y, PoolSpan x);

void
compute(uint e)
{
    uint pixel = e % (pool_image(0) * pool_image(1));
    uint plane = e / (pool_image(0) * pool_image(1)) * pool_windows(0) * pool_windows(1);
    uint h = pixel / pool_image(1), w = pixel % pool_image(1);
    uvec2 lines = pool_windows_of(0, h), columns = pool_windows_of(1, w);
    precise float sum = 0.0;

    for (uint oy = lines.x; oy < lines.y; oy++) {
        PoolSpan y = pool_span(0, oy);

        for (uint ox = columns.x; ox < columns.y && pool_sees(y, h); ox++) {
            PoolSpan x = pool_span(1, ox);

            if (pool_sees(x, w))
                sum += pool_give(pixel, plane + oy * pool_windows(1) + ox, y, x);
        }
    }
    OUT(e) = sum;
}
