/* shaders/include/pool-forward.glsl - SPDX-License-Identifier: MIT */

/* Input: images. */

#define POOL_IMAGE   1
#define POOL_WINDOWS 0
#include "pool.glsl"

/* First element of the channel's image that window @e of the output lies on. */
uint
pool_plane(uint e)
{
    return e / (pool_windows(0) * pool_windows(1)) * pool_image(0) * pool_image(1);
}

PoolSpan
pool_rows_of(uint e)
{
    return pool_span(0, e / pool_windows(1) % pool_windows(0));
}

PoolSpan
pool_columns_of(uint e)
{
    return pool_span(1, e % pool_windows(1));
}
